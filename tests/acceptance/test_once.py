"""One cycle, and the commands that look, as a script sees them."""

import csv
import json
import time
from datetime import UTC, date, datetime, timedelta

from support.installation import Installation, recent, row

from warden.app import App
from warden.settings import load
from warden.store import open_store
from warden.store.sources import WalkEnd, begin_walk, end_walk, keep_not_before


def test_one_cycle_polls_evaluates_delivers_and_says_so_in_one_object(installation: Installation):
    installation.drop("first.csv", [row(1, recent(60))])
    installation.rows("run", "--once")
    installation.drop("second.csv", [row(2, recent()), row(3, recent(2), latitude="x")])
    (summary,) = installation.rows("run", "--once")
    (source,) = summary["sources"]
    assert source["name"] == "inbox"
    assert source["state"] == "ok"
    assert (source["new"], source["rejected"], source["revised"], source["retracted"]) == (
        1, 1, 0, 0,
    )  # fmt: skip
    (alert,) = summary["alerts"]
    assert (alert["action"], alert["rule"], alert["key"]) == ("alert", "near-bamako", {})
    assert alert["event_ids"] == ["MLI2"]
    assert summary["deliveries"]["pending"] == 0
    assert summary["deliveries"]["sent"] == 2
    assert any("Kati" in subject for subject in installation.subjects())
    (again,) = installation.rows("run", "--once")
    assert again["alerts"] == []


def test_a_receiver_that_cannot_be_reached_ends_a_cycle_with_3(installation: Installation):
    installation.drop("first.csv", [row(1, recent(60))])
    installation.rows("run", "--once")
    installation.drop("second.csv", [row(2, recent())])
    installation.mail.switches.busy = 1
    (summary,) = installation.rows("run", "--once", expect=3)
    assert summary["deliveries"]["pending"] == 1
    (status,) = installation.rows("status")
    assert status["deliveries"]["retry"] == 1


def test_retrying_tells_by_its_exit_status_whether_it_was_refused_again(
    installation: Installation,
):
    installation.drop("first.csv", [row(1, recent(60))])
    installation.rows("run", "--once")
    installation.drop("second.csv", [row(2, recent())])
    installation.mail.switches.refuse = frozenset({"desk@example.org"})
    installation.rows("run", "--once", expect=3)
    (dead,) = installation.rows("deliveries", "--state", "dead")
    (told,) = installation.rows("retry", "--all", expect=3)
    assert (told["id"], told["state"], told["refused"]) == (dead["id"], "dead", True)
    installation.mail.switches.refuse = frozenset()
    (told,) = installation.rows("retry", "--all")
    assert (told["state"], told["refused"]) == ("sent", False)
    assert installation.rows("retry", "--all") == []


def test_ingest_adds_up_and_a_second_time_changes_nothing(installation: Installation):
    export = installation.export("a.csv", [row(1, recent()), row(2, recent(), event_date="0016")])
    (told,) = installation.rows("ingest", str(export))
    parts = ("new", "revised", "unchanged", "older", "duplicate", "foreign", "rejected")
    assert told["served"] == sum(told[part] for part in parts) == 2
    (again,) = installation.rows("ingest", str(export))
    assert (again["unchanged"], again["new"]) == (1, 0)


def test_a_file_that_is_no_export_is_refused_in_one_line(installation: Installation):
    bad = installation.root / "bad.csv"
    bad.write_text("a,b\n1,2\n", encoding="utf-8")
    done = installation.warden("ingest", str(bad), expect=3)
    assert "bad.csv" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_series_by_year_from_a_file_needs_no_database(installation: Installation):
    rows = [row(1, date(2019, 5, 1)), row(2, date(2021, 6, 1)), row(3, date(2021, 12, 31))]
    export = installation.export("years.csv", rows)
    told = installation.rows("series", "near-bamako", "--by", "year", "--events", str(export))
    assert [(one["period"], one["key"], one["value"], one["complete"]) for one in told] == [
        ("2019", None, 1, True),
        ("2020", None, 0, True),
        ("2021", None, 2, True),
    ]
    assert all(isinstance(one["value"], int) for one in told)
    assert set(told[0]) >= {"projected", "low", "high", "method"}
    assert not (installation.root / "w.db").exists()


def test_options_stand_before_or_after_the_command(installation: Installation):
    export = str(installation.export("a.csv", [row(1, recent())]))
    for arguments in (
        ("--database", "other.db", "ingest", export),
        ("ingest", export, "--database", "other.db"),
    ):
        installation.warden(*arguments)
    assert (installation.root / "other.db").exists()
    assert not (installation.root / "w.db").exists()


