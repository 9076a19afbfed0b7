"""Whether receivers get a rule's texts in the language that they read.

Standing in the flow: `warden check` asks once rules and routes are read. Rules whose author writes
in one language only are let be; a language that some rules speak is expected of all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from warden.errors import Fault
from warden.model.located import FaultList
from warden.model.rule import Rule
from warden.notify.routes import Receiver

_NAMED = 3


def check_languages(
    rules: Sequence[Rule],
    receivers: Iterable[Receiver],
    languages: Collection[str],
    found: FaultList,
) -> None:
    """Warn of texts in a language that nobody can be told in, and of texts that are missing."""
    sent = [rule for rule in rules if rule.status == "stable"]
    spoken = sorted({one.language for rule in sent for one in rule.translations if one.texts})
    for language in spoken:
        if language not in languages:
            rule = next(rule for rule in sent if language in _spoken_by(rule))
            message = (
                f"texts in '{language}', of which there are no templates; nobody can read them "
                f"(there are {', '.join(sorted(languages))})"
            )
            found.add(Fault(rule.path, rule.line, 3, "WR091", message, "warning"))
    for receiver in receivers:
        if receiver.language in spoken:
            spoken.remove(receiver.language)
            lacking = [rule for rule in sent if not _complete(rule, receiver.language)]
            if lacking:
                found.add(_missing(lacking, receiver))


def _spoken_by(rule: Rule) -> set[str]:
    return {one.language for one in rule.translations if one.texts}


def _complete(rule: Rule, language: str) -> bool:
    """Whether all of a rule's texts are there in a language."""
    texts = {name for one in rule.translations if one.language == language for name, _ in one.texts}
    said = {"title": rule.title, "description": rule.description, "runbook": rule.runbook}
    return texts >= {name for name, text in said.items() if text}


def _missing(lacking: Sequence[Rule], receiver: Receiver) -> Fault:
    names = [f"'{rule.id}'" for rule in lacking[:_NAMED]]
    if len(lacking) > _NAMED:
        names.append(f"{len(lacking) - _NAMED} more")
    which = "a rule has" if len(lacking) == 1 else f"{len(lacking)} rules have"
    message = (
        f"{which} texts without a translation into '{receiver.language}', which the receiver "
        f"'{receiver.name}' reads: {', '.join(names)}"
    )
    return Fault(lacking[0].path, lacking[0].line, 3, "WR090", message, "warning")
