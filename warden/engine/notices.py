"""From decisions to notices: what is to be said, with all that a message may need.

Standing in the flow: `evaluate` hands over a rule's decisions; the notices are committed with
them. Facts that cost more than the episode itself (recurrence, the nearest border) are added here,
since only what is said needs them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from warden.engine.decision import Decision
from warden.engine.facts import recurrence, rows_of_key
from warden.engine.frame import day_from_number, day_number
from warden.engine.geo.distance import bearing_deg, distance_km
from warden.engine.geo.geography import Geography
from warden.engine.horizon import Horizon
from warden.engine.kinds import KINDS, charts
from warden.engine.kinds.reporting import completeness
from warden.engine.predicates import positive_leaves
from warden.engine.renames import Seen, alike, possible_rename
from warden.engine.where import Matches
from warden.model.alert import Alert
from warden.model.notice import Action, Notice
from warden.model.rule import (
    ActorIs,
    Flag,
    Inside,
    Near,
    NearBorder,
    Number,
    Place,
    Predicate,
    Rule,
    Text,
    level_rank,
)

Audience = Callable[[Rule, Alert], object]
"""Who would hear of an alert, as something that can be compared; the routes' affair."""
MAX_ITEMS = 200  # alerts that a summary lists; the rest are counted
MAX_BORDER_LOOKUPS = 5  # events of one notice for which the nearest border is sought


@dataclass(frozen=True, slots=True)
class Atlas:
    """What places are called and where borders lie, for naming what an event is near."""

    places: tuple[Place, ...] = ()
    geography: Geography | None = None
    _nearest: dict[tuple[float, float], Place] = field(default_factory=dict, compare=False)

    def nearest_place(self, lat: float, lon: float) -> Place | None:
        """The named place nearest to a point."""
        if not self.places:
            return None
        known = self._nearest.get((lat, lon))
        if known is None:
            known = min(self.places, key=lambda p: distance_km(lat, lon, p.lat, p.lon))
            self._nearest[lat, lon] = known
        return known

    def nearest_border(self, iso3: str, lat: float, lon: float) -> tuple[float, str] | None:
        """Distance in km to the nearest land border of a country, and the neighbour there."""
        if self.geography is None or not iso3:
            return None
        best: tuple[float, str] | None = None
        for neighbour in self.geography.neighbours(iso3):
            line = self.geography.border(iso3, neighbour)
            if line is None:
                continue
            if best is None:
                best = (float(line.distance_km([lat], [lon])[0]), neighbour)
                continue
            near, km = line.within([lat], [lon], best[0])  # cheap for lines farther away
            if near[0]:
                best = min(best, (float(km[0]), neighbour))
        return best


