"""The ways in to warden, for fuzzing: each takes any bytes, and raises what must never come out."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from support.build import START, event
from support.model import Rules
from support.mutation import Mutator, csv_mutant, damaged, json_mutant, yaml_mutant
from support.rig import ROUTES, Rig
from support.sourcing import ROW, a_row, as_csv
from warden.clock import ManualClock
from warden.control import ControlServer, Request
from warden.engine.actors import Names
from warden.engine.expression import ExpressionError, compile_expression
from warden.engine.frame import Frame
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds import KINDS, signals
from warden.engine.where import Matcher
from warden.errors import ConfigError, WardenError
from warden.geodata import countries
from warden.ingest import ingest
from warden.model.located import FaultList
from warden.model.rule import Ruleset
from warden.notify.render import Renderer, template_folders
from warden.notify.render.samples import sample_notice
from warden.notify.render.template_faults import template_faults
from warden.notify.routing import Routing, check_reach, parse_routes
from warden.rulebook import Loaded, render_faults
from warden.rulebook import load as load_rules
from warden.rulebook.reading import read_bytes
from warden.settings import load as load_settings
from warden.settings import source_settings
from warden.sources import KINDS as SOURCE_KINDS
from warden.sources.acled import AcledSource
from warden.sources.acled_settings import AcledSettings
from warden.sources.field_map import FieldMap
from warden.sources.file import read_files
from warden.sources.http_client import Reply
from warden.sources.protocol import Source
from warden.store import MEMORY, Store, open_store
from warden.trial.ruletest import run_tests
from warden.trial.testfiles import read_tests

ROOT = Path(__file__).parents[2]
NOW = START
WORLD = FixedGeography()
FACTS = {"fatalities": 3, "distance_km": 12.5, "admin1": "Kati", "ratio": None, "events": [1, 2]}


@dataclass(frozen=True)
class WayIn:
    """One way in.

    Attributes:
        feed: gives an input to it, with an empty folder to work in.
        seeds: good documents. mutate: damages them.
    """

    feed: Callable[[bytes, Path], None]
    seeds: Callable[[], Sequence[bytes]]
    mutate: Mutator

    def input(self, name: str, number: int) -> bytes:
        """The n-th input of the way in of that name."""
        rng = random.Random(f"{name}:{number}")
        seeds = self.seeds()
        if number % 50 == 49:
            return rng.randbytes(rng.randrange(2000))
        return self.mutate(rng, rng.choice(seeds), seeds)


# --- rules, routes, tests of rules ------------------------------------------------------------


def _load(folder: Path, *, tests: bool = False) -> Loaded:
    loaded = load_rules(
        folder,
        kinds=KINDS,
        countries_resolve=countries.resolve,
        borders=WORLD,
        include_tests=tests,
    )
    render_faults(loaded.faults)
    assert loaded.ruleset is not None or loaded.faults, "refused without a word"
    return loaded


def _rules(data: bytes, folder: Path) -> None:
    (folder / "rules.yaml").write_bytes(data)
    loaded = _load(folder)
    _routes_of(loaded)
    if loaded.ruleset is not None:
        _look_for_signals(loaded.ruleset)


def _look_for_signals(ruleset: Ruleset) -> None:
    """What was accepted can be evaluated."""
    frame = Frame.from_events([event(f"MLI{n}", f"2022-07-{n:02}") for n in range(1, 29)])
    horizon = Horizon(NOW, {"acled": NOW.date()}, {"acled": NOW.date()})
    for rule in ruleset.rules:
        matches = Matcher(rule, WORLD, Names(ruleset.aliases)).match(frame)
        signals(rule, matches, horizon)


def _routes_of(loaded: Loaded) -> Routing:
    faults = FaultList()
    routing = parse_routes(loaded.route_nodes, faults, now=NOW)
    rules = None if loaded.ruleset is None else loaded.ruleset.rules
    check_reach(routing, rules, loaded.route_nodes, faults)
    render_faults(faults.sorted())
    return routing


def _routes(data: bytes, folder: Path) -> None:
    (folder / "rules.yaml").write_text(Rules().text(), encoding="utf-8")
    (folder / "routes.yaml").write_bytes(data)
    routing = _routes_of(_load(folder))
    labels = {"rule": "near", "severity": "critical", "action": "alert", "country": "MLI"}
    for match in routing.receivers_for(labels):
        match.route.hours.muted_by(NOW)
        match.route.hours.speaks_at(NOW)


def _rule_tests(data: bytes, folder: Path) -> None:
    (folder / "rules.yaml").write_text(Rules().text(), encoding="utf-8")
    (folder / "tests").mkdir()
    (folder / "tests" / "near.yaml").write_bytes(data)
    loaded = _load(folder, tests=True)
    faults = FaultList()
    if loaded.ruleset is not None:
        tests = read_tests(loaded.tests, loaded.ruleset, faults)
        if not faults.errors:
            list(run_tests(tests, loaded.ruleset, Routing({}), WORLD))


def _areas(data: bytes, folder: Path) -> None:
    (folder / "a.geojson").write_bytes(data)
    (folder / "rules.yaml").write_text(
        "areas:\n  south: {title: South, file: a.geojson}\nrules:\n"
        "- {id: south, title: South, kind: event, where: {area: south}}\n"
    )
    loaded = _load(folder)
    if loaded.ruleset is not None:
        _look_for_signals(loaded.ruleset)


def _expressions(data: bytes, folder: Path) -> None:
    with contextlib.suppress(ExpressionError):
        compiled = compile_expression(data.decode("utf-8", "replace"))
        compiled.holds(FACTS)


@cache
def _rule_files() -> list[bytes]:
    shipped = [path.read_bytes() for path in sorted((ROOT / "rules").glob("*.yaml"))]
    return [*shipped, Rules().text().encode(), Rules().text().encode()]


@cache
def _route_files() -> list[bytes]:
    more = b"""\
