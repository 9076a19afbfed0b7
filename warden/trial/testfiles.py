"""Rule test files into values: what is known when, and what should be said.

Standing in the flow: `rulebook` reads the files of `tests/` into located trees; here every fault in
them is found, at its place; `ruletest` runs what comes out. The shape is promtool's:
`input_events`, then `alert_test` at instants, or `route_test`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from warden.engine.geo.distance import WGS84
from warden.geodata import countries
from warden.model.event import LOCATION_ERROR_KM, ROLES, Actor, Record
from warden.model.located import FaultList, Node, did_you_mean, shown
from warden.model.notice import ACTIONS
from warden.model.rule import LEVELS, Ruleset
from warden.notify.rehearsal import HELD
from warden.rulebook.shapes import Reader
from warden.rulebook.vocabulary import VOCABULARIES
from warden.trial.health_input import HealthInput, read_health

FILE_KEYS: Final = ("tests", "defaults")
TEST_KEYS: Final = ("name", "defaults", "input_events", "health", "alert_test", "route_test")
ALERT_TEST_KEYS: Final = ("eval_time", "rule", "complete_through", "exp_notices")
ROUTE_TEST_KEYS: Final = ("labels", "exp_receivers", "at", "active", "exp_held")
ROUTE_TEST_NEEDS: Final = ("labels", "exp_receivers")
ROUTE_TEST_AT: Final = datetime(2024, 1, 1, 12, tzinfo=UTC)  # a Monday noon, unless it says
NOTICE_KEYS: Final = (
    "action", "rule", "severity", "reason", "key", "event_ids", "first_day", "last_day",
    "reported_late_days", "value", "observed", "expected", "ratio", "p", "changes", "listed",
    "facts",
)  # fmt: skip
TEXT_FIELDS: Final = ("admin1", "admin2", "admin3", "location", "notes", "url", "report")
VOCABULARY_FIELDS: Final = ("event_type", "sub_event_type", "disorder_type")
EVENT_FIELDS: Final = (
    "event_date", *VOCABULARY_FIELDS, *ROLES, *TEXT_FIELDS, "country", "civilian_targeting",
    "fatalities", "lat", "lon", "from", "geo_precision", "time_precision", "tags",
)  # fmt: skip
ENTRY_KEYS: Final = ("at", "id", "revise", "deleted", "repeat", *EVENT_FIELDS)
FROM_KEYS: Final = ("place", "km", "bearing")
REPEAT_KEYS: Final = ("every", "times")
DATASET: Final = "acled"
MAX_REPEAT: Final = 5_000
_DISORDER: Final = {
    "Protests": "Demonstrations",
    "Strategic developments": "Strategic developments",
}
_CATEGORY: Final = {"Demonstrations": "demonstration", "Strategic developments": "strategic"}
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?)?\Z")


@dataclass(frozen=True, slots=True)
class Version:
    """An event from an instant on; `record` None: the source deleted it."""

    at: datetime
    source_id: str
    record: Record | None


@dataclass(frozen=True, slots=True)
class AlertTest:
    """What one evaluation should say.

    Attributes:
        rule: only this rule's notices count; None = all rules'.
        expected: for each notice the values that it must have.
    """

    eval_time: datetime
    rule: str | None
    complete_through: date
    expected: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class RouteTest:
    """Who should get a notice with these labels.

    Attributes:
        at: when. active: the labels of other alerts that people were told of.
        held: why which of the receivers should have to wait, or never get it; None = not asked.
    """

    labels: Mapping[str, str]
    receivers: tuple[str, ...]
    at: datetime = ROUTE_TEST_AT
    active: tuple[Mapping[str, str], ...] = ()
    held: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One named test.

    Attributes:
        file, line: where it was written.
        versions: in order of time. health: how warden itself was, for rules of the kind `feed`.
        alert_tests: in order of time.
    """

    file: str
    line: int
    name: str
    versions: tuple[Version, ...] = ()
    alert_tests: tuple[AlertTest, ...] = ()
    route_tests: tuple[RouteTest, ...] = ()
    health: tuple[HealthInput, ...] = ()