def test_a_dry_run_writes_nothing(installation: Installation):
    export = installation.export("a.csv", [row(1, recent())])
    installation.warden("ingest", str(export), "--no-evaluate")
    (decision,) = installation.rows("evaluate", "--dry-run")
    assert set(decision) >= {"rule", "key", "decision", "reason", "alert_id"}
    assert installation.rows("alerts", "--all") == []


def test_actors_tell_names_and_days(installation: Installation):
    export = installation.export("a.csv", [row(1, recent(5)), row(2, recent(3))])
    told = installation.rows("actors", "--events", str(export))
    jnim = next(one for one in told if one["name"].startswith("JNIM"))
    assert (jnim["events"], jnim["first_day"]) == (2, recent(5).isoformat())


def test_check_tells_faults_as_rows_and_leaves_with_1(installation: Installation):
    path = installation.root / "rules" / "rules.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("within_km", "withinkm"), "utf-8")
    (fault,) = installation.rows("check", "rules", expect=1)
    assert fault == {
        "path": "rules/rules.yaml",
        "line": 9,
        "column": 27,
        "code": "WR012",
        "severity": "error",
        "message": "unknown key 'withinkm' in near; did you mean 'within_km'?",
    }
    shown = installation.warden("check", expect=1)
    assert "rules/rules.yaml:9:27: WR012 unknown key 'withinkm'" in shown.stdout


def test_settings_and_rules_are_checked_together(installation: Installation):
    settings = installation.root / "warden.yaml"
    settings.write_text(settings.read_text("utf-8") + "databse: x\n", "utf-8")
    told = installation.rows("check", expect=1)
    assert any("did you mean 'database'?" in fault["message"] for fault in told)


def test_looking_without_a_database_says_how_to_make_one(installation: Installation):
    done = installation.warden("alerts", expect=3)
    assert "there is no database at" in done.stderr
    (source,) = installation.rows("sources")
    assert source["state"] == "never polled"


def test_a_source_that_asked_for_patience_is_not_due_and_not_asked(installation: Installation):
    now = datetime.now(UTC)
    with open_store(installation.root / "w.db") as store, store.transaction() as tx:
        keep_not_before(tx, "inbox", now + timedelta(hours=1))
    with App(load(installation.root / "warden.yaml")).open() as station:
        station.poll("inbox")
        assert not station.due("inbox")
        with station.store.transaction() as tx:
            keep_not_before(tx, "inbox", None)
        time.sleep(1.1)
        assert station.due("inbox")
        with station.store.transaction() as tx:
            keep_not_before(tx, "inbox", now + timedelta(hours=1))
    installation.drop("new.csv", [row(1, recent())])
    (summary,) = installation.rows("run", "--once", expect=3)
    (source,) = summary["sources"]
    assert (source["state"], source["new"]) == ("unreachable", 0)
    assert "asked for patience; it is not asked again before" in source["sentence"]


def test_the_summary_is_one_line_of_json_in_utf8(installation: Installation):
    installation.drop("a.csv", [row(1, recent(), location="Ségou", actor1="Katiba Macina 中")])
    done = installation.warden("run", "--once", "--json")
    assert len(done.stdout.splitlines()) == 1
    json.loads(done.stdout)


def test_a_running_year_is_projected(installation: Installation):
    days = [date(2022, 1, 1) + timedelta(days=10 * step) for step in range(18)]
    export = installation.export("half.csv", [row(n, day) for n, day in enumerate(days, 1)])
    (told,) = installation.rows("series", "near-bamako", "--by", "year", "--events", str(export))
    assert told["complete"] is False
    assert told["method"] == "linear"
    assert told["low"] < told["projected"] < told["high"]
    assert all(told[name] == round(told[name], 1) for name in ("low", "projected", "high"))
    with export.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == told["value"]


def test_a_max_age_that_an_embargoed_feed_never_meets_is_a_warning(installation: Installation):
    with open_store(installation.root / "w.db") as store, store.transaction() as tx:
        now = datetime.now(UTC)
        run = begin_walk(tx, "acled", "poll", {}, now)
        end = WalkEnd("embargoed", "", no_data_since=recent(365), dataset="acled")
        end_walk(tx, run, "acled", end, now)
    (fault,) = installation.rows("check")
    assert (fault["code"], fault["severity"]) == ("WR053", "warning")
    assert "embargoed for 36" in fault["message"]