receivers:
- {name: desk, language: fr, time_zone: Africa/Bamako, email: [{to: [a@example.org]}]}
- {name: night, review: true, email: [{to: [b@example.org], include_notes: true}]}
- {name: hook, webhook: [{url: "https://example.org/h", secret: {secret: hook}}]}
time_intervals:
- {name: nights, time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}],
   weekdays: [monday:friday], months: [january:march], days_of_month: ["1:5", "-3:-1"],
   years: ["2022:2030"], location: Africa/Bamako}]}
route:
  receiver: desk
  group_by: [rule, country]
  group_wait: 30s
  group_interval: 5m
  routes:
  - {receiver: night, matchers: ['severity=~"info|warning"', 'rule!=near'], continue: true,
     mute_time_intervals: [nights]}
  - {receiver: hook, matchers: {theme: health}}
  - {receiver: desk, digest: {at: "07:00", severities: [info]}}
inhibit_rules:
- {source_matchers: [severity=critical], target_matchers: [severity=info], equal: [country]}
"""
    return [(ROOT / "rules" / "routes.yaml").read_bytes(), ROUTES.encode(), more]


@cache
def _test_files() -> list[bytes]:
    own = b"""\
tests:
- name: an attack is told
  rules: [near]
  history:
  - {on: 2022-07-25, event: {id: A, date: 2022-07-20, lat: 12.7, lon: -8.07, fatalities: 3}}
  alerts:
  - {rule: near, action: alert}
