"""How fast the engine is, beside ElastAlert 2 and PostGIS on identical data with identical answers.

    python benchmarks/engine.py [--events N] [--peer-events N] [--cache DIR] [--only PART ...]
                                [--targets told]

Parts: `index` (many spatial rules over clustered events), `elastalert` (ElastAlert 2's rule types,
driven in process in a virtual environment of their own), `postgis` (ST_DWithin on geography with
GiST, in a cluster of its own on loopback). A peer that can't be had is named and left out.
Everything is compared in one run on one core; ratios travel between machines, rates do not.
Ends with status 1 when answers differ or a target is missed; with `--targets told` a missed
target is told and not judged, for machines whose cores others use as well.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import numpy as np

from warden.engine.frame import FRAME_COLUMNS, Frame, day_from_number
from warden.engine.geo import AreaIndex, FixedGeography, PolylineIndex, distance_km
from warden.engine.geo.rule_index import Buffer, Circle, Inner, RuleIndex, Shape
from warden.engine.horizon import Horizon
from warden.engine.kinds import signals
from warden.engine.kinds.base import Bound
from warden.engine.kinds.count import CountParameters
from warden.engine.kinds.spike import SpikeParameters
from warden.engine.where import Matcher
from warden.model.rule import Rule, Text, TextTest

SIZES = (10, 100, 1_000)
CIRCLE_TARGETS = {10: 5_000_000, 100: 2_000_000, 1_000: 400_000}  # events a second
ELASTALERT_TARGET = 100.0
ELASTALERT = ("elastalert2==2.19.0", "pytz")
BRUTE_PAIRS = 10_000_000  # as many pairs are checked one by one; beyond, a sample of events
POSTGRES = Path("/usr/lib/postgresql/15/bin")
TOWNS = 300
WEEK, SUNDAY = 7, 3  # 1970-01-01 was a Thursday


@dataclass
class Verdict:
    """What went wrong, if anything."""

    faults: list[str] = field(default_factory=list)
    judges_targets: bool = True

    def expect(self, holds: bool, fault: str) -> None:  # noqa: FBT001 -- it reads as a sentence
        if not holds:
            self.faults.append(fault)
            print(f"  !! {fault}")

    def target(self, met: bool, missed: str) -> None:  # noqa: FBT001 -- it reads as a sentence
        if self.judges_targets:
            self.expect(met, missed)
        elif not met:
            print(f"  (target missed: {missed})")


def clock(work: Callable[[], object], now: Callable[[], float] = time.process_time) -> float:
    began = now()
    work()
    return now() - began


# --- simulated data ---------------------------------------------------------------------------


class World:
    """Towns of very different size, and events round them."""

    def __init__(self, seed: int = 7) -> None:
        self.rng = np.random.default_rng(seed)
        self.lats = self.rng.uniform(4.0, 24.0, TOWNS)
        self.lons = self.rng.uniform(-17.0, 40.0, TOWNS)
        weights = 1.0 / np.arange(1, TOWNS + 1) ** 0.8
        self.weights = weights / weights.sum()

    def points(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        town = self.rng.choice(TOWNS, count, p=self.weights)
        spread = self.rng.normal(0.0, 0.3, (2, count))
        return np.round(self.lats[town] + spread[0], 4), np.round(self.lons[town] + spread[1], 4)

    def near_a_town(self) -> tuple[float, float]:
        town = self.rng.choice(TOWNS, p=self.weights)
        north, east = self.rng.normal(0.0, 0.2, 2)
        return float(self.lats[town] + north), float(self.lons[town] + east)

    def circles(self, count: int) -> list[Shape]:
        return [Circle(*self.near_a_town(), self._km()) for _ in range(count)]

    def borders(self, count: int) -> list[Shape]:
        lines = [PolylineIndex([self._walk(40)]) for _ in range(min(50, count))]
        return [Buffer(lines[n % len(lines)], self._km()) for n in range(count)]

    def polygons(self, count: int) -> list[Shape]:
        return [Inner(AreaIndex([[self._ring(60)]])) for _ in range(count)]

    def _km(self) -> float:
        return float(self.rng.uniform(10.0, 100.0))

    def _walk(self, steps: int) -> np.ndarray:
        return np.array(self.near_a_town()) + self.rng.normal(0.0, 0.12, (steps, 2)).cumsum(axis=0)

    def _ring(self, vertices: int) -> list[tuple[float, float]]:
        lat, lon = self.near_a_town()
        turn = np.linspace(0.0, 2.0 * np.pi, vertices, endpoint=False)
        radius = self.rng.uniform(0.2, 1.0) * self.rng.uniform(0.7, 1.0, vertices)
        return list(zip(lat + radius * np.sin(turn), lon + radius * np.cos(turn), strict=True))


# --- the spatial index ------------------------------------------------------------------------


def alone(shape: Shape, lats: np.ndarray, lons: np.ndarray) -> np.ndarray:
    """Decide one shape for all points by the functions that know no index."""
    if isinstance(shape, Circle):
        return np.flatnonzero(distance_km(lats, lons, shape.lat, shape.lon) <= shape.km)
    if isinstance(shape, Buffer):
        return np.flatnonzero(shape.line.within(lats, lons, shape.km)[0])
    return np.flatnonzero(shape.area.contains(lats, lons))


def bench_index(events: int, verdict: Verdict) -> None:
    print(f"\nSpatial rules over {events:,} clustered events (CPU seconds, one core)")
    print(f"  {'rules':>14}  {'drawn':>7}  {'hits':>10}  {'events/s':>12}  {'rule by rule':>12}")
    world = World()
    lats, lons = world.points(events)
    for name, make in (
        ("circle", world.circles), ("border", world.borders), ("polygon", world.polygons)
    ):  # fmt: skip
        for count in SIZES:
            shapes = make(count)
            began = time.process_time()
            index = RuleIndex(shapes)
            drawn = time.process_time() - began
            # The better of two: the machine is shared.
            took = min(clock(lambda index=index: index.hits(lats, lons)) for _ in range(2))
            hits = index.hits(lats, lons)
            brute = compare_with_brute_force(shapes, hits.by_shape(count), lats, lons, verdict)
            rate = events / took
            print(
                f"  {count:>6} {name:<7}  {drawn:6.2f}s  {len(hits):>10,}  {rate:>12,.0f}"
                f"  x{rate / brute:,.0f}"
            )
            if name == "circle":
                target = CIRCLE_TARGETS[count]
                verdict.target(rate >= target, f"{count} circles: below {target:,} events/s")


def compare_with_brute_force(
    shapes: Sequence[Shape],
    found: Sequence[np.ndarray],
    lats: np.ndarray,
    lons: np.ndarray,
    verdict: Verdict,
) -> float:
    """Compare with every shape alone, over a sample of events; gives its events a second."""
    name = type(shapes[0]).__name__.lower()
    pairs = BRUTE_PAIRS if name == "circle" else BRUTE_PAIRS // 10
    step = max(1, len(lats) * len(shapes) // pairs)
    some_lats, some_lons = lats[::step], lons[::step]
    began = time.process_time()
    expected = [alone(shape, some_lats, some_lons) * step for shape in shapes]
    took = time.process_time() - began
    for position, (rows, wanted) in enumerate(zip(found, expected, strict=True)):
        same = np.array_equal(rows[rows % step == 0], wanted)
        verdict.expect(same, f"{name} {position} of {len(shapes)} differs from brute force")
    return len(some_lats) / took


# --- ElastAlert 2 -----------------------------------------------------------------------------

# Runs in ElastAlert's own environment: documents in, seconds and alerts out.
FREQUENCY_DRIVER = """
import json, sys, time
from datetime import datetime, timedelta, timezone
from elastalert.ruletypes import FrequencyRule
task = json.load(open(sys.argv[1]))
epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
documents = [
    {"@timestamp": epoch + timedelta(days=day), "admin2": key} for day, key in task["events"]
]
rule = FrequencyRule({
    "name": "bench", "type": "frequency", "timestamp_field": "@timestamp", "query_key": "admin2",
    "timeframe": timedelta(days=task["window"]), "num_events": task["bound"],
})
began = time.process_time()
rule.add_data(documents)
took = time.process_time() - began
days = [(datetime.fromisoformat(match["@timestamp"][:10]) - datetime(1970, 1, 1)).days
        for match in rule.matches]
