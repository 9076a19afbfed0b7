"""A mail reads well on a phone, on a desk, in the dark, without pictures and as plain text."""

import json
import re
from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest
from helpers_notify import NOW

from warden.model.delivery import Delivery, Outgoing
from warden.model.notice import Notice
from warden.notify.channels.email import SmtpSettings
from warden.notify.channels.email.compose import compose
from warden.notify.render import Renderer, template_folders
from warden.notify.render.samples import sample_event, sample_notice, sample_notices
from warden.notify.routes import Receiver

LANGUAGES = ("en", "fr")
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """The page's elements, its text, and whether its tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def mail_of(*notices: Notice, language="en", digest=False, renderer=None):
    renderer = renderer or Renderer()
    made = renderer.render(
        Receiver("desk", language, "Africa/Bamako"), notices, notices[0].at, {"mail"}, digest=digest
    )
    assert made.fallback == ""
    return made.subject, json.loads(made.bodies["mail"])


def every_mail():
    notices = sample_notices()
    for language in LANGUAGES:
        for notice in notices:
            yield mail_of(notice, language=language)
        named = [replace(one, id=str(number)) for number, one in enumerate(notices)]
        yield mail_of(*named[:3], language=language)
        yield mail_of(*named, language=language, digest=True)


MAILS = list(every_mail())


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("subject", "body"), MAILS, ids=[s[:60] for s, _ in MAILS])
def test_every_mail_is_whole_within_its_bounds_and_reaches_for_nothing(subject, body):
    assert len(subject) <= 160
    page = Page(body["html"])
    sources = [image["src"] for image in page.all("img")]
    assert sources == [f"cid:{picture['cid']}" for picture in body.get("pictures", ())]
    assert len(set(sources)) == len(sources)
    for image in page.all("img"):
        assert image["alt"]
        assert "max-width" in image["style"]
    for name in ("script", "link", "iframe", "form", "object", "base"):
        assert page.all(name) == []
    assert all(link["href"].startswith("#notice-") for link in page.all("a"))
    assert "url(" not in body["html"]
    assert len(body["html"]) < 100_000 or len(page.all("h1")) > 5  # mail programs clip longer ones
    widths = [int(w) for w in re.findall(r"(?<!max-)(?<!-)width:(\d+)px", body["html"])]
    assert max(widths) <= 328  # nothing is wider than a phone's column


@pytest.mark.parametrize(("subject", "body"), MAILS, ids=[s[:60] for s, _ in MAILS])
def test_plain_text_keeps_to_72_columns(subject, body):
    assert [line for line in body["text"].splitlines() if len(line) > 72] == []


def test_colours_can_be_read_in_the_light_and_in_the_dark():
    html = MAILS[4][1]["html"]
    dark = html[html.index("prefers-color-scheme: dark") : html.index("max-width: 480px")]
    light = html.replace(dark, "")
    for colour in set(re.findall(r"(?<![-\w])color:\s*(#[0-9a-f]{6})", light)):
        for ground in ("#ffffff", "#f3f3f1"):
            assert contrast(colour, ground) >= 4.5, (colour, ground)
    grounds = re.findall(r"background:\s*(#[0-9a-f]{6})", dark)
    assert len(grounds) == 3
    for colour in set(re.findall(r"(?<![-\w])color:\s*(#[0-9a-f]{6})", dark)) - {"#3a3e45"}:
        for ground in grounds:
            assert contrast(colour, ground) >= 4.5, (colour, ground)
    assert not {"#000000", "#ffffff"} & set(re.findall(r"#[0-9a-f]{6}", dark))


@pytest.mark.parametrize("language", LANGUAGES)
def test_alt_texts_say_what_is_on_the_picture_in_the_readers_language(language):
    _, body = mail_of(sample_notice(), language=language)
    (chart,) = body["pictures"]
    words = {
        "en": "Chart: Such events a month, Feb 2022 to Jan 2024. Jan 2024: 1; highest 2.",
        "fr": "Graphique : Événements de ce type par mois, du févr. 2022 au janv. 2024. "
        "janv. 2024 : 1 ; maximum 2.",
    }
    assert chart["alt"] == words[language]


def parsed(body, **changes):
    delivery = Delivery(
        "k", "m", "desk", "email", "a@example.org", "mail",
        headers={"message_id": "<k@example.org>", "references": []},
    )  # fmt: skip
    parcel = Outgoing(delivery, json.dumps(body), "A subject", "critical", ("a1",), NOW)
    parcel = replace(parcel, **changes)
    return message_from_bytes(compose(parcel, SmtpSettings()).as_bytes(), policy=policy.default)


def test_pictures_travel_beside_the_html_that_shows_them():
    _, body = mail_of(sample_notice())
    mail = parsed(body)
    (related,) = [p for p in mail.walk() if p.get_content_type() == "multipart/related"]
    html, picture = related.iter_parts()
    cid = picture["Content-ID"].strip("<>")
    assert f'src="cid:{cid}"' in html.get_content()
    assert picture.get_content()[:4] == b"\x89PNG"
    assert picture.get_content_disposition() == "inline"
    assert mail.get_body(("plain",)).get_content().startswith("CRITICAL")


def test_a_picture_that_cannot_be_drawn_when_it_is_sent_stops_no_mail(caplog):
    _, body = mail_of(sample_notice())
    body["pictures"][0]["svg"] = "<svg"
    mail = parsed(body)
    assert [p.get_content_type() for p in mail.walk()].count("image/png") == 0
    assert "Chart:" in mail.get_body(("html",)).get_content()
    assert "goes without a picture" in caplog.text


@pytest.mark.parametrize(
    "template",
    [
        "{{ nothing }}",
        "<svg><script/></svg>",
        "{% for a in points %}",
        "<svg>" + "x" * 250_000 + "</svg>",
    ],
)
def test_a_faulty_template_of_a_picture_leaves_a_whole_mail_and_one_word_in_the_log(
    tmp_path, caplog, template
):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "chart.svg.jinja").write_text(template, encoding="utf-8")
    renderer = Renderer(template_folders(tmp_path))
    for _ in range(2):
        _, body = mail_of(sample_notice(), renderer=renderer)
        assert "pictures" not in body
        assert "<img" not in body["html"]
    assert caplog.text.count("mails go without a picture") == 1


@pytest.mark.parametrize(
    "series",
    [
        {}, {"points": "no"}, {"points": [[1, 2]]}, {"points": [["2024-01-01"]] * 3},
        {"points": [["2024-01-01", float("inf")]] * 4}, {"points": [["x", 1]] * 4},
        {"unit": 7, "points": [["2024-01-01", 1], ["2024-01-01", 1], ["2024-01-01", 1]]},
        {"points": [["2024-01-01", 1]] * 4, "expected": [[1]]},
    ],
)  # fmt: skip
def test_facts_of_an_odd_shape_cost_the_picture_at_most(series):
    notice = sample_notice()
    notice = replace(notice, facts=notice.facts | {"series": series, "map": {"points": [[1]]}})
    subject, body = mail_of(notice)
    assert subject.startswith("CRITICAL")
    assert "Kati" in body["text"]


def test_no_name_can_bring_markup_or_a_header_into_a_mail():
    evil = "</td><script>x</script>\r\nBcc: evil@example.org"
    event = sample_event(location=evil, event_type=evil)
    notice = sample_notice()
    notice = replace(notice, title=evil, facts=notice.facts | {"events": [event], "runbook": evil})
    subject, body = mail_of(notice)
    assert "<script" not in body["html"]
    mail = parsed(body, subject=subject)
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_digest_has_a_row_for_every_notice_and_says_what_it_is(language):
    notices = [replace(one, id=str(n)) for n, one in enumerate(sample_notices()[:5])]
    subject, body = mail_of(*notices, language=language, digest=True)
    assert subject.startswith({"en": "Digest: ", "fr": "Bulletin : "}[language])
    page = Page(body["html"])
    assert [link["href"] for link in page.all("a")] == [f"#notice-{n}" for n in range(1, 6)]
    assert {f"notice-{n}" for n in range(1, 6)} <= {div.get("id") for div in page.all("div")}
    assert re.findall(r"^(\d)\. ", body["text"], re.MULTILINE) == list("12345")


def test_an_update_says_old_and_new():
    (update,) = [n for n in sample_notices() if n.reason == "MATERIAL_CHANGE"]
    _, body = mail_of(update)
    assert "Deaths: 2 → 9" in body["text"]
    assert "2 → <strong>9</strong>" in body["html"]
    _, french = mail_of(update, language="fr")
    assert "VIGILANCE → CRITIQUE" in french["text"]


def test_what_is_withdrawn_has_no_map():
    (cancel,) = [n for n in sample_notices() if n.action == "cancel"]
    assert "pictures" not in mail_of(cancel)[1]


def test_kinds_of_events_are_told_in_the_readers_language():
    assert "Combats, affrontement armé" in mail_of(sample_notice(), language="fr")[1]["text"]
    odd = sample_event(event_type="Something new", sub_event_type="")
    notice = sample_notice()
    notice = replace(notice, facts=notice.facts | {"events": [odd]})
    assert "Something new" in mail_of(notice, language="fr")[1]["text"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_subject_with_more_notices_behind_it_still_says_when_and_how_many_died(language):
    event = sample_event(
        actors=[], matched_actors=["Military Forces of Mali (2021-)", "Wagner Group of somewhere"],
        location="A village with a rather long name", fatalities=200,
    )  # fmt: skip
    notice = sample_notice()
    one = replace(notice, id="1", facts=notice.facts | {"events": [event]})
    subject, _ = mail_of(one, replace(one, id="2"), language=language, digest=True)
    assert len(subject) <= 160
    assert "…" not in subject
    assert "200" in subject
    assert {"en": "7 Jan", "fr": "7 janv."}[language] in subject


def test_a_long_title_is_shortened_and_never_replaced():
    title = "Events targeting civilians with one side involved have grown in number " * 2
    facts = sample_notice().facts | {"kind": "drift", "value": 86, "window_days": 917}
    notice = replace(sample_notice(), title=title, facts=facts, key=())
    subject, _ = mail_of(notice)
    assert subject.startswith("CRITICAL Events targeting civilians")
    assert "… " in subject
    assert "grown in number, 86 events in 917 days" in subject


def test_the_measure_that_stood_out_is_the_one_that_is_named():
    facts = sample_notice().facts | {"kind": "spike", "measure": "fatal_events", "value": 21}
    notice = replace(sample_notice(), facts=facts | {"window_days": 91}, title="Unusual", key=())
    subject, body = mail_of(notice)
    assert "21 events with deaths in 91 days" in subject
    assert "21 events with deaths in 91 days" in body["text"]


def test_the_chart_of_a_spike_says_the_sum_that_its_words_tell():
    series = {"unit": "week", "window_days": 91, "points": [
        ["2023-12-20", 64], ["2023-12-27", 73], ["2024-01-03", 77], ["2024-01-10", 83],
    ]}  # fmt: skip
    facts = sample_notice().facts | {"kind": "spike", "value": 73, "window_days": 91}
    facts |= {"series": series, "tested_day": "2023-12-27", "last_day": "2024-01-07"}
    _, body = mail_of(replace(sample_notice(), facts=facts))
    alts = [picture["alt"] for picture in body["pictures"] if picture["cid"].startswith("chart")]
    assert "27 Dec 2023: 73; highest 83" in alts[0]
