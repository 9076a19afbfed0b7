"""Which files belong to the rules, and what their top-level keys hold.

Standing in the flow: paths come in, `Sections` goes out: for every key the located values of all
files that have it, in reading order. `local/` is read last; `tests/` holds rule tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from warden.model.located import FaultList, Node, SourceFile, did_you_mean, shown
from warden.regular import open_regular
from warden.rulebook.reading import read_file

SUFFIXES: Final = frozenset({".yaml", ".yml"})
DEFINITION_KEYS: Final = (
    "actors",
    "aliases",
    "places",
    "sites",
    "lines",
    "areas",
    "countries",
    "event_types",
    "defaults",
    "rules",
    "overrides",
)
ROUTE_KEYS: Final = ("receivers", "route", "inhibit_rules", "time_intervals")
FILE_KEYS: Final = (*DEFINITION_KEYS, *ROUTE_KEYS)


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One file to read.

    Attributes:
        path: where it is. shown: how the operator named it.
        local: it lies in a `local/` folder: this installation's own.
        base: the folder its file names are relative to.
    """

    path: Path
    shown: str
    local: bool = False


@dataclass(slots=True)
class Section:
    """The value of one top-level key in one file."""

    node: Node
    file: RuleFile


@dataclass(slots=True)
class Sections:
    """Everything the files hold, by top-level key.

    Attributes:
        by_key: the sections of each key, in reading order.
        tests: the trees of rule test files.
        broken: the raw text of files that could not be read as YAML; a name that stands in one
            of them is not called unknown.
    """

    by_key: dict[str, list[Section]] = field(default_factory=dict)
    tests: tuple[Node, ...] = ()
    broken: list[str] = field(default_factory=list)

    def of(self, key: str) -> Sequence[Section]:
        """The sections of one key."""
        return self.by_key.get(key, ())


def find_files(
    paths: Iterable[Path], faults: FaultList
) -> tuple[tuple[RuleFile, ...], tuple[RuleFile, ...]]:
    """The rule files and the rule test files under the paths, in reading order."""
    rules: list[RuleFile] = []
    tests: list[RuleFile] = []
    for path in paths:
        if path.is_dir():
            for found, relative in _walk(path):
                folders = relative.parts[:-1]
                file = RuleFile(found, str(path / relative), "local" in folders)
                (tests if "tests" in folders else rules).append(file)
        elif path.exists():
            rules.append(RuleFile(path, str(path), path.parent.name == "local"))
        else:
            faults.file_error(SourceFile(str(path)), "WR001", "no such file or folder")
    rules.sort(key=lambda file: file.local)
    return tuple(_unique(rules)), tuple(_unique(tests))


def _unique(files: Iterable[RuleFile]) -> Iterable[RuleFile]:
    return {
        os.path.realpath(file.path): file for file in reversed(list(files))
    }.values().__reversed__()


def _walk(root: Path) -> Iterable[tuple[Path, Path]]:
    """Rule files in a folder and its sub-folders, each folder's own files first."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder) / name
            if path.suffix.lower() in SUFFIXES and not name.startswith((".", "~", "#")):
                yield path, path.relative_to(root)


def read_sections(
    files: Iterable[RuleFile], tests: Iterable[RuleFile], faults: FaultList
) -> Sections:
    """Read all files; one that cannot be read is a fault of its own and hides no other."""
    sections = Sections()
    for file in files:
        if _is_cut(file.path):
            told = "empty: cut short while it was written? Write its rules, or remove it"
            faults.file_error(SourceFile(file.shown), "WR001", told)
        root = _read(file, sections, faults)
        if root is not None:
            _file_sections(root, file, sections, faults)
    roots = (_read(file, sections, faults) for file in tests)
    sections.tests = tuple(root for root in roots if root is not None)
    return sections


def _read(file: RuleFile, sections: Sections, faults: FaultList) -> Node | None:
    before = faults.errors
    root = read_file(file.path, file.shown, faults)
    if root is None and faults.errors > before:
        sections.broken.append(_raw(file.path))
    return root


def _is_cut(path: Path) -> bool:
    """Whether not a byte is in it; what is commented out is meant so."""
    try:
        return path.is_file() and path.stat().st_size == 0
    except OSError:
        return False


def _raw(path: Path) -> str:
    try:
        with open_regular(path) as stream:
            return stream.read(4 * 1024 * 1024).decode("utf-8", "replace")
    except OSError:
        return ""


def _file_sections(root: Node, file: RuleFile, sections: Sections, faults: FaultList) -> None:
    if root.kind != "mapping":
        faults.error(
            root,
            "WR010",
            f"a rule file must be a mapping of keys such as 'rules:', not a {root.kind}",
        )
        return
    for key, value in root.entries:
        if key.text not in FILE_KEYS:
            hint = did_you_mean(key.text, FILE_KEYS) or f"; use {', '.join(FILE_KEYS)}"
            faults.error(key, "WR012", f"unknown key {shown(key.text)} in the file{hint}")
        elif value.kind == "scalar" and value.value is None:
            continue  # `rules:` with everything below it commented out
        else:
            sections.by_key.setdefault(key.text, []).append(Section(value, file))