alerts = [[match["admin2"], day] for match, day in zip(rule.matches, days)]
json.dump({"seconds": took, "alerts": alerts}, sys.stdout)
"""

SPIKE_DRIVER = """
import json, sys, time
from datetime import datetime, timedelta, timezone
from elastalert.ruletypes import SpikeRule
task = json.load(open(sys.argv[1]))
epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
documents = [
    {"@timestamp": epoch + timedelta(days=day), "admin2": key} for day, key in task["events"]
]
rule = SpikeRule({
    "name": "bench", "type": "spike", "timestamp_field": "@timestamp", "query_key": "admin2",
    "timeframe": timedelta(days=7), "spike_height": task["ratio"], "spike_type": "up",
    "threshold_ref": 1, "threshold_cur": task["least"],
})
began = time.process_time()
rule.add_data(documents)
took = time.process_time() - began
days = [(datetime.fromisoformat(match["@timestamp"][:10]) - datetime(1970, 1, 1)).days
        for match in rule.matches]
alerts = [[match["admin2"], day] for match, day in zip(rule.matches, days)]
json.dump({"seconds": took, "alerts": alerts}, sys.stdout)
"""


def elastalert_python(cache: Path) -> Path | None:
    """ElastAlert's own environment, made when it is missing."""
    home = cache / "venv"
    python = home / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        asked = subprocess.run(
            [python, "-c", "import elastalert.ruletypes"], capture_output=True, check=False
        )
        if asked.returncode:
            install = [str(python), "-m", "pip", "install", "--quiet", *ELASTALERT]
            subprocess.run(install, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"  ElastAlert 2 can't be installed here ({error}); left out")
        return None
    return python


