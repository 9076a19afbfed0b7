"""How much memory the first evaluation of a long history takes, with the shipped rules.

    python benchmarks/memory.py [events]

Simulated events of three countries over thirteen years are stored, then evaluated in a process of
its own, as a daemon does at its start. Printed: megabytes when it began, the most, and at the end.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from ingest import HEADER, simulated_rows

from warden import memory
from warden.app import App
from warden.clock import SystemClock
from warden.ingest import ingest
from warden.settings import Settings
from warden.sources.file import read_files
from warden.store import open_store

ROOT = Path(__file__).resolve().parents[1]
MEASURE = "--evaluate"


def megabytes(name: str) -> int:
    """A line of this process's status: VmRSS (now) or VmHWM (the most)."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return int(line.split()[1]) // 1024


def main() -> None:
    """Store the events and have another process evaluate them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as place:
        export, database = Path(place) / "events.csv", Path(place) / "warden.db"
        with export.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([HEADER, *simulated_rows(count)])
        with open_store(database) as store:
            print(ingest(store, read_files([export], source_name="files"), SystemClock()).sentence)
        command = [sys.executable, __file__, MEASURE, str(database)]
        subprocess.run(command, check=True)


def evaluate(database: Path) -> None:
    """Evaluate everything that is stored, and say what that took."""
    memory.keep_little()
    with App(Settings(database=database, rules=ROOT / "rules")).open() as station:
        began = megabytes("VmRSS")
        evaluation = station.evaluate(full=True)
        memory.give_back()
        told = sum(decision.notice is not None for decision in evaluation.decisions)
        print(
            f"{began} MB at the start, {megabytes('VmHWM')} MB at most, {megabytes('VmRSS')} MB at "
            f"the end; {len(evaluation.decisions)} decisions, {told} told one by one"
        )


if __name__ == "__main__":
    evaluate(Path(sys.argv[2])) if MEASURE in sys.argv else main()