def read_tests(roots: Sequence[Node], ruleset: Ruleset, faults: FaultList) -> tuple[RuleTest, ...]:
    """Every test of the files; those with faults are left out."""
    reader = _TestReader(ruleset, Reader(faults))
    return tuple(test for root in roots for test in reader.file(root))


@dataclass(slots=True)
class _Event:
    """An event as it stands while a test's entries are gone through in order of time."""

    fields: dict[str, Any]
    record: Record | None = None


@dataclass(slots=True)
class _Entry:
    """One line of `input_events`, read but not yet put in order."""

    at: datetime
    node: Node
    what: str  # new | revise | deleted
    source_id: str
    fields: dict[str, Any] = field(default_factory=dict)


class _TestReader:
    """Reads test files against a rule set."""

    def __init__(self, ruleset: Ruleset, reader: Reader) -> None:
        self._ruleset = ruleset
        self._reader = reader
        self._faults = reader.faults

    def file(self, root: Node) -> Iterator[RuleTest]:
        keys = self._reader.mapping(root, "a rule test file", FILE_KEYS, required=("tests",))
        if keys is None or "tests" not in keys:
            return
        defaults = self._defaults(keys.get("defaults"), {})
        names: dict[str, Node] = {}
        for node in self._reader.items(keys["tests"], "tests"):
            before = self._faults.errors
            test = self._test(node, defaults)
            if test is None or self._faults.errors > before:
                continue
            if test.name in names:
                place = names[test.name].place
                self._faults.error(
                    node, "WR005", f"a test named {shown(test.name)} stands already at {place}"
                )
            names.setdefault(test.name, node)
            yield test

    def _defaults(self, node: Node | None, base: Mapping[str, Any]) -> dict[str, Any]:
        if node is None:
            return dict(base)
        keys = self._reader.mapping(node, "defaults", EVENT_FIELDS)
        return {**base, **self._fields(keys or {})}

    def _test(self, node: Node, defaults: Mapping[str, Any]) -> RuleTest | None:
        keys = self._reader.mapping(node, "a test", TEST_KEYS, required=("name",))
        if keys is None:
            return None
        name = self._reader.text(keys["name"], "name", limit=300) if "name" in keys else None
        if "alert_test" not in keys and "route_test" not in keys:
            self._faults.error(node, "WR011", "a test needs 'alert_test' or 'route_test'")
        versions = self._versions(keys, defaults)
        health = [
            read_health(one, self._reader, self._instant) for one in self._list(keys, "health")
        ]
        alert_tests = [
            test
            for item in self._list(keys, "alert_test")
            if (test := self._alert_test(item)) is not None
        ]
        for one, other in pairwise(alert_tests):
            if other.eval_time < one.eval_time:
                self._faults.error(
                    keys["alert_test"], "WR030", "alert_test stands in order of eval_time"
                )
        route_tests = [
            route
            for item in self._list(keys, "route_test")
            if (route := self._route_test(item)) is not None
        ]
        if name is None:
            return None
        return RuleTest(
            file=node.file.path,
            line=node.line,
            name=" ".join(name.split()),
            versions=versions,
            alert_tests=tuple(alert_tests),
            route_tests=tuple(route_tests),
            health=tuple(one for one in health if one is not None),
        )

    def _list(self, keys: Mapping[str, Node], key: str) -> tuple[Node, ...]:
        if key not in keys:
            return ()
        node = keys[key]
        if node.kind == "mapping":
            return (node,)
        return self._reader.items(node, key)

    # --- what is known when -------------------------------------------------------------------

    def _versions(
        self, keys: Mapping[str, Node], defaults: Mapping[str, Any]
    ) -> tuple[Version, ...]:
        base = self._defaults(keys.get("defaults"), defaults)
        entries = [
            entry for node in self._list(keys, "input_events") for entry in self._entries(node)
        ]
        events: dict[str, _Event] = {}
        found: list[Version] = []
        for entry in sorted(entries, key=lambda one: one.at):
            version = self._version(entry, events, base)
            if version is not None:
                found.append(version)
        return tuple(found)

    def _entries(self, node: Node) -> Iterator[_Entry]:
        keys = self._reader.mapping(node, "an input event", ENTRY_KEYS, required=("at",))
        if keys is None:
            return
        at = self._instant(keys["at"], "at") if "at" in keys else None
        named = [key for key in ("id", "revise", "deleted") if key in keys]
        if len(named) != 1:
            self._faults.error(
                node, "WR011", "an input event has exactly one of 'id', 'revise', 'deleted'"
            )
            return
        what: str = named[0]
        source_id = self._reader.identifier(keys[what], what)
        fields = self._fields({k: v for k, v in keys.items() if k in EVENT_FIELDS})
        if what == "deleted" and fields:
            self._faults.error(node, "WR015", "a deleted event has no other fields")
        if at is None or source_id is None:
            return
        what = "new" if what == "id" else what
        entry = _Entry(at, node, what, source_id, fields)
        if "repeat" not in keys:
            yield entry
        elif what != "new":
            self._faults.error(keys["repeat"], "WR015", "only new events can be repeated")
        else:
            yield from self._repeated(keys["repeat"], entry)

    def _repeated(self, node: Node, entry: _Entry) -> Iterator[_Entry]:
        keys = self._reader.mapping(node, "repeat", REPEAT_KEYS, required=REPEAT_KEYS)
        if keys is None or set(keys) != set(REPEAT_KEYS):
            return
        every = self._reader.days(keys["every"], "every")
        times = self._reader.integer(keys["times"], "times", 1, MAX_REPEAT)
        day = entry.fields.get("event_date")
        if every is None or times is None:
            return
        for number in range(times):
            shift = timedelta(days=every * number)
            fields = dict(entry.fields) | ({"event_date": day + shift} if day else {})
            yield _Entry(
                entry.at + shift, entry.node, "new", f"{entry.source_id}-{number + 1}", fields
            )

    def _version(
        self, entry: _Entry, events: dict[str, _Event], base: Mapping[str, Any]
    ) -> Version | None:
        name = entry.source_id
        event = events.get(name)
        if entry.what == "new":
            if event is not None:
                self._faults.error(
                    entry.node, "WR005", f"there is an event {shown(name)}; say 'revise: {name}'"
                )
                return None
            event = events[name] = _Event(dict(base))
        elif event is None:
            self._faults.error(
                entry.node,
                "WR020",
                f"no event {shown(name)} is known at that time{did_you_mean(name, events)}",
            )
            return None
        if entry.what == "deleted":
            return Version(entry.at, name, None)
        if {"lat", "lon"} & set(entry.fields):
            event.fields.pop("from", None)
        event.fields |= entry.fields
        event.record = self._record(entry.node, name, event.fields)
        return None if event.record is None else Version(entry.at, name, event.record)

    # --- fields of events ---------------------------------------------------------------------

    def _fields(self, keys: Mapping[str, Node]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, node in keys.items():
            value = self._field_reader(key)(node, key)
            if value is not None:
                found[key] = value
        return found

    def _field_reader(self, key: str) -> Callable[[Node, str], Any]:
        reader = self._reader
        if key in VOCABULARY_FIELDS:
            return lambda node, what: reader.choice(node, what, VOCABULARIES[what])
        if key in ROLES:
            return self._names
        bounds = {"lat": (-90, 90), "lon": (-180, 180)}
        whole = {"fatalities": (0, 100_000), "geo_precision": (1, 3), "time_precision": (1, 3)}
        if key in bounds:
            return lambda node, what: reader.number(node, what, *bounds[what])
        if key in whole:
            return lambda node, what: reader.integer(node, what, *whole[what])
        return {
            "event_date": reader.date,
            "country": self._country,
            "civilian_targeting": reader.boolean,
            "from": self._from,
            "tags": lambda node, what: tuple(sorted(text for text, _ in reader.texts(node, what))),
        }.get(key, self._plain_text)

    def _plain_text(self, node: Node, what: str) -> str | None:
        if node.kind == "scalar" and node.value in (None, ""):
            return ""
        return self._reader.text(node, what)

    def _names(self, node: Node, what: str) -> tuple[str, ...] | None:
        """Names of actors: a list, or one text with `; ` between them; nothing for nobody."""
        if node.kind == "scalar" and node.value in (None, ""):
            return ()
        texts = [text for text, _ in self._reader.texts(node, what)]
        return tuple(name for text in texts for name in text.split("; ") if name)

    def _country(self, node: Node, what: str) -> str | None:
        text = self._reader.text(node, what)
        if text is None:
            return None
        code = countries.resolve(text)
        if code is None:
            self._faults.error(node, "WR024", f"{shown(text)} is no country")
        return code

    def _from(self, node: Node, what: str) -> tuple[float, float] | None:
        """A point so many km from a place, in a direction."""
        keys = self._reader.mapping(node, what, FROM_KEYS, required=("place", "km"))
        if keys is None or not {"place", "km"} <= set(keys):
            return None
        name = self._reader.text(keys["place"], "place")
        km = self._reader.number(keys["km"], "km", 0, 20_000)
        bearing = 0.0
        if "bearing" in keys:
            bearing = self._reader.number(keys["bearing"], "bearing", 0, 360) or 0.0
        if name is None or km is None:
            return None
        place = self._ruleset.places.get(name)
        if place is None:
            hint = did_you_mean(name, self._ruleset.places)
            self._faults.error(keys["place"], "WR021", f"no place {shown(name)}{hint}")
            return None
        lon, lat, _ = WGS84.fwd(place.lon, place.lat, bearing, km * 1000)
        return float(lat), float(lon)

    def _record(self, node: Node, name: str, fields: Mapping[str, Any]) -> Record | None:
        if "event_date" not in fields:
            self._faults.error(node, "WR011", "the event needs an 'event_date'")
        lat, lon = fields.get("from") or (fields.get("lat"), fields.get("lon"))
        if lat is None or lon is None:
            self._faults.error(node, "WR011", "the event needs 'lat' and 'lon', or 'from'")
            return None
        if "event_date" not in fields:
            return None
        event_type = fields.get("event_type", "Battles")
        disorder = fields.get("disorder_type") or _DISORDER.get(event_type, "Political violence")
        precision = fields.get("geo_precision", 1)
        code = fields.get("country", "MLI")
        return Record(
            dataset=DATASET,
            source_id=name,
            event_date=fields["event_date"],
            event_date_end=fields["event_date"],
            time_precision=fields.get("time_precision", 1),
            category=_CATEGORY.get(disorder, "political_violence"),
            event_type=event_type,
            sub_event_type=fields.get("sub_event_type", ""),
            disorder_type=disorder,
            actors=tuple(Actor(one, role) for role in ROLES for one in fields.get(role, ())),
            civilian_targeting=fields.get("civilian_targeting", False),
            fatalities=fields.get("fatalities", 0),
            fatalities_low=None,
            fatalities_high=None,
            fatalities_civilian=None,
            lat=float(lat),
            lon=float(lon),
            geo_precision=precision,
            location_error_km=LOCATION_ERROR_KM[precision],
            iso3=code,
            country=countries.name(code),
            reporters="rule test",
            tags=fields.get("tags", ()),
            source_updated_at=None,
            **{key: fields.get(key, "") for key in TEXT_FIELDS if key != "report"},
            report=fields.get("report") or hashlib.sha256(name.encode()).hexdigest()[:16],
        )

    # --- what should be said ------------------------------------------------------------------

    def _alert_test(self, node: Node) -> AlertTest | None:
        keys = self._reader.mapping(
            node, "an alert_test", ALERT_TEST_KEYS, required=("eval_time", "exp_notices")
        )
        if keys is None:
            return None
        at = self._instant(keys["eval_time"], "eval_time") if "eval_time" in keys else None
        rule = self._rule(keys["rule"]) if "rule" in keys else None
        through = None
        if "complete_through" in keys:
            through = self._reader.date(keys["complete_through"], "complete_through")
        expected: list[Mapping[str, Any]] = []
        if "exp_notices" in keys:
            notices = self._reader.items(keys["exp_notices"], "exp_notices", empty=True)
            expected = [self._expected(item) for item in notices]
        if at is None:
            return None
        return AlertTest(at, rule, through or at.date() - timedelta(days=1), tuple(expected))

    def _expected(self, node: Node) -> Mapping[str, Any]:
        keys = self._reader.mapping(node, "an expected notice", NOTICE_KEYS, required=("action",))
        for key, choices in (("action", ACTIONS), ("severity", LEVELS)):
            if keys and key in keys:
                self._reader.choice(keys[key], key, choices)
        if keys and "rule" in keys:
            self._rule(keys["rule"])
        for key in ("key", "facts"):
            if keys and key in keys and keys[key].kind != "mapping":
                self._reader.wrong(keys[key], key, "a mapping")
        for key in ("event_ids", "changes"):
            if keys and key in keys and keys[key].kind == "mapping":
                self._reader.wrong(keys[key], key, "a list")
        return {key: value.data() for key, value in (keys or {}).items()}

    def _rule(self, node: Node) -> str | None:
        name = self._reader.text(node, "rule")
        if name is not None and self._ruleset.rule(name) is None:
            hint = did_you_mean(name, [rule.id for rule in self._ruleset.rules])
            self._faults.error(node, "WR025", f"no rule {shown(name)}{hint}")
        return name

    def _route_test(self, node: Node) -> RouteTest | None:
        keys = self._reader.mapping(
            node, "a route_test", ROUTE_TEST_KEYS, required=ROUTE_TEST_NEEDS
        )
        if keys is None or not set(ROUTE_TEST_NEEDS) <= set(keys):
            return None
        labels = self._labels(keys["labels"], "labels")
        names = self._reader.items(keys["exp_receivers"], "exp_receivers", empty=True)
        receivers = [self._reader.text(item, "exp_receivers") for item in names]
        at = self._instant(keys["at"], "at") if "at" in keys else None
        active = [self._labels(item, "active") for item in self._list(keys, "active")]
        if labels is None:
            return None
        return RouteTest(
            labels,
            tuple(name for name in receivers if name is not None),
            at or ROUTE_TEST_AT,
            tuple(one for one in active if one is not None),
            self._held(keys["exp_held"]) if "exp_held" in keys else None,
        )

    def _labels(self, node: Node, what: str) -> dict[str, str] | None:
        if node.kind != "mapping":
            self._reader.wrong(node, what, "a mapping")
            return None
        return {
            key.text: text
            for key, value in node.entries
            if (text := self._reader.text(value, "a label")) is not None
        }

    def _held(self, node: Node) -> dict[str, str] | None:
        """Receivers with the reason why each is not simply sent it: `{night: MUTED}`."""
        if node.kind != "mapping":
            self._reader.wrong(node, "exp_held", "a mapping of receivers to reasons")
            return None
        found = {}
        for key, value in node.entries:
            reason = self._reader.choice(value, "exp_held", HELD)
            if reason is not None:
                found[key.text] = reason
        return found

    def _instant(self, node: Node, what: str) -> datetime | None:
        text = self._reader.text(node, what)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text) if _INSTANT.match(text) else None
        except ValueError:
            found = None
        if found is None:
            self._faults.error(
                node,
                "WR018",
                f"{what}: {shown(text)} is no time; write 2024-05-06 or 2024-05-06T18:00Z",
            )
            return None
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
