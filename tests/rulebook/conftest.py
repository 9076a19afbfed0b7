"""Rule files written for a test, and the loader with everything it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from warden.engine.kinds import KINDS
from warden.geodata.countries import resolve
from warden.rulebook import Loaded, load

BASE = """\
actors:
  islamists: {title: Militant Islamists, match: ["JNIM: *", "Katiba Macina"]}
  forces: {match: ["Military Forces of Mali*"]}
places:
  bamako: {title: Bamako, lat: 12.6392, lon: -8.0029}
  kati: {title: Kati, lat: 12.744, lon: -8.073}
sites: {towns: [bamako, kati]}
countries: {coastal: [CIV, GIN, SEN, MRT]}
event_types: {attack: [Battles, Explosions/Remote violence, Violence against civilians]}
lines:
  rn6: {title: RN6, points: [[12.6, -8.0], [13.4, -6.2]]}
"""

TWO_KINDS = {name: KINDS[name] for name in ("event", "count")}  # so that messages stay as they are


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Loaded]:
    """Load a folder of the given files; `rules.yaml` alone comes with the base definitions."""

    def run(files: str | Mapping[str, str | bytes], *, base: bool = True, **more: Any) -> Loaded:
        given = {"rules.yaml": files} if isinstance(files, str) else dict(files)
        if base:
            given.setdefault("base.yaml", BASE)
        for name, content in given.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(tmp_path, **{"kinds": TWO_KINDS, "countries_resolve": resolve, **more})

    return run


@pytest.fixture
def faults(read: Callable[..., Loaded], tmp_path: Path) -> Callable[..., list[str]]:
    """The one-line faults of a load, paths relative to the rules folder."""

    def run(files: str | Mapping[str, str | bytes], **more: Any) -> list[str]:
        found = read(files, **more).faults
        return [fault.one_line().replace(f"{tmp_path}/", "") for fault in found]

    return run


@pytest.fixture
def where(read: Callable[..., Loaded]) -> Callable[[str], Any]:
    """The predicate of a rule with this `where`, given as YAML in flow style."""

    def run(text: str) -> Any:
        loaded = read(f"rules:\n- {{id: a, title: A, kind: event, where: {text}}}\n")
        assert loaded.faults == ()
        assert loaded.ruleset is not None
        return loaded.ruleset.rules[0].where

    return run
