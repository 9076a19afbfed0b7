"""From committed alerts to webhooks answered, beside Debian's Alertmanager on the same receiver.

    make bench-delivery                         # Debian: apt-get install prometheus-alertmanager
    python benchmarks/delivery.py [--alerts N] [--only PART ...] [--floor RATE]

Parts: `burst` (alerts handed over as fast as they are taken, a hundred at a time, each a message of
its own), `steady` (one alert at a time, 20 a second), `kill` (50 alerts accepted, then kill -9:
before the first is sent, and in the middle of sending). Both systems send to one receiver, a light
process of its own; Alertmanager keeps its data in a folder of its own and listens on loopback.

A webhook's latency runs from when its alert was accepted (the commit that syncs the decision to
disk has returned; Alertmanager has answered the POST) until the receiver has answered. Rates run
from the first alert handed over until the last webhook answered. Warden syncs every decision to
disk before it sends; Alertmanager keeps alerts in memory.

Leaves with 1 when alerts are lost, a key stands for two messages, or the rate is below the floor;
the floor is not judged when other programs had more than a quarter of a core meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gc
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr

from warden.clock import SystemClock
from warden.deliver import Outlet
from warden.model.located import FaultList
from warden.model.notice import Notice
from warden.notify import plan
from warden.notify.channels.webhook import WebhookChannel
from warden.notify.render import Renderer
from warden.notify.render.samples import sample_event, sample_notice
from warden.notify.routes import Routing
from warden.notify.routing import parse_routes
from warden.rulebook.reading import read_bytes
from warden.store import Store, ledger, open_store, outbox

FLOOR = 700.0  # webhooks a second, every decision synced first
AT_ONCE = 100  # alerts handed over together
STEADY_PER_S = 20.0
ACCEPTED = 50  # alerts before the kill
SLOW_S = 0.05  # how long the receiver takes for an answer while somebody is killed
BUSY_CORES = 0.25  # what others may have had while the floor is judged
ALERTMANAGER = "prometheus-alertmanager"
PARTS = ("burst", "steady", "kill")
TICKS = os.sysconf("SC_CLK_TCK")


# --- the receiver, a process of its own -------------------------------------------------------


class Receiving(asyncio.Protocol):
    """Takes POSTs on kept connections, notes when each was answered, and reports."""

    arrived: ClassVar[dict[str, list[tuple[float, str, bytes]]]] = {}
    """By path: (answered at, webhook-id, body)."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._buffer[:end].split(b"\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(b":") for line in lines)
            }
            length = int(headers.get(b"content-length", b"0"))
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._request(first, headers, body)

    def _request(self, first: bytes, headers: Mapping[bytes, bytes], body: bytes) -> None:
        method, path, _ = first.decode().split(" ")
        close = headers.get(b"connection", b"").lower() == b"close"
        if method == "GET":
            name, _, limit = path.lstrip("/").partition("?")
            report = _told(self.arrived.get(name, [])) if not limit else []
            count = len(self.arrived.get(name, []))
            self._answer(json.dumps({"count": count, "told": report}).encode(), close=close)
            return
        name, _, delay = path.lstrip("/").partition("?")
        key = headers.get(b"webhook-id", b"").decode()
        if delay:
            asyncio.get_running_loop().call_later(float(delay), self._take, name, key, body, close)
            return
        self._take(name, key, body, close)

    def _take(self, name: str, key: str, body: bytes, close: bool) -> None:  # noqa: FBT001
        if self._transport.is_closing():  # whoever asked is gone; it has been taken all the same
            self.arrived.setdefault(name, []).append((time.monotonic(), key, body))
            return
        self._answer(b"", close=close)
        self.arrived.setdefault(name, []).append((time.monotonic(), key, body))

    def _answer(self, body: bytes, *, close: bool) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        if close:
            self._transport.close()


def _told(arrived: Sequence[tuple[float, str, bytes]]) -> list[list[Any]]:
    """What came, as [answered at, key, the alerts it tells of]."""
    found: list[list[Any]] = []
    for at, key, body in arrived:
        data = json.loads(body)
        names = [one["alert_id"] for one in data.get("notices", ())]
        names += [one["labels"]["number"] for one in data.get("alerts", ())]
        found.append([at, key, names])
    return found


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiving, "127.0.0.1", port, backlog=256)
    print("ready", flush=True)
    await server.serve_forever()


# --- warden, a process of its own -------------------------------------------------------------

