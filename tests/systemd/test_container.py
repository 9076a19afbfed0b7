"""warden on a real systemd, installed by following systemd/README.md word for word.

One machine, one life, told in order: every test goes on from where the one before it left off.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from email import message_from_string
from email.policy import default
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from systemd_machine import Machine, eventually, missing

from warden.store.schema import MIGRATIONS, migrate, newest_version

ROOT = Path(__file__).parents[2]
README = ROOT / "systemd" / "README.md"
WHY_NOT = missing()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "can be made"),
    pytest.mark.xdist_group("systemd"),
    pytest.mark.timeout(1200),
]

POSTFIX = """\
compatibility_level = 3.6
myhostname = mail.example.org
mydestination = example.org, mail.example.org, localhost
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
home_mailbox = Maildir/
alias_maps =
alias_database =
smtputf8_enable = no
"""
# Lets one evaluation hang once a file asks for it, and five seconds stand for ten minutes.
HANGING = """\
import time
from pathlib import Path

from warden.daemon import Progress
from warden.station import Station

ASKED = Path("/var/lib/warden/hang")
evaluate = Station.evaluate


def hanging(self, *args, **kwargs):
    if ASKED.exists():
        ASKED.unlink()
        time.sleep(3600)
    return evaluate(self, *args, **kwargs)


Station.evaluate = hanging
Progress.stuck.__defaults__ = (5.0,)
"""
COLUMNS = (
    "event_id_cnty", "event_date", "year", "time_precision", "disorder_type", "event_type",
    "sub_event_type", "actor1", "assoc_actor_1", "inter1", "actor2", "assoc_actor_2", "inter2",
    "interaction", "civilian_targeting", "iso", "region", "country", "admin1", "admin2", "admin3",
    "location", "latitude", "longitude", "geo_precision", "source", "source_scale", "notes",
    "fatalities", "tags", "timestamp",
)  # fmt: skip


def export(*numbers: int, dead: int = 2) -> str:
    """A simulated ACLED export: one battle a number, at Kati, on each of the last days."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for number in numbers:
        day = datetime.now(UTC).date() - timedelta(days=2 + number)
        writer.writerow(a_row(number, day, dead))
    return text.getvalue()


def a_row(number: int, day: date, dead: int) -> dict[str, object]:
    return dict(zip(COLUMNS, (
        f"MLI9{number:04d}", day.isoformat(), day.year, 1, "Political violence", "Battles",
        "Armed clash", "JNIM: Group for Support of Islam and Muslims", "", "Rebel group",
        "Military Forces of Mali (2021-)", "", "State forces", "State forces-Rebel group", "",
        466, "Western Africa", "Mali", "Koulikoro", "Kati", "Kati", "Kati", 12.7446, -8.0725, 1,
        "Simulated", "National", "Simulated for a test.", dead, "",
        int(datetime.now(UTC).timestamp()) - 60,
    ), strict=True))  # fmt: skip


def readme_blocks() -> dict[str, list[tuple[str, str]]]:
    """The fenced blocks of systemd/README.md by heading: (language, text)."""
    found: dict[str, list[tuple[str, str]]] = {}
    heading = ""
    fence = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
    for part in re.split(r"^## ", README.read_text(encoding="utf-8"), flags=re.MULTILINE):
        heading = part.partition("\n")[0]
        for indent, language, text in fence.findall(part):
            lines = [line.removeprefix(indent) for line in text.splitlines()]
            found.setdefault(heading, []).append((language, "\n".join(lines) + "\n"))
    return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """warden's wheel and those it needs: the container has no network."""
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-qq", "--disable-pip-version-check",
         "--wheel-dir", str(folder), str(ROOT)],
        check=True, timeout=900, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def machine(tmp_path_factory, wheels):
    booted = Machine(tmp_path_factory.mktemp("machine"), shared=wheels)
    try:
        booted.write("/etc/postfix/main.cf", POSTFIX)
        booted.run("useradd -m desk; useradd -m officer; useradd -m stranger")
        booted.run("systemctl restart postfix")
        yield booted
    finally:
        booted.stop()


def mails(machine: Machine) -> list:
    """What the desk was told about events at Kati, oldest first; feeds may speak up any time."""
    found = machine.run(
        "cd /home/desk; for f in $(ls -tr Maildir/new/* 2>/dev/null); do cat $f; echo; "
        "echo '=====8<====='; done"
    ).stdout
    parts = [part for part in found.split("=====8<=====\n") if part.strip()]
    found = [message_from_string(part, policy=default) for part in parts]
    return [mail for mail in found if "Kati" in mail.get_body(("plain",)).get_content()]


