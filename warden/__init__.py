"""warden: an early-warning daemon for political violence."""

__version__ = "0.1.0"
