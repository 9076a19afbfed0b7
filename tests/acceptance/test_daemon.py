"""The daemon as a process: told in time, reloaded, stopped, and never two at once."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

from support.installation import RULES, Installation, environment, eventually, recent, row


def seeded(installation: Installation) -> None:
    """The feed has been known for long, and its summary is out: what comes now is news."""
    installation.drop("old.csv", [row(1, recent(60))])
    installation.warden("run", "--once")


def test_an_event_dropped_into_the_inbox_is_mailed_once_and_survives_a_restart(installation):
    seeded(installation)
    with installation.daemon() as daemon:
        installation.drop("new.csv", [row(2, recent())])
        eventually(lambda: any("Kati" in subject for subject in installation.subjects()))
        daemon.await_notice("STATUS=1 source ok; 2 active alerts")
    told = len(installation.subjects())
    with installation.daemon():
        time.sleep(2)
        assert len(installation.subjects()) == told
    assert list((installation.root / "out").glob("*.json"))
    assert {one["state"] for one in installation.rows("deliveries")} == {"sent"}
    alerts = installation.rows("alerts", "--state", "active", "--rule", "near-bamako")
    assert ["MLI2"] in [alert["event_ids"] for alert in alerts]


def test_sigterm_ends_it_within_ten_seconds_with_status_zero(installation):
    with installation.daemon() as daemon:
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(15) == 0
        assert time.monotonic() - began < 10
    assert not (installation.root / "w.db.sock").exists()
    with sqlite3.connect(installation.root / "w.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_sigterm_during_a_mail_that_hangs_ends_it_too(installation):
    seeded(installation)
    installation.mail.switches.silent = True
    with installation.daemon() as daemon:
        installation.drop("new.csv", [row(2, recent())])
        eventually(lambda: installation.rows("deliveries", "--state", "sending"))
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(15) == 0
        assert time.monotonic() - began < 10
    installation.mail.switches.silent = False
    with installation.daemon():
        eventually(lambda: any("Kati" in subject for subject in installation.subjects()))


def test_sighup_takes_good_rules_and_refuses_broken_ones_loudly(installation):
    rules = installation.root / "rules" / "rules.yaml"
    with installation.daemon() as daemon:
        rules.write_text(RULES.replace("within_km", "withinkm"), encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        daemon.await_notice("RELOADING=1")
        daemon.await_notice("READY=1")
        assert "unknown key 'withinkm'" in daemon.said()
        assert "still working by the last good rules" in daemon.said()
        (status,) = installation.rows("status")
        assert any("reload was refused" in trouble for trouble in status["troubles"])
        rules.write_text(RULES.replace("near-bamako", "round-bamako"), encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        daemon.await_notice("RELOADING=1")
        daemon.await_notice("READY=1")
        (status,) = installation.rows("status")
        assert status["troubles"] == []
        assert status["daemon"]["reload"]["refused"] == ""
    assert "Traceback" not in daemon.said()


def test_a_rule_put_in_force_by_a_reload_tells_what_newly_holds(installation):
    seeded(installation)
    rules = installation.root / "rules" / "rules.yaml"
    rules.write_text(RULES.replace("within_km: 150", "within_km: 5"), encoding="utf-8")
    with installation.daemon() as daemon:
        installation.drop("new.csv", [row(2, recent())])
        eventually(lambda: "events changed" in daemon.said())
        time.sleep(1.5)
        assert not any("Kati" in subject for subject in installation.subjects())
        rules.write_text(RULES, encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        eventually(lambda: any("Kati" in subject for subject in installation.subjects()))


def test_what_an_edited_rule_no_longer_finds_closes_in_silence(installation):
    seeded(installation)
    rules = installation.root / "rules" / "rules.yaml"
    with installation.daemon() as daemon:
        installation.drop("new.csv", [row(2, recent())])
        eventually(lambda: any("Kati" in subject for subject in installation.subjects()))
        told = {row["id"] for row in installation.rows("alerts", "--told")}
        told_before = installation.subjects()
        rules.write_text(RULES.replace("within_km: 150", "within_km: 5"), encoding="utf-8")
        daemon.signal(signal.SIGHUP)

        def closed():
            states = {row["id"]: row["state"] for row in installation.rows("alerts", "--all")}
            return {states[name] for name in told} == {"closed"}

        eventually(closed)
        assert installation.subjects() == told_before
        for name in told:
            assert "RULE_EDITED" in str(installation.rows("explain", name))


def test_a_reload_reads_the_templates_anew(installation):
    settings = installation.root / "warden.yaml"
    settings.write_text(settings.read_text("utf-8") + "templates: words\n", "utf-8")
    folder = installation.root / "words" / "en"
    folder.mkdir(parents=True)
    strings = folder / "strings.toml"
    strings.write_text("[what]\nviolent = 'Attack'\n", "utf-8")
    with installation.daemon() as daemon:
        installation.rows("test-receiver", "desk")
        assert "Attack" in installation.subjects()[-1]
        strings.write_text("[what]\nviolent = 'Assault'\n", "utf-8")
        daemon.signal(signal.SIGHUP)
        daemon.await_notice("RELOADING=1")
        daemon.await_notice("READY=1")
        installation.rows("test-receiver", "desk")
        assert "Assault" in installation.subjects()[-1]


def test_a_second_daemon_on_the_same_database_refuses_to_start(installation):
    with installation.daemon() as daemon:
        second = installation.warden("run", expect=3)
        assert f"in use by process {daemon.process.pid}" in second.stderr
        assert daemon.process.poll() is None


def test_commands_go_to_the_daemon_while_it_runs(installation):
    seeded(installation)
    export = installation.export("more.csv", [row(2, recent()), row(3, recent(), fatalities="x")])
    with installation.daemon() as daemon:
        (told,) = installation.rows("ingest", str(export))
        assert told["file"] == str(export)
        assert (told["served"], told["new"], told["rejected"]) == (2, 1, 1)
        eventually(lambda: any("Kati" in subject for subject in installation.subjects()))
        assert installation.rows("evaluate")
        (sent, *_) = installation.rows("test-receiver", "archive")
        assert sent["state"] == "sent"
        missing = installation.warden("test-receiver", "dsk", expect=2)
        assert "no receiver 'dsk'; did you mean 'desk'?" in missing.stderr
        assert "asks: ingest" in daemon.said()
    with sqlite3.connect(installation.root / "w.db") as database:
        rows = database.execute("SELECT command, outcome FROM actions ORDER BY id").fetchall()
    assert ("ingest", "ok") in rows
    assert any(command == "test-receiver" and "no receiver" in end for command, end in rows)


def test_broken_rules_keep_it_from_starting_with_every_fault(installation):
    rules = installation.root / "rules" / "rules.yaml"
    rules.write_text(RULES.replace("within_km", "withinkm"), encoding="utf-8")
    refused = installation.warden("run", expect=2)
    assert "rules.yaml:9:27:" in refused.stderr
    assert "1 error in the rules" in refused.stderr


def test_an_interrupt_stops_the_daemon_as_sigterm_does_and_says_so(installation):
    with installation.daemon() as daemon:
        daemon.signal(signal.SIGINT)
        assert daemon.process.wait(12) == 130
    assert "Traceback" not in daemon.said()


def test_an_interrupt_ends_a_command_with_130(installation):
    listener_script = (
        "import click, os, signal, threading, time, warden.cli.root as root\n"
        # Whoever starts this may have had it ignored or held back.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})\n"
        "def interrupt(): os.kill(os.getpid(), signal.SIGINT)\n"
        "@click.command()\n"
        "def slow(): threading.Timer(0.3, interrupt).start(); time.sleep(20)\n"
        "root.cli.get_command = lambda ctx, name: slow\n"
        "raise SystemExit(root.run(['status']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", listener_script],
        cwd=installation.root, env=environment(), capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 130
    assert b"Traceback" not in done.stderr


def test_a_killed_daemon_leaves_work_that_the_next_one_finishes(installation):
    seeded(installation)
    installation.mail.switches.busy = 1
    with installation.daemon() as daemon:
        installation.drop("new.csv", [row(2, recent())])
        eventually(lambda: installation.rows("deliveries", "--state", "retry"))
        os.kill(daemon.process.pid, signal.SIGKILL)
        daemon.process.wait()
    (waiting,) = installation.rows("deliveries", "--state", "retry")
    installation.warden("retry", str(waiting["id"]))
    assert len([one for one in installation.subjects() if "Kati" in one]) == 1
