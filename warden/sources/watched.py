"""A source under watch: its pages are signs of life, and its walk ends when warden is to stop.

Standing in the flow: the station wraps a configured source with it before `ingest` walks it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any

from warden.errors import SourceError
from warden.sources.protocol import Page, PollOutcome, Source


class Watched:
    """A source like the one it watches.

    Attributes:
        beat: called at every page. stopping: once set, the walk ends at its next page.
    """

    def __init__(self, source: Source, beat: Callable[[], None], stopping: threading.Event) -> None:
        self._source = source
        self._beat = beat
        self._stopping = stopping
        self.name = source.name
        self.kind = source.kind

    def poll(self, memory: Mapping[str, Any], now: datetime) -> Generator[Page, None, PollOutcome]:
        """Walk, watched."""
        return self._watch(self._source.poll(memory, now))

    def look_up(self, ids: Sequence[str], now: datetime) -> Generator[Page, None, PollOutcome]:
        """Look up, watched."""
        return self._watch(self._source.look_up(ids, now))

    def _watch(
        self, pages: Generator[Page, None, PollOutcome]
    ) -> Generator[Page, None, PollOutcome]:
        while True:
            self._beat()
            if self._stopping.is_set():
                pages.close()
                raise SourceError("warden was stopped in the middle of a walk; it will be redone")
            try:
                page = next(pages)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # the generator's own type
            yield page

    def __getattr__(self, name: str) -> Any:
        """What else the source has, such as its own `max_retract`."""
        return getattr(self._source, name)
