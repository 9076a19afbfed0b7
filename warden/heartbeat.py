"""The dead man's switch: a URL that is called while warden gets its work done.

Standing in the flow: a job of the daemon. It calls only when work was done since the last call,
so that a daemon that hangs, or fails at every evaluation, falls silent and somebody else's watch
raises the alarm. A call that fails ends at the job's boundary, logged and counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from warden.errors import WardenError
from warden.secrecy import hide
from warden.sources.http_client import HttpClient

DEADLINE_S = 20.0
MAX_BYTES = 64 << 10


class HeartbeatError(WardenError):
    """The watch did not take the call."""


class Heartbeat:
    """Calls `url` at most every `every_s`; safe to use from several threads.

    Arguments:
        monotonic: what the pauses are measured by; tests replace it.
    """

    def __init__(
        self,
        url: str,
        every_s: float,
        *,
        deadline_s: float = DEADLINE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        hide(url)
        self._url = url
        self._every_s = every_s
        self._deadline_s = deadline_s
        self._monotonic = monotonic
        self._http = HttpClient()
        self._worked = threading.Event()
        self._next = monotonic()

    def worked(self) -> None:
        """Some work was done well."""
        self._worked.set()

    def beat(self) -> bool:
        """Call if it is time and work was done since the last call; say whether it called.

        Raises:
            WardenError: nobody was reached in time, or the answer was no 2xx. The address is not
                told: it is often a secret in itself.
        """
        if not self._worked.is_set() or self._monotonic() < self._next:
            return False
        self._worked.clear()
        self._next = self._monotonic() + self._every_s
        reply = self._http.get(
            self._url, params=(), headers={}, deadline_s=self._deadline_s, max_bytes=MAX_BYTES
        )
        if not 200 <= reply.status < 300:  # noqa: PLR2004  HTTP's class of success
            host = urlsplit(self._url).hostname
            raise HeartbeatError(f"{host} answered the heartbeat with status {reply.status}")
        return True
