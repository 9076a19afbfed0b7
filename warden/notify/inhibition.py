"""Inhibition: while one alert is told, what it makes superfluous is held back.

Standing in the flow: `flush` asks first of all, for every dispatch that is due. The meaning is
Alertmanager's: a rule holds a target back while some source is active whose labels in `equal` are
the same, a missing label being the empty text; an alert that matches both sides of a rule is not
held back by another of which the same is true. Ours differs in one thing, for safety: a source
counts only once it has been told, or is about to be (docs/decisions/routing-inhibition.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from warden.model.rule import Level, level_rank
from warden.notify.matchers import Matcher

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """Alerts that match `source` hold back those that match `target` and agree in `equal`."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def is_source(self, labels: Labels) -> bool:
        """Whether an alert holds others back by this rule."""
        return all(matcher.matches(labels) for matcher in self.source)

    def is_target(self, labels: Labels) -> bool:
        """Whether an alert is held back by this rule."""
        return all(matcher.matches(labels) for matcher in self.target)

    def key(self, labels: Labels) -> tuple[str, ...]:
        """What source and target have to agree in."""
        return tuple(labels.get(name, "") for name in self.equal)


@dataclass(frozen=True, slots=True)
class Source:
    """An active alert that was told, or is about to be.

    Attributes:
        told: some recipient has it already; else it is only about to be told, which it is not
            when it is itself held back.
    """

    alert_id: str
    labels: Labels
    severity: Level
    told: bool


class Inhibitor:
    """Tells by which alert another is held back.

    A source that nobody has heard of yet counts unless it is itself held back. Where such sources
    would hold back each other in a circle, the gravest of them is told.
    """

    def __init__(self, rules: Sequence[InhibitRule], sources: Iterable[Source]) -> None:
        self._rules = tuple(rules)
        # A dict keeps its order: what was told first, then the gravest.
        ordered = sorted(sources, key=lambda s: (not s.told, -level_rank(s.severity), s.alert_id))
        self._index = [_indexed(rule, ordered) for rule in self._rules]
        self._speaking = {source.alert_id for source in ordered if source.told}
        self._to_be_told: set[str] = set()
        self._settle([source for source in ordered if not source.told])

    def by(self, alert_id: str, labels: Labels) -> str:
        """The id of the alert that holds this one back; "" when none does."""
        if alert_id in self._to_be_told:
            return ""
        against = self._against(alert_id, labels)
        return next((source for source in against if source in self._speaking), "")

    def _settle(self, silent: Sequence[Source]) -> None:
        """Find out which of those that nobody has heard of will be told."""
        open_cases = {one.alert_id: set(self._against(one.alert_id, one.labels)) for one in silent}
        while open_cases:
            free = [name for name, against in open_cases.items() if not against]
            held = [name for name, against in open_cases.items() if against & self._speaking]
            told = free or ([] if held else [next(iter(open_cases))])
            self._speaking.update(told)
            self._to_be_told.update(told)
            for name in (*told, *held):
                del open_cases[name]
            for against in open_cases.values():
                against.difference_update(held)

    def _against(self, alert_id: str, labels: Labels) -> Iterator[str]:
        """The sources of every rule that holds such an alert back."""
        for rule, index in zip(self._rules, self._index, strict=True):
            if not rule.is_target(labels):
                continue
            two_sided = rule.is_source(labels)
            for source in index.get(rule.key(labels), ()):
                if source.alert_id != alert_id and not (
                    two_sided and rule.is_target(source.labels)
                ):
                    yield source.alert_id


def _indexed(
    rule: InhibitRule, sources: Iterable[Source]
) -> Mapping[tuple[str, ...], Sequence[Source]]:
    found: dict[tuple[str, ...], list[Source]] = {}
    for source in sources:
        if rule.is_source(source.labels):
            found.setdefault(rule.key(source.labels), []).append(source)
    return found