def pid(machine: Machine) -> int:
    found = int(machine.show("warden", "MainPID"))
    assert found > 0, machine.run("systemctl status warden", check=False).stdout
    return found


def is_at_work(machine: Machine, *, other_than: int = 0) -> bool:
    running = machine.show("warden", "SubState") == "running"
    return running and machine.show("warden", "MainPID") not in ("0", str(other_than))


def looked_at(machine: Machine, path: str) -> str:
    """What the daemon answers over HTTP, with its head; "" while it does not listen."""
    return machine.run(
        f"exec 3<>/dev/tcp/127.0.0.1/8470;printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3",
        check=False,
    ).stdout


def hand_in(machine: Machine, name: str, text: str) -> None:
    """Put a file into the inbox as a writer should: under another name first."""
    machine.write(f"/var/lib/warden/inbox/.{name}", text)
    machine.run(f"mv /var/lib/warden/inbox/.{name} /var/lib/warden/inbox/{name}")


def test_the_guide_installs_it_word_for_word(machine):
    machine.run(
        "mkdir -p /root/dl; cp /mnt/warden-*.whl /root/dl;"
        "printf '[global]\\nno-index = true\\nfind-links = /mnt\\n' > /etc/pip.conf"
    )
    for number, (language, text) in enumerate(readme_blocks()["Install"]):
        if language == "yaml":
            name = text.splitlines()[0].removeprefix("# ").strip()
            machine.run(f"mkdir -p $(dirname {name})")
            machine.write(name, text)
        elif language == "sh":
            script = text.replace("systemctl status warden ", "true ")
            if "/dev/stdin" in script:
                script = f"printf 'a simulated password\\n' | {{\n{script}}}\n"
            machine.run(f"cd /root/dl\n{script}", timeout_s=600)
        else:
            assert language == "ini", (number, language)
    assert machine.show("warden", "ActiveState") == "active"


def test_it_is_a_notify_service_under_its_own_user(machine):
    eventually(lambda: is_at_work(machine))
    assert machine.show("warden", "Type") == "notify"
    owner = machine.run(f"ps -o user= -p {pid(machine)}").stdout.strip()
    assert owner == "warden"
    eventually(lambda: machine.show("warden", "StatusText"))