def notices(
    rule: Rule,
    decisions: Iterable[Decision],
    matches: Matches,
    now: datetime,
    atlas: Atlas,
    *,
    horizon: Horizon | None = None,
    audience: Audience | None = None,
) -> tuple[tuple[Notice, tuple[Decision, ...]], ...]:
    """What one rule's decisions give rise to, each notice with the decisions behind it.

    Ids follow from what is said, not from when: after a restore the same words go out under the
    same id. `Naming` keeps apart what is said twice.

    With a `horizon` the notices hold what their pictures show (`series`, `map`), how complete
    the counted days are usually by now (`completeness`) and a spike's measures side by side; a
    backtest that nobody reads in full does without.

    With an `audience` a summary lists only alerts that the same people would hear of one by one:
    the others' are another summary.
    """
    said: list[tuple[Notice, tuple[Decision, ...]]] = []
    summaries: dict[tuple[str, str, object], list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.notice is not None:
            notice = _notice(rule, decision, matches, now, atlas)
            if horizon is not None:
                notice.facts.update(picture_facts(rule, decision.alert, matches, horizon))
                notice.facts.update(_known_so_far(rule, decision.alert, matches, horizon))
            said.append((notice, (decision,)))
        elif decision.summary:
            action = "alert" if decision.previous is None else decision.name
            heard_by = None if audience is None else audience(rule, decision.alert)
            summaries[decision.summary, action, heard_by].append(decision)
    for (kind, action, _), listed in summaries.items():
        summary = summary_notice(
            rule,
            [d.alert for d in listed],
            now,
            reason=kind,
            action=action,
            atlas=atlas,
        )
        said.append((summary, tuple(listed)))
    return tuple(said)


def summary_notice(
    rule: Rule,
    alerts: Sequence[Alert],
    now: datetime,
    *,
    reason: str,
    action: str = "alert",
    atlas: Atlas | None = None,
) -> Notice:
    """One notice for many alerts of a rule, most severe and newest first.

    `reason`: FIRST_LOAD, FLOOD or HISTORIC. `action`: what each of them would have been.
    """
    ranked = sorted(alerts, key=lambda a: (-level_rank(a.severity), -a.last_day.toordinal(), a.id))
    items = tuple(_item(rule, alert, now, atlas or Atlas()) for alert in ranked[:MAX_ITEMS])
    own_id = _hash("summary", rule.id, reason, action, *(f"{a.id} {_said_of(a)}" for a in ranked))
    facts = {
        **_rule_facts(rule),
        "total": len(ranked),
        "shown": len(items),
        "would_have_been": action,
        "first_day": min(a.first_day for a in ranked).isoformat(),
        "last_day": max(a.last_day for a in ranked).isoformat(),
        "datasets": sorted({name for a in ranked for name in a.facts.get("datasets", ())}),
        "events": [],
    }
    return Notice(
        id=own_id,
        alert_id=own_id,
        rule_id=rule.id,
        rule_version=rule.version,
        key=(),
        action="summary",
        reason=reason,
        at=now,
        severity=ranked[0].severity,
        title=rule.title,
        labels=rule.labels,
        facts=facts,
        items=items,
    )


def by_audience(
    rule: Rule, alerts: Iterable[Alert], audience: Audience | None
) -> list[list[Alert]]:
    """Alerts for one summary each: those of which the same people would hear one by one."""
    found: dict[object, list[Alert]] = defaultdict(list)
    for alert in alerts:
        found[None if audience is None else audience(rule, alert)].append(alert)
    return list(found.values())


def _said_of(alert: Alert) -> str:
    """What a notice about an alert rests on, so that the same is named the same."""
    parts = (alert.severity, alert.state, alert.until, alert.value, *alert.evidence)
    return " ".join(map(str, parts))


class Naming:
    """Gives a notice that says what an earlier one said an id of its own.

    `taken` tells whether an id was given out before; what is named here is remembered.
    """

    def __init__(self, taken: Callable[[str], bool] = lambda _: False) -> None:
        self._taken = taken
        self._given: set[str] = set()

    def named(self, notice: Notice) -> Notice:
        """The notice under an id that no other has; a summary's own alert goes along."""
        own, number = notice.id, 1
        while own in self._given or self._taken(own):
            number += 1
            own = _hash(notice.id, str(number))
        self._given.add(own)
        if own == notice.id:
            return notice
        about = own if notice.alert_id == notice.id else notice.alert_id
        return replace(notice, id=own, alert_id=about)


def _notice(
    rule: Rule,
    decision: Decision,
    matches: Matches,
    now: datetime,
    atlas: Atlas,
) -> Notice:
    alert = decision.alert
    action: Action = decision.notice or "alert"
    return Notice(
        id=_hash(alert.id, action, decision.reason, _said_of(alert)),
        alert_id=alert.id,
        rule_id=rule.id,
        rule_version=rule.version,
        key=alert.key,
        action=action,
        reason=decision.reason,
        at=now,
        severity=alert.severity,
        title=rule.title,
        labels=rule.labels,
        facts={**_facts(rule, alert, matches, now, atlas), **_named(decision.extra, atlas)},
        changes=decision.changes,
    )


def _facts(
    rule: Rule, alert: Alert, matches: Matches, now: datetime, atlas: Atlas
) -> dict[str, Any]:
    facts = {**alert.facts, **_rule_facts(rule)}
    facts["events"] = [
        _located(event, atlas, with_border=index < MAX_BORDER_LOOKUPS)
        for index, event in enumerate(alert.facts.get("events", ()))
    ]
    if rule.kind == "event" and alert.evidence:
        nth, before = recurrence(matches, alert.key, alert.evidence[0])
        facts |= {"nth_in_12_months": nth, "previous_12_months": before}
    facts["reported_late_days"] = late_days(alert.last_day, str(facts.get("known_at", "")))
    facts["age_days"] = (now.date() - alert.last_day).days
    facts["raised_at"] = alert.raised_at.isoformat()
    return facts


def picture_facts(
    rule: Rule, alert: Alert, matches: Matches, horizon: Horizon
) -> dict[str, dict[str, Any]]:
    """What the chart and the map of a notice show; of the notice only, never of the alert."""
    kind = KINDS.get(rule.kind)
    if kind is None or kind.chart is None:
        return {}
    rows = kind.rows(rule, alert, matches) if kind.rows else rows_of_key(matches, alert.key)
    earlier = charts.earlier(alert, matches, rows, single=not kind.windowed)
    found: dict[str, dict[str, Any]] = {"map": {"points": earlier}}
    chart = kind.chart(rule, alert, matches, horizon)
    if chart is not None and chart.points:
        through = horizon.known_through(alert.facts.get("datasets") or matches.frame.datasets())
        found["series"] = chart.as_facts(through)
    return found


def _known_so_far(rule: Rule, alert: Alert, matches: Matches, horizon: Horizon) -> dict[str, Any]:
    """What is added for readers: completeness of the counted days, measures side by side."""
    found: dict[str, Any] = {}
    kind, facts = KINDS.get(rule.kind), alert.facts
    window = facts.get("window_days")
    if kind is not None and kind.windowed and window:
        last = date.fromisoformat(
            facts.get("tested_day") or facts.get("peak_day") or facts["until"]
        )
        share = completeness(matches, horizon.today, day_number(last), int(window))
        if share is not None:
            found["completeness"] = round(share, 3)
    if kind is not None and kind.measures is not None:
        found["measures"] = kind.measures(rule, alert, matches, horizon)
    old = _renamed(dict(alert.key).get("actor"), matches)
    if old is not None:
        last_seen = day_from_number(old.last).isoformat()
        found["renamed_from"] = {"name": old.name, "last_seen": last_seen}
    return found


def _renamed(actor: str | None, matches: Matches) -> Seen | None:
    """The vanished actor that the key's may be, by the events of the rule."""
    if actor is None or not len(matches):
        return None
    rows_of: dict[str, list[int]] = {}
    for row, names in enumerate(matches.names):
        for name in names:
            rows_of.setdefault(name, []).append(row)
    if actor not in rows_of:
        return None
    frame = matches.frame

    def seen(name: str) -> Seen:
        days = frame.day[rows_of[name]]
        regions = {(frame.coded["iso3"][row], frame.coded["admin1"][row]) for row in rows_of[name]}
        places = frozenset(" ".join(region) for region in regions)
        return Seen(name, int(days.min()), int(days.max()), len(days), places)

    return possible_rename(seen(actor), (seen(name) for name in rows_of if alike(name, actor)))


def late_days(last_day: date, known_at: str) -> int:
    """Days between when something happened and when it was known; never negative."""
    if not known_at:
        return 0
    return max((date.fromisoformat(known_at[:10]) - last_day).days, 0)


def _rule_facts(rule: Rule) -> dict[str, Any]:
    """What a rule says of itself, made once and not to be changed; a rule never changes."""
    known = _RULE_FACTS.get(id(rule))
    if known is None or known[0] is not rule:
        if len(_RULE_FACTS) >= _MOST_RULES:
            _RULE_FACTS.clear()
        known = _RULE_FACTS[id(rule)] = (rule, _facts_of_rule(rule))
    return known[1]


_RULE_FACTS: dict[int, tuple[Rule, dict[str, Any]]] = {}  # the rule is kept, so its id stays its
_MOST_RULES = 2_000


def _facts_of_rule(rule: Rule) -> dict[str, Any]:
    return {
        "kind": rule.kind,
        "title": rule.title,
        "description": rule.description,
        "runbook": rule.runbook,
        "names": _names(rule),
        "translations": {
            one.language: {**dict(one.texts), "names": dict(one.names)} for one in rule.translations
        },
        "references": list(rule.references),
        "labels": dict(rule.labels),
        "condition": condition(rule),
        "max_age_days": rule.max_age_days,
        "alerts_per_year": rule.alerts_per_year,
    }


def _names(rule: Rule) -> dict[str, str]:
    """What people call the groups and places that may stand in a key of the rule."""
    near = [leaf for leaf in positive_leaves(rule.where) if isinstance(leaf, Near)]
    places = {place.id: place.title for leaf in near for place in leaf.places}
    asked = [leaf for leaf in positive_leaves(rule.where) if isinstance(leaf, ActorIs)]
    told_apart = rule.groups or tuple(group for leaf in asked for group in leaf.groups)
    groups = {group.id: group.title for group in told_apart}
    return (groups if "actor_group" in rule.by else {}) | (places if "place" in rule.by else {})


def condition(rule: Rule) -> dict[str, Any]:
    """What the rule asks, in parts that any language can put into a sentence."""
    parts: dict[str, Any] = {}
    for leaf in positive_leaves(rule.where):
        for name, value in _asked(leaf).items():
            parts.setdefault(name, value)
    for name in ("measure", "window", "condition"):
        value = getattr(rule.parameters, name, None)
        if value is not None:
            dump = getattr(value, "model_dump", None)
            parts[name] = dump(exclude_none=True) if dump else value
    parts["location"] = rule.location
    return parts


def _asked(leaf: Predicate) -> dict[str, Any]:
    asked: dict[str, Any]
    match leaf:
        case Near() | NearBorder() | Inside():
            asked = _asked_of_the_place(leaf)
        case ActorIs(groups=groups) if groups:
            asked = {"actor_groups": [group.title for group in groups]}
        case Number("fatalities"):
            bounds = ((name, getattr(leaf, name)) for name in ("gte", "gt", "lte", "lt"))
            asked = {"fatalities": {name: value for name, value in bounds if value is not None}}
        case Flag("civilian_targeting", value):
            asked = {"civilian_targeting": value}
        case Text("country", tests):
            asked = {"countries": [test.value.upper() for test in tests if test.op == "is"]}
        case Text("event_type", tests):
            asked = {"event_types": [test.value for test in tests]}
        case _:
            asked = {}
    return asked


def _asked_of_the_place(leaf: Near | NearBorder | Inside) -> dict[str, Any]:
    if isinstance(leaf, Near):
        titles = [place.title for place in leaf.places]
        named = {"line": leaf.line.title} if leaf.line is not None else {}
        return {"within_km": leaf.within_km, "places": titles, **named}
    if isinstance(leaf, NearBorder):
        return {
            "border_within_km": leaf.within_km,
            "border_of": leaf.of,
            "border_with": list(leaf.neighbours),
            "side": leaf.side,
        }
    named = {"region": leaf.region.title} if leaf.region is not None else {}
    return {"countries": list(leaf.countries), **named}


def _located(event: Mapping[str, Any], atlas: Atlas, *, with_border: bool) -> dict[str, Any]:
    """The event with the place it is said to be near, the bearing from there, and its border."""
    located = dict(event)
    lat, lon = event.get("lat"), event.get("lon")
    if lat is None or lon is None:
        return located
    if event.get("place") is None and event.get("distance_km") is None:
        place = atlas.nearest_place(lat, lon)
        if place is not None:
            located |= {
                "place": place.id,
                "place_title": place.title,
                "place_lat": place.lat,
                "place_lon": place.lon,
                "distance_km": round(distance_km(lat, lon, place.lat, place.lon), 3),
            }
    if located.get("place_lat") is not None:
        bearing = bearing_deg(located["place_lat"], located["place_lon"], lat, lon)
        located["bearing_deg"] = round(bearing, 1)
    if event.get("border_km") is None and with_border:
        border = atlas.nearest_border(str(event.get("iso3") or ""), lat, lon)
        if border is not None:
            located |= {
                "border_km": round(border[0], 3),
                "border_neighbour": border[1],
                "border_of": event.get("iso3"),
            }
    return located


def _named(extra: Mapping[str, Any], atlas: Atlas) -> dict[str, Any]:
    named = {name: value for name, value in extra.items() if value}
    if named.get("now"):
        named["now"] = _located(named["now"], atlas, with_border=True)
    if "merged_into" in named:
        named["merged_into"] = [
            _located(event, atlas, with_border=False) for event in named["merged_into"]
        ]
    return named


def _item(rule: Rule, alert: Alert, now: datetime, atlas: Atlas) -> dict[str, Any]:
    return summary_item(alert, rule.kind, now, atlas)


def summary_item(
    alert: Alert, kind: str, now: datetime, atlas: Atlas | None = None
) -> dict[str, Any]:
    """An alert as a summary lists it."""
    atlas = atlas or Atlas()
    event = (alert.facts.get("events") or [{}])[0]
    located = _located(event, atlas, with_border=False) if event else {}
    return {
        "alert_id": alert.id,
        "rule_id": alert.rule_id,
        "key": dict(alert.key),
        "severity": alert.severity,
        "state": alert.state,
        "first_day": alert.first_day.isoformat(),
        "last_day": alert.last_day.isoformat(),
        "age_days": (now.date() - alert.last_day).days,
        "value": alert.value,
        "event_count": alert.facts.get("event_count"),
        "fatalities": alert.facts.get("fatalities"),
        **({"health": _health(alert)} if kind == "feed" else {}),
        "event_ids": [uid.partition(":")[2] for uid in alert.evidence[:20]],
        "event": {
            name: located.get(name)
            for name in (
                "uid", "id", "date", "event_type", "sub_event_type", "matched_actors", "country",
                "iso3", "admin1", "admin2", "location", "geo_precision", "certainty",
                "place_title", "distance_km", "bearing_deg", "border_km", "border_neighbour",
                "fatalities", "lat", "lon",
            )
        },
    }  # fmt: skip


def _health(alert: Alert) -> dict[str, Any]:
    return {name: alert.facts.get(name) for name in ("subject", "name", "state", "count")}


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest()
