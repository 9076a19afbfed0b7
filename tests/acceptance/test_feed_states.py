"""Every trouble that the shipped rules tell of reaches a mailbox, and so does its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.sourcing import a_row

from warden.app import App
from warden.clock import ManualClock
from warden.control import Request
from warden.errors import ConfigError
from warden.settings import load as load_settings
from warden.simulator import faults
from warden.simulator.acled_server import AcledServer
from warden.simulator.mailbox import MailServer
from warden.simulator.world import World
from warden.station import Station

ROOT = Path(__file__).parents[2]
START = datetime(2024, 6, 5, 6, tzinfo=UTC)
LONGEST_PATIENCE = timedelta(days=1)  # of any shipped rule
SETTINGS = """\
database: warden.db
rules: rules
templates: templates
secrets_dir: secrets
sources:
- {{name: acled, kind: acled, base_url: "{acled}", username: desk@example.org,
   password: {{secret: acled}}, every: 1h}}
smtp: {{host: 127.0.0.1, port: {smtp}, security: none, from: "warden@example.org"}}
"""
ROUTES = """\
receivers:
- {name: desk, email: [{to: [desk@example.org, gone@example.org]}]}
route: {receiver: desk, group_wait: 0s}
"""
BATTLE = """\
rules:
- id: battle
  title: A battle
  kind: event
  where: {event_type: Battles}
  severity: [warning]