def test_the_first_alert_reaches_a_mailbox_through_postfix(machine):
    hand_in(machine, "first.csv", export(1))
    (mail,) = eventually(lambda: mails(machine), within_s=400)
    assert mail["Subject"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"]
    text = mail.get_body(("plain",)).get_content()
    assert "Kati" in text


def test_a_restart_keeps_its_state_and_sends_nothing_twice(machine):
    before = len(mails(machine))
    machine.run("systemctl restart warden")
    eventually(lambda: is_at_work(machine))
    machine.run("warden evaluate")
    machine.run("sleep 3")
    assert len(mails(machine)) == before
    assert "attack-near-bamako" in machine.run("warden alerts").stdout


def test_a_good_rule_file_is_taken_at_reload(machine):
    machine.write(
        "/etc/warden/rules/local/mine.yaml",
        "rules:\n- id: mine\n  title: Anything in Kati\n  kind: event\n"
        "  where: {location: Kati}\n  severity: [warning]\n  description: x\n  runbook: y\n",
    )
    machine.run("chown root:warden /etc/warden/rules/local/mine.yaml; systemctl reload warden")
    eventually(lambda: "mine" in machine.run("warden alerts").stdout)


def test_a_broken_rule_file_changes_nothing_and_is_told(machine):
    before = pid(machine)
    machine.write("/etc/warden/rules/local/broken.yaml", "rules:\n- id: bad\n  kin: event\n")
    machine.run("systemctl reload warden", check=False)
    eventually(lambda: "refused" in machine.show("warden", "StatusText"))
    assert pid(machine) == before
    journal = machine.run("journalctl -u warden --no-pager -n 50").stdout
    assert "broken.yaml:3:3: WR012" in journal
    machine.run("rm /etc/warden/rules/local/broken.yaml; systemctl reload warden")
    eventually(lambda: "refused" not in machine.show("warden", "StatusText"))


def test_after_kill_9_it_is_started_again_with_its_state(machine):
    before, told = pid(machine), len(mails(machine))
    machine.run(f"kill -9 {before}")
    eventually(lambda: is_at_work(machine, other_than=before))
    machine.run("warden evaluate; sleep 3")
    assert len(mails(machine)) == told
    hand_in(machine, "second.csv", export(3))
    eventually(lambda: len(mails(machine)) > told, within_s=400)


def test_a_process_that_no_longer_works_is_killed_by_the_watchdog(machine):
    machine.run(
        "mkdir -p /etc/systemd/system/warden.service.d; printf"
        " '[Service]\\nWatchdogSec=6s\\n' > /etc/systemd/system/warden.service.d/short.conf;"
        "systemctl daemon-reload; systemctl restart warden"
    )
    eventually(lambda: is_at_work(machine))
    before = pid(machine)
    machine.run("sleep 8")
    assert pid(machine) == before, "one that works is left alone"
    machine.run(f"kill -STOP {before}")
    eventually(lambda: is_at_work(machine, other_than=before), within_s=120)
    assert "watchdog" in machine.run("journalctl -u warden --no-pager -n 100").stdout.lower()
    machine.run(
        "rm -r /etc/systemd/system/warden.service.d; systemctl daemon-reload;"
        "systemctl restart warden"
    )


def test_a_cycle_that_hangs_is_told_and_ends_in_a_restart(machine):
    console = "console: {listen: 127.0.0.1:8470}"
    packages = machine.run("echo /opt/warden/lib/python3*/site-packages").stdout.strip()
    machine.write(f"{packages}/hanging.py", HANGING)
    machine.run(
        f"echo 'import hanging' > {packages}/hanging.pth; cp /etc/warden/warden.yaml /root/yaml;"
        f"echo '{console}' >> /etc/warden/warden.yaml;"
        "mkdir -p /etc/systemd/system/warden.service.d; printf"
        " '[Service]\\nWatchdogSec=8s\\n' > /etc/systemd/system/warden.service.d/short.conf;"
        "systemctl daemon-reload; systemctl restart warden"
    )
    eventually(lambda: looked_at(machine, "/-/healthy").startswith("HTTP/1.0 200"))
    before, told = pid(machine), len(mails(machine))
    machine.run("touch /var/lib/warden/hang; chown warden: /var/lib/warden/hang")
    eventually(lambda: looked_at(machine, "/-/healthy").startswith("HTTP/1.0 503"), within_s=120)
    assert "the job evaluate is stuck" in looked_at(machine, "/-/ready")
    eventually(lambda: machine.show("warden", "StatusText") == "stuck: evaluate", within_s=5)
    eventually(lambda: is_at_work(machine, other_than=before), within_s=120)
    machine.run("warden evaluate; sleep 3")
    assert len(mails(machine)) == told
    machine.run(
        f"rm {packages}/hanging.*; rm -r /etc/systemd/system/warden.service.d;"
        "systemctl daemon-reload; systemctl restart warden"
    )


def test_its_metrics_are_there_behind_the_units_walls(machine):
    eventually(lambda: looked_at(machine, "/-/ready").startswith("HTTP/1.0 200"))
    page = looked_at(machine, "/metrics")
    for name in ("process_resident_memory_bytes", "process_start_time_seconds", "warden_rules"):
        assert f"\n{name} " in page, name
    machine.run("cp /root/yaml /etc/warden/warden.yaml; systemctl restart warden")
    eventually(lambda: is_at_work(machine))


def test_it_stops_within_ten_seconds(machine):
    eventually(lambda: is_at_work(machine))
    began = datetime.now(UTC)
    machine.run("systemctl stop warden")
    assert datetime.now(UTC) - began < timedelta(seconds=10)
    assert machine.show("warden", "Result") == "success"
    machine.run("systemctl start warden")


def test_one_refused_recipient_of_three_leaves_two_sent_and_one_dead(machine):
    routes = "/etc/warden/rules/routes.yaml"
    three = "desk@example.org, unknown@example.org, officer@example.org"
    machine.run(
        f"cp {routes} /root/routes.yaml; sed -i 's/\\[desk@example.org\\]/[{three}]/' {routes};"
        "systemctl reload warden"
    )
    told = len(mails(machine))
    hand_in(machine, "third.csv", export(5))
    eventually(lambda: len(mails(machine)) > told, within_s=400)
    eventually(lambda: machine.run("ls /home/officer/Maildir/new", check=False).stdout)

    def last_three() -> dict[str, str]:
        rows = [
            json.loads(line)
            for line in machine.run("warden deliveries --json").stdout.split("\n")
            if line
        ]
        newest = max(row["id"] for row in rows)
        return {row["target"]: row["state"] for row in rows if row["id"] > newest - 3}

    eventually(lambda: "pending" not in last_three().values(), within_s=60)
    assert last_three() == {
        "desk@example.org": "sent",
        "unknown@example.org": "dead",
        "officer@example.org": "sent",
    }
    machine.run(f"cp /root/routes.yaml {routes}; systemctl reload warden")


def test_secrets_are_for_root_and_the_service_alone(machine):
    for user in ("stranger", "officer"):
        for path in (
            "/etc/warden/secrets/acled_password",
            "/run/credentials/warden.service/acled_password",
        ):
            assert machine.run(f"cat {path}", user=user, check=False).returncode != 0
    for path in ("/var/lib/warden/warden.db", f"/proc/{pid(machine)}/environ"):
        assert machine.run(f"cat {path}", user="stranger", check=False).returncode != 0
    arguments = machine.run(f"tr '\\0' ' ' < /proc/{pid(machine)}/cmdline").stdout
    assert "simulated password" not in arguments
    journal = machine.run("journalctl --no-pager").stdout
    assert "simulated password" not in journal


def test_an_operator_may_act_and_a_stranger_may_not(machine):
    alert = json.loads(machine.run("warden alerts --json").stdout.splitlines()[0])
    identity = alert["id"]
    silence = "warden silence add --matcher rule=mine --for 1d --comment 'a test'"
    for command in (f"warden ack {identity}", silence, "warden evaluate"):
        refused = machine.run(command, user="stranger", check=False)
        assert refused.returncode != 0, command
        assert "Traceback" not in refused.stderr
    machine.run("usermod --append --groups warden officer")
    for command in (f"warden ack {identity}", silence, "warden evaluate"):
        machine.run(command, user="officer")
    assert "officer" in machine.run("warden silence list").stdout


def test_the_printed_unit_serves_this_installation(machine):
    unit = "/etc/systemd/system/warden.service"
    machine.run(
        f"cp {unit} /root/shipped.service; warden systemd > /root/printed.service;"
        f"cp /root/printed.service {unit}; systemctl daemon-reload; systemctl restart warden"
    )
    eventually(lambda: is_at_work(machine))
    assert machine.run(f"ps -o user= -p {pid(machine)}").stdout.strip() == "warden"
    machine.run("warden status")
    machine.run(
        f"cp /root/shipped.service {unit}; systemctl daemon-reload; systemctl restart warden"
    )
    eventually(lambda: is_at_work(machine))


def test_what_it_need_not_write_it_cannot_write(machine):
    inside = f"nsenter -t {pid(machine)} -m --"
    for folder in ("/etc/warden", "/opt/warden", "/usr", "/etc", "/home", "/boot"):
        assert machine.run(f"{inside} touch {folder}/x", check=False).returncode != 0, folder
    machine.run(f"{inside} touch /var/lib/warden/x; rm /var/lib/warden/x")


def test_a_configuration_that_cannot_be_used_is_not_tried_again_and_again(machine):
    machine.run("cp /etc/warden/warden.yaml /root/kept.yaml")
    machine.run(
        "echo 'databse: x' >> /etc/warden/warden.yaml; systemctl restart warden", check=False
    )
    eventually(lambda: machine.show("warden", "ActiveState") == "failed")
    machine.run("sleep 7")
    assert machine.show("warden", "NRestarts") == "0"
    assert "did you mean" in machine.run("journalctl -u warden --no-pager -n 30").stdout
    machine.run("cp /root/kept.yaml /etc/warden/warden.yaml; systemctl restart warden")
    eventually(lambda: is_at_work(machine))


@pytest.fixture(scope="module")
def older(wheels, tmp_path_factory):
    """Databases of the first schema and of the one before this, where the machine sees them."""
    dump = ROOT / "tests" / "store" / "schemas" / "1.sql"
    for version in (1, newest_version() - 1):
        path = tmp_path_factory.mktemp("older") / "warden.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.executescript(dump.read_text(encoding="utf-8"))
            migrate(connection, MIGRATIONS[:version])
        shutil.copy(path, wheels / f"{version}.db")
    return wheels


@pytest.mark.parametrize("version", [1, newest_version() - 1])
def test_a_database_of_an_older_schema_is_brought_up_and_a_copy_kept(machine, older, version):
    told = len(mails(machine))
    machine.run(
        "rm -f /etc/warden/rules/local/mine.yaml;"
        f"systemctl stop warden; cd /var/lib/warden; mkdir /root/db-{version};"
        f"mv warden.db* /root/db-{version}/; find inbox -type f -name '*.csv' -delete;"
        f"cp /mnt/{version}.db warden.db;"
        "chown warden:warden warden.db; systemctl start warden"
    )
    eventually(lambda: is_at_work(machine), within_s=120)
    assert machine.run(f"ls /var/lib/warden/warden.db.schema-{version}").stdout
    assert "attack-near-bamako" in machine.run("warden alerts --all", check=False).stdout
    machine.run("warden evaluate; sleep 3")
    assert len(mails(machine)) == told, "what was told before the upgrade is not told again"
    machine.run("systemctl restart warden")
    eventually(lambda: is_at_work(machine))
    machine.run("warden evaluate; sleep 3")
    assert len(mails(machine)) == told
