"""Which alert follows which episode.

An alert follows the episode that shares most evidence with it, under its own key before any other
key. When several alerts would follow one episode, the one that shares most wins; ties go to the
one that was told first, then to the oldest. Live alerts come before those that were closed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from warden.model.alert import Alert
from warden.model.signal import Signal

LIVE = frozenset({"active", "ended"})


@dataclass(frozen=True, slots=True)
class Assignment:
    """The outcome.

    Attributes:
        pairs: an alert and the episode it follows.
        orphans: live alerts that follow nothing.
        overlapping: ids of the orphans whose evidence lies in some episode nevertheless.
        new: episodes that no alert follows.
    """

    pairs: tuple[tuple[Alert, Signal], ...]
    orphans: tuple[Alert, ...]
    overlapping: frozenset[str]
    new: tuple[Signal, ...]


def assign(
    alerts: Sequence[Alert],
    signals: Sequence[Signal],
    successors: Callable[[Alert], Iterable[str]],
) -> Assignment:
    """Pair alerts with episodes.

    `successors(alert)` names the events that may have taken the place of the evidence of an alert
    whose every event the source deleted; such an alert follows an episode of theirs that is
    nobody's.
    """
    holders = _holders(signals)
    claims = [claim for alert in alerts for claim in _claims(alert, signals, holders)]
    follows = _settle(claims)
    taken = set(follows.values())
    left = [alert for alert in alerts if alert.id not in follows and alert.state in LIVE]
    overlapping = {alert.id for alert in left if any(uid in holders for uid in alert.evidence)}
    for alert in left:
        heir = _heir(alert, successors, holders, taken) if alert.id not in overlapping else None
        if heir is not None:
            follows[alert.id] = heir
            taken.add(heir)
    by_id = {alert.id: alert for alert in alerts}
    return Assignment(
        pairs=tuple((by_id[alert_id], signals[index]) for alert_id, index in follows.items()),
        orphans=tuple(alert for alert in left if alert.id not in follows),
        overlapping=frozenset(overlapping),
        new=tuple(signal for index, signal in enumerate(signals) if index not in taken),
    )


Holders = Mapping[str, tuple[int, ...]]


def _holders(signals: Sequence[Signal]) -> Holders:
    """For each event the episodes whose evidence it is: most often a single one."""
    holders: dict[str, tuple[int, ...]] = {}
    for index, signal in enumerate(signals):
        before = len(holders)
        several = [uid for uid in signal.evidence if uid in holders] if before else []
        shared = {uid: (*holders[uid], index) for uid in several}
        holders.update(dict.fromkeys(signal.evidence, (index,)))
        holders.update(shared)
    return holders


@dataclass(frozen=True, slots=True, order=True)
class _Claim:
    rank: tuple[int, int, int, int, str, str]
    alert_id: str
    index: int


def _claims(alert: Alert, signals: Sequence[Signal], holders: Holders) -> Iterable[_Claim]:
    shared: dict[int, int] = defaultdict(int)
    for indexes, count in Counter(map(holders.get, alert.evidence)).items():
        for index in indexes or ():
            shared[index] += count
    for index, count in shared.items():
        rank = (
            0 if alert.state in LIVE else 1,
            0 if signals[index].key == alert.key else 1,
            -count,
            0 if alert.told else 1,
            alert.raised_at.isoformat(),
            alert.id,
        )
        yield _Claim(rank, alert.id, index)


def _settle(claims: list[_Claim]) -> dict[str, int]:
    follows: dict[str, int] = {}
    taken: set[int] = set()
    for claim in sorted(claims):
        if claim.alert_id not in follows and claim.index not in taken:
            follows[claim.alert_id] = claim.index
            taken.add(claim.index)
    return follows


def _heir(
    alert: Alert,
    successors: Callable[[Alert], Iterable[str]],
    holders: Holders,
    taken: set[int],
) -> int | None:
    for uid in successors(alert):
        for index in holders.get(uid, ()):
            if index not in taken:
                return index
    return None