"""
    return [own, *(path.read_bytes() for path in sorted((ROOT / "rules" / "tests").glob("*.yaml")))]


@cache
def _area_files() -> list[bytes]:
    square = [[-9, 11], [-7, 11], [-7, 14], [-9, 14], [-9, 11]]
    own = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": kind, "coordinates": where}}
        for kind, where in (("Polygon", [square]), ("MultiPolygon", [[square], [square]]))
    ]}  # fmt: skip
    return [
        json.dumps(own).encode(),
        (ROOT / "rules" / "areas" / "southern-mali.geojson").read_bytes(),
    ]


def _expression_texts() -> list[bytes]:
    return [
        b"fatalities >= 10 and distance_km <= 50", b"ratio > 2 or admin1 in ['Kati', 'Segou']",
        b"max(fatalities, 3) * 2 - 1 > abs(distance_km) and not events", b"1 < fatalities < 9",
    ]  # fmt: skip


# --- settings ---------------------------------------------------------------------------------


def _settings(data: bytes, folder: Path) -> None:
    path = folder / "warden.yaml"
    path.write_bytes(data)
    with contextlib.suppress(ConfigError):
        source_settings(load_settings(path), SOURCE_KINDS)


def _environment(data: bytes, folder: Path) -> None:
    path = folder / "warden.yaml"
    path.write_text("database: w.db\n")
    lines = [os.fsdecode(line).partition("=") for line in data.replace(b"\0", b"").split(b"\n")]
    names = {name: value for name, found, value in lines if found and name}
    before = dict(os.environ)
    try:
        os.environ.update(names)
        with contextlib.suppress(ConfigError):
            source_settings(load_settings(path), SOURCE_KINDS)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _settings_files() -> list[bytes]:
    return [b"""\
database: w.db
rules: rules
time_zone: Africa/Bamako
log_level: INFO
sources:
- {name: acled, kind: acled, username: me@example.org, password: {secret: acled}, every: releases,
   countries: [Mali, BFA], since: 2020-01-01, max_retract: 0.2}