SECRET = "whsec_" + base64.b64encode(b"a key of this benchmark's").decode()
ROUTES = """
receivers:
- {{name: desk, email: [{{to: [desk@example.org]}}]}}
- name: hook
  webhook: [{{url: "{url}", secret: {{secret: hook}}, allow_private: true, format: {format}}}]
route:
  receiver: desk
  routes: [{{receiver: hook, matchers: {{rule: bench}}, group_by: ['...'], group_wait: {wait}}}]
"""


def run_warden(database: Path, url: str, wait: str, form: str) -> None:
    """Warden's way out as the daemon runs it; told on standard input what to commit.

    One thread commits alerts with their dispatches, as an evaluation does; another makes messages
    of what is due, as the deliver job does; the deliverer's own threads send.
    """
    routing = _routing(ROUTES.format(url=url, wait=wait, format=form))
    with open_store(database, wait_s=10) as store:
        channels = {"webhook": WebhookChannel(lambda _name: SecretStr(SECRET))}
        outlet = Outlet(store, Renderer(), channels, SystemClock())
        outlet.deliverer.use(routing)
        outlet.start()
        news, over = threading.Event(), threading.Event()

        def deliver() -> None:
            while not over.is_set():
                outlet.work(routing)
                news.wait(0.2)
                news.clear()

        job = threading.Thread(target=deliver)
        job.start()
        print("ready", flush=True)
        for line in sys.stdin:
            batches = [
                (after_s, [_notice(name, datetime.now(UTC)) for name in names])
                for after_s, names in json.loads(line)
            ]
            gc.freeze()  # what this script made is no burden of warden's
            began, accepted = time.monotonic(), []
            for after_s, notices in batches:
                time.sleep(max(began + after_s - time.monotonic(), 0.0))
                _decide(store, routing, notices)
                accepted.append(time.monotonic())
                news.set()
            print(json.dumps([began, accepted]), flush=True)
        over.set()
        job.join()
        outlet.stop()


def _routing(text: str) -> Routing:
    faults = FaultList()
    root = read_bytes(text.encode(), "routes.yaml", faults)
    routing = parse_routes({key.text: (value,) for key, value in root.entries}, faults)
    if faults.faults:
        raise SystemExit("\n".join(fault.one_line() for fault in faults.sorted()))
    return routing


def _decide(store: Store, routing: Routing, notices: Sequence[Notice]) -> None:
    """Commit alerts' notices with their dispatches, as an evaluation does."""
    now = datetime.now(UTC)
    with store.transaction() as tx:
        for one in notices:
            ledger.add_notice(tx, one, None)
        told = outbox.told(tx, [one.alert_id for one in notices])
        outbox.add_dispatches(tx, plan.dispatches(notices, routing, now, told))


def _notice(name: str, now: datetime) -> Notice:
    """A made-up alert with every fact that a message may use; no two alike."""
    number = int(name.rpartition("-")[2])
    base = sample_notice(at=now)
    event = sample_event(
        now, id=f"SMP{number}", uid=f"sample:SMP{number}", fatalities=number % 17,
        distance_km=round(number % 149 + 0.5, 1), bearing_deg=float(number * 7 % 360),
        location=f"Village {number % 400}",
    )  # fmt: skip
    facts = {**base.facts, "events": [event], "fatalities": number % 17}
    return replace(base, id=f"n-{name}", alert_id=name, rule_id="bench", facts=facts)


# --- children and what they cost --------------------------------------------------------------


