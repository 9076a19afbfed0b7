"""The demo plays the real programme against the simulated world."""

from __future__ import annotations

import functools
import mailbox
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner

from warden import demo
from warden.cli.common import Globals
from warden.cli.demo_commands import demo as demo_command
from warden.errors import StoreError
from warden.simulator import findings
from warden.simulator.stage import MARKER
from warden.store import DatabaseLock

FIRST = datetime(2022, 4, 6, 6, tzinfo=UTC)
LAST = datetime(2022, 8, 3, 6, tzinfo=UTC)
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]  # played once


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Four months around Kati, with a small background; played twice into one folder."""
    place = tmp_path_factory.mktemp("demo") / "demo-out"
    demo.run(place, first=FIRST, last=FIRST, scale=0.01)
    told = []
    outcome = demo.run(place, first=FIRST, last=LAST, scale=0.05, tell=told.append)
    return outcome, told


def test_it_polls_once_a_week_and_says_how_far_it_is(played):
    outcome, told = played
    assert outcome.steps == len(told) == 18
    assert told[-1].step == told[-1].steps
    assert told[0].now == FIRST


def test_the_history_before_the_first_poll_is_told_in_one_summary_a_rule(played):
    outcome, _ = played
    first = [notice for notice in outcome.notices if notice.at == FIRST]
    assert {notice.action for notice in first} == {"summary"}


def test_the_cluster_is_told_in_may_and_kati_five_days_after(played):
    outcome, _ = played
    lines = findings.findings(outcome.notices)
    cluster = next(line for line in lines if line.rule == "bamako-cluster")
    assert (cluster.told, cluster.action) == (date(2022, 5, 25), "alert")
    kati = next(line for line in lines if line.what.startswith("Kati"))
    assert (kati.told, kati.days_after, kati.severity) == (date(2022, 7, 27), 5, "critical")


def test_mails_and_signed_payloads_arrive(played):
    outcome, _ = played
    assert outcome.mails == len(list(mailbox.Maildir(outcome.paths.mails))) > 0
    assert outcome.payloads == len(list(outcome.paths.payloads.iterdir())) > 0
    assert outcome.refused == 0
    assert outcome.deliveries.get("sent") == outcome.mails + outcome.payloads


def test_a_failing_feed_and_a_failing_receiver_lose_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "FEED_FAILS", datetime(2022, 5, 25, 6, tzinfo=UTC))
    monkeypatch.setattr(demo, "HOOK_FAILS", datetime(2022, 6, 1, 6, tzinfo=UTC))
    last = datetime(2022, 6, 8, 6, tzinfo=UTC)
    outcome = demo.run(tmp_path / "out", first=FIRST, last=last, scale=0.01)
    assert [day for day, _ in outcome.failed_polls] == ["2022-05-25"]
    assert outcome.retried == 1
    assert outcome.deliveries.get("sent") == outcome.mails + outcome.payloads
    told = [n.at.date() for n in outcome.notices if n.rule_id == "bamako-cluster"]
    assert told == [date(2022, 6, 1)]


def test_a_folder_in_which_a_warden_is_at_work_is_left_alone(tmp_path):
    place = tmp_path / "out"
    demo.run(place, first=FIRST, last=FIRST, scale=0.01)
    lock = DatabaseLock(place / "warden.db")
    lock.acquire()
    with pytest.raises(StoreError):
        demo.run(place, first=FIRST, last=FIRST, scale=0.01)
    lock.release()
    assert (place / "warden.db").exists()


def test_an_actor_renamed_in_may_2022_alerts_nobody(played):
    outcome, _ = played
    assert not [n for n in outcome.notices for c in n.changes if c.field.startswith("actor")]


def test_settings_of_the_environment_do_not_reach_the_demo(tmp_path, monkeypatch):
    monkeypatch.setenv("WARDEN_SMTP__HOST", "mail.example.org")
    monkeypatch.setenv("WARDEN_DATABASE", str(tmp_path / "precious.db"))
    outcome = demo.run(tmp_path / "out", first=FIRST, last=FIRST, scale=0.01)
    assert not (tmp_path / "precious.db").exists()
    assert outcome.paths.database.exists()


def test_the_command_prints_its_tables_and_where_everything_lies(tmp_path, monkeypatch):
    short = functools.partial(demo.run, first=FIRST, last=LAST, scale=0.01)
    monkeypatch.setattr(demo, "run", short)
    place = tmp_path / "out"
    result = CliRunner().invoke(demo_command, ["--directory", str(place)], obj=Globals())
    assert result.exit_code == 0, result.output
    for text in ("SIMULATED", "bamako-cluster", "2022-07-27", "Kati", str(place / "mails")):
        assert text in result.stdout
    assert "18 of 18 polls" in result.stderr


def test_the_command_refuses_a_folder_that_is_not_its_own(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    result = CliRunner().invoke(demo_command, ["--directory", str(tmp_path)], obj=Globals())
    assert "choose another folder" in str(result.exception)
    assert not (tmp_path / MARKER).exists()
