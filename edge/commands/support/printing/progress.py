"""Progress of long work on standard error: a bar on a terminal, otherwise an occasional line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

BAR = 24
TERMINAL_S = 0.1
"""Minimum interval between updates of the bar."""

QUIET_S = 30.0
"""Minimum interval between lines if the output isn't a terminal."""


class Progress:
    """A progress bar for successive tasks; a context manager that leaves a clean line behind.

    Args:
        target: The stream to write to.
        clock: Seconds, for tests.
    """

    def __init__(self, target: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._target = target or sys.stderr
        self._clock = clock
        self._is_terminal = self._target.isatty()
        self._label = ""
        self._began = self._shown = clock()
        self._is_shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def begin(self, label: str) -> None:
        """Begin the next task."""
        self._label = label
        self._began = self._clock()

    def at(self, share: float, label: str | None = None) -> None:
        """Set the progress of the task, 0 to 1, and its label if it changes."""
        now = self._clock()
        self._label = self._label if label is None else label
        if now - self._shown < (TERMINAL_S if self._is_terminal else QUIET_S):
            return
        self._shown = now
        share = min(1.0, max(0.0, share))
        if not self._is_terminal:
            self._target.write(f"{self._label}: {share:.0%}\n")
        else:
            filled = round(share * BAR)
            left = (now - self._began) * (1 - share) / share if share > 0.02 else None
            rest = "" if left is None else f"  {left:3.0f} s left"
            self._target.write(f"\r\033[K{'━' * filled}{'─' * (BAR - filled)} {share:4.0%}{rest}  {self._label}")
            self._is_shown = True
        self._target.flush()

    def clear(self) -> None:
        """Clear the bar before printing text."""
        if self._is_shown:
            self._target.write("\r\033[K")
            self._target.flush()
            self._is_shown = False
