"""The database's shape and how an older one is brought up to it.

`user_version` counts the migrations applied. Each runs in one transaction together with its
count, so a crash leaves either the old shape or the new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite_utils

APPLICATION_ID = 0x57415244  # "WARD": says that a SQLite file is ours


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: `apply` brings a database of version `version - 1` to `version`."""

    version: int
    title: str
    apply: Callable[[sqlite_utils.Database], None]


def _first_shape(db: sqlite_utils.Database) -> None:
    from warden.store.tables_actions import create_action_tables  # noqa: PLC0415
    from warden.store.tables_events import create_event_tables  # noqa: PLC0415  only when needed
    from warden.store.tables_ledger import create_ledger_tables  # noqa: PLC0415
    from warden.store.tables_outbox import create_outbox_tables  # noqa: PLC0415

    create_event_tables(db)
    create_ledger_tables(db)
    create_outbox_tables(db)
    create_action_tables(db)


def _people(db: sqlite_utils.Database) -> None:
    from warden.store.tables_people import create_people_tables  # noqa: PLC0415

    create_people_tables(db)


def _routing(db: sqlite_utils.Database) -> None:
    from warden.store.tables_routing import create_routing_tables  # noqa: PLC0415

    create_routing_tables(db)


def _health(db: sqlite_utils.Database) -> None:
    from warden.store.tables_health import create_health_tables  # noqa: PLC0415

    create_health_tables(db)


def _statistics(db: sqlite_utils.Database) -> None:
    from warden.store.tables_statistics import create_statistics_tables  # noqa: PLC0415

    create_statistics_tables(db)


def _backups(db: sqlite_utils.Database) -> None:
    from warden.store.tables_health import admit_backups  # noqa: PLC0415

    admit_backups(db)


def _deletions(db: sqlite_utils.Database) -> None:
    from warden.store.tables_events import create_deletions  # noqa: PLC0415

    create_deletions(db)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "events, ledger and outbox", _first_shape),
    Migration(2, "silences, verdicts and releases", _people),
    Migration(3, "what routing remembers", _routing),
    Migration(4, "warden's own health", _health),
    Migration(5, "calibrations and kept projections", _statistics),
    Migration(6, "backups that fail", _backups),
    Migration(7, "deletions of unknown events", _deletions),
)


def newest_version(migrations: tuple[Migration, ...] = MIGRATIONS) -> int:
    """The schema version this program writes."""
    return migrations[-1].version


def migrate(connection: sqlite3.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> int:
    """Apply what is missing; return how many steps that took.

    The caller owns the database (no other writer) and has no transaction open.
    """
    import sqlite_utils  # noqa: PLC0415  costs half a second that most commands need not pay

    db = sqlite_utils.Database(connection, execute_plugins=False)
    steps = [step for step in migrations if step.version > user_version(connection)]
    for step in steps:
        connection.execute("BEGIN IMMEDIATE")
        try:
            step.apply(db)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {step.version:d}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return len(steps)


def user_version(connection: sqlite3.Connection) -> int:
    """How many migrations the database has seen."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def application_id(connection: sqlite3.Connection) -> int:
    """The number in the file's header that says whose it is."""
    return int(connection.execute("PRAGMA application_id").fetchone()[0])