def days_and_districts(events: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Ten years of a hundred districts, most of them quiet, with bursts; in order of days."""
    rng = np.random.default_rng(seed)
    district = rng.choice(100, events, p=rng.dirichlet(np.full(100, 2.0)))
    day = rng.integers(15_000, 18_650, events)
    burst = rng.random(events) < 0.02  # a fiftieth of the events
    day[burst] = 15_100 + 211 * (district[burst] % 16)
    order = np.argsort(day, kind="stable")
    return day[order], district[order]


def frame_of(days: np.ndarray, districts: np.ndarray) -> Frame:
    """The same events as the engine holds them."""
    blank: dict[str, object] = {
        "actors": '[["Group A","actor1","Rebel group"],["Civilians (X)","actor2","Civilians"]]',
        "tags": "[]", "event_type": "Battles", "dataset": "acled", "lat": 0.0, "lon": 0.0,
        "fatalities": 1, "geo_precision": 1, "time_precision": 1, "location_error_km": 5.0,
        "civilian_targeting": 0, "fatalities_low": None, "fatalities_high": None,
        "fatalities_civilian": None,
    }  # fmt: skip
    rows = []
    for number, (day, district) in enumerate(zip(days.tolist(), districts.tolist(), strict=True)):
        when = day_from_number(day).isoformat()
        cells = {
            **blank, "uid": f"acled:{number:08d}", "event_date": when, "event_date_end": when,
            "admin2": f"District {district}", "known_at": f"{when}T00:00:00.000000Z",
            "first_seen_at": f"{when}T00:00:00.000000Z",
        }  # fmt: skip
        rows.append([cells.get(name, "") for name in FRAME_COLUMNS])
    return Frame.from_rows(FRAME_COLUMNS, rows)


def bench_elastalert(events: int, cache: Path, verdict: Verdict) -> None:
    print(f"\nThe same {events:,} events to ElastAlert 2's rule types and to ours (CPU seconds)")
    python = elastalert_python(cache)
    if python is None:
        return
    days, districts = days_and_districts(events)
    frame = frame_of(days, districts)
    _frequency(python, days, districts, frame, verdict)
    _spike(python, days, districts, verdict)


def _frequency(
    python: Path, days: np.ndarray, districts: np.ndarray, frame: Frame, verdict: Verdict
) -> None:
    window, bound = 7, max(20, len(days) // 2_500)
    rule = _by_district("count", CountParameters(window=f"{window}d", condition=Bound(gte=bound)))
    took, ours = _first_alerts(rule, frame)
    task = {"events": _documents(days, districts), "window": window, "bound": bound}
    answer = _drive(python, FREQUENCY_DRIVER, task)
    _compare(("count", "frequency"), len(days), took, ours, answer, verdict=verdict)


def _spike(python: Path, days: np.ndarray, districts: np.ndarray, verdict: Verdict) -> None:
    """ElastAlert slides, warden looks at whole weeks: every event is dated at its week's end.

    Then both compare a week with the one before. Every district has an event every week, since
    ElastAlert's window before keeps what it held when nothing comes for a while.
    """
    weeks = np.arange(days.min() - WEEK, days.max() + 1, WEEK)
    steady = len(np.unique(districts))
    days = np.concatenate((days, np.repeat(weeks, steady)))
    districts = np.concatenate((districts, np.tile(np.unique(districts), len(weeks))))
    days = days + (SUNDAY - days) % WEEK
    order = np.argsort(days, kind="stable")
    days, districts = days[order], districts[order]
    ratio, least = 3.0, max(20, len(days) // 8_000)
    baseline = {"method": "ratio", "ratio": ratio, "periods": 1, "on_zero": "never"}
    parameters = SpikeParameters.model_validate(
        {
            "measures": ["events"], "windows": ["1w"], "week": "iso", "min_count": least,
            "baseline": baseline,
        }
    )  # fmt: skip
    took, ours = _first_alerts(_by_district("spike", parameters), frame_of(days, districts))
    task = {"events": _documents(days, districts), "ratio": ratio, "least": least}
    answer = _drive(python, SPIKE_DRIVER, task)
    _compare(("spike", "spike"), len(days), took, ours, answer, verdict=verdict)


def _by_district(kind: str, parameters: object) -> Rule:
    return Rule(
        id="bench", title="bench", kind=kind, by=("admin2",),
        where=Text("event_type", (TextTest("is", "battles"),)), parameters=parameters,
    )  # fmt: skip


def _first_alerts(rule: Rule, frame: Frame) -> tuple[float, dict[str, int]]:
    """The best of three runs, in seconds, and the day each district first alerted on."""
    days = {"acled": date(2021, 5, 31)}
    horizon = Horizon(datetime(2021, 6, 1, tzinfo=UTC), days, {"acled": date(2011, 1, 1)})
    geography = FixedGeography()
    signals(rule, Matcher(rule, geography).match(frame.take(np.arange(10))), horizon)
    took, found = float("inf"), ()
    for attempt in range(3):  # the machine is shared
        fresh = replace(rule, version=str(attempt))  # nothing may be remembered from the run before
        began = time.process_time()
        found = signals(fresh, Matcher(fresh, geography).match(frame), horizon)
        took = min(took, time.process_time() - began)
    ours: dict[str, int] = {}
    for signal in found:
        name = dict(signal.key)["admin2"]
        first = (signal.since - date(1970, 1, 1)).days
        ours[name] = min(first, ours.get(name, first))
    return took, ours


def _documents(days: np.ndarray, districts: np.ndarray) -> list[list[object]]:
    both = zip(days.tolist(), districts.tolist(), strict=True)
    return [[day, f"District {district}"] for day, district in both]


def _compare(
    names: tuple[str, str],
    events: int,
    took: float,
    ours: dict[str, int],
    answer: dict,
    *,
    verdict: Verdict,
) -> None:
    kind, peer = names
    theirs: dict[str, int] = {}
    for name, day in answer["alerts"]:
        theirs[name] = min(day, theirs.get(name, day))
    ratio = answer["seconds"] / took
    print(
        f"  warden {kind:<9} {events / took:>12,.0f} events/s\n"
        f"  ElastAlert {peer:<9} {events / answer['seconds']:>8,.0f} events/s"
        f"   ours is x{ratio:,.0f}; both alert first on the same day in {len(ours)} districts"
    )
    verdict.expect(bool(ours), f"the {kind} comparison has no alert to compare")
    verdict.expect(ours == theirs, f"{kind} and {peer} differ in their first alerts")
    verdict.target(ratio >= ELASTALERT_TARGET, f"{kind}: below x{ELASTALERT_TARGET:.0f}")


def _drive(python: Path, driver: str, task: object) -> dict:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(task, file)
        file.flush()
        done = subprocess.run(
            [python, "-c", driver, file.name], check=True, capture_output=True, text=True
        )
    return json.loads(done.stdout)


# --- PostGIS ----------------------------------------------------------------------------------


class Cluster:
    """A PostgreSQL of its own, in a temporary folder on a loopback port."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = str(probe.getsockname()[1])

    def __enter__(self) -> Self:
        if self._as:
            shutil.chown(self._home, "postgres")
        data = str(self._home / "data")
        self._run(POSTGRES / "initdb", "-D", data, "-U", "bench", "-A", "trust", "--no-sync")
        options = (
            f"-p {self._port} -h 127.0.0.1 -k {self._home} -c fsync=off -c shared_buffers=256MB "
            "-c work_mem=64MB -c max_parallel_workers_per_gather=0 -c jit=off"
        )
        log = str(self._home / "log")
        self._run(POSTGRES / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        return self

    def __exit__(self, *_: object) -> None:
        self._run(POSTGRES / "pg_ctl", "-D", str(self._home / "data"), "-m", "immediate", "stop")

    def sql(self, text: str) -> str:
        command = [
            POSTGRES / "psql", "-h", "127.0.0.1", "-p", self._port, "-U", "bench", "-d", "postgres",
            "-v", "ON_ERROR_STOP=1", "-qAt", "-F", ",",
        ]  # fmt: skip
        return self._run(*command, text=text)

    def _run(self, *command: object, text: str | None = None) -> str:
        whole = [*self._as, *map(str, command)]
        done = subprocess.run(
            whole, input=text, capture_output=True, text=True,
            cwd=self._home, check=False,
        )  # fmt: skip
        if done.returncode:
            raise OSError(done.stderr.strip() or f"{command[0]} failed")
        return done.stdout


def bench_postgis(events: int, verdict: Verdict) -> None:
    print(f"\nCircles over {events:,} events: ST_DWithin on geography with GiST (wall seconds)")
    home = Path(tempfile.mkdtemp(prefix="warden-bench-"))
    try:
        with Cluster(home) as cluster:
            cluster.sql("CREATE EXTENSION postgis")
            _compare_with_postgis(cluster, events, verdict)
    except OSError as error:
        print(f"  PostGIS can't be had here ({error});")
        print("  left out. On Debian, as root: apt-get install postgresql-15-postgis-3")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _compare_with_postgis(cluster: Cluster, events: int, verdict: Verdict) -> None:
    world = World()
    lats, lons = world.points(events)
    cluster.sql(
        "CREATE TABLE event (id int, at geography(Point, 4326));\n"
        "CREATE TEMP TABLE given (id int, lat float8, lon float8);\nCOPY given FROM STDIN;\n"
        + _copy_rows(zip(lats.tolist(), lons.tolist(), strict=True))
        + "INSERT INTO event SELECT id, ST_MakePoint(lon, lat)::geography FROM given;\n"
        "CREATE INDEX ON event USING gist (at);\nANALYZE event;\n"
    )
    print(f"  {'circles':>8}  {'hits':>10}  {'ours':>8}  {'PostGIS':>8}")
    for count in SIZES:
        circles = [shape for shape in world.circles(count) if isinstance(shape, Circle)]
        began = time.perf_counter()
        found = RuleIndex(circles).hits(lats, lons).by_shape(count)
        ours_took = time.perf_counter() - began
        ours = {n: (len(rows), int(rows.sum())) for n, rows in enumerate(found) if len(rows)}
        theirs, took = _ask_postgis(cluster, circles)
        hits = sum(len(rows) for rows in found)
        print(
            f"  {count:>8}  {hits:>10,}  {ours_took:7.3f}s  {took:7.3f}s"
            f"   ours, index drawn anew, is x{took / ours_took:,.1f}"
        )
        verdict.expect(ours == theirs, f"{count} circles: PostGIS answers otherwise")
        verdict.target(took > ours_took, f"{count} circles: PostGIS is faster")


def _ask_postgis(
    cluster: Cluster, circles: Sequence[Circle]
) -> tuple[dict[int, tuple[int, int]], float]:
    """How many events each circle holds, and the sum of their ids; and the server's seconds."""
    rows = _copy_rows((circle.lat, circle.lon, circle.km * 1000.0) for circle in circles)
    answer = cluster.sql(
        "DROP TABLE IF EXISTS rule;\n"
        "CREATE TABLE rule (id int, lat float8, lon float8, metres float8);\n"
        f"COPY rule FROM STDIN;\n{rows}"
        "ALTER TABLE rule ADD at geography(Point, 4326);\n"
        "UPDATE rule SET at = ST_MakePoint(lon, lat)::geography;\nANALYZE rule;\n"
        "SELECT count(*) FROM event WHERE at IS NOT NULL;\n\\timing on\n"
        "SELECT rule.id, count(*), sum(event.id) FROM rule"
        " JOIN event ON ST_DWithin(event.at, rule.at, rule.metres) GROUP BY rule.id;\n"
    )
    lines = answer.splitlines()[1:]
    timing = next(line for line in lines if line.startswith("Time:"))
    held = [tuple(map(int, line.split(","))) for line in lines if line[:1].isdigit()]
    return {n: (number, total) for n, number, total in held}, float(timing.split()[1]) / 1000.0


def _copy_rows(rows: object) -> str:
    lines = [
        "\t".join([str(number), *map(repr, row)])
        for number, row in enumerate(rows)  # type: ignore[call-overload] # any iterable of tuples
    ]
    return "\n".join([*lines, "\\.\n"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--peer-events", type=int, default=400_000)
    parser.add_argument(
        "--cache", type=Path, default=Path.home() / ".cache" / "warden-bench-engine"
    )
    parser.add_argument("--only", nargs="+", default=["index", "elastalert", "postgis"])
    parser.add_argument("--targets", choices=("judged", "told"), default="judged")
    asked = parser.parse_args()
    verdict = Verdict(judges_targets=asked.targets == "judged")
    if "index" in asked.only:
        bench_index(asked.events, verdict)
    if "elastalert" in asked.only:
        bench_elastalert(asked.peer_events, asked.cache, verdict)
    if "postgis" in asked.only:
        bench_postgis(asked.peer_events, verdict)
    met = ", all targets met" if verdict.judges_targets else ""
    print(f"\nall answers equal{met}" if not verdict.faults else "\nFAILED")
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
