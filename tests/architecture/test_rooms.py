"""Who may import whom, and which third party lives where: the house's contract, by reading it."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "warden"

VALUES = {"model", "errors", "clock", "collector", "ownership", "regular", "secrecy"}
# A room may import itself and these. `engine` and the edges know values; the three steps know the
# edges' public faces; the shell puts everything together.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "collector": set(),
    "memory": set(),
    "ownership": set(),
    "regular": set(),
    "secrecy": set(),
    "model": {"errors", "model"},
    "engine": {*VALUES},
    "rulebook": {*VALUES, "engine"},
    "sources": {*VALUES, "engine", "geodata"},  # countries' names; see the exception below
    "store": {*VALUES, "engine", "sources"},  # pages as sources hand them over
    "geodata": {*VALUES, "engine"},
    # Countries' names in a reader's language; maps and charts of a notice.
    "notify": {*VALUES, "engine", "geodata", "pictures", "sandbox"},
    "pictures": {*VALUES, "engine", "geodata", "sandbox"},
    "sandbox": set(),
    "ingest": {*VALUES, "sources", "store"},
    "evaluate": {*VALUES, "engine", "store"},
    "deliver": {*VALUES, "notify", "store"},
    "settings": {*VALUES, "rulebook", "notify", "sources"},
    "heartbeat": {"errors", "secrecy", "sources"},
    "watch": {"errors", "store"},  # of the store only the figures; see below
    "watching": {"errors", "evaluate", "ingest", "station", "store", "watch"},
    "logs": {"model", "secrecy"},
    "sdnotify": set(),
    "control": {"errors", "model", "secrecy"},
    "people": {*VALUES, "notify", "store"},
    "unit": {"app", "errors", "settings", "sources"},
    "vitals": {*VALUES, "engine"},
    "rows": {*VALUES, "evaluate", "ingest"},
    "upkeep": {*VALUES, "memory", "settings", "store", "vitals"},
    "acting": {*VALUES, "control", "people", "rows", "station", "store"},
    "station": {
        *VALUES, "acting", "app", "control", "deliver", "engine", "evaluate", "ingest", "notify",
        "rows", "sources", "store", "upkeep", "vitals",
    },
    "app": {
        *VALUES, "acting", "control", "deliver", "engine", "evaluate", "geodata", "ingest",
        "notify", "people", "pictures", "rulebook", "settings", "sources", "station",
        "store", "trial",
    },
    "looking": {*VALUES, "app", "control", "people", "store"},
    "trying": {
        *VALUES, "app", "engine", "geodata", "ingest", "notify", "people", "pictures", "sandbox",
        "sources", "store", "trial",
    },
    "daemon": {
        *VALUES, "app", "control", "evaluate", "heartbeat", "memory", "sdnotify", "station",
        "watching",
    },
    # What-if runs put rooms together as the app does, without ever touching its database.
    "trial": {
        *VALUES, "engine", "evaluate", "geodata", "notify", "pictures", "rulebook", "sources",
        "store",
    },
    "simulator": {*VALUES, "engine", "geodata"},
    "demo": {*VALUES, "app", "control", "settings", "simulator", "station", "store"},
    "cli": {
        *VALUES, "app", "daemon", "demo", "logs", "looking", "rulebook", "settings", "simulator",
        "store", "trial", "trying", "unit",
    },
    "__main__": {"cli"},
    "__init__": set(),
}  # fmt: skip
# Modules that are shared between rooms; anything else of the other room is its own affair.
ONLY: dict[tuple[str, str], set[str]] = {
    ("sources", "geodata"): {"warden.geodata", "warden.geodata.countries"},
    ("notify", "geodata"): {"warden.geodata", "warden.geodata.countries", "warden.geodata.land"},
    ("pictures", "geodata"): {"warden.geodata.land"},
    ("store", "sources"): {"warden.sources.protocol"},
    ("ingest", "sources"): {"warden.sources.protocol"},
    ("settings", "rulebook"): {"warden.rulebook.reading"},
    ("settings", "sources"): {"warden.sources.schedule"},
    ("watch", "store"): {"warden.store.figures"},
    ("watching", "store"): {"warden.store.figures"},
    ("heartbeat", "sources"): {"warden.sources.http_client"},
    ("settings", "notify"): {"warden.notify.channels.email.settings"},
    ("cli", "rulebook"): {"warden.rulebook"},
    ("cli", "store"): {"warden.store.connection"},  # what SQLite's faults mean
}
HOMES: dict[str, tuple[str, ...]] = {
    "apscheduler": ("daemon.py",),
    "requests": ("sources/http_client.py",),
    "sqlite3": ("store/", "evaluate.py", "people.py", "trial/"),
    "sqlite_utils": ("store/",),
    "yaml": ("rulebook/",),
    "jinja2": (
        "sandbox.py",
        "notify/render/",
        "pictures/",
        "engine/expression.py",
        "simulator/album.py",
    ),
    "resvg_py": ("pictures/raster.py",),
    "PIL": ("pictures/raster.py",),
    "click": ("cli/",),
    "smtplib": ("notify/channels/email/",),
    "aiosmtpd": ("simulator/",),
    "timezonefinder": ("geodata/",),
    "pydantic_settings": ("settings.py",),
    "prometheus_client": ("watch/",),
}
TOP_LEVEL = {
    "README.md", "pyproject.toml", "warden", "rules", "templates", "tests", "systemd", "docs",
    "benchmarks", "Makefile",
}  # fmt: skip


def modules() -> Iterator[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "share" not in path.parts]


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file names, those imported late and for types too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module in {"warden", "warden.engine", "warden.store", "warden.notify"}:
                yield from ((node.lineno, f"{node.module}.{one.name}") for one in node.names)
            else:
                yield node.lineno, node.module


def test_every_room_has_a_line_in_the_contract():
    assert {room_of(path) for path in modules()} <= set(ALLOWED)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_the_rooms_it_may(path):
    room = room_of(path)
    wrong = []
    for line, module in imports(path):
        if not module.startswith("warden."):
            continue
        other = module.split(".")[1]
        if other in {room, "__version__"}:
            continue
        known = ONLY.get((room, other))
        if other not in ALLOWED[room] or (known is not None and module not in known):
            wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert wrong == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_third_party_stays_at_home(path):
    here = path.relative_to(PACKAGE).as_posix()
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for line, module in imports(path)
        if (homes := HOMES.get(module.split(".")[0])) and not here.startswith(homes)
    ]
    assert wrong == []


def test_the_engine_asks_no_clock_and_logs_nothing():
    forbidden = {"logging", "time", "os", "sys", "socket", "subprocess", "random", "pathlib"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in modules()
        if room_of(path) == "engine"
        for line, module in imports(path)
        if module.split(".")[0] in forbidden
    ]
    assert wrong == []


def test_only_the_three_steps_the_stores_and_the_shell_open_transactions():
    homes = (
        "ingest.py", "evaluate.py", "deliver/", "station.py", "acting.py", "upkeep.py", "store/",
    )  # fmt: skip
    wrong = [
        str(path.relative_to(ROOT))
        for path in modules()
        if ".transaction()" in path.read_text(encoding="utf-8")
        and not path.relative_to(PACKAGE).as_posix().startswith(homes)
    ]
    assert wrong == []


def test_only_the_store_speaks_sql():
    """But for the demo, which looks at a database as an auditor would."""
    wrong = [
        str(path.relative_to(ROOT))
        for path in modules()
        if re.search(r"\.execute(many)?\(", path.read_text(encoding="utf-8"))
        and not path.relative_to(PACKAGE).as_posix().startswith(("store/", "demo.py"))
    ]
    assert wrong == []


def test_the_repository_holds_at_its_top_only_what_belongs_there():
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in done.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_nothing_names_a_machine_path_or_a_package_index():
    # Spelt apart, so that this file does not find itself.
    forbidden = ["/" + "work/", "py" + "pi.org", "files.python" + "hosted"]
    done = [
        f"{path.relative_to(ROOT)} names {word}"
        for folder in ("warden", "systemd", "docs", "rules", "templates", ".ci", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and path.suffix in {".py", ".md", ".service", ".yaml", ".toml", ""}
        and "__pycache__" not in path.parts
        for word in forbidden
        if word in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert done == []
