"""The file drop: which files are read, what becomes of them, and what a snapshot claims."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError
from support.sourcing import ROW, a_row, as_csv, drain, poll

from warden.errors import UsageError
from warden.sources.field_map import FieldMap
from warden.sources.file import FileRefusedError, FileSettings, FileSource, read_files

NOW = datetime(2024, 6, 5, 12, tzinfo=UTC)


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def drop(folder, name="export.csv", rows=None, text=None):
    path = folder / name
    path.write_text(as_csv(rows or [a_row()]) if text is None else text, encoding="utf-8")
    return path


def source(folder, **changes):
    return FileSource(FileSettings.model_validate({"name": "inbox", "path": folder} | changes))


def read(path, **options):
    return poll(read_files([path], source_name="files", **options), NOW)


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# --- the folder -------------------------------------------------------------------------------


def test_a_file_that_was_read_moves_to_processed(inbox):
    drop(inbox)
    polled = poll(source(inbox), NOW)
    assert polled.ids == ["MLI90001"]
    assert names(inbox / "processed") == ["export.csv"]
    assert polled.outcome.complete_through == date(2024, 5, 1)
    assert "1 file read, 1 rows" in polled.sentence


def test_it_moves_only_after_its_last_page_was_taken(inbox):
    drop(inbox)
    pages = source(inbox).poll({}, NOW)
    next(pages)
    assert names(inbox) == ["export.csv"]
    assert next(pages, None) is None
    assert names(inbox / "processed") == ["export.csv"]


def test_a_file_that_makes_no_sense_moves_to_rejected_with_its_reason_beside_it(inbox):
    drop(inbox, "notes.csv", text="a,b\n1,2\n")
    drop(inbox, "good.csv")
    polled = poll(source(inbox), NOW)
    assert polled.ids == ["MLI90001"]
    assert polled.state == "schema_drift"
    assert names(inbox / "rejected") == ["notes.csv", "notes.csv.reason.txt"]
    reason = (inbox / "rejected" / "notes.csv.reason.txt").read_text()
    assert "no column" in reason
    assert "event_id_cnty" in reason
    assert "notes.csv" in polled.sentence


def test_a_refused_file_is_told_until_one_is_read_well(inbox):
    drop(inbox, "notes.csv", text="a,b\n1,2\n")
    drop(inbox, "good.csv")
    refused = poll(source(inbox), NOW)
    later = poll(source(inbox), NOW + timedelta(days=3), refused.memory)
    assert later.state == "schema_drift"
    assert "notes.csv was refused" in later.sentence
    assert later.sentence.endswith("since then no new files")
    assert later.memory is None
    drop(inbox, "notes.csv")
    mended = poll(source(inbox), NOW, refused.memory)
    assert mended.state == "ok"
    assert poll(source(inbox), NOW, mended.memory).state == "ok"


def test_a_refused_file_is_told_until_it_is_taken_away(inbox):
    drop(inbox, "notes.csv", text="a,b\n1,2\n")
    memory = poll(source(inbox), NOW).memory
    (inbox / "rejected" / "notes.csv").rename(inbox / ".notes.csv")
    over = poll(source(inbox), NOW, memory)
    assert over.state == "ok"
    assert poll(source(inbox), NOW, over.memory).state == "ok"


def test_a_refused_file_is_told_until_the_operator_reads_another(inbox):
    drop(inbox, "notes.csv", text="a,b\n1,2\n")
    memory = poll(source(inbox), NOW).memory
    named = read_files([drop(inbox, ".by-hand.csv")], source_name="inbox")
    after = poll(named, NOW, memory).memory
    assert poll(source(inbox), NOW, after).state == "ok"


def test_a_refused_file_is_told_until_nothing_came_for_too_long(inbox):
    drop(inbox, "notes.csv", text="a,b\n1,2\n")
    one = source(inbox, stale_after="2d")
    memory = poll(one, NOW).memory
    assert poll(one, NOW + timedelta(days=3), memory).state == "stale"


def test_the_one_file_stays_refused_until_it_changes(inbox):
    path = drop(inbox, text="a,b\n1,2\n")
    refused = poll(source(path), NOW)
    again = poll(source(path), NOW, refused.memory)
    assert (refused.state, again.state) == ("schema_drift", "schema_drift")
    assert "since then export.csv has not changed" in again.sentence
    drop(inbox)
    mended = poll(source(path), NOW, refused.memory)
    assert (mended.state, mended.ids) == ("ok", ["MLI90001"])
    assert poll(source(path), NOW, mended.memory).state == "ok"


def test_a_second_file_of_one_name_keeps_the_first(inbox):
    for _ in range(3):
        drop(inbox)
        poll(source(inbox), NOW)
    assert names(inbox / "processed") == ["export-2.csv", "export-3.csv", "export.csv"]


def test_a_file_that_someone_still_writes_is_left_alone(inbox):
    path = drop(inbox)
    with path.open("a", encoding="utf-8") as writer:
        polled = poll(source(inbox), NOW)
        assert not polled.pages
        assert "1 still being written" in polled.sentence
        writer.write("")
    os.utime(path, (1, 1))
    assert poll(source(inbox), NOW).ids == ["MLI90001"]


def test_a_file_that_changes_while_it_is_read_is_read_again(inbox):
    path = drop(inbox)
    pages = source(inbox).poll({}, NOW)
    next(pages)
    drop(inbox, rows=[a_row(1), a_row(2)])
    os.utime(path, (2, 2))
    rest = drain(pages)
    assert "changed while it was being read" in rest.sentence
    assert names(inbox) == ["export.csv"]
    assert poll(source(inbox), NOW).ids == ["MLI90001", "MLI90002"]


@pytest.mark.parametrize("name", [".hidden.csv", "x.csv.part", "x.tmp", "x.csv~", "x.reason.txt"])
def test_unfinished_and_hidden_files_are_left_alone(inbox, name):
    drop(inbox, name)
    assert not poll(source(inbox), NOW).pages
    assert names(inbox) == [name]


def test_files_are_read_oldest_first(inbox):
    for age, name, number in [(30, "b.csv", 1), (20, "a.csv", 2), (10, "c.csv", 3)]:
        path = drop(inbox, name, rows=[a_row(number)])
        os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))
    assert poll(source(inbox), NOW).ids == ["MLI90001", "MLI90002", "MLI90003"]


def test_one_file_is_read_again_only_when_it_changed(inbox):
    path = drop(inbox)
    os.utime(path, (1, 1))
    first = poll(source(path), NOW)
    assert first.ids == ["MLI90001"]
    again = poll(source(path), NOW, first.memory)
    assert not again.pages
    assert again.memory is None
    assert again.outcome.complete_through == date(2024, 5, 1)
    drop(inbox, rows=[a_row(1), a_row(2)])
    assert len(poll(source(path), NOW, first.memory).ids) == 2
    assert names(inbox) == ["export.csv"]


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    polled = poll(source(tmp_path / "nowhere"), NOW)
    assert polled.state == "unreachable"
    assert "does not exist" in polled.sentence


def test_a_processed_that_is_no_folder_is_told(inbox):
    drop(inbox)
    (inbox / ".keep").write_text("")
    (inbox / "processed").symlink_to("/dev/null")
    polled = poll(source(inbox), NOW)
    assert polled.state == "access_denied"
    assert names(inbox) == [".keep", "export.csv", "processed"]


def test_what_was_read_before_a_file_that_cannot_be_put_away_is_remembered(inbox):
    drop(inbox, "1.csv", rows=[a_row(1, event_date="2024-05-20")])
    os.utime(inbox / "1.csv", (1, 1))
    drop(inbox, "2.csv", text="a,b\n1,2\n")
    (inbox / "rejected").write_text("no folder")
    polled = poll(source(inbox), NOW)
    assert polled.state == "access_denied"
    assert "2.csv cannot be put away (File exists)" in polled.sentence
    assert "no column" in polled.sentence
    assert polled.outcome.complete_through == date(2024, 5, 20)
    assert polled.memory["complete_through"] == "2024-05-20"


def test_a_file_that_cannot_be_put_away_stands_in_no_others_way(inbox):
    for age, name in [(3, "1.csv"), (1, "3.csv")]:
        drop(inbox, name, rows=[a_row(age)])
        os.utime(inbox / name, (100 - age, 100 - age))
    drop(inbox, "2.csv", text="a,b\n1,2\n")
    os.utime(inbox / "2.csv", (98, 98))
    (inbox / "rejected").write_text("no folder")
    polled = poll(source(inbox), NOW)
    assert polled.ids == ["MLI90003", "MLI90001"]
    assert names(inbox / "processed") == ["1.csv", "3.csv"]
    assert names(inbox) == ["2.csv", "processed", "rejected"]


def test_a_refused_snapshot_that_cannot_be_put_away_stands_in_no_others_way(inbox):
    drop(inbox, "1.csv", text="a,b\n1,2\n")
    os.utime(inbox / "1.csv", (1, 1))
    drop(inbox, "2.csv")
    (inbox / "rejected").write_text("no folder")
    polled = poll(source(inbox, snapshot=True), NOW)
    assert polled.outcome.coverage.seen == {"MLI90001"}
    assert "1.csv cannot be put away" in polled.sentence
    again = poll(source(inbox, snapshot=True), NOW, polled.memory)
    assert names(inbox / "processed") == ["2.csv"]
    assert again.state == "access_denied"


def test_a_snapshot_of_the_same_name_size_and_time_as_the_last_is_read(inbox):
    memory = None
    for dead in (2, 7):
        path = drop(inbox, ".s.csv", rows=[a_row(1, fatalities=dead)])
        os.utime(path, (1_700_000_000, 1_700_000_000))
        path.rename(inbox / "s.csv")
        polled = poll(source(inbox, snapshot=True), NOW, memory)
        assert [record.fatalities for record in polled.records] == [dead]
        memory = polled.memory
        assert not poll(source(inbox, snapshot=True), NOW, memory).pages
    assert names(inbox / "processed") == ["s-2.csv", "s.csv"]


def test_snapshots_wait_for_one_that_was_read_and_cannot_be_put_away(inbox):
    drop(inbox, "1.csv")
    os.utime(inbox / "1.csv", (1, 1))
    memory = poll(source(inbox, snapshot=True), NOW).memory
    drop(inbox, "2.csv", rows=[a_row(2)])
    (inbox / "processed").write_text("no folder")
    polled = poll(source(inbox, snapshot=True), NOW, memory)
    assert (polled.state, polled.ids, polled.memory) == ("access_denied", [], None)
    assert "1.csv cannot be put away" in polled.sentence
    (inbox / "processed").unlink()
    assert poll(source(inbox, snapshot=True), NOW, memory).ids == ["MLI90002"]


@pytest.mark.parametrize("stem", ["x" * 251, "é" * 125, "." * 3 + "y" * 240, "a." + "z" * 249])
def test_names_as_long_as_they_may_be_are_shortened_where_something_is_added(inbox, stem):
    for text in (None, None, "a,b\n1,2\n", "a,b\n1,2\n"):
        drop(inbox, f"x{stem[1:]}.csv"[-255:], text=text)
        polled = poll(source(inbox), NOW)
        assert polled.state == ("ok" if text is None else "schema_drift")
    assert len(names(inbox / "processed")) == 2
    assert len(names(inbox / "rejected")) == 4
    assert names(inbox) == ["processed", "rejected"]


def test_a_refused_file_whose_name_is_no_utf_8_has_its_reason_beside_it(inbox):
    drop(inbox, os.fsdecode(b"bad\xff.csv"), text="a,b\n1,2\n")
    assert poll(source(inbox), NOW).state == "schema_drift"
    (reason,) = inbox.glob("rejected/*.reason.txt")
    assert "no column" in reason.read_text()


def test_only_the_wanted_countries_are_taken(inbox):
    drop(inbox, rows=[a_row(1), a_row(2, iso=854, country="Burkina Faso")])
    polled = poll(source(inbox, countries=["Burkina Faso"]), NOW)
    assert polled.ids == ["MLI90002"]
    assert polled.foreign == 1


# --- snapshots --------------------------------------------------------------------------------


def test_a_snapshot_claims_its_countries_and_days(tmp_path):
    rows = [
        a_row(1, event_date="2024-02-01"),
        a_row(2, event_date="2024-04-30", iso=854, country="Burkina Faso"),
        a_row(3, latitude="lost"),
    ]
    polled = read(drop(tmp_path, rows=rows), snapshot=True)
    coverage = polled.outcome.coverage
    assert coverage.dataset == "acled"
    assert coverage.countries == {"MLI", "BFA"}
    assert (coverage.first_day, coverage.last_day) == (date(2024, 2, 1), date(2024, 4, 30))
    assert coverage.seen == {"MLI90001", "MLI90002", "MLI90003"}
    assert not coverage.look_up


def test_a_snapshot_with_a_nameless_row_claims_nothing(tmp_path):
    polled = read(drop(tmp_path, rows=[a_row(1), a_row(2, event_id_cnty="")]), snapshot=True)
    assert polled.outcome.coverage is None


def test_no_snapshot_claims_nothing(tmp_path):
    assert read(drop(tmp_path)).outcome.coverage is None


def test_a_dropped_snapshot_moves_when_its_withdrawals_are_committed(inbox):
    first, second = drop(inbox, "1.csv"), drop(inbox, "2.csv", rows=[a_row(2)])
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    polled = poll(source(inbox, snapshot=True), NOW)
    assert polled.outcome.coverage.seen == {"MLI90001"}
    assert names(inbox) == ["1.csv", "2.csv"]
    assert "1 more waiting" in polled.sentence
    polled = poll(source(inbox, snapshot=True), NOW, polled.memory)
    assert polled.outcome.coverage.seen == {"MLI90002"}
    assert names(inbox / "processed") == ["1.csv"]
    poll(source(inbox, snapshot=True), NOW, polled.memory)
    assert names(inbox / "processed") == ["1.csv", "2.csv"]


def test_a_snapshot_is_one_file(tmp_path):
    one, two = drop(tmp_path, "1.csv"), drop(tmp_path, "2.csv")
    with pytest.raises(UsageError, match="one file"):
        read_files([one, two], source_name="files", snapshot=True)


# --- whole files that are refused -------------------------------------------------------------


def test_an_actor_based_export_is_refused_in_those_words(tmp_path):
    rows = [a_row(n, actor1=actor) for n in range(1, 9) for actor in ("JNIM", "Soldiers")]
    with pytest.raises(FileRefusedError, match=r"actor-based export.*event-based"):
        read(drop(tmp_path, rows=rows))


def test_two_versions_of_an_event_are_not_actor_based(tmp_path):
    rows = [a_row(1), a_row(1, actor1="Renamed", timestamp=1715990000), a_row(2)]
    assert len(read(drop(tmp_path, rows=rows)).records) == 3


def test_a_plain_duplicate_is_served_twice_for_the_store_to_count(tmp_path):
    assert read(drop(tmp_path, rows=[a_row(1), a_row(1)])).ids == ["MLI90001"] * 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"PK\x03\x04rest", "Excel"),
        (b"\x1f\x8brest", "compressed"),
        (b"<html></html>", "web page"),
        (b"{not json", "not JSON"),
        (b'{"a": 1}', "no column"),
        (b'["x"]', "no column"),
        (b"just words", "no header"),
        (b"a,a,b\n1,2,3\n", "twice"),
        (b"\xff\xfe\x00x\x00", "no header"),
        (b"event_id_cnty,event_date\n", "no column"),
    ],
)
def test_files_that_are_no_tables_are_refused_with_a_reason(tmp_path, content, words):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(FileRefusedError, match=words):
        read(path)


def test_the_sentence_about_a_refused_file_is_short_however_long_its_names(tmp_path):
    name = "c" * 100_000
    with pytest.raises(FileRefusedError, match="c…, d twice") as refused:
        read(drop(tmp_path, text=f"{name},{name},d,d\n1,2,3,4\n"))
    assert len(str(refused.value)) < 200


def test_a_file_above_the_limit_is_refused(inbox):
    drop(inbox)
    polled = poll(source(inbox, max_bytes=100), NOW)
    assert "larger than 100 bytes" in polled.sentence


@pytest.mark.parametrize(("bad", "good"), [(20, 40), (45, 0), (5, 0), (5, 19)])
def test_a_file_of_which_over_a_fifth_cannot_be_read_is_drift_however_short(tmp_path, bad, good):
    rows = [a_row(n, event_date="11/27/2024") for n in range(1, bad + 1)]
    rows += [a_row(n) for n in range(bad + 1, bad + good + 1)]
    with pytest.raises(FileRefusedError, match=f"{bad} of {bad + good} rows"):
        read(drop(tmp_path, rows=rows))


@pytest.mark.parametrize(("bad", "good"), [(4, 0), (5, 20)])
def test_a_few_bad_rows_are_no_drift(tmp_path, bad, good):
    rows = [a_row(n, latitude="x") for n in range(1, bad + 1)]
    rows += [a_row(n) for n in range(bad + 1, bad + good + 1)]
    assert len(read(drop(tmp_path, rows=rows)).rejects) == bad


def test_some_lines_of_notes_at_the_end_of_a_long_file_are_no_drift(tmp_path, monkeypatch):
    monkeypatch.setattr("warden.sources.file_reading.PAGE_ROWS", 50)
    rows = [a_row(n) for n in range(1, 101)]
    rows += [a_row(n, latitude="x") for n in range(101, 107)]
    polled = read(drop(tmp_path, rows=rows))
    assert (len(polled.records), len(polled.rejects)) == (100, 6)


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_files([tmp_path / "no.csv"], source_name="files")


def test_a_folder_or_a_pipe_is_called_so(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "pipe.csv"):
        with pytest.raises(UsageError, match="a folder or a pipe, not a file"):
            read_files([path], source_name="files")


def test_a_folder_to_which_no_file_comes_any_more_is_stale(inbox):
    one = source(inbox, stale_after="7d")
    drop(inbox)
    memory = poll(one, NOW).outcome.memory
    for days, state in ((6, "ok"), (8, "stale")):
        outcome = poll(one, NOW + timedelta(days=days), memory).outcome
        assert outcome.state == state
    assert "for 8 days" in outcome.sentence
    drop(inbox, "new.csv")
    assert poll(one, NOW + timedelta(days=9), memory).outcome.state == "ok"


def test_a_folder_to_which_no_file_ever_came_is_waited_for_from_the_first_look_on(inbox):
    one = source(inbox, stale_after="2d")
    first = poll(one, NOW).outcome
    assert first.state == "ok"
    assert poll(one, NOW + timedelta(days=3), first.memory).outcome.state == "stale"
    never = source(inbox)
    assert poll(never, NOW + timedelta(days=900), first.memory).outcome.state == "ok"


def test_after_a_clock_that_was_ahead_files_are_waited_for_from_now_on(inbox):
    one = source(inbox, stale_after="2d")
    drop(inbox)
    ahead = poll(one, NOW + timedelta(days=60)).memory
    right = poll(one, NOW, ahead)
    assert right.state == "ok"
    assert right.memory["complete_through"] == ahead["complete_through"]
    assert poll(one, NOW + timedelta(days=1), right.memory).state == "ok"
    assert poll(one, NOW + timedelta(days=2), right.memory).state == "stale"


def test_a_file_that_becomes_a_pipe_before_it_is_read_is_refused(tmp_path):
    (tmp_path / "a.csv").touch()
    source = read_files([tmp_path / "a.csv"], source_name="files")
    (tmp_path / "a.csv").unlink()
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(FileRefusedError, match="a folder or a pipe"):
        next(source.poll({}, NOW))


# --- other makers' files ----------------------------------------------------------------------

UCDP = {
    "id": "id",
    "date": "date_start",
    "date_end": "date_end",
    "event_type": {
        "column": "type_of_violence",
        "values": {"1": "Battles", "2": "Battles", "3": "Violence against civilians"},
    },
    "actor1": "side_a",
    "actor2": "side_b",
    "fatalities": "best",
    "fatalities_low": "low",
    "fatalities_high": "high",
    "fatalities_civilian": "deaths_civilians",
    "location_error_km": {
        "column": "where_prec",
        "values": {"1": "5", "2": "25", "3": "40", "4": "150"},
    },
    "country": "country",
    "notes": "source_article",
    "url": {"value": "https://ucdp.uu.se"},
}
UCDP_ROW = {
    "id": 512345,
    "date_start": "2024-05-01",
    "date_end": "2024-05-03",
    "type_of_violence": 3,
    "side_a": "JNIM",
    "side_b": "Civilians",
    "best": 7,
    "low": 5,
    "high": 12,
    "deaths_civilians": 7,
    "latitude": 14.35,
    "longitude": -3.61,
    "where_prec": 2,
    "country": "Mali",
    "source_article": "Invented.",
}


def mapped(path, row_map=None, **options):
    return read(path, field_map=FieldMap.model_validate(row_map or UCDP), dataset="ucdp", **options)


def test_a_field_map_reads_another_makers_csv(tmp_path):
    (record,) = mapped(drop(tmp_path, rows=[UCDP_ROW])).records
    assert record.uid == "ucdp:512345"
    assert (record.event_date, record.event_date_end) == (date(2024, 5, 1), date(2024, 5, 3))
    assert record.event_type == "Violence against civilians"
    assert record.category == "political_violence"
    assert record.civilian_targeting
    assert (record.fatalities, record.fatalities_low, record.fatalities_high) == (7, 5, 12)
    assert record.location_error_km == 25.0
    assert record.iso3 == "MLI"
    assert [actor.name for actor in record.actors] == ["JNIM", "Civilians"]


@pytest.mark.parametrize("shape", ["list", "data", "ndjson", "geojson", "feature list", "feature"])
def test_json_of_any_shape_gives_the_same_records(tmp_path, shape):
    rows = [UCDP_ROW, {**UCDP_ROW, "id": 512346}]
    if shape in {"geojson", "feature list", "feature"}:
        rows = [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]},
                "properties": {k: v for k, v in row.items() if k not in {"latitude", "longitude"}},
            }
            for row in rows
        ]
    text = {
        "list": json.dumps(rows),
        "data": json.dumps({"data": rows}),
        "ndjson": "\n".join(json.dumps(row) for row in rows) + "\n",
        "geojson": json.dumps({"type": "FeatureCollection", "features": rows}),
        "feature list": json.dumps(rows),
        "feature": json.dumps(rows[0]),
    }[shape]
    found = mapped(drop(tmp_path, "events.json", text=text)).records
    assert [record.source_id for record in found] == ["512345", "512346"][: len(found)]
    assert len(found) == (1 if shape == "feature" else 2)
    expected = mapped(drop(tmp_path, rows=[UCDP_ROW])).records[0]
    assert found[0] == expected


@pytest.mark.parametrize(
    "text",
    ["[]", '{"data": []}', '{"type": "FeatureCollection", "features": []}', ",".join(UCDP_ROW)],
)
def test_a_file_without_a_row_is_read_and_brings_nothing(tmp_path, text):
    for snapshot in (False, True):
        polled = mapped(drop(tmp_path, "events.json", text=text), snapshot=snapshot)
        assert (polled.state, polled.records, polled.rejects) == ("ok", [], [])
        assert polled.outcome.coverage is None


def test_nested_json_is_named_with_a_point(tmp_path):
    row = {**UCDP_ROW, "where": {"lat": 14.35, "lon": -3.61}}
    del row["latitude"], row["longitude"]
    found = mapped(
        drop(tmp_path, "e.json", text=json.dumps([row])),
        UCDP | {"lat": "where.lat", "lon": "where.lon"},
    )
    assert found.records[0].lat == 14.35


def test_a_line_of_ndjson_that_is_no_json_costs_itself_only(tmp_path):
    lines = [json.dumps(UCDP_ROW), '{"id": ', json.dumps({**UCDP_ROW, "id": 2})]
    polled = mapped(drop(tmp_path, "e.ndjson", text="\n".join(lines)))
    assert [record.source_id for record in polled.records] == ["512345", "2"]
    assert "no JSON" in polled.rejects[0].reason


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("id", "", "id is missing"),
        ("date_start", "05/06/2024", "no date"),
        ("date_end", "2024-04-01", "before date"),
        ("best", -1, "outside"),
        ("best", "many", "no whole number"),
        ("latitude", 0, None),
        ("longitude", 200, "outside"),
        ("type_of_violence", "", "event_type is missing"),
        ("side_a", ["x"], "list"),
    ],
)
def test_mapped_rows_are_checked_as_strictly(tmp_path, column, value, words):
    text = json.dumps([{**UCDP_ROW, column: value}])
    polled = mapped(drop(tmp_path, "e.json", text=text))
    if words is None:
        assert polled.records
    else:
        assert words in polled.rejects[0].reason


def test_a_field_map_that_names_a_missing_column_refuses_the_file(tmp_path):
    with pytest.raises(FileRefusedError, match="side_c, which the `field_map` names"):
        mapped(drop(tmp_path, rows=[UCDP_ROW]), UCDP | {"actor2": "side_c"})


@pytest.mark.parametrize(
    "settings",
    [
        {"dataset": "other"},
        {"dataset": "acled", "field_map": UCDP},
        {"field_map": {"id": "id"}},
        {"field_map": UCDP | {"nonsense": "x"}},
        {"field_map": UCDP | {"id": {"value": "1"}}},
        {"every": "soon"},
        {"every": "0s"},
        {"max_retract": 2},
        {"countries": ["Atlantis"]},
        {"pat": "x"},
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, settings):
    with pytest.raises(ValidationError):
        source(tmp_path, **settings)


def test_the_usual_rhythm_is_a_minute(tmp_path):
    settings = source(tmp_path).settings
    assert settings.next_poll(NOW, NOW) == NOW + timedelta(minutes=1)


def test_json_of_the_api_is_an_acled_file_too(tmp_path):
    csv_record = read(drop(tmp_path)).records[0]
    answer = {"status": 200, "data": [ROW | {"event_id_cnty": "MLI90001"}]}
    path = drop(tmp_path, "answer.json", text=json.dumps(answer))
    assert read(path).records == [csv_record]
