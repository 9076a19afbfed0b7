"""Routes are edited while something waits: what cannot go where it was meant to is not lost."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "notify"))

from helpers_notify import (
    Mailbox,
    clock_at,
    decide,
    good_routing,
    later,
    notice,
    rows,
    smtp_server,
    states,
    withheld,
)

from warden.deliver import Outlet
from warden.notify.channels.email import EmailChannel, SmtpSettings
from warden.notify.render import Renderer
from warden.store import open_store, outbox

DESK = """
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
route: {receiver: desk, group_wait: 10m}
"""
DUTY = DESK.replace("name: desk", "name: duty").replace("receiver: desk", "receiver: duty")
AT_ONCE = DESK.replace(", group_wait: 10m", "")
TWO = """
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
- {name: other, email: [{to: [other@example.org]}]}
route: {receiver: desk, routes: [{receiver: other, continue: true}, {receiver: desk}]}
"""


class Office:
    """An installation's way out, on a real mail server."""

    def __init__(self, store, port):
        self.store = store
        self.clock = clock_at()
        channel = EmailChannel(SmtpSettings(host="127.0.0.1", port=port, timeout_s=3))
        self.outlet = Outlet(
            store, Renderer(), {"email": channel}, self.clock, mail_domain="example.org"
        )

    def decide(self, text, *notices):
        decide(self.store, good_routing(text), notices, self.clock.now())

    def work(self, text, seconds):
        self.clock.set(later(seconds))
        self.outlet.work(good_routing(text))


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "warden.db") as opened:
        yield opened


@pytest.fixture
def box():
    return Mailbox()


@pytest.fixture
def office(store, box):
    with smtp_server(box) as port:
        made = Office(store, port)
        yield made
        made.outlet.stop()


def test_what_waits_for_a_receiver_who_is_renamed_goes_to_the_new_name(office, box, store):
    office.decide(DESK, notice(1))
    office.work(DESK, 60)
    office.work(DUTY, 120)
    office.work(DUTY, 800)
    assert [str(mail["Subject"]).split()[0] for mail in box.mails] == ["CRITICAL"]
    assert withheld(store) == [("n1", "desk", "RECEIVER_REMOVED")]


def test_a_new_name_hears_once_of_what_changed_meanwhile_and_of_its_end(office, box, store):
    office.decide(DESK, notice(1))
    office.clock.set(later(30))
    office.decide(DESK, notice(2, action="update"))
    office.clock.set(later(60))
    office.decide(DESK, notice(3, action="resolved"))
    office.work(DUTY, 120)
    office.work(DUTY, 800)
    (mail,) = box.mails
    body = mail.get_body(("plain",)).get_content()
    assert "has ended" in body or "over" in body.casefold()


def test_who_gets_it_anyway_gets_it_once(office, box):
    office.decide(TWO, notice(1))
    office.work(
        TWO.replace("name: desk", "name: duty").replace("receiver: desk", "receiver: duty"), 5
    )
    assert sorted(str(mail["To"]) for mail in box.mails) == [
        "desk@example.org",
        "other@example.org",
    ]


def test_a_mail_that_fails_goes_to_the_address_that_was_put_right(office, box, store):
    box.greylist.add("desk@example.org")
    office.decide(AT_ONCE, notice(1))
    office.work(AT_ONCE, 0)
    office.work(AT_ONCE.replace("desk@example.org", "right@example.org"), 1)
    assert states(store) == [("desk@example.org", "expired"), ("right@example.org", "sent")]
    (mail,) = box.to("right@example.org")
    assert mail["Message-ID"].endswith("@example.org>")


def test_a_mail_that_was_refused_goes_to_the_right_address_when_it_is_retried(store):
    box = Mailbox(refuse=["desk@example.org"])
    with smtp_server(box) as port:
        office = Office(store, port)
        office.decide(AT_ONCE, notice(1))
        office.work(AT_ONCE, 0)
        mended = AT_ONCE.replace("desk@example.org", "right@example.org")
        office.work(mended, 10)
        assert [state for _, state in states(store)] == ["dead"]
        with store.transaction() as tx:
            outbox.retry(tx, later(20))
        office.work(mended, 20)
        office.outlet.stop()
    assert states(store) == [("desk@example.org", "expired"), ("right@example.org", "sent")]


def test_a_mail_that_fails_is_planned_anew_when_its_receiver_is_gone(office, box, store):
    box.greylist.add("desk@example.org")
    office.decide(AT_ONCE, notice(1))
    office.work(AT_ONCE, 0)
    office.work(DUTY.replace("desk@example.org", "duty@example.org"), 1)
    office.work(DUTY.replace("desk@example.org", "duty@example.org"), 700)
    assert [state for _, state in states(store)] == ["expired", "sent"]
    assert len(box.to("duty@example.org")) == 1


def test_nobody_is_told_again_since_one_of_two_addresses_is_gone(office, box, store):
    two = AT_ONCE.replace("[desk@example.org]", "[desk@example.org, b@example.org]")
    box.greylist.add("b@example.org")
    office.decide(two, notice(1))
    office.work(two, 0)
    office.work(AT_ONCE, 1)
    assert states(store) == [("b@example.org", "expired"), ("desk@example.org", "sent")]
    assert len(box.mails) == 1


def test_trying_a_receiver_leaves_what_waits_for_others(office, box, store):
    box.greylist.add("other@example.org")
    office.decide(TWO, notice(1))
    office.work(TWO, 0)
    office.clock.set(later(10))
    list(office.outlet.try_receiver(good_routing(TWO).receivers["desk"]))
    assert [one for one in rows(store) if one["state"] == "expired"] == []
    office.work(TWO, 20)
    assert len(box.to("other@example.org")) == 1


def test_an_alert_is_due_under_the_new_routes_and_told_at_most_once_a_receiver(office, box, store):
    """Edited forth and back."""
    office.decide(DESK, notice(1))
    office.work(DUTY, 30)
    office.work(DESK, 60)
    office.work(DUTY, 90)
    office.work(DUTY, 2000)
    assert len(box.mails) == 1
