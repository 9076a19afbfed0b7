"""What people say to warden: handed to a running daemon or done under the lock, and recorded."""

import getpass
import json
import os
import socket
import sqlite3
import stat
from datetime import UTC, datetime, timedelta

import pytest
from support.installation import Installation, recent, row

from warden.app import App
from warden.control import MODE
from warden.settings import load

ME = getpass.getuser()


def told(installation: Installation) -> str:
    """An installation in which one alert was told; its id."""
    installation.drop("old.csv", [row(1, recent(60))])
    installation.warden("run", "--once")
    installation.drop("new.csv", [row(2, recent())])
    installation.warden("run", "--once")
    return next(one["id"] for one in installation.rows("alerts") if one["event_ids"] == ["MLI2"])


def actions(installation: Installation) -> list[tuple[str, str, str]]:
    with sqlite3.connect(installation.root / "w.db") as database:
        return database.execute("SELECT command, who, outcome FROM actions ORDER BY id").fetchall()


SILENCE = ("silence", "add", "--matcher", "rule=near-bamako", "--comment", "army exercise")


def test_an_alert_is_acknowledged_judged_and_explained(installation):
    alert = told(installation)
    (acked,) = installation.rows("ack", alert[:6], "--note", "calling  the\nprefect")
    assert (acked["alert_id"], acked["acknowledged_by"]) == (alert, ME)
    (judged,) = installation.rows("verdict", alert, "false", "--note", "a wedding")
    assert judged["precision"] == {"true": 0, "judged": 1}
    (shown,) = [one for one in installation.rows("alerts") if one["id"] == alert]
    assert (shown["acknowledged_by"], shown["verdict"]) == (ME, "false")
    said = {one["stop"]: one for one in installation.rows("explain", alert)}
    assert said["acknowledgement"]["reason"] == f"by {ME}: calling the prefect"
    assert (said["verdict"]["verdict"], said["verdict"]["reason"]) == (
        "false",
        f"by {ME}: a wedding",
    )
    assert said["delivery"]["reason"] == "1 try"
    assert [one[:2] for one in actions(installation)] == [("ack", ME), ("verdict", ME)]


def test_a_silence_is_tried_added_listed_shown_and_ended(installation):
    alert = told(installation)
    (tried,) = installation.rows(*SILENCE, "--for", "3d", "--dry-run")
    assert tried["id"] is None
    assert [one["alert_id"] for one in tried["holds"]].count(alert) == 1
    assert installation.rows("silence", "list") == []
    (made,) = installation.rows(*SILENCE, "--for", "3d")
    assert (made["state"], made["who"], made["comment"]) == ("active", ME, "army exercise")
    (listed,) = installation.rows("silence", "list")
    assert listed["matchers"] == ["rule=near-bamako"]
    shown = installation.warden("silence", "show", "1")
    assert alert in shown.stderr
    held = [one for one in installation.rows("explain", alert) if one["stop"] == "silence"]
    assert [one["verdict"] for one in held] == ["holds"]
    assert "army exercise" in held[0]["reason"]
    (ended,) = installation.rows("silence", "expire", "1")
    assert (ended["state"], ended["ended_by"]) == ("expired", ME)
    assert installation.rows("silence", "list") == []
    assert len(installation.rows("silence", "list", "--all")) == 1
    again = installation.warden("silence", "expire", "1", expect=2)
    assert again.stderr.startswith("warden: silence 1 is over since ")


