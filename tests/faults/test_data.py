"""Much data, odd data and bad templates: one summary, bounded memory, and every alert arrives."""

from __future__ import annotations

import signal
from typing import Any

from done import BACK, await_told, whole
from support.installation import Daemon, Installation, eventually, recent, row

MANY = 100_000


def test_a_hundred_thousand_events_at_the_first_start_are_one_summary(
    installation: Installation,
) -> None:
    """Twenty years of them, a tenth near Bamako; the fixture holds the memory to its bound."""
    installation.drop("history.csv", [historic(number) for number in range(MANY)])
    with installation.daemon() as daemon:
        eventually(installation.subjects, 120)
        daemon.await_notice(BACK, 60)
        installation.drop("new.csv", [row(MANY + 1, recent())])
        eventually(lambda: len(installation.subjects()) == 2, 60)
    (status,) = installation.rows("status")
    assert status["database"]["events"] == MANY + 1
    summary, alert = installation.subjects()
    assert "Kati" in alert
    assert "Kati" not in summary
    whole(installation)


def historic(number: int) -> dict[str, Any]:
    """An event of the past: one in ten near Bamako."""
    near = number % 10 == 0
    far = {} if near else {"latitude": 16.7 + number % 7, "longitude": -3.0, "location": "Far"}
    notes = f"SIMULATED. Event {number}. " + "Fighters clashed with soldiers. " * 8
    return row(number, recent(30 + number % 7_000), notes=notes, **far)


HOSTILE = {
    "HTML in an actor's name": {"actor1": "<script>alert(1)</script><b>JNIM</b>"},
    "line breaks in an actor's name": {"actor1": "JNIM\r\nBcc: everybody@example.org\r\n\r\nFire"},
    "a template in a name": {"actor1": "{{ 7 * 7 }}{% for x in y %}"},
    "ten thousand letters": {"notes": "x" * 10_000},
}


def test_hostile_names_arrive_as_text_or_are_rejected_and_the_next_event_is_told(
    seeded: Installation,
) -> None:
    with seeded.daemon() as daemon:
        for number, changes in enumerate(HOSTILE.values(), start=2):
            seeded.drop(f"{number}.csv", [row(number, recent(), **changes)])
        seeded.drop("next.csv", [row(100, recent(2))])
        eventually(lambda: "MLI100" in seeded.mail.received[-1].content.decode("ascii", "ignore"))
        daemon.await_notice(BACK)
    for mail in seeded.mail.received:
        assert mail.recipients == ("desk@example.org",)
        assert mail.message["Bcc"] is None
        page = mail.message.get_body(("html",)).get_content()
        assert "<script" not in page
    whole(seeded)


DOUBLED = "{% set a = [a, a] | join %}"
TEMPLATES = {
    "one that loops": "{% for a in 'ab' %}{% for b in range(10 ** 9) %}x{% endfor %}{% endfor %}",
    "one that prints 100 MB": "{% set a = 'x' * 1000 %}" + DOUBLED * 17 + "{{ a }}",
    "one that calls a method": "{{ notices.clear() }}",
    "one that names an undefined variable": "{{ nope }}",
}


def reloaded(daemon: Daemon) -> None:
    """Have rules and templates read anew."""
    daemon.signal(signal.SIGHUP)
    daemon.await_notice("RELOADING=1")
    daemon.await_notice("READY=1")


def test_a_template_that_misbehaves_falls_back_to_plain_words_within_seconds(
    seeded: Installation,
) -> None:
    settings = seeded.root / "warden.yaml"
    settings.write_text(settings.read_text("utf-8") + "templates: words\n", "utf-8")
    folder = seeded.root / "words" / "layout"
    folder.mkdir(parents=True)
    template = folder / "mail.txt.jinja"
    with seeded.daemon() as daemon:
        for number, (name, text) in enumerate(TEMPLATES.items(), start=2):
            template.write_text(text, encoding="utf-8")
            reloaded(daemon)
            seeded.drop(f"{number}.csv", [row(number, recent())])
            await_told(seeded, number - 1)
            body = seeded.mail.received[-1].message.get_body(("plain",)).get_content()
            assert "template" in body, name
        template.unlink()
        reloaded(daemon)
        seeded.drop("last.csv", [row(50, recent())])
        await_told(seeded, len(TEMPLATES) + 1)
        assert "template" not in seeded.mail.received[-1].message.get_body(("plain",)).get_content()
        daemon.await_notice(BACK)
    whole(seeded)
