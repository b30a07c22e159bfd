"""Which version this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The installed version, or `unknown` where the source is run without being installed."""
    try:
        return metadata.version("edgewarden")
    except metadata.PackageNotFoundError:
        return "unknown"
