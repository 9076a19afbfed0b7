"""What comes over the control socket is checked, whoever sent it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.model import Rules
from support.rig import Rig

from warden.acting import _received
from warden.errors import UsageError

RESULT = {"rule": "near", "version": "1", "false_alerts_per_year": 2.5, "budget": 3.0}


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    made = Rig(Rules().text())
    yield made
    made.close()


@pytest.mark.parametrize(
    "ids", [None, 3, False, "1", [], ["1"], [{}], [float("nan")], [0], [2**63]]
)
def test_deliveries_are_named_by_their_numbers(rig, ids):
    with pytest.raises(UsageError, match="name the delivery by its number"):
        rig.act("retry", ids=ids, all=False)


@pytest.mark.parametrize("names", [None, "a.csv", 3, [1]])
def test_files_are_named_by_a_list_of_texts(rig, names):
    with pytest.raises(UsageError, match="name the files to read"):
        rig.act("ingest", names=names)


def test_a_pipe_that_was_sent_is_refused_and_not_waited_for(tmp_path):
    receive, send = os.pipe()
    refused = pytest.raises(UsageError, match=r"a folder or a pipe, not a file: a\.csv")
    with os.fdopen(receive), os.fdopen(send, "w"), refused:
        _received([receive], ["a.csv"], tmp_path)


def test_a_source_is_a_name(rig):
    with pytest.raises(UsageError, match="the source is a name"):
        rig.act("ingest", names=[], source=["acled"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget": [[1]]},
        {"budget": "many"},
        {"budget": True},
        {"version": 1},
        {"false_alerts_per_year": float("nan")},
        {"false_alerts_per_year": float("inf")},
        {"false_alerts_per_year": 10**400},
        {"rule": None},
    ],
)
def test_what_is_no_result_of_a_calibration_is_not_kept(rig, wrong):
    with pytest.raises(UsageError, match="no result of `warden calibrate`"):
        rig.act("keep-calibration", **{**RESULT, **wrong})


def test_a_result_of_a_calibration_is_kept(rig):
    assert rig.act("keep-calibration", **RESULT) == [{"rule": "near", "kept": True}]
    assert rig.rows("SELECT rule_id, budget FROM calibrations") == [("near", 3.0)]


def test_a_refused_request_is_written_down_with_who_asked(rig):
    with pytest.raises(UsageError):
        rig.act("retry", ids="all")
    assert rig.rows("SELECT who, command, outcome FROM actions ORDER BY id DESC LIMIT 1") == [
        ("desk", "retry", "UsageError: name the delivery by its number")
    ]
