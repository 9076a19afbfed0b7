"""Any bytes at all are read as YAML 1.2, or answered with a fault and never anything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warden.engine.kinds import KINDS
from warden.geodata.countries import resolve
from warden.model.located import FaultList
from warden.rulebook import load, render_faults
from warden.rulebook.reading import MAX_FILE_BYTES, read_bytes, read_file

FILES = {
    "a tab for indentation": (
        b"rules:\n\t- id: a\n",
        "x.yaml:2:1: WR002 not YAML: a tab; indent with spaces",
    ),
    "a missing bracket": (
        b"a: [1, 2\n",
        (
            "x.yaml:1:9: WR002 not YAML: while parsing a flow sequence, "
            "did not find expected ',' or ']'"
        ),
    ),
    "a colon too many": (
        b"a: b: c\n",
        "x.yaml:1:5: WR002 not YAML: mapping values are not allowed in this context",
    ),
    "a key twice": (b"a: 1\na: 2\n", "x.yaml:2:1: WR003 the key 'a' stands already in line 1"),
    "not UTF-8": (b"a: 1\nb: \xe9\n", "x.yaml:2:4: WR001 not UTF-8 text; save the file as UTF-8"),
    "UTF-16": (
        "a: 1".encode("utf-16"),
        "x.yaml:1:1: WR001 not UTF-8 text: this is UTF-16; save the file as UTF-8",
    ),
    "a binary file": (
        b"\x89PNG\r\n\x1a\n\x00",
        "x.yaml:1:1: WR001 not UTF-8 text; save the file as UTF-8",
    ),
    "a NUL": (
        b"a: \x00\n",
        "x.yaml:1:4: WR001 the control character U+0000 cannot stand in a text file",
    ),
    "an invisible line separator": (
        "a: x\u2028y\n".encode(),
        "x.yaml:1:5: WR001 the control character U+2028 cannot stand in a text file",
    ),
    "two documents": (
        b"a: 1\n---\nb: 2\n",
        "x.yaml:2:1: WR004 a second document ('---') in one file; use a second file",
    ),
    "a tag": (b"a: !x 1\n", "x.yaml:1:4: WR004 the tag '!x'; rule files use no tags"),
    "a merge key": (
        b"a: &x {b: 1}\nc: {<<: *x}\n",
        "x.yaml:2:5: WR004 merge keys ('<<') are not used; see defaults: and use:",
    ),
    "an anchor within itself": (
        b"a: &x [*x]\n",
        "x.yaml:1:8: WR004 the anchor '&x' contains itself",
    ),
    "an anchor that is not there": (b"a: *x\n", None),
    "a list for a key": (b"? [a]\n: 1\n", "x.yaml:1:3: WR010 a key must be a text, not a list"),
    "deep brackets": (b"[" * 900, "x.yaml:1:41: WR004 nested more than 40 levels deep"),
    "brackets deeper than libyaml goes": (b"[" * 100_000, None),  # the column is libyaml's affair
    "deep dashes": (b"- " * 5_000, "x.yaml:1:81: WR004 nested more than 40 levels deep"),
    "too large": (
        b"#" * (MAX_FILE_BYTES + 1),
        "x.yaml:0:0: WR001 larger than 4 MiB; split the file",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_rule_file_is_one_fault(case) -> None:
    content, expected = FILES[case]
    faults = FaultList()
    read_bytes(content, "x.yaml", faults)
    lines = [fault.one_line() for fault in faults.faults]
    assert len(lines) == 1
    if case == "brackets deeper than libyaml goes":
        assert lines[0].endswith("WR004 nested more than 40 levels deep")
    if expected is not None:
        assert lines == [expected]


def test_a_billion_laughs_are_cut_short() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    faults = FaultList()
    assert read_bytes("\n".join(lines).encode(), "x.yaml", faults) is None
    assert faults.faults[0].message == "more than 400,000 values, with anchors unfolded"


def test_scalars_are_read_as_yaml_1_2() -> None:
    text = (
        "a: NO\nb: 12:30\nc: 0o17\nd: 017\ne: ~\nf: 1e3\ng: yes\nh: on\ni: .5\nj: 2024-01-01\n"
        'k: "1"\nl: 0x1F\nm: true\nn: .inf\no: 1_000\np: -3\nq: ""\nr:\n'
    )
    tree = read_bytes(text.encode(), "x.yaml", FaultList())
    assert tree is not None
    assert tree.data() == {
        "a": "NO", "b": "12:30", "c": 15, "d": 17, "e": None, "f": 1000.0, "g": "yes", "h": "on",
        "i": 0.5, "j": "2024-01-01", "k": "1", "l": 31, "m": True, "n": ".inf", "o": "1_000",
        "p": -3, "q": "", "r": None,
    }  # fmt: skip


def test_every_value_knows_its_line_and_column() -> None:
    tree = read_bytes(
        "\ufeffé: [x, {y: 'z'}]\r\nw: |\r\n  text\r\n".encode(), "x.yaml", FaultList()
    )
    assert tree is not None
    z = tree.at(["é", 1, "y"])
    assert (z.line, z.column, z.value) == (1, 12, "z")
    assert tree.at(["w"]).line == 2


def test_a_file_with_everything_commented_out_is_fine(read) -> None:
    assert read({"b.yaml": "# nothing\n", "c.yaml": "rules:\n"}).faults == ()


def test_a_file_without_a_byte_was_cut_while_it_was_written(read) -> None:
    """A reload would drop its rules and close their alerts; so the last good ones stay."""
    (fault,) = read({"a.yaml": "", "b.yaml": "# nothing\n"}).faults
    assert (fault.code, Path(fault.path).name, fault.severity) == ("WR001", "a.yaml", "error")


def test_a_file_that_is_not_there_or_is_a_folder_is_a_fault(tmp_path) -> None:
    faults = FaultList()
    assert read_file(tmp_path / "no.yaml", "no.yaml", faults) is None
    assert read_file(tmp_path, "folder", faults) is None
    assert [fault.code for fault in faults.faults] == ["WR001", "WR001"]


@pytest.mark.parametrize("name", ["pipe.yaml", "routes.yaml", "tests/pipe.yaml"])
def test_a_pipe_is_a_fault_and_is_not_waited_for(faults, tmp_path, name) -> None:
    (tmp_path / "tests").mkdir()
    os.mkfifo(tmp_path / name)
    found = faults("rules: []\n", include_tests=True)
    assert found == [f"{name}:0:0: WR001 no such file, or not a regular one"]


def test_a_folder_that_is_not_there_is_a_fault(tmp_path) -> None:
    loaded = load(tmp_path / "no", kinds=KINDS, countries_resolve=resolve)
    assert [fault.code for fault in loaded.faults] == ["WR001"]
    assert loaded.ruleset is None


def test_one_broken_file_does_not_stop_the_others_from_being_checked(faults) -> None:
    found = faults({"broken.yaml": b"\xff\x00", "rules.yaml": "rules:\n- {id: a, kind: evnt}\n"})
    assert [line.split(" ")[:2] for line in found] == [
        ["broken.yaml:1:1:", "WR001"],
        ["rules.yaml:2:3:", "WR011"],
        ["rules.yaml:2:3:", "WR011"],
        ["rules.yaml:2:17:", "WR026"],
    ]


PIECES = st.sampled_from(
    [
        "rules:\n- id: a\n", "  where: ", "  kind: count\n", "  window: ", "actors:\n", "  x: ",
        "{match: ", "['*', ", "near: {place: ", "within_km: ", "1e999", "-1", "99999999999999999",
        "[", "]", "{", "}", "\n", ": ", "- ", "&a ", "*a", "!t ", '"', "'", "|", ">", "~", "#",
        "null", "true", "use: a", "any: ", "not: ", "{regex: '(a+)+'}", "all: [", "overrides:\n",
        "defaults: ", "severity: ", "{level: info, when: ", "((((", "\\", "\t", "é", "\u2028",
        "aliases:\n- {name: a, was: ", "lines: {l: {points: [[", "areas: {a: {file: '\\0'}}\n",
    ]
)  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(max_size=200), st.lists(PIECES, max_size=40).map(lambda p: "".join(p).encode())
    )
)
def test_any_bytes_end_in_faults_of_one_line(tmp_path, content) -> None:
    (tmp_path / "rules.yaml").write_bytes(content)
    loaded = load(tmp_path, kinds=KINDS, countries_resolve=resolve)
    render_faults(loaded.faults)
    assert all("\n" not in fault.one_line() for fault in loaded.faults)
    assert (loaded.ruleset is None) == any(f.severity == "error" for f in loaded.faults)
