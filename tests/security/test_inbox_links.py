"""Whoever may put files into the inbox gets nothing read, moved or written elsewhere by it."""

import os
from datetime import UTC, datetime

import pytest
from support.installation import Installation, installation, recent, row
from support.sourcing import a_row, as_csv

from warden.sources.file import FileSettings, FileSource

NOW = datetime(2024, 7, 1, tzinfo=UTC)
HIDDEN = "top,secret\nhunter2-of-the-service,x\n"

__all__ = ["installation"]


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    (tmp_path / "hidden").write_text(HIDDEN)
    return folder


def poll(path):
    walk = FileSource(FileSettings(name="inbox", path=path, settle_s=0)).poll({}, NOW)
    try:
        while True:
            next(walk)
    except StopIteration as end:
        return end.value


def test_a_link_is_refused_and_what_it_leads_to_is_not_read(inbox):
    (inbox / "a.csv").symlink_to(inbox.parent / "hidden")
    outcome = poll(inbox)
    assert outcome.state == "schema_drift"
    assert outcome.sentence.endswith("a.csv was refused: it is a link; copy the file")
    assert (inbox / "rejected" / "a.csv").is_symlink()
    assert "link" in (inbox / "rejected" / "a.csv.reason.txt").read_text()
    assert (inbox.parent / "hidden").read_text() == HIDDEN
    assert poll(inbox).state == "ok"


def test_a_reason_is_not_written_through_a_link_that_waits_for_it(inbox):
    (inbox / "rejected").mkdir()
    (inbox / "rejected" / "a.csv.reason.txt").symlink_to(inbox.parent / "hidden")
    (inbox / "a.csv").write_text("a,b\n1,2\n")
    poll(inbox)
    assert (inbox.parent / "hidden").read_text() == HIDDEN
    assert "no column" in (inbox / "rejected" / "a-2.csv.reason.txt").read_text()


def test_what_is_made_in_an_inbox_is_open_to_owner_and_group_alone_whatever_the_umask(inbox):
    (inbox / "good.csv").write_text(as_csv([a_row(1)]))
    (inbox / "bad.csv").write_text("a,b\n1,2\n")
    before = os.umask(0)
    try:
        poll(inbox)
    finally:
        os.umask(before)
    made = ("processed", "rejected", "rejected/bad.csv.reason.txt")
    modes = [oct((inbox / name).stat().st_mode & 0o777) for name in made]
    assert modes == ["0o750", "0o750", "0o640"]


@pytest.mark.parametrize("name", ["rejected", "processed"])
def test_nothing_is_moved_into_a_folder_that_a_link_stands_for(installation: Installation, name):
    elsewhere = installation.root / "backups"
    elsewhere.mkdir()
    (installation.root / "inbox" / name).symlink_to(elsewhere)
    if name == "processed":
        installation.drop("warden-2099-01-01.db", [row(1, recent())])
    else:
        (installation.root / "inbox" / "warden-2099-01-01.db").write_text("a,b\n1,2\n")
    done = installation.warden("run", "--once", expect=3)
    assert "give warden the right" in done.stdout + done.stderr
    assert list(elsewhere.iterdir()) == []


def test_a_link_that_the_settings_name_is_meant(inbox):
    (inbox.parent / "link").symlink_to(inbox)
    (inbox / "a.csv").write_text("a,b\n1,2\n")
    assert "no column" in poll(inbox.parent / "link").sentence
    (inbox.parent / "one.csv").symlink_to(inbox / "rejected" / "a.csv")
    assert "no column" in poll(inbox.parent / "one.csv").sentence
