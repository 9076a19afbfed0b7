"""Looking after the database: what was kept long enough is forgotten, and every night it is copied.

Standing in the flow: the daemon's slow jobs come here through the station.
"""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from datetime import time as dt_time
from pathlib import Path
from zoneinfo import ZoneInfo

from warden import memory
from warden.clock import Clock
from warden.errors import WardenError
from warden.settings import Settings
from warden.store import Store, health
from warden.store.backup import nightly_backup, nightly_name
from warden.store.deletions import prune_deletions
from warden.store.retention import Keep, forget, is_believed
from warden.store.sources import prune_runs
from warden.vitals import Vitals

KEEP_RUNS = timedelta(days=90)
KEEP_HEALTH = timedelta(days=400)
KEEP_DELETIONS = timedelta(days=730)  # how old an export may be that still holds what was deleted
BACKUP_AGAIN = timedelta(hours=1)


class Upkeep:
    """The chores of one station, each done once a day and remembered in this process.

    Attributes:
        stopping: once set, a chore leaves the rest for the next time.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        vitals: Vitals,
        stopping: threading.Event,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._vitals = vitals
        self._stopping = stopping
        self._tidied_on: date | None = None
        self._backup_failed_at: datetime | None = None

    def tidy(self) -> dict[str, int]:
        """Once a day, forget what was kept long enough; how much of what, besides old polls.

        Nothing by a clock that may just have been set. The process forgets, too: what it has freed
        goes back to the system.
        """
        now = self._clock.now()
        if self._tidied_on == now.date():
            return {}
        with self._store.reading() as view:
            believed = is_believed(view, now)
        gone = self._forget(now) if believed else {}
        memory.give_back()
        self._tidied_on = now.date()
        return gone

    def _forget(self, now: datetime) -> dict[str, int]:
        with self._store.transaction() as tx:
            prune_runs(tx, now - KEEP_RUNS)
            health.prune(tx, now - KEEP_HEALTH)
            prune_deletions(tx, now - KEEP_DELETIONS)
        kept = self._settings.retention
        keep = Keep(kept.raw, kept.rejects, kept.texts)
        return forget(self._store, keep, now, self._stopping.is_set)

    def back_up_nightly(self) -> Path | None:
        """Make today's backup when its hour has come and it is not there; None otherwise.

        One that fails is tried again after an hour.

        Raises:
            StoreError: the folder cannot be written, or the copy is damaged.
        """
        settings = self._settings
        now = self._clock.now().astimezone(ZoneInfo(settings.time_zone))
        wanted = settings.backup
        failed = self._backup_failed_at
        if wanted.keep == 0 or nightly_name(now.date()) in _names(settings.backup_dir):
            self._vitals.backed_up("", now)
            return None
        if now.time() < dt_time.fromisoformat(wanted.at):
            return None
        if failed is not None and timedelta() <= now - failed < BACKUP_AGAIN:
            return None
        self._backup_failed_at = now
        try:
            made = nightly_backup(self._store, settings.backup_dir, now, keep=wanted.keep)
        except WardenError as error:
            self._vitals.backed_up(str(error), now)
            raise
        self._backup_failed_at = None
        self._vitals.backed_up("", now)
        return made


def _names(folder: Path) -> frozenset[str]:
    return frozenset(one.name for one in folder.iterdir()) if folder.is_dir() else frozenset()
