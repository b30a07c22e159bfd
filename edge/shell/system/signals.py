"""Signals handled by a service: SIGTERM and SIGINT stop it, SIGHUP reloads its configuration.

Closing a terminal also sends SIGHUP. The service only reloads in that case, whether it was started from a terminal, by
nohup or by a service manager, so these cases need not be distinguished.
"""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any, Self


class StopRequested(Exception):  # noqa: N818 - not an error but a request
    """The service was asked to stop during a long operation."""


class Signals:
    """The requests made by signals; the handlers are installed within the context.

    Attributes:
        stopping: Whether the service should stop.
        reload: Whether the configuration should be reloaded; the reloading code clears it first.
    """

    def __init__(self) -> None:
        self.stopping = False
        self.reload = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number, handler in (
            (signal.SIGTERM, self._stop),
            (signal.SIGINT, self._stop),
            (signal.SIGHUP, self._hang_up),
        ):
            self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise `StopRequested` if the service should stop."""
        if self.stopping:
            raise StopRequested

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self.reload = True