def until(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("arguments", "told_"),
    [
        (["silence", "add", "--for", "3d", "--comment", "x"], "needs a matcher"),
        ([*SILENCE[:-2], "--for", "3d"], "comment (--comment) is missing"),
        ([*SILENCE[:-1], " ", "--for", "3d"], "comment (--comment) is missing"),
        ([*SILENCE], "say either how long"),
        ([*SILENCE, "--for", "3d", "--until", "2030-01-01"], "say either how long"),
        ([*SILENCE, "--for", "3 fortnights"], "'3 fortnights' is no duration"),
        ([*SILENCE, "--for", "0d"], "'0d' is no duration"),
        ([*SILENCE, "--for", "91d"], "at most 90 days"),
        ([*SILENCE, "--until", "tomorrow"], "'tomorrow' is no time"),
        ([*SILENCE, "--until", "2020-01-01"], "would be over already"),
        ([*SILENCE, "--for", "1d", "--from", until(-2)], "would be over already"),
        ([*SILENCE, "--matcher", "nonsense", "--for", "3d"], "'nonsense' is not a matcher"),
        ([*SILENCE, "--matcher", 'rule=~"("', "--for", "3d"], "the expression '(' is wrong"),
        ([*SILENCE, "--matcher", "rule=near-bamaco", "--for", "3d"], "did you mean 'near-bamako'?"),
        ([*SILENCE, "--matcher", "severty=info", "--for", "3d"], "did you mean 'severity'?"),
        ([*SILENCE, "--matcher", "severity=high", "--for", "3d"], "'high' is no severity"),
        (
            ["silence", "add", "--matcher", 'rule=~".*"', "--for", "3d", "--comment", "x"],
            "would hold nearly every alert",
        ),
        (["silence", "expire", "7"], "no silence 7"),
        (["silence", "show", "7"], "no silence 7"),
        (["ack", "0000000000000000"], "no alert '0000000000000000'"),
        (["ack", ""], "name the alert"),
        (["verdict", "0000000000000000", "true"], "no alert"),
        (["alerts", "--rule", "near-bamaco"], "no rule 'near-bamaco'; did you mean 'near-bamako'?"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(installation, arguments, told_):
    installation.warden("run", "--once")
    done = installation.warden(*arguments, expect=2)
    assert told_ in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_verdict_is_one_of_three_words(installation):
    alert = told(installation)
    done = installation.warden("verdict", alert, "tru", expect=2)
    assert done.stderr == (
        "warden: no verdict 'tru'; did you mean 'true'?; there are true, false, unverified\n"
    )
    assert actions(installation)[-1][0] == "verdict"
    assert "no verdict 'tru'" in actions(installation)[-1][2]


def test_a_silence_of_everything_has_to_be_meant(installation):
    installation.warden("run", "--once")
    asked = ("silence", "add", "--matcher", 'rule=~".*"', "--for", "2h", "--comment", "the move")
    (made,) = installation.rows(*asked, "--everything")
    assert made["matchers"] == ['rule=~".*"']


def test_a_label_no_rule_has_is_taken_with_a_doubt(installation):
    installation.warden("run", "--once")
    done = installation.warden(*SILENCE, "--matcher", "desk=north", "--for", "1d")
    assert "! no rule has the label 'desk': it holds nothing" in done.stderr


def test_the_daemon_does_it_for_whom_the_kernel_says_and_nobody_else(installation):
    alert = told(installation)
    with installation.daemon():
        socket_path = installation.root / "w.db.sock"
        assert stat.S_IMODE(socket_path.stat().st_mode) == MODE == 0o660
        assert socket_path.stat().st_gid == os.getgid()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.connect(str(socket_path))
            claimed = {"alerts": [alert], "who": "somebody-else", "note": ""}
            asked = {"command": "ack", "arguments": claimed, "who": "somebody-else"}
            channel.sendall(json.dumps(asked).encode() + b"\n")
            answer = json.loads(channel.makefile("rb").readline())
        assert answer["row"]["acknowledged_by"] == ME
        (made,) = installation.rows(*SILENCE, "--for", "3d")
        assert made["who"] == ME
        refused = installation.warden("ack", "ffffffffffffffff", expect=2)
        assert refused.stderr.startswith("warden: no alert 'ffffffffffffffff'")
        once = installation.warden("run", "--once", expect=3)
        assert "`warden evaluate`" in once.stderr
        assert len(once.stderr.splitlines()) == 1
    assert [one[1] for one in actions(installation)] == [ME] * 3


@pytest.mark.parametrize(
    "arguments",
    [
        {"matchers": "rule=x", "comment": "x", "for": "1d"},
        {"matchers": [7], "comment": "x", "for": "1d"},
        {"matchers": ["rule=near-bamako"], "comment": ["x"], "for": "1d"},
        {"matchers": ["rule=near-bamako"], "comment": "x" * 1001, "for": "1d"},
        {"matchers": ["rule=near-bamako\nx=y"], "comment": "x", "for": "1d"},
        {"matchers": ["rule=near-bamako"], "comment": "\ud800", "for": "1d"},
        {"matchers": ["rule=near-bamako"] * 21, "comment": "x", "for": "1d"},
    ],
)
def test_whatever_a_caller_sends_ends_in_a_refusal_that_is_written_down(installation, arguments):
    installation.warden("run", "--once")
    app = App(load(installation.root / "warden.yaml"))
    with pytest.raises(Exception, match=r"matcher|comment") as caught:
        list(app.act("silence-add", arguments))
    assert type(caught.value).__name__ == "UsageError"
    assert actions(installation)[-1][2].startswith("UsageError")


def test_a_refused_file_is_named_once(installation):
    (installation.root / "min.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    done = installation.warden("ingest", "min.csv", expect=3)
    assert done.stderr.count("min.csv") == 1


def test_what_needs_review_waits_for_a_persons_word_and_goes_at_once(installation):
    routes = installation.root / "rules" / "routes.yaml"
    text = routes.read_text(encoding="utf-8")
    routes.write_text(text.replace("receiver: archive,", "receiver: archive, review: true,"))
    told(installation)
    waiting = installation.rows("release", "--list")
    assert {one["receiver"] for one in waiting} == {"archive"}
    assert not list((installation.root / "out").glob("*.json"))
    done = installation.warden("release", "--receiver", "archiv", expect=2)
    assert "did you mean 'archive'?" in done.stderr
    done = installation.warden("release", "999", expect=2)
    assert "999 waits for no release" in done.stderr
    first = waiting[0]["id"]
    (gone,) = installation.rows("release", str(first))
    assert gone["released_by"] == ME
    assert len(list((installation.root / "out").glob("*.json"))) == 1
    assert len(installation.rows("release", "--all")) == len(waiting) - 1
    assert installation.rows("release", "--list") == []
    stops = installation.rows("explain", waiting[-1]["alert_id"])
    assert [one["reason"] for one in stops if one["stop"] == "release"] == [f"by {ME}"]


def test_a_message_is_previewed_in_any_language_and_nothing_is_sent(installation):
    alert = told(installation)
    sent = len(installation.subjects())
    (row_,) = installation.rows("preview", alert[:8], "--language", "fr", "--out", "look")
    folder = installation.root / "look"
    assert {"mail.txt", "mail.html", "warden.json", "cap.xml", "alertmanager.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert "Kati" in row_["subject"]
    assert "il y a" in (folder / "mail.txt").read_text(encoding="utf-8")
    html = (folder / "mail.html").read_text(encoding="utf-8")
    assert "cid:" not in html
    for picture in folder.glob("*.png"):
        assert picture.name in html
        assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(installation.subjects()) == sent


@pytest.mark.parametrize("name", ["alert", "update", "cancel", "count", "summary", "exercise"])
def test_samples_are_previewed_without_any_database(installation, name):
    (row_,) = installation.rows("preview", "--sample", name)
    assert row_["fallback"] is None
    assert (installation.root / f"preview-{name}" / "mail.txt").is_file()
    assert not (installation.root / "w.db").exists()


@pytest.mark.parametrize(
    ("arguments", "told_"),
    [
        ((), "name an alert or a notice"),
        (("--sample", "udpate"), "did you mean 'update'?"),
        (("--sample", "alert", "--language", "de"), "no language 'de'; there are en, fr"),
        (("--sample", "alert", "--receiver", "dask"), "did you mean 'desk'?"),
    ],
)
def test_a_preview_that_cannot_be_is_told_in_one_line(installation, arguments, told_):
    done = installation.warden("preview", *arguments, expect=2)
    assert told_ in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_five_verdicts_make_a_precision_that_is_told_everywhere(installation):
    installation.drop("old.csv", [row(1, recent(60))])
    installation.warden("run", "--once")
    installation.drop("new.csv", [row(number, recent()) for number in range(2, 7)])
    installation.warden("run", "--once")
    ids = [one["id"] for one in installation.rows("alerts") if one["event_ids"] != ["MLI1"]]
    for place, alert in enumerate(ids):
        installation.rows("verdict", alert, "true" if place else "false")
    assert installation.rows("alerts")[0]["precision"] == {"true": 4, "judged": 5}
    (status,) = installation.rows("status")
    assert status["precision"] == {"near-bamako": {"true": 4, "judged": 5}}
    assert "4 of 5 alerts judged true" in installation.warden("alerts").stderr
    installation.drop("more.csv", [row(9, recent())])
    installation.warden("run", "--once")
    text = installation.mail.received[-1].message.get_body(("plain",)).get_content()
    assert "4 of 5 were found true" in " ".join(text.split())
