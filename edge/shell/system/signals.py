"""The signals that a service follows: SIGTERM and SIGINT end it, SIGHUP has it read its configuration again.

A terminal that is closed sends SIGHUP too. To a service that is only a reload, whether it was started from a terminal,
by nohup or by a service manager, so that these cases need not be distinguished.
"""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any, Self


class StopRequested(Exception):  # noqa: N818 - not an error but a request
    """The service was asked to end while it did something that takes its time."""


class Signals:
    """The requests made by signals; the handlers are installed within the context.

    Attributes:
        stopping: Whether the service is to end.
        reload: Whether the configuration is to be read again; the code that does so clears it first.
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
        """Raise `StopRequested` if the service is to end."""
        if self.stopping:
            raise StopRequested

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self.reload = True
