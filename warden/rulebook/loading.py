"""Loading: paths in, a frozen rule set or every fault out. Never another exception.

Standing in the flow: `app` calls `load`, at start, on reload and for `warden check`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from warden.engine.kinds.base import Kind
from warden.errors import Fault
from warden.model.located import FaultList, Node
from warden.model.rule import Ruleset
from warden.rulebook.definitions import Loader
from warden.rulebook.files import ROUTE_KEYS, Sections, find_files, read_sections
from warden.rulebook.known import KnownNames
from warden.rulebook.rules import RulesReader
from warden.rulebook.versions import Borders, Versions, digest
from warden.rulebook.warnings import add_warnings


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading found.

    Attributes:
        ruleset: None when any file has an error; warnings do not stop it.
        faults: all of them, in the order of files and lines.
        route_nodes: the located values of `receivers`, `route`, `inhibit_rules` and
            `time_intervals`, one for each file that has the key.
        tests: the located trees of the rule test files, when asked for.
    """

    ruleset: Ruleset | None
    faults: tuple[Fault, ...]
    route_nodes: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
    tests: tuple[Node, ...] = ()


def load(
    paths: Path | str | Iterable[Path | str],
    *,
    kinds: Mapping[str, Kind],
    countries_resolve: Callable[[str], str | None],
    country_names: Callable[[], Iterable[str]] = tuple,
    known: KnownNames | None = None,
    borders: Borders | None = None,
    include_tests: bool = False,
) -> Loaded:
    """Read rule files and folders.

    Args:
        paths: files or folders; of a folder all `*.yaml` and `*.yml` below it, `local/` last,
            `tests/` apart.
        kinds: the rule kinds by name (`warden.engine.kinds.KINDS`).
        countries_resolve: the alpha-3 code of any name of a country, None if unknown.
        country_names: what countries are called, for the nearest to a misspelt one.
        known: names ever seen, for warnings about patterns that match none.
        borders: border data: neighbours are checked, and its version is part of a rule's.
        include_tests: read the files of `tests/` too, so that their faults count.
    """
    listed = [paths] if isinstance(paths, Path | str) else list(paths)
    faults = FaultList()
    files, test_files = find_files([Path(path) for path in listed], faults)
    sections = read_sections(files, test_files if include_tests else (), faults)
    names = Loader(sections, faults, countries_resolve, country_names)
    definitions = names.load()
    reader = RulesReader(
        sections, faults, definitions, names, kinds, borders.neighbours if borders else None
    )
    rules = reader.read()
    versions = Versions(definitions.aliases, borders)
    add_warnings(
        rules,
        definitions=definitions,
        reader=reader,
        versions=versions,
        known=known,
        faults=faults,
    )
    ruleset = None
    if not faults.errors:
        rules = tuple(dataclasses.replace(rule, version=versions.version(rule)) for rule in rules)
        ruleset = Ruleset(
            rules=rules,
            groups=definitions.groups,
            places=definitions.places,
            regions=definitions.regions,
            lines=definitions.lines,
            place_groups=definitions.sites,
            country_groups=definitions.countries,
            aliases=definitions.aliases,
            version=digest([(rule.id, rule.version) for rule in rules]),
        )
    return Loaded(ruleset, faults.sorted(), _route_nodes(sections), sections.tests)


def _route_nodes(sections: Sections) -> dict[str, tuple[Node, ...]]:
    return {
        key: tuple(section.node for section in sections.of(key))
        for key in ROUTE_KEYS
        if sections.of(key)
    }