- {name: inbox, kind: file, path: inbox, every: 1h, settle_s: 5}
smtp: {host: localhost, port: 25, from: "Warden <w@example.org>", security: none, timeout_s: 30}
heartbeat: {url: "https://example.org/ping", every: 5m}
console: {listen: "127.0.0.1:8470"}
backup: {at: "03:00", keep: 7}
"""]  # fmt: skip


def _environments() -> list[bytes]:
    return [
        b"WARDEN_SMTP__PORT=2525\nWARDEN_SMTP__HOST=mail\nWARDEN_LOG_LEVEL=DEBUG\n",
        b'WARDEN_SOURCES=[{"name": "inbox", "kind": "file", "path": "in"}]\nWARDEN_TIME_ZONE=UTC\n',
        b"WARDEN_BACKUP__KEEP=3\nWARDEN_CONSOLE__LISTEN=127.0.0.1:80\nWARDEN_HEARTBEAT={}\n",
    ]


# --- feeds ------------------------------------------------------------------------------------


@cache
def _store() -> Store:
    return open_store(MEMORY)


def _take_in(source: Source) -> None:
    """Everything that comes ends as an event, a reject or a named state of the source."""
    store = _store()
    with store.transaction() as tx:
        tx.execute("DELETE FROM source_state")
    result = ingest(store, source, ManualClock(NOW))
    assert result.counts.adds_up, result.counts
    assert result.state != "ok" or result.moved


def _export(data: bytes, folder: Path) -> None:
    path = folder / "export.csv"
    path.write_bytes(data)
    _take_in(read_files([path], source_name="files"))


def _mapped(data: bytes, folder: Path) -> None:
    path = folder / "other.csv"
    path.write_bytes(data)
    _take_in(read_files([path], source_name="other", field_map=_field_map(), dataset="other"))


@cache
def _field_map() -> FieldMap:
    return FieldMap.model_validate(
        {"id": "id", "date": "day", "event_type": "type", "lat": "lat", "lon": "lon",
         "country": "country", "fatalities": {"column": "dead", "default": "0"},
         "actor1": "side_a", "notes": "text"}
    )  # fmt: skip


class _Wire:
    """An ACLED whose first page, or whose token, is given; whatever follows is empty."""

    def __init__(self, page: Reply, token: Reply) -> None:
        self._replies = [page]
        self._token = token

    def post_form(self, _url: str, **_: Any) -> Reply:
        return self._token

    def get(self, _url: str, **_: Any) -> Reply:
        return self._replies.pop() if self._replies else _answer(b'{"status": 200, "data": []}')


def _answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, headers or {"content-type": "application/json"}, body)


_TOKEN = b'{"token_type": "Bearer", "expires_in": 86400, "access_token": "a", "refresh_token": "b"}'


def _acled(page: Reply, token: Reply) -> None:
    settings = AcledSettings.model_validate(
        {"name": "acled", "kind": "acled", "username": "me@example.org",
         "password": {"secret": "acled"}, "countries": ["Mali"]}
    )  # fmt: skip
    _take_in(AcledSource(settings, SecretStr("x"), _Wire(page, token)))  # type: ignore[arg-type]


def _acled_page(data: bytes, folder: Path) -> None:
    _acled(_answer(data), _answer(_TOKEN))


def _acled_token(data: bytes, folder: Path) -> None:
    _acled(_answer(_pages()[0]), _answer(data))


def _acled_refusal(data: bytes, folder: Path) -> None:
    status = (400, 401, 403, 404, 429, 500, 503, 302, 200)[len(data) % 9]
    kind = ("application/json", "text/html", "", "text/plain; charset=x")[len(data) % 4]
    headers = {"content-type": kind, "retry-after": data[:40].decode("latin-1")}
    _acled(_answer(data, status, headers), _answer(_TOKEN))


@cache
def _pages() -> list[bytes]:
    rows = [a_row(n, fatalities=n, notes=f"SIMULATED {n}") for n in range(1, 7)]
    about = {"status": 200, "success": True, "count": 6, "messages": [], "next_cursor": None}
    recent = {"date_recency": {"date": "2021-08-01"}}
    return [
        json.dumps({**about, "data": rows}).encode(),
        json.dumps({**about, "data": [{k: str(v) for k, v in ROW.items()}]}).encode(),
        json.dumps({**about, "data": [], "data_query_restrictions": recent}).encode(),
    ]


@cache
def _exports() -> list[bytes]:
    rows = [a_row(n, location=f"Place {n}, north") for n in range(1, 7)]
    features = [
        {"type": "Feature", "properties": row,
         "geometry": {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]}}
        for row in rows
    ]  # fmt: skip
    return [
        as_csv(rows).encode(),
        as_csv(rows, ";").encode(),
        json.dumps(rows).encode(),
        "\n".join(map(json.dumps, rows)).encode(),
        json.dumps({"type": "FeatureCollection", "features": features}).encode(),
    ]


def _mapped_exports() -> list[bytes]:
    rows = [
        {"id": n, "day": "2022-07-20", "type": "Battles", "lat": 12.5, "lon": -8, "country": "Mali",
         "dead": n, "side_a": "A group", "text": "SIMULATED"}
        for n in range(6)
    ]  # fmt: skip
    return [as_csv(rows).encode(), json.dumps(rows).encode()]


def _table_mutant(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    if data[:1] not in {b"[", b"{"}:
        return csv_mutant(rng, data, others)
    try:
        json.loads(data)
    except ValueError:
        return damaged(rng, data, others)
    return json_mutant(rng, data, others)


# --- templates --------------------------------------------------------------------------------


def _written(name: str) -> Callable[[bytes, Path], None]:
    def feed(data: bytes, folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        renderer = Renderer(template_folders(folder))
        template_faults(renderer)
        receiver = _receiver()
        made = renderer.render(receiver, [sample_notice(at=NOW)], NOW, _formats(), message_id="m")
        assert made.subject.strip()
        assert made.bodies.keys() == _formats()

    return feed


@cache
def _receiver() -> Any:
    faults = FaultList()
    root = read_bytes(ROUTES.encode(), "routes.yaml", faults)
    assert root is not None
    routing = parse_routes({key.text: (value,) for key, value in root.entries}, faults, now=NOW)
    return routing.receivers["desk"]


@cache
def _formats() -> frozenset[str]:
    return frozenset(target.format for target in _receiver().targets)


def _shipped_templates(name: str) -> Callable[[], Sequence[bytes]]:
    return cache(lambda: [(ROOT / "templates" / name).read_bytes()])


# --- the control socket -----------------------------------------------------------------------


class _Desk:
    """A running station behind a real socket."""

    def __init__(self) -> None:
        self.rig = Rig(Rules().text())
        self.rig.server.log.append(event("OLD", "2021-01-01").record)
        self.rig.station.poll("acled")
        self.rig.server.log.append(event("MLI1", "2022-07-28").record)
        self.rig.station.poll("acled")
        self.rig.station.evaluate()
        self.failed: list[BaseException] = []
        self.path = self.rig.folder / "control.sock"
        self.server = ControlServer(self.path, self._handle)
        self.server.start()
        self._lock = threading.Lock()

    def _handle(self, request: Request) -> Iterator[Mapping[str, Any]]:
        try:
            with self._lock:
                yield from self.rig.station.act(request)
        except WardenError:
            raise
        except BaseException as error:
            self.failed.append(error)
            raise


@cache
def desk() -> _Desk:
    """One for all inputs; `close_desk` ends it."""
    return _Desk()


def close_desk() -> None:
    """End the station, if there is one."""
    if desk.cache_info().currsize:
        desk().server.close()
        desk().rig.close()
        desk.cache_clear()


def _control(data: bytes, folder: Path) -> None:
    running = desk()
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(20)
        caller.connect(str(running.path))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            caller.sendall(data.replace(b"\n", b" ") + b"\n")
            caller.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            answer = b"".join(iter(lambda: caller.recv(1 << 16), b""))
            for line in answer.splitlines():
                json.loads(line)
    if running.failed:
        raise running.failed.pop()


@cache
def _messages() -> list[bytes]:
    alert = next(desk().rig.column("SELECT id FROM alerts WHERE rule_id = 'near' LIMIT 1"))
    asked: list[tuple[str, dict[str, Any]]] = [
        ("silence-add", {"matchers": ["rule=near"], "comment": "x", "for": "3h"}),
        ("silence-add", {"matchers": ['severity=~"info|warning"'], "comment": "x", "for": "2d",
                         "starts_at": "2022-08-02T00:00:00Z", "dry_run": True}),
        ("silence-expire", {"ids": [1, 2]}),
        ("ack", {"alerts": [alert], "note": "calling"}),
        ("verdict", {"alerts": [alert[:8]], "verdict": "true", "note": "seen"}),
        ("release", {"ids": [1], "receiver": "desk", "all": False}),
        ("ingest", {"names": ["a.csv"], "source": "acled", "snapshot": False, "evaluate": True}),
        ("evaluate", {}),
        ("retry", {"ids": [1, 2, 3], "all": False}),
        ("test-receiver", {"name": "desk"}),
        ("keep-calibration", {"rule": "near", "rule_version": "1", "false_alerts_per_year": 2.5,
                              "budget": 3}),
        ("nonsense", {}),
    ]  # fmt: skip
    return [json.dumps({"command": name, "arguments": given}).encode() for name, given in asked]


WAYS_IN: Mapping[str, WayIn] = {
    "rules": WayIn(_rules, _rule_files, yaml_mutant),
    "routes": WayIn(_routes, _route_files, yaml_mutant),
    "rule-tests": WayIn(_rule_tests, _test_files, yaml_mutant),
    "areas": WayIn(_areas, _area_files, json_mutant),
    "expressions": WayIn(_expressions, _expression_texts, damaged),
    "settings": WayIn(_settings, _settings_files, yaml_mutant),
    "environment": WayIn(_environment, _environments, damaged),
    "exports": WayIn(_export, _exports, _table_mutant),
    "mapped-exports": WayIn(_mapped, _mapped_exports, _table_mutant),
    "acled-pages": WayIn(_acled_page, _pages, json_mutant),
    "acled-tokens": WayIn(_acled_token, lambda: [_TOKEN], json_mutant),
    "acled-refusals": WayIn(_acled_refusal, _pages, json_mutant),
    "phrases": WayIn(_written("en/strings.toml"), _shipped_templates("en/strings.toml"), damaged),
    "mail-template": WayIn(
        _written("layout/mail.txt.jinja"), _shipped_templates("layout/mail.txt.jinja"), damaged
    ),
    "control": WayIn(_control, _messages, json_mutant),
}


def work_in(folder: Path, feed: Callable[[bytes, Path], None], data: bytes) -> None:
    """Feed one input, in a folder that is empty before and gone after."""
    folder.mkdir()
    try:
        feed(data, folder)
    finally:
        shutil.rmtree(folder)
