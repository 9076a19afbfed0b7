"""What operators ask of a running warden, done and written down with who asked.

Standing in the flow: commands come here by the control socket or from the same process, through
`Station.act`. What is said about alerts (acknowledgements, verdicts, silences, releases) is
`people.py`; here stands what makes the station work: read, evaluate, try again, try a receiver.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from warden.clock import Clock
from warden.control import Request
from warden.errors import UsageError
from warden.model.located import did_you_mean
from warden.people import COMMANDS, SENDS, Asked, numbers
from warden.regular import NOT_REGULAR, is_regular
from warden.rows import decision_rows
from warden.store import Transaction, outbox, reports
from warden.store.actions import record_action
from warden.store.calibrations import keep_calibration
from warden.store.values import instant_text

if TYPE_CHECKING:
    from warden.station import Station

# Before these the database is looked at as a daemon does at its start: they work through it whole.
LOOKED_AT_FIRST = frozenset({"ingest", "evaluate"})
MOST_A_YEAR = 1e9  # false alerts; what claims more is no result of a calibration
RETRY_WITHIN_S = 60.0  # how long `warden retry` waits for what came of it


class Acting:
    """The commands that change something, on one station.

    Attributes:
        stopping: once set, nothing more is waited for.
    """

    def __init__(self, station: Station, clock: Clock, stopping: threading.Event) -> None:
        self._station = station
        self._clock = clock
        self._stopping = stopping

    def act(self, request: Request, paths: Sequence[Path] = ()) -> Iterator[dict[str, Any]]:
        """Do a command and write down who asked for it.

        Files come as open descriptors from afar, as `paths` from this very process.
        """
        if request.command in COMMANDS:
            yield from self._say(request)
            return
        commands = {
            "ingest": lambda: self._ingest(request, paths),
            "evaluate": lambda: decision_rows(self._station.evaluate(full=True)),
            "retry": lambda: self._retry(request.arguments),
            "test-receiver": lambda: self._test_receiver(request.arguments),
            "keep-calibration": lambda: self._keep_calibration(request.arguments),
        }
        command = commands.get(request.command)
        if command is None:
            raise UsageError(f"no command '{request.command}'")
        try:
            yield from command()
        except BaseException as error:
            self._record(request, f"{type(error).__name__}: {error}")
            raise
        self._record(request, "ok")

    def _say(self, request: Request) -> list[dict[str, Any]]:
        """What an operator says about alerts: the words and who said them are one commit."""
        now = self._clock.now()
        asked = Asked(request.arguments, request.who, now, self._station.rulebook.ruleset)
        try:
            with self._station.store.transaction() as tx:
                rows = COMMANDS[request.command](tx, asked)
                self._write_down(tx, request, "ok")
        except BaseException as error:
            self._record(request, f"{type(error).__name__}: {error}")
            raise
        if request.command in SENDS:
            self._station.deliver()
        return rows

    def _record(self, request: Request, outcome: str) -> None:
        with self._station.store.transaction() as tx:
            self._write_down(tx, request, outcome)

    def _write_down(self, tx: Transaction, request: Request, outcome: str) -> None:
        record_action(
            tx,
            at=self._clock.now(),
            who=request.who,
            command=request.command,
            arguments=request.arguments,
            outcome=outcome,
        )

    def _ingest(self, request: Request, paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
        asked = request.arguments
        names, source = asked.get("names"), asked.get("source")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UsageError("name the files to read")
        if source is not None and not isinstance(source, str):
            raise UsageError("the source is a name")
        with tempfile.TemporaryDirectory(prefix="warden-") as folder:
            found = list(paths) or _received(request.files, names, Path(folder))
            try:
                yield from self._station.ingest_files(
                    dict(zip(names, found, strict=True)),
                    source=source,
                    snapshot=bool(asked.get("snapshot")),
                )
            finally:
                if asked.get("evaluate", True):
                    self._station.evaluate()

    def _keep_calibration(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        rule, rate = asked.get("rule"), asked.get("false_alerts_per_year")
        version, budget = asked.get("version", ""), asked.get("budget")
        whole = isinstance(rule, str) and isinstance(version, str) and _is_rate(rate)
        if not whole or not (budget is None or _is_rate(budget)):
            raise UsageError("this is no result of `warden calibrate`")
        with self._station.store.transaction() as tx:
            keep_calibration(tx, asked, self._clock.now())
        yield {"rule": rule, "kept": True}

    def _retry(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        ids = None if asked.get("all") else numbers(asked, "ids", "delivery")
        with self._station.store.transaction() as tx:
            if ids is None:
                dead = outbox.list_deliveries(tx, states=("dead",), limit=1_000_000)
                ids = [row["id"] for row in dead]
            known = {row["id"] for row in reports.delivery_rows(tx, ids=ids, limit=1_000_000)}
            unknown = sorted(set(ids) - known)
            if unknown:
                raise UsageError(f"no delivery {', '.join(map(str, unknown))}")
            asked_at = self._clock.now()
            outbox.retry(tx, asked_at, ids)
        self._station.deliver()
        yield from self._tried_again(ids, instant_text(asked_at))

    def _tried_again(self, ids: Sequence[int], asked_at: str) -> Iterator[dict[str, Any]]:
        """Wait until each was tried, at most `RETRY_WITHIN_S`; tell which were refused again."""
        deadline = time.monotonic() + RETRY_WITHIN_S
        while True:
            with self._station.store.reading() as connection:
                rows = reports.delivery_rows(connection, ids=ids, limit=1_000_000)
            waiting = [one for one in rows if _untried(one, asked_at)]
            if not waiting or time.monotonic() > deadline or self._stopping.is_set():
                break
            time.sleep(0.1)
        for one in rows:
            refused = one["state"] in {"retry", "dead", "expired"} and not _untried(one, asked_at)
            yield {**one, "refused": refused}

    def _test_receiver(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        name = str(asked.get("name", ""))
        receivers = self._station.rulebook.routing.receivers
        if name not in receivers:
            raise UsageError(f"no receiver '{name}'{did_you_mean(name, receivers)}")
        yield from self._station.outlet.try_receiver(receivers[name])


def _is_rate(given: object) -> bool:
    if not isinstance(given, int | float) or isinstance(given, bool):
        return False
    return 0 <= given <= MOST_A_YEAR


def _untried(delivery: Mapping[str, Any], asked_at: str) -> bool:
    """Whether a delivery that was made due at `asked_at` still waits for that try, or is in it."""
    if delivery["state"] == "sending":
        return True
    return bool(delivery["state"] == "retry" and delivery["due_at"] <= asked_at)


def _received(descriptors: Sequence[int], names: Sequence[str], folder: Path) -> list[Path]:
    """Copy what came as open descriptors to files of the same names, one folder each."""
    if len(descriptors) != len(names):
        raise UsageError("some files did not arrive; try again, with fewer at a time")
    found = []
    for number, (descriptor, name) in enumerate(zip(descriptors, names, strict=True)):
        if not is_regular(descriptor):
            raise UsageError(f"{NOT_REGULAR}: {name}")
        path = folder / str(number) / Path(name).name
        path.parent.mkdir()
        with open(descriptor, "rb", closefd=False) as source, path.open("wb") as target:
            _copy(source, target)
        found.append(path)
    return found


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    shutil.copyfileobj(source, target, 1 << 20)
