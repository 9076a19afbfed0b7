"""Silences against labels: which of them hold a notice back.

Standing in the flow: `deliver` asks when it flushes, `warden silence` before it stores one. The
matchers are those of routes, over the labels of `plan.labels_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from warden.errors import UsageError
from warden.model.located import FaultList, Node, SourceFile
from warden.model.notice import ACTIONS, Action
from warden.model.people import Silence
from warden.model.rule import Rule
from warden.notify.matcher_names import check_matchers
from warden.notify.matchers import Matcher, parse_matchers
from warden.notify.reading import Reader

MAX_MATCHERS = 20
MAX_MATCHER = 500  # characters


@lru_cache(maxsize=256)
def compiled(matchers: tuple[str, ...]) -> tuple[Matcher, ...]:
    """Read matchers such as `rule=attacks` or `country=~"ML.|BFA"`.

    Raises:
        UsageError: one of them is none; the message says what is wrong with it.
    """
    faults = FaultList()
    found = parse_matchers(_node(matchers), Reader(faults))
    _refuse(faults)
    return found


def doubts(
    matchers: Sequence[str], rules: Iterable[Rule], *, otherwise: str = "it holds nothing"
) -> tuple[str, ...]:
    """What no alert of these rules carries, in sentences: it may be meant for rules to come.

    Raises:
        UsageError: a label or value that looks like a slip of a known one.
    """
    faults = FaultList()
    written = _node(matchers)
    key = Node("scalar", written.file, 1, 1, "matchers", "matchers")
    root = Node("mapping", written.file, 1, 1, entries=((key, written),))
    check_matchers([root], rules, faults, otherwise=otherwise)
    _refuse(faults)
    return tuple(fault.message for fault in faults.sorted())


def _node(matchers: Sequence[str]) -> Node:
    file = SourceFile("--matcher")
    items = tuple(Node("scalar", file, 1, 1, text, text) for text in matchers)
    return Node("list", file, 1, 1, items=items)


def _refuse(faults: FaultList) -> None:
    first = next((fault for fault in faults.sorted() if fault.severity == "error"), None)
    if first is not None:
        raise UsageError(first.message)


def silencing(silences: Iterable[Silence], labels: Mapping[str, str]) -> Silence | None:
    """The first of the silences all of whose matchers hold, None where none does.

    Which of them are active is the caller's affair.
    """
    return next((one for one in silences if matches(one.matchers, labels)), None)


def matches(matchers: Sequence[str], labels: Mapping[str, str]) -> bool:
    """Whether all these written matchers hold. No matcher at all holds nothing."""
    found = compiled(tuple(matchers))
    return bool(found) and all(matcher.matches(labels) for matcher in found)


def actions_held(matchers: Sequence[str], labels: Mapping[str, str]) -> frozenset[Action]:
    """Of an alert with these labels, which notices the matchers hold back."""
    return frozenset(
        action for action in ACTIONS if matches(matchers, {**labels, "action": action})
    )


def holds_nearly_everything(matchers: Sequence[str]) -> bool:
    """Whether not one of the matchers narrows anything down.

    One that holds for a value that nobody uses, such as `rule=~".*"` or `country!=MLI`, says only
    what is left out. `severity=~"info|warning"` names what is meant.
    """
    unheard = "\N{SNOWMAN} no such value"
    return all(matcher.matches({matcher.name: unheard}) for matcher in compiled(tuple(matchers)))
