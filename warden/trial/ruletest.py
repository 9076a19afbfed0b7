"""Run rule tests: the rules over a test's events, what they say beside what they should say.

Standing in the flow: `testfiles` reads, this runs and compares. Rules on trial and disabled ones
are tested as if they were in force: a test is how they are to earn that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from warden.engine.frame import instant_text
from warden.engine.geo.geography import Geography
from warden.model.event import Record
from warden.model.rule import Ruleset
from warden.notify.rehearsal import rehearse
from warden.notify.routing import Routing
from warden.trial.backtest import frame_of, notice_row
from warden.trial.health_input import health_at
from warden.trial.history import FOREVER, History, ticks
from warden.trial.testfiles import DATASET, AlertTest, RouteTest, RuleTest, Version
from warden.trial.trial import Instant, Said, Trial

_TOLD = (
    "action", "rule", "severity", "reason", "key", "event_ids", "first_day", "last_day",
)  # fmt: skip
_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended.

    Attributes:
        expected, got: one entry a check, in the order written; those that differ make it fail.
    """

    file: str
    line: int
    name: str
    passed: bool
    expected: tuple[Mapping[str, Any], ...]
    got: tuple[Mapping[str, Any], ...]
    failed: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As scripts read it."""
        return {
            "file": self.file,
            "line": self.line,
            "name": self.name,
            "passed": self.passed,
            "expected": list(self.expected),
            "got": list(self.got),
        }


def run_tests(
    tests: Iterable[RuleTest], ruleset: Ruleset, routing: Routing | None, geography: Geography
) -> Iterator[Outcome]:
    """Run them one by one. `routing` None: the routes cannot be read, and their tests fail."""
    for test in tests:
        yield run_test(test, ruleset, routing, geography)


def run_test(
    test: RuleTest, ruleset: Ruleset, routing: Routing | None, geography: Geography
) -> Outcome:
    """Run one test."""
    checks = [
        *_alert_checks(test, ruleset, geography),
        *(_route_check(one, routing) for one in test.route_tests),
    ]
    failed = tuple(number for number, (passed, _, _) in enumerate(checks) if not passed)
    return Outcome(
        file=test.file,
        line=test.line,
        name=test.name,
        passed=not failed,
        expected=tuple(expected for _, expected, _ in checks),
        got=tuple(got for _, _, got in checks),
        failed=failed,
    )


_Check = tuple[bool, dict[str, Any], dict[str, Any]]


# --- alerts -----------------------------------------------------------------------------------


def _alert_checks(test: RuleTest, ruleset: Ruleset, geography: Geography) -> Iterator[_Check]:
    if not test.alert_tests:
        return
    trial = Trial(_in_force(ruleset, test), geography, _history(test.versions))
    said: dict[int, tuple[Said, ...]] = {}
    for one in test.alert_tests:
        at = ticks(one.eval_time)
        if at not in said:
            through = {DATASET: one.complete_through}
            health = health_at(test.health, one.eval_time)
            said[at] = trial.step(Instant(one.eval_time, through, health=health))
        yield _alert_check(one, said[at])


def _in_force(ruleset: Ruleset, test: RuleTest) -> Ruleset:
    """The rules a test is about, all in force."""
    named = {one.rule for one in test.alert_tests}
    return replace(
        ruleset,
        rules=tuple(
            replace(rule, status="stable")
            for rule in ruleset.rules
            if None in named or rule.id in named
        ),
    )


def _history(versions: Sequence[Version]) -> History:
    records: list[Record] = []
    known_at: list[str] = []
    since: list[int] = []
    until: list[int] = []
    open_: dict[str, int] = {}
    first_seen: dict[str, str] = {}
    for version in versions:
        at = ticks(version.at)
        before = open_.pop(version.source_id, None)
        if before is not None:
            until[before] = at
        if version.record is None:
            continue
        seen = first_seen.setdefault(version.source_id, instant_text(version.at))
        open_[version.source_id] = len(records)
        records.append(version.record)
        known_at.append(seen)
        since.append(at)
        until.append(FOREVER)
    return History.of(frame_of(records, known_at, "rule-test"), since, until)


def _alert_check(test: AlertTest, said: Sequence[Said]) -> _Check:
    got = [one for one in said if test.rule is None or one.notice.rule_id == test.rule]
    rows = [_comparable(one) for one in got]
    passed = len(rows) == len(test.expected) and _pair(test.expected, rows)
    head = {
        "eval_time": test.eval_time.isoformat().replace("+00:00", "Z"),
        **({"rule": test.rule} if test.rule else {}),
    }
    wanted = {name for one in test.expected for name in one}
    return (
        passed,
        {**head, "notices": [dict(one) for one in test.expected]},
        {**head, "notices": [_told(row, wanted) for row in rows]},
    )


def _comparable(said: Said) -> dict[str, Any]:
    facts = said.notice.facts
    newest = (facts.get("events") or [{}])[0]
    return {
        **notice_row(said),
        "changes": sorted(change.field for change in said.notice.changes),
        "facts": {**newest, **facts},
    }


def _told(row: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    names = [*_TOLD, *sorted(name for name in wanted if name not in {*_TOLD, "facts"})]
    return {name: row.get(name) for name in names}


def _pair(expected: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each expected notice has one of its own (bipartite matching, Kuhn 1955)."""
    holder: dict[int, int] = {}

    def place(number: int, tried: set[int]) -> bool:
        for index, row in enumerate(got):
            if index in tried or not _holds(expected[number], row):
                continue
            tried.add(index)
            if index not in holder or place(holder[index], tried):
                holder[index] = number
                return True
        return False

    return all(place(number, set()) for number in range(len(expected)))


def _holds(expected: Any, got: Any) -> bool:
    """Whether a value is what was expected: of mappings only the keys expected count."""
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(
            name in got and _holds(value, got[name]) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(got, list) and _as_bag(expected) == _as_bag(got)
    if isinstance(got, list):
        return _as_bag([expected]) == _as_bag(got)
    if isinstance(expected, float) and isinstance(got, int | float):
        return math.isclose(expected, got, rel_tol=_TOLERANCE)
    return bool(expected == got)


def _as_bag(values: Iterable[Any]) -> list[str]:
    return sorted(map(str, values))


# --- routes -----------------------------------------------------------------------------------


def _route_check(test: RouteTest, routing: Routing | None) -> _Check:
    head = {"labels": dict(test.labels)}
    if routing is None:
        got, held = ["(the routes have faults)"], {}
    else:
        parts = rehearse(routing, test.labels, test.at, test.active)
        got = [part.receiver for part in parts]
        held = {part.receiver: part.held for part in parts if part.held}
    expected: dict[str, Any] = {**head, "receivers": list(test.receivers)}
    came: dict[str, Any] = {**head, "receivers": got}
    if test.held is not None:
        expected["held"], came["held"] = dict(test.held), held
    passed = sorted(got) == sorted(test.receivers) and (test.held is None or held == test.held)
    return passed, expected, came