"""


@dataclass
class Desk:
    """An installation with the shipped rules about its own health, and who reads its mails."""

    folder: Path
    clock: ManualClock
    acled: AcledServer
    mail: MailServer
    station: Station

    def cycle(self) -> None:
        """Poll when it is time to, evaluate, send."""
        if self.station.due("acled"):
            self.station.poll("acled")
        self.station.evaluate()
        self.station.deliver()

    def wait(self, span: timedelta) -> None:
        """Go on for so long, looking every few hours."""
        until = self.clock.now() + span
        while self.clock.now() < until:
            self.clock.advance(timedelta(hours=3))
            self.cycle()

    def told(self, words: str) -> list[str]:
        """The mails since the last look in which these words stand."""
        mails = [one.message for one in self.mail.received]
        self.mail.received.clear()
        texts = [f"{mail['Subject']}\n{mail.get_body(('plain',)).get_content()}" for mail in mails]
        return [text for text in texts if words in " ".join(text.split())]

    def news(self, number: int) -> None:
        """The feed brings another battle, of this week."""
        day = self.clock.now().date() - timedelta(days=2)
        row = a_row(number, event_date=day.isoformat(), year=day.year)
        self.acled.world.publish(row, self.clock.now())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = ManualClock(START)
    with AcledServer(World(), clock=clock) as acled, MailServer() as mail:
        for number in range(1, 26):
            acled.world.publish(a_row(number), START - timedelta(days=2))
        (tmp_path / "rules").mkdir()
        shipped = (ROOT / "rules" / "feeds.yaml").read_text(encoding="utf-8")
        for name, text in (("feeds", shipped), ("routes", ROUTES), ("battle", BATTLE)):
            (tmp_path / "rules" / f"{name}.yaml").write_text(text, encoding="utf-8")
        (tmp_path / "templates").mkdir()
        (tmp_path / "secrets").mkdir(mode=0o700)
        (tmp_path / "secrets" / "acled").write_text("simulated")
        (tmp_path / "secrets" / "acled").chmod(0o600)
        settings = tmp_path / "warden.yaml"
        settings.write_text(SETTINGS.format(acled=acled.url, smtp=mail.port), encoding="utf-8")
        with App(load_settings(settings), clock).open() as station:
            station.prepare()
            made = Desk(tmp_path, clock, acled, mail, station)
            made.cycle()
            made.told("")
            yield made


def read(fault: faults.Fault) -> Callable[[Desk], None]:
    return lambda desk: desk.acled.fail(fault, on="read", times=None)


def token(fault: faults.Fault) -> Callable[[Desk], None]:
    return lambda desk: desk.acled.fail(fault, on="token", times=None)


def embargo(desk: Desk) -> None:
    desk.acled.embargo_months = 12


def silence(desk: Desk) -> None:
    desk.wait(timedelta(days=16))


def mend(desk: Desk) -> None:
    desk.acled.heal()
    desk.acled.embargo_months = None
    desk.news(77)


STATES: dict[str, tuple[Callable[[Desk], None], str]] = {
    "auth_failed": (read(faults.status(400, "{}")), "A source does not let warden in"),
    "consent_required": (read(faults.consent_required()), "A source does not let warden in"),
    "profile_incomplete": (read(faults.profile_incomplete()), "A source does not let warden in"),
    "access_denied": (read(faults.access_denied()), "A source does not let warden in"),
    "blocked": (read(faults.html()), "A source does not let warden in"),
    "unreachable": (read(faults.status(503, "{}")), "A source cannot be reached"),
    "truncated": (read(faults.truncated()), "What a source serves cannot be trusted"),
    "schema_drift": (
        read(faults.missing_column("latitude")), "What a source serves cannot be trusted",
    ),
    "stale": (silence, "A source tells nothing of recent days"),
    "embargoed": (embargo, "A source tells nothing of recent days"),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_a_source_in_trouble_is_mailed_and_so_is_its_end(desk: Desk, state: str) -> None:
    ail, title = STATES[state]
    ail(desk)
    desk.wait(LONGEST_PATIENCE + timedelta(hours=6))
    rows = desk.station.store.connection.execute(
        "SELECT a.state, h.state FROM alerts a JOIN health h ON h.until IS NULL"
        " WHERE a.rule_id LIKE 'feed-%'"
    ).fetchall()
    assert rows == [("active", state)]
    assert desk.told(title)
    mend(desk)
    desk.wait(timedelta(days=1))
    assert desk.told("Feed acled is read again")


def test_trouble_that_began_by_a_clock_that_was_ahead_is_mailed_in_time_by_the_right_one(
    desk: Desk,
) -> None:
    desk.clock.advance(timedelta(days=3650))
    read(faults.status(503, "{}"))(desk)
    desk.cycle()
    desk.clock.advance(timedelta(days=-3650))
    desk.cycle()
    desk.wait(timedelta(hours=3))
    assert not desk.told("A source cannot be reached")
    desk.wait(timedelta(hours=3))
    assert desk.told("A source cannot be reached")
    mend(desk)
    desk.wait(timedelta(days=1))
    assert desk.told("Feed acled is read again")


def test_a_message_that_nobody_takes_is_mailed_to_the_others_and_so_is_its_end(desk: Desk) -> None:
    desk.mail.switches.refuse = frozenset({"gone@example.org"})
    desk.news(70)
    desk.wait(timedelta(hours=6))
    assert desk.told("A message did not reach its recipient")
    desk.mail.switches.refuse = frozenset()
    list(desk.station.act(Request("retry", {"all": True}, "desk")))
    desk.wait(timedelta(hours=6))
    assert desk.told("Ended")


def test_a_template_with_a_fault_is_mailed_in_the_plain_form(desk: Desk) -> None:
    layout = desk.folder / "templates" / "layout"
    layout.mkdir()
    (layout / "mail.txt.jinja").write_text("{{ notices[99].title }}")
    desk.station.reload()
    desk.news(70)
    desk.wait(timedelta(hours=6))
    assert desk.told("A message went out in the plain form")
    (layout / "mail.txt.jinja").unlink()
    desk.station.reload()
    desk.news(71)
    desk.wait(timedelta(hours=6))
    assert desk.told("Ended")


def test_rules_that_are_refused_are_mailed_by_the_last_good_ones(desk: Desk) -> None:
    broken = desk.folder / "rules" / "broken.yaml"
    broken.write_text("rules:\n- id: x\n  kin: event\n")
    with pytest.raises(ConfigError):
        desk.station.reload()
    desk.wait(timedelta(hours=3))
    assert desk.told("Changed rules have faults")
    broken.unlink()
    desk.station.reload()
    desk.wait(timedelta(hours=3))
    assert desk.told("Rules without faults are in force again")
