"""The page that the demo leaves, and what it leads to."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

from warden.simulator.album import Answer, Page, Said, Told, chosen, write_index, write_mails
from warden.simulator.findings import Claim, Line
from warden.simulator.hook import Received
from warden.simulator.mailbox import Mail

PNG = b"\x89PNG\r\n\x1a\n picture"
NASTY = "<script>alert('x')</script>"


def mail(own_id: str, subject: str, *, language: str = "en", rich: bool = True) -> Mail:
    message = EmailMessage()
    message["Subject"], message["Message-ID"] = subject, f"<{own_id}@example.org>"
    message["Date"] = "Wed, 27 Jul 2022 06:00:00 +0000"
    message.set_content(f"plain {own_id}\n")
    if rich:
        message.add_alternative(f"<p>{own_id} <img src='cid:map-1@warden'></p>", subtype="html")
        part = message.get_body(("html",))
        assert part is not None
        part.add_related(PNG, "image", "png", cid="<map-1@warden>")
    message["Content-Language"] = language
    return Mail("warden@example.org", ("desk@example.org",), bytes(message), encrypted=False)


def told(kind: str = "event", action: str = "alert", rule: str = "attack-near-bamako") -> Told:
    return Told((Said(action, kind, rule, "FIRST"),))


class Links(HTMLParser):
    """Gathers whatever a page points to, and its open elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    mails = [mail("a", "One"), mail("b", NASTY, language="fr"), mail("c", "Plain", rich=False)]
    known = {"a": told(), "b": told(), "c": told("count")}
    return write_index(
        tmp_path,
        write_mails(tmp_path, mails, known),
        sums=NASTY,
        claims=[Claim(NASTY, "data", "warden")],
        lines=[Line(date(2022, 7, 27), "r", None, None, "alert", "FIRST", "info", NASTY)],
        payloads=[
            ("warden", Received("1", {"a": NASTY}, b"", {})),
            ("cap", Received("2", "<alert/>", b"", {})),
        ],
        answers=[Answer("warden alerts", NASTY, NASTY)],
    )


def test_everything_it_points_to_is_there_and_nothing_lies_elsewhere(page: Path) -> None:
    (page.parent / "payloads").mkdir()
    links = Links()
    text = page.read_text()
    links.feed(text)
    assert len(links.found) > 10
    for link in links.found:
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in text
        else:
            assert (page.parent / link.partition("#")[0]).exists(), link
    assert not re.search(r"https?://|@import|url\(", text)


def test_what_data_say_is_text(page: Path) -> None:
    text = page.read_text()
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 6
    assert "&lt;alert/&gt;" in text


def test_a_mail_is_written_with_its_pictures_its_text_and_as_it_came(page: Path) -> None:
    folder = page.parent / "read"
    assert "src='001-map-1.png'" in (folder / "001.html").read_text()
    assert (folder / "001-map-1.png").read_bytes() == PNG
    assert (folder / "001.txt").read_text().startswith("plain a")
    assert b"Message-ID: <a@example.org>" in (folder / "001.eml").read_bytes()
    assert not (folder / "003.html").exists()


def test_one_of_each_kind_is_shown_in_its_language(page: Path) -> None:
    text = page.read_text()
    assert text.count("<iframe") == 2
    assert "A cluster" not in text  # it came without HTML


def _page(number: int, *said: Said, digest: bool = False) -> Page:
    at = datetime(2024, 1, number, tzinfo=UTC)
    return Page(number, at, "desk", "en", "s", Told(said, digest), f"{number}.html", "t", "r")


def test_the_mail_in_which_it_stands_first_and_alone_is_shown() -> None:
    spike, other = Said("alert", "spike", "s", "FIRST"), Said("alert", "event", "e", "FIRST")
    pages = [_page(1, other, spike), _page(2, spike, other), _page(3, spike), _page(4, other)]
    assert [(one.title, one.page.number) for one in chosen(pages)] == [("A spike", 3)]


def test_a_digest_is_shown_with_much_in_it() -> None:
    said = Said("alert", "event", "e", "FIRST")
    pages = [_page(1, said, digest=True), _page(2, said, said, said, digest=True)]
    assert [(one.title, one.page.number) for one in chosen(pages)] == [("A digest", 2)]


def test_a_mail_of_several_notices_is_opened_where_the_one_that_is_shown_stands() -> None:
    spike = Said("alert", "spike", "r", "FIRST")
    event = Said("alert", "event", "r", "FIRST")
    (one,) = [one for one in chosen([_page(2, event, spike)]) if one.title == "A spike"]
    assert one.address == "2.html#notice-2"
    (alone,) = [one for one in chosen([_page(3, spike)]) if one.title == "A spike"]
    assert alone.address == "3.html"
