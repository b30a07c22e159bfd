"""Log lines: the event's name, then key=value; never a secret, never more than a few a second, and bounded in length.

What a sender chose, such as a topic or the beginning of a refused payload, is shown with its control, bidirectional and
invisible characters as escapes, so that it can neither break a line nor drive the terminal that shows it.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import TextIO

from edge.core.model.words.printable import printable, shortened

LONGEST_LINE = 2000
"""Maximum characters of a line, without its time, level and logger."""


BOUNDED = {"bounded": True}
"""Goes with a line, as `extra`, whose own sender bounds how often it comes."""


class KeyValueFormatter(logging.Formatter):
    """`2026-11-23T05:00:01.250Z info edgewarden.service started gateway=plant7`."""

    def __init__(self) -> None:
        super().__init__()
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback follows on lines of its own."""
        message = shortened(printable(record.getMessage()), LONGEST_LINE)
        stamp = f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z"
        line = f"{stamp} {record.levelname.lower()} {record.name} {message}"
        if not record.exc_info:
            return line
        return "\n".join([line, *map(printable, self.formatException(record.exc_info).splitlines())])


class RateLimit(logging.Filter):
    """Lets the same kind of line through only so often, and says how many were left out.

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
        """Whether a line is printed."""
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
    """Writes lines; if they can't be written any more, as after a terminal was closed, the service continues."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Ignore a line that can't be written; anything else is an error of ours, and is shown."""
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handleError(record)


def set_level(level: str) -> None:
    """Log from another level on."""
    logging.getLogger("edgewarden").setLevel(level.upper())


def set_up_logs(level: str) -> None:
    """Send our log lines to standard error, from `level` on."""
    handler = LogHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    handler.addFilter(RateLimit())
    logger = logging.getLogger("edgewarden")
    logger.handlers = [handler]
    set_level(level)
    logger.propagate = False
