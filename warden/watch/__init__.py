"""Watching the watcher: metrics and signs of life over HTTP.

Standing in the flow: the daemon counts here what it did; a monitoring system reads it.
"""

from warden.watch.metrics import Meter, Picture
from warden.watch.server import Answer, WatchServer

__all__ = ["Answer", "Meter", "Picture", "WatchServer"]
