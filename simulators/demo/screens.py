"""The choice of the demo's screen."""

from __future__ import annotations

import sys
import time

from simulators.demo.screen import PlainScreen, Screen


def screen() -> Screen:
    """The live screen if standard output is a terminal and rich is installed, else the plain one."""
    if not sys.stdout.isatty():
        return PlainScreen()
    try:
        from simulators.demo.live import LiveScreen  # noqa: PLC0415 - needs rich, which is an extra
    except ImportError:
        return PlainScreen()
    return LiveScreen(time.monotonic)
