"""Processes are stopped, starved, hung or run twice: nothing is lost, and they go on."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time

from done import BACK, await_log, await_told, whole
from support.installation import RULES, Daemon, Installation, eventually, recent, row

FREE = "free"  # a file: what hangs goes on once it is there
# A daemon whose jobs do, in their second and later passes, what is listed here.
ODD = """\
import pathlib, sys, time
import warden.station as station
import warden.upkeep as upkeep
from warden.cli.root import run

def leave():
    sys.exit(0)

def recurse():
    recurse()

def exhaust():
    bytearray(1 << 60)

def hang():
    limit = time.monotonic() + {seconds}
    while time.monotonic() < limit and not pathlib.Path('{free}').exists():
        time.sleep(0.05)

def made_odd(job):
    home = upkeep.Upkeep if job == "tidy" else station.Station
    real, script, calls = getattr(home, job), [{script}], [0]
    def odd(self, *given, **named):
        calls[0] += 1
        if calls[0] >= 2 and script:
            print(job, 'is odd', file=sys.stderr, flush=True)
            script.pop(0)()
        return real(self, *given, **named)
    setattr(home, job, odd)

for job in {jobs}:
    made_odd(job)
{more}
raise SystemExit(run(['run']))
"""


def odd(script: str, *jobs: str, more: str = "", seconds: float = 60) -> tuple[str, str, str]:
    """The command that starts such a daemon; what follows it, `-m warden run`, is not looked at."""
    text = ODD.format(script=script, jobs=jobs, more=more, seconds=seconds, free=FREE)
    return sys.executable, "-c", text


def test_whatever_is_raised_in_a_job_ends_there_and_the_next_pass_does_the_work(
    seeded: Installation,
) -> None:
    jobs = ("poll", "evaluate", "deliver")
    with seeded.daemon(*odd("leave, exhaust, recurse", *jobs)) as daemon:
        seeded.drop("new.csv", [row(2, recent())])
        for job in jobs:
            eventually(lambda job=job: daemon.said().count(f"{job} is odd") == 3, 60)
        await_told(seeded)
        daemon.await_notice(BACK)
        (status,) = seeded.rows("status")
        failures = {one["job"]: one["failures"] for one in status["daemon"]["jobs"]}
        assert [failures[name] for name in ("poll inbox", "evaluate", "deliver")] == [3, 3, 3]
    for name in ("SystemExit", "MemoryError", "RecursionError"):
        assert name in daemon.said()
    whole(seeded)


def test_a_job_that_hangs_is_named_starves_the_watchdog_and_leaves_the_others_at_work(
    seeded: Installation,
) -> None:
    """The limit is ten minutes; here it is a second."""
    more = "import warden.daemon as d; d.Progress.stuck.__defaults__ = (1.0,); d.TIDY_TICK_S = 4.0"
    how = odd("hang", "tidy", more=more)
    with seeded.daemon("env", "WATCHDOG_USEC=400000", *how) as daemon:
        daemon.await_notice("WATCHDOG=1")
        daemon.await_notice("stuck: tidy")
        seeded.drop("new.csv", [row(2, recent())])
        await_told(seeded)
        meanwhile = daemon.unheard()
        assert "WATCHDOG=1" not in meanwhile
        assert all("tidy" in said for said in meanwhile)  # as the last it said: stuck
        (seeded.root / FREE).touch()
        daemon.await_notice("WATCHDOG=1")  # once the job goes on, so does the watchdog
        daemon.await_notice(BACK)
    whole(seeded)


def test_few_file_descriptors_are_survived_and_what_came_meanwhile_is_told(
    seeded: Installation,
) -> None:
    with seeded.daemon() as daemon:
        await_log(daemon, "backed up to")
        usual = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (6, usual[1]))  # fewer than are open
        seeded.drop("new.csv", [row(2, recent())])
        eventually(lambda: troubled(daemon))
        time.sleep(3)
        assert daemon.process.poll() is None
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, usual)
        await_told(seeded)
        daemon.await_notice(BACK)
    whole(seeded)


def troubled(daemon: Daemon) -> bool:
    """It has said that something did not go as it should."""
    said = daemon.said()
    return "ERROR" in said or "WARNING" in said


def test_two_daemons_on_one_database_are_one_and_the_other_says_whose_it_is(
    seeded: Installation,
) -> None:
    with seeded.daemon() as daemon:
        command = [sys.executable, "-m", "warden", "run"]
        second = subprocess.run(
            command, cwd=seeded.root, capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 3
        assert f"in use by process {daemon.pid}" in second.stderr
        seeded.drop("new.csv", [row(2, recent())])
        await_told(seeded)
    whole(seeded)


def test_sighup_with_a_broken_file_keeps_the_last_good_rules_at_work(seeded: Installation) -> None:
    rules = seeded.root / "rules" / "rules.yaml"
    with seeded.daemon() as daemon:
        for number, text in enumerate(["rules: [", RULES.replace("within_km", "withinkm"), "\0"]):
            rules.write_text(text, encoding="utf-8")
            daemon.signal(signal.SIGHUP)
            daemon.await_notice("RELOADING=1")
            daemon.await_notice("READY=1")
            seeded.drop(f"{number}.csv", [row(number + 2, recent())])
            await_told(seeded, number + 1)
        assert daemon.said().count("still working by the last good rules") == 3
        rules.write_text(RULES, encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        daemon.await_notice("READY=1")
        daemon.await_notice(BACK)
    assert "Traceback" not in daemon.said()
    whole(seeded)


def test_sigterm_in_the_middle_of_an_evaluation_leaves_it_undone_for_the_next_start(
    seeded: Installation,
) -> None:
    with seeded.daemon(*odd("hang", "evaluate")) as daemon:
        seeded.drop("new.csv", [row(2, recent())])
        await_log(daemon, "evaluate is odd")
        began = time.monotonic()
        os.kill(daemon.pid, signal.SIGTERM)
        assert daemon.process.wait(15) == 0
        assert time.monotonic() - began < 10
        assert "left in the middle, to be done again: evaluate" in daemon.said()
    with seeded.daemon():
        await_told(seeded)
    whole(seeded)
