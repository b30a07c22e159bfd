"""Log lines: the event's name, then key=value; without secrets, limited to a few per second, and bounded in length.

Text chosen by a sender, such as a topic or the beginning of a refused payload, has its control, bidirectional and
invisible characters escaped, so that it can't break a line or drive the terminal.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import TextIO

from edge.core.model.notation.printable import printable, shortened

LONGEST_LINE = 2000
"""Maximum number of characters in a line, without time, level and logger."""


BOUNDED = {"bounded": True}
"""The `extra` of a line whose rate is limited by its caller."""


class KeyValueFormatter(logging.Formatter):
    """`2026-11-23T05:00:01.250Z info edgewarden.service started gateway=plant7`."""

    def __init__(self) -> None:
        super().__init__()
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """Format a line; a traceback follows on separate lines."""
        message = shortened(printable(record.getMessage()), LONGEST_LINE)
        stamp = f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z"
        line = f"{stamp} {record.levelname.lower()} {record.name} {message}"
        if not record.exc_info:
            return line
        return "\n".join([line, *map(printable, self.formatException(record.exc_info).splitlines())])


class RateLimit(logging.Filter):
    """Limits the rate of lines of one kind, and reports how many were left out.

    Args:
        interval_s: Seconds between two lines of one kind.
        clock: Monotonic seconds.
    """

    def __init__(self, interval_s: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._interval_s = interval_s
        self._clock = clock
        self._last: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to print a line."""
        if record.levelno < logging.WARNING or getattr(record, "bounded", False):
            return True
        kind = (record.name, str(record.msg))
        now = self._clock()
        last, left_out = self._last.get(kind, (-self._interval_s, 0))
        if now - last < self._interval_s:
            self._last[kind] = (last, left_out + 1)
            return False
        if len(self._last) > 1000:
            self._last.clear()
        self._last[kind] = (now, 0)
        if left_out:
            record.msg = f"{record.getMessage()} left_out={left_out}"
            record.args = ()
        return True


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes lines; if that fails, for example after the terminal was closed, the service continues."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Ignore a line that can't be written; other errors are bugs and are shown."""
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handleError(record)


def set_level(level: str) -> None:
    """Change the log level."""
    logging.getLogger("edgewarden").setLevel(level.upper())


def set_up_logs(level: str) -> None:
    """Send Edgewarden's log lines to standard error, from `level` on."""
    handler = LogHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    handler.addFilter(RateLimit())
    logger = logging.getLogger("edgewarden")
    logger.handlers = [handler]
    set_level(level)
    logger.propagate = False
