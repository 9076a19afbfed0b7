"""Tables: dialects of CSV, and damage that costs one row."""

from __future__ import annotations

import csv
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sourcing import a_row, as_csv, poll

from warden.sources.csv_table import CsvTable
from warden.sources.file import FileRefusedError, read_files
from warden.sources.tables import TableError, column_name, open_table

NOW = datetime(2024, 6, 5, 12, tzinfo=UTC)
ROWS = [a_row(n, location=f"Place {n}, north") for n in range(1, 6)]


def read(path):
    return poll(read_files([path], source_name="files"), NOW)


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "export.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_every_dialect_gives_the_same_records(tmp_path, delimiter, encoding, quoting):
    plain = read(written(tmp_path, as_csv(ROWS))).records
    text = as_csv(ROWS, delimiter, quoting=quoting)
    assert read(written(tmp_path, text, encoding)).records == plain
    assert len(plain) == 5


def test_headers_may_shout_and_lines_may_end_in_any_way(tmp_path):
    plain = read(written(tmp_path, as_csv(ROWS))).records
    header, _, rest = as_csv(ROWS).partition("\r\n")
    for end in ("\n", "\r\n", "\r"):
        text = (header.upper() + "\r\n" + rest).replace("\r\n", end)
        assert read(written(tmp_path, text)).records == plain


def test_excels_hint_of_the_delimiter_is_understood(tmp_path):
    text = "sep=;\r\n" + as_csv(ROWS, ";")
    assert len(read(written(tmp_path, text)).records) == 5


def test_a_decimal_comma_is_a_point(tmp_path):
    rows = [a_row(1, latitude="12,7441", longitude="-8,0726")]
    assert read(written(tmp_path, as_csv(rows, ";"))).records[0].lat == 12.7441


def test_blank_lines_and_empty_cells_at_the_end_do_no_harm(tmp_path):
    lines = as_csv(ROWS).splitlines()
    lines.insert(2, "")
    lines.insert(4, "," * lines[0].count(","))
    lines[1] += ",,"
    polled = read(written(tmp_path, "\n".join(lines) + "\n\n\n"))
    assert len(polled.records) == 5
    assert not polled.rejects


def test_a_row_of_another_width_is_a_reject(tmp_path):
    lines = as_csv(ROWS).splitlines()
    lines[2] = "MLI90002,2024-05-01,short"
    polled = read(written(tmp_path, "\n".join(lines)))
    assert polled.ids == ["MLI90001", "MLI90003", "MLI90004", "MLI90005"]
    assert polled.rejects[0].reason == "the row has 3 columns, the header 31"
    assert polled.rejects[0].source_id == "MLI90002"
    assert polled.rejects[0].line == 3


def test_a_quote_that_is_never_closed_costs_its_own_row_only(tmp_path):
    lines = as_csv(ROWS).splitlines()
    lines[2] = lines[2].replace("Invented Daily", '"Invented Daily')
    polled = read(written(tmp_path, "\n".join(lines)))
    assert polled.ids == ["MLI90001", "MLI90003", "MLI90004", "MLI90005"]
    assert "never be closed" in polled.rejects[0].reason
    assert polled.rejects[0].source_id == "MLI90002"


def test_notes_may_have_several_lines(tmp_path):
    rows = [a_row(1, notes='One.\nTwo, "three".\r\nFour.'), a_row(2)]
    polled = read(written(tmp_path, as_csv(rows)))
    assert polled.records[0].notes == 'One.\nTwo, "three".\nFour.'
    assert not polled.rejects


def test_ten_megabytes_of_notes_are_a_reject(tmp_path):
    rows = [a_row(1), a_row(2, notes="x" * 10_000_000), a_row(3)]
    polled = read(written(tmp_path, as_csv(rows)))
    assert polled.ids == ["MLI90001", "MLI90003"]
    assert polled.rejects[0].source_id == "MLI90002"
    assert len(polled.rejects[0].raw) <= 4_096


def test_bytes_that_are_not_utf_8_cost_their_row(tmp_path):
    text = as_csv([a_row(1), a_row(2, location="Ségou"), a_row(3)]).encode("latin-1")
    polled = read(written(tmp_path, text))
    assert polled.ids == ["MLI90001", "MLI90003"]
    assert "not UTF-8" in polled.rejects[0].reason
    polled.rejects[0].raw.encode()


def test_a_nul_costs_its_row(tmp_path):
    polled = read(written(tmp_path, as_csv([a_row(1), a_row(2, notes="a\0b"), a_row(3)])))
    assert polled.ids == ["MLI90001", "MLI90003"]
    assert "NUL" in polled.rejects[0].reason
    assert "\0" not in polled.rejects[0].raw


def test_a_missing_optional_column_is_empty(tmp_path):
    columns = [name for name in a_row() if name not in {"tags", "admin3", "disorder_type"}]
    (record,) = read(written(tmp_path, as_csv([a_row(1)], columns=columns))).records
    assert (record.tags, record.admin3) == ((), "")
    assert record.disorder_type == "Political violence"


def test_line_numbers_survive_damage(tmp_path):
    lines = as_csv([a_row(n) for n in range(1, 10)]).splitlines()
    lines[3] = "x"
    lines[6] = "y,z"
    polled = read(written(tmp_path, "\n".join(lines)))
    assert [reject.line for reject in polled.rejects] == [4, 7]


def test_names_of_columns_are_compared_without_case_and_blanks():
    assert column_name("\ufeff Event ID-Cnty ") == "event_id_cnty"


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_bring_the_reader_down(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "x.csv"
    path.write_bytes(content)
    with suppress(TableError):
        table = open_table(path, 10_000)
        for row in table.rows(["a"], "a"):
            assert row.cells is None or isinstance(row.cells[0], str)
            row.raw.encode()


HEADER = as_csv([a_row()]).splitlines()[0].encode() + b"\n"


@given(st.binary(max_size=600))
@settings(max_examples=150, deadline=None)
def test_no_bytes_below_a_good_header_bring_a_source_down(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "x.csv"
    path.write_bytes(HEADER + content)
    with suppress(FileRefusedError):
        for reject in read(path).rejects:
            assert reject.raw.encode()
            assert reject.reason.encode()


def test_the_careful_reader_agrees_with_the_fast_one(tmp_path):
    path = written(tmp_path, as_csv([a_row(n, notes="two\nlines") for n in range(1, 30)]))
    table = CsvTable(path, "utf-8-sig")
    width = len(a_row())
    assert list(table._records(width)) == list(table._careful_records(width, 1))
