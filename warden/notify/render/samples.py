"""Made-up notices of every kind, for checking templates and for exercises; nothing is real."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from warden.model.notice import Change, Notice
from warden.model.rule import Level

_AT = datetime(2024, 1, 10, 8, 0, tzinfo=UTC)


def sample_event(at: datetime = _AT, **changes: Any) -> dict[str, Any]:
    """An event that happened three days before `at`, with every fact a message may use."""
    day = (at - timedelta(days=3)).date().isoformat()
    return {
        "uid": "sample:SMP1",
        "id": "SMP1",
        "dataset": "sample",
        "source": "sample",
        "date": day,
        "date_end": day,
        "time_precision": 1,
        "event_type": "Battles",
        "sub_event_type": "Armed clash",
        "disorder_type": "Political violence",
        "actors": [
            {"name": "ANA: An Armed Group", "role": "actor1", "type": "Rebel group"},
            {"name": "Military Forces of Mali (2021-)", "role": "actor2", "type": "State forces"},
        ],
        "matched_actors": ["ANA: An Armed Group"],
        "civilian_targeting": False,
        "fatalities": 2,
        "fatalities_low": None,
        "fatalities_high": None,
        "iso3": "MLI",
        "country": "Mali",
        "admin1": "Koulikoro",
        "admin2": "Kati",
        "admin3": "Kati",
        "location": "Kati",
        "lat": 12.7441,
        "lon": -8.0726,
        "geo_precision": 1,
        "location_error_km": 5.0,
        "certainty": "certain",
        "place": "bamako",
        "place_title": "Bamako",
        "place_lat": 12.6392,
        "place_lon": -8.0029,
        "distance_km": 14.1,
        "bearing_deg": 315.0,
        "border_km": 118.0,
        "border_neighbour": "GIN",
        "border_of": "MLI",
        "side": "inside",
        "first_seen_at": at.isoformat(),
        "known_at": at.isoformat(),
        "source_updated_at": at.isoformat(),
        "reporters": "A Newspaper",
        "notes": "",
        "url": "",
    } | changes


def sample_notice(*, at: datetime = _AT, severity: Level = "critical") -> Notice:
    """An alert about the sample event."""
    event = sample_event(at)
    return Notice(
        id="sample-notice",
        alert_id="sample-alert",
        rule_id="sample-rule",
        rule_version="0",
        key=(),
        action="alert",
        reason="FIRST",
        at=at,
        severity=severity,
        title="Violent event near Bamako",
        labels=(("theme", "sample"),),
        facts={
            "kind": "event",
            "title": "Violent event near Bamako",
            "description": "A sample.",
            "runbook": "Call the field office.\nThen the partners.",
            "names": {"armed": "Armed groups", "bamako": "Bamako"},
            "translations": {
                "fr": {
                    "title": "Événement violent près de Bamako",
                    "description": "Un exemple.",
                    "runbook": "Appelez le bureau de terrain.\nPuis les partenaires.",
                    "names": {"Armed groups": "Groupes armés"},
                }
            },
            "references": ["https://example.org/"],
            "condition": {"within_km": 150, "places": ["Bamako"], "actor_groups": ["Armed groups"]},
            "first_day": event["date"],
            "last_day": event["date"],
            "since": event["date"],
            "until": event["date"],
            "event_count": 1,
            "reports": 1,
            "fatalities": 2,
            "nth_in_12_months": 5,
            "previous_12_months": 2,
            "reported_late_days": 3,
            "alerts_per_year": 13.0,
            "precision": {"true": 7, "judged": 9},
            "events": [event],
            "datasets": ["sample"],
            "map": {"points": _earlier(at)},
            "series": _months(at),
        },
    )


def _earlier(at: datetime) -> list[list[Any]]:
    """Four events of the two years before."""
    spots = ((12.95, -7.61, 40), (12.31, -8.33, 120), (13.05, -8.55, 290), (12.2, -7.2, 610))
    return [[lat, lon, _day(at, back), 1] for lat, lon, back in spots]


def _day(at: datetime, days_before: int) -> str:
    return (at - timedelta(days=days_before)).date().isoformat()


def _months(at: datetime) -> dict[str, Any]:
    """Events a month of two years."""
    first = at.year * 12 + at.month - 24
    counts = (0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 1)
    days = [f"{(first + n) // 12}-{(first + n) % 12 + 1:02d}-01" for n in range(24)]
    return {
        "unit": "month", "points": [list(pair) for pair in zip(days, counts, strict=True)],
        "expected": None, "bound": None, "complete_through": _day(at, 2), "window_days": None,
    }  # fmt: skip


def _weeks(at: datetime) -> dict[str, Any]:
    """Events in sixty days, week by week."""
    points = [[_day(at, 3 + 7 * back), (back * 7919) % 4] for back in range(104, -1, -1)]
    points[-1][1] = 4
    return {
        "unit": "week", "points": points, "bound": 3, "complete_through": _day(at, 2),
        "expected": [[day, 0, 1, 3] for day, _ in points], "window_days": 60,
    }  # fmt: skip


def exercise(now: datetime) -> Notice:
    """What `warden test-receiver` sends: the sample, marked as an exercise."""
    sample = sample_notice(at=now, severity="info")
    told = {"fr": sample.facts["translations"]["fr"] | {"runbook": "Rien : ceci est un exercice."}}
    runbook = {"runbook": "Nothing: this is an exercise.", "translations": told}
    return replace(
        sample,
        facts=sample.facts | runbook,
        id=f"exercise-{now:%Y%m%dT%H%M%S%f}",
        alert_id=f"exercise-{now:%Y%m%dT%H%M%S%f}",
        reason="EXERCISE",
        exercise=True,
    )


def sample_notices() -> list[Notice]:
    """One of every action, and of each form that an event or a count can take."""
    alert = sample_notice()
    facts = alert.facts
    region = sample_event(geo_precision=3, certainty="approximate", location="Koulikoro")
    border = {"border_within_km": 50, "border_of": "MLI", "border_with": ["GIN", "CIV"]}
    window = facts | {
        "kind": "count",
        "value": 4,
        "window_days": 60,
        "event_count": 4,
        "reports": 3,
        "largest_share": 0.6,
        "held": 1,
        "condition": {"measure": "events", "window": 60, "condition": {"gte": 3}},
        "series": _weeks(_AT),
    }
    item = {
        "alert_id": "a", "severity": "warning", "key": {"place": "bamako"}, "event_count": 2,
        "first_day": "2024-01-02", "last_day": "2024-01-07", "fatalities": 4,
        "event": sample_event(),
    }  # fmt: skip
    changes = (
        Change("severity", "warning", "critical"),
        Change("fatalities", 2, 9),
        Change("location", "Kati", "Kita"),
        Change("distance_km", 14.1, 162.2),
        Change("civilian_targeting", old=False, new=True),
        Change("moved_km", 0, 149.9),
        Change("something_new", None, [1, 2]),
    )
    return [
        alert,
        replace(alert, facts=facts | {"events": [region]}),
        replace(alert, facts=facts | {"condition": border}),
        replace(alert, exercise=True),
        replace(alert, action="update", reason="MATERIAL_CHANGE", changes=changes),
        replace(
            alert,
            action="update",
            reason="NO_LONGER_MATCHES",
            facts=facts | {"now": sample_event(distance_km=162.2)},
        ),
        replace(alert, action="reminder", reason="REMINDER_DUE"),
        replace(
            alert,
            action="cancel",
            reason="WITHDRAWN_BY_SOURCE",
            facts=facts | {"merged_into": [sample_event(id="SMP2")]},
        ),
        replace(alert, facts=window, key=(("actor_group", "armed"), ("country", "MLI"))),
        replace(alert, action="resolved", reason="CONDITION_ENDED", facts=window),
        replace(
            alert,
            action="summary",
            reason="FLOOD",
            facts=facts | {"total": 70, "shown": 1, "events": []},
            items=(item,),
        ),
        replace(
            alert,
            action="summary",
            reason="SILENCE_ENDED",
            facts=window | {"silence": {"id": 3, "who": "jo", "comment": "a market day"}},
            items=(item,),
        ),
    ]