@dataclass
class Child:
    """A process of ours; its CPU seconds."""

    process: subprocess.Popen[str]

    def line(self) -> str:
        """Its next line on standard output."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        if not text:
            raise SystemExit(f"a child process ended with {self.process.wait()}")
        return text

    def cpu_s(self) -> float:
        """Seconds of processor time of all its threads, user and system."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text("ascii")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def child(arguments: Sequence[str], **options: Any) -> Iterator[Child]:
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
    )
    try:
        yield Child(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def this(*arguments: str) -> list[str]:
    return [sys.executable, str(Path(__file__).resolve()), *arguments]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Receiver:
    """The receiver's process, as the others see it."""

    child: Child
    port: int

    def url(self, name: str, delay_s: float = 0.0) -> str:
        return f"http://127.0.0.1:{self.port}/{name}" + (f"?{delay_s}" if delay_s else "")

    def _get(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", f"/{path}", headers={"connection": "close"})
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return found

    def count(self, name: str) -> int:
        return int(self._get(f"{name}?count")["count"])

    def told(self, name: str) -> list[tuple[float, str, list[str]]]:
        return [(at, key, names) for at, key, names in self._get(name)["told"]]

    def wait(self, name: str, count: int, within_s: float) -> int:
        """Until so many have come, or nothing new has for so long."""
        seen, since = self.count(name), time.monotonic()
        while seen < count and time.monotonic() - since < within_s:
            time.sleep(0.02)
            now = self.count(name)
            if now > seen:
                seen, since = now, time.monotonic()
        return seen


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    port = free_port()
    with child(this("--role", "receiver", "--port", str(port))) as process:
        process.line()
        yield Receiver(process, port)


def others_cpu_s(ours: float) -> float:
    """Processor seconds of the whole machine so far, without idling, and without ours."""
    user, nice, system, _, _, irq, soft, *_ = (
        int(number) / TICKS
        for number in Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:]
    )
    return user + nice + system + irq + soft - ours


# --- the two systems --------------------------------------------------------------------------

Handed = tuple[float, dict[str, float]]
"""When the first alert was handed over, and when each was accepted."""


@dataclass
class Warden:
    """Warden, through its own parts."""

    name = "warden"
    folder: Path
    url: str
    wait: str = "0s"
    form: str = "warden"
    keys = True

    @contextlib.contextmanager
    def running(self) -> Iterator[Child]:
        arguments = this(
            "--role", "warden", "--database", str(self.folder / "warden.db"),
            "--url", self.url, "--wait", self.wait, "--format", self.form,
        )  # fmt: skip
        with child(arguments) as process:
            process.line()
            yield process

    def hand(self, process: Child, batches: Sequence[tuple[float, list[str]]]) -> Handed:
        """Hand over alerts, each batch after so many seconds."""
        assert process.process.stdin is not None
        process.process.stdin.write(json.dumps(batches) + "\n")
        process.process.stdin.flush()
        began, accepted = json.loads(process.line())
        return began, {
            name: at for (_, names), at in zip(batches, accepted, strict=True) for name in names
        }


@dataclass
class Alertmanager:
    """Debian's Alertmanager, through its API."""

    name = "Alertmanager"
    folder: Path
    url: str
    wait: str = "0s"
    port: int = field(default_factory=free_port)
    keys = False

    @contextlib.contextmanager
    def running(self) -> Iterator[Child]:
        settings = self.folder / "alertmanager.yml"
        hook = {"url": self.url, "send_resolved": False, "max_alerts": 0}
        route = {
            "receiver": "hook", "group_by": ["..."], "group_wait": self.wait,
            "group_interval": "1h", "repeat_interval": "4h",
        }  # fmt: skip
        settings.write_text(
            json.dumps(
                {"route": route, "receivers": [{"name": "hook", "webhook_configs": [hook]}]}
            ),
            encoding="utf-8",
        )
        arguments = [
            ALERTMANAGER, f"--config.file={settings}", f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=",
            "--log.level=error",
        ]  # fmt: skip
        with child(arguments, stderr=subprocess.DEVNULL) as process:
            self._await_ready()
            yield process

    def _await_ready(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
                connection.request("GET", "/-/ready")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.05)
        raise SystemExit("Alertmanager does not become ready")

    def hand(self, _process: Child, batches: Sequence[tuple[float, list[str]]]) -> Handed:
        """Hand over alerts, each batch after so many seconds."""
        accepted: dict[str, float] = {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        start = time.monotonic()
        ends = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
        for after_s, names in batches:
            body = json.dumps(
                [
                    {
                        "labels": {"alertname": "bench", "number": name, "severity": "critical"},
                        "annotations": {"summary": f"Violent event involving ANA, number {name}"},
                        "endsAt": ends,
                    }
                    for name in names
                ]
            )
            time.sleep(max(start + after_s - time.monotonic(), 0.0))
            connection.request("POST", "/api/v2/alerts", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"Alertmanager answered {answer.status}")
            accepted.update(dict.fromkeys(names, time.monotonic()))
        connection.close()
        return start, accepted


# --- what is measured -------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """How one run went.

    Attributes:
        rate: webhooks answered a second. latencies: seconds, by alert. delivered: distinct alerts.
        cpu_s: of the system. receiver_cpu_s: of the receiver. others: cores that others had.
    """

    accepted: int
    delivered: int
    rate: float
    latencies: tuple[float, ...]
    cpu_s: float
    receiver_cpu_s: float
    others: float

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def run_batches(
    system: Warden | Alertmanager, hook: Receiver, batches: Sequence[tuple[float, list[str]]]
) -> Run:
    """Hand the batches over and wait until all have arrived."""
    wanted = sum(len(names) for _, names in batches)
    with system.running() as process:
        # What is read and made once belongs to no alert.
        system.hand(process, [(0.0, [f"warm-{number}" for number in range(900, 920)])])
        path = system.url.rpartition("/")[2]
        hook.wait(path, 20, 10)
        already = len(hook.told(path))
        own = _ours_cpu(process, hook)
        others = others_cpu_s(own)
        cpu, hook_cpu = process.cpu_s(), hook.child.cpu_s()
        looked_at = time.monotonic()
        began, accepted = system.hand(process, batches)
        hook.wait(path, already + wanted, 10)
        elapsed = time.monotonic() - looked_at
        cpu, hook_cpu = process.cpu_s() - cpu, hook.child.cpu_s() - hook_cpu
        others = (others_cpu_s(_ours_cpu(process, hook)) - others) / elapsed
    return _run(hook.told(path)[already:], accepted, began, cpu, hook_cpu, others)


def _run(  # noqa: PLR0917
    told: Sequence[tuple[float, str, list[str]]],
    accepted: Mapping[str, float],
    began: float,
    cpu_s: float,
    receiver_cpu_s: float,
    others: float,
) -> Run:
    first: dict[str, float] = {}
    for at, _, names in told:
        for name in names:
            first.setdefault(name, at)
    last = max(first.values(), default=began + 1e-9)
    latencies = tuple(at - accepted[name] for name, at in first.items() if name in accepted)
    return Run(
        accepted=len(accepted),
        delivered=len(first.keys() & accepted.keys()),
        rate=len(told) / (last - began),
        latencies=latencies,
        cpu_s=cpu_s,
        receiver_cpu_s=receiver_cpu_s,
        others=others,
    )


def _ours_cpu(process: Child, hook: Receiver) -> float:
    own = os.times()
    return process.cpu_s() + hook.child.cpu_s() + own.user + own.system


def burst(count: int) -> list[tuple[float, list[str]]]:
    names = [f"a-{number}" for number in range(count)]
    return [(0.0, names[start : start + AT_ONCE]) for start in range(0, count, AT_ONCE)]


def steady(count: int) -> list[tuple[float, list[str]]]:
    return [(number / STEADY_PER_S, [f"a-{number}"]) for number in range(count)]


@dataclass(frozen=True)
class Killed:
    """What came of the alerts that were accepted before a kill -9."""

    before: int
    delivered: int
    copies: Mapping[int, int]
    keys_agree: bool


def run_killed(system: Warden | Alertmanager, hook: Receiver, *, after: int) -> Killed:
    """Have 50 alerts accepted, kill when so many have arrived, start again, and count."""
    path = system.url.rpartition("/")[2].partition("?")[0]
    names = [f"k-{number}" for number in range(ACCEPTED)]
    with system.running() as process:
        system.hand(process, [(0.0, names)])
        if after:
            hook.wait(path, after, 20)
        process.kill()
    before = len({name for _, _, told in hook.told(path) for name in told})
    with system.running():
        hook.wait(path, ACCEPTED, 6)
        time.sleep(1.0)  # copies may still come
    told = hook.told(path)
    arrived = Counter(name for _, _, found in told for name in found)
    keys: dict[str, set[str]] = {}
    for _, key, found in told:
        for name in found:
            keys.setdefault(name, set()).add(key)
    return Killed(
        before,
        len(arrived),
        dict(sorted(Counter(arrived.values()).items())),
        all(len(found) == 1 for found in keys.values()),
    )


# --- telling ----------------------------------------------------------------------------------


def tell_run(name: str, run: Run, *, rate: bool) -> None:
    speed = f"{run.rate:>7,.0f}/s" if rate else " " * 9
    print(
        f"  {name:<14}{speed}  p50 {run.quantile(0.5) * 1000:>7,.1f} ms"
        f"  p99 {run.quantile(0.99) * 1000:>7,.1f} ms  {run.delivered:,} of {run.accepted:,},"
        f" {run.cpu_s / max(run.delivered, 1) * 1000:.2f} ms of CPU each"
        f" (receiver {run.receiver_cpu_s / max(run.delivered, 1) * 1000:.2f};"
        f" others had {run.others:.1f} cores)",
        flush=True,
    )


def tell_killed(name: str, when: str, killed: Killed, *, keys: bool) -> None:
    copies = ", ".join(
        f"{count} {'once' if times == 1 else f'{times} times'}"
        for times, count in killed.copies.items()
    )
    same = f", every copy under its key: {'yes' if killed.keys_agree else 'NO'}" if keys else ""
    print(
        f"  {name:<14}{when:<22}{killed.delivered:>3} of {ACCEPTED} delivered"
        f" ({killed.before} before it); {copies or 'none'}{same}",
        flush=True,
    )


def tell_bound(runs: Sequence[Run]) -> None:
    """Which of the two cores' work the rate is bound by."""
    best = max(runs, key=lambda run: run.rate)
    each_ms = 1000 / best.rate
    cpu_ms = best.cpu_s / best.delivered * 1000
    print(
        f"  bound: {each_ms:.2f} ms a webhook, {cpu_ms:.2f} ms of it warden's processor time:"
        f" {cpu_ms / each_ms:.0%} of one core. Python runs on one core at a time; what exceeds"
        " 100 % is SQLite, the kernel and hashing beside it"
    )


class Bench:
    """The parts, and what was missed."""

    def __init__(self, hook: Receiver, folder: Path, *, alerts: int, floor: float) -> None:
        self._hook = hook
        self._folder = folder
        self._alerts = alerts
        self._floor = floor
        self._runs = 0
        self.missed: list[str] = []
        self.peer = shutil.which(ALERTMANAGER) is not None
        if not self.peer:
            print(f"{ALERTMANAGER} is not installed: left out")

    def _systems(self, wait: str = "0s", delay_s: float = 0.0) -> Iterator[Warden | Alertmanager]:
        kinds: list[Callable[..., Warden | Alertmanager]] = [Warden]
        for make in kinds + ([Alertmanager] if self.peer else []):
            self._runs += 1
            folder = self._folder / f"run-{self._runs}"
            folder.mkdir()
            yield make(folder, self._hook.url(f"run-{self._runs}", delay_s), wait)

    def burst(self) -> None:
        print(f"burst: {self._alerts:,} alerts, {AT_ONCE} at a time, a webhook each")
        runs: dict[str, list[Run]] = {}
        for _turn in range(2):
            for system in self._systems():
                run = run_batches(system, self._hook, burst(self._alerts))
                runs.setdefault(system.name, []).append(run)
                tell_run(system.name, run, rate=True)
                if system.keys and run.delivered < run.accepted:
                    self.missed.append(f"{run.accepted - run.delivered} alerts did not arrive")
        own = max(run.rate for run in runs[Warden.name])
        if self.peer:
            theirs = max(run.rate for run in runs[Alertmanager.name])
            print(f"  ratio: {own / theirs:.2f} of Alertmanager's rate")
        tell_bound(runs[Warden.name])
        self._judge(runs[Warden.name])

    def _judge(self, runs: Sequence[Run]) -> None:
        rate = max(run.rate for run in runs)
        if rate >= self._floor:
            return
        others = min(run.others for run in runs)
        if others > BUSY_CORES:
            print(
                f"  the floor of {self._floor:,.0f}/s is not judged: others had {others:.1f} cores"
            )
            return
        self.missed.append(f"{rate:,.0f} webhooks a second, floor {self._floor:,.0f}")

    def steady(self) -> None:
        count = min(self._alerts, 200)
        print(f"steady: {count} alerts, one at a time, {STEADY_PER_S:g} a second")
        for system in self._systems():
            run = run_batches(system, self._hook, steady(count))
            tell_run(system.name, run, rate=False)

    def kill(self) -> None:
        print(f"kill -9: {ACCEPTED} alerts accepted, then killed and started again")
        for when, wait, after, delay_s in (
            ("before the first:", "2s", 0, 0.0),
            ("in the middle:", "0s", 20, SLOW_S),
        ):
            for system in self._systems(wait, delay_s):
                killed = run_killed(system, self._hook, after=after)
                tell_killed(system.name, when, killed, keys=system.keys)
                if system.keys and (killed.delivered < ACCEPTED or not killed.keys_agree):
                    self.missed.append(f"killed {when.rstrip(':')}, alerts or keys were lost")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=2_000)
    parser.add_argument("--floor", type=float, default=FLOOR)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--role", choices=("receiver", "warden"), help=argparse.SUPPRESS)
    for name in ("--port", "--database", "--url", "--wait", "--format"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role == "receiver":
        asyncio.run(_serve(int(given.port)))
        return 0
    if given.role == "warden":
        run_warden(Path(given.database), given.url, given.wait, given.format)
        return 0
    with tempfile.TemporaryDirectory(prefix="warden-bench-") as folder, receiver() as hook:
        bench = Bench(hook, Path(folder), alerts=given.alerts, floor=given.floor)
        for part in PARTS:
            if part in given.only:
                getattr(bench, part)()
    for fault in bench.missed:
        print(f"MISSED: {fault}")
    print("all floors held" if not bench.missed else f"{len(bench.missed)} missed")
    return 1 if bench.missed else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
