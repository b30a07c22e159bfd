"""Notify: sends sentences to people through an Apprise address: ntfy, Telegram, mail, Matrix and a hundred others.

Events within a short time form one message, as do all events before the next message may be sent. During quiet hours
nothing is accepted. Unsent events stay with the runner, and so in the store.

Apprise reports whether a service has accepted a message, and logs the HTTP status if it hasn't; these log lines aren't
passed on, because they may contain parts of the address. 400, 413, 422 and other permanent errors concern the message:
of several events, each half is retried on its own, until the one that the service rejects is found. Other errors
concern the service or the address, and are retried.

Source: github.com/caronc/apprise, wiki "Development API".
"""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from apprise import Apprise, AppriseAsset, AppriseResult, NotifyFormat

from edge.core.model.notation.printable import printable, shortened
from edge.shell.sinks.base import Outcome, SinkTrouble
from edge.shell.sinks.notice import Item, item_of, notice_of
from edge.shell.sinks.options import NotifyOptions
from edge.shell.sinks.webhook import LONGEST_REASON, OF_THE_RECEIVER
from edge.shell.store import OutboxRow
from edge.version import VERSION

LONGEST_BODY = 3000
"""Maximum number of characters in a message, if the service accepts more."""

TOO_MANY_S = 60.0
"""Pause after a service has reported too many messages."""

_STATUS = re.compile(r"\berror=(\d{3})\b")
_SECRET_LENGTH = 4

_logger = logging.getLogger("apprise")
_logger.addHandler(logging.NullHandler())
_logger.propagate = False
logging.getLogger("urllib3").setLevel(logging.ERROR)  # its lower levels are paths, which are secrets here


class NotifySink:
    """Sends messages to one address.

    Args:
        options: Settings of the receiver, with intervals.
        clock: The current time, seconds since the epoch, UTC, for quiet hours.
        monotonic: Seconds that never step.

    Raises:
        ValueError: Apprise doesn't support the address.
    """

    keeps_order = True

    def __init__(
        self,
        options: NotifyOptions,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most = options.most
        self._options = options
        self._clock = clock
        self._monotonic = monotonic
        self._zone = ZoneInfo(options.zone)
        self._service = _service_of(options.address, options.timeout_s)
        self._apprise = Apprise(asset=self._service.asset)
        self._apprise.add(self._service)
        self._gathered: list[Item] = []
        self._since = 0.0
        self._messages: deque[list[Item]] = deque()
        self._next_at = monotonic()
        self._together = options.most

    def open(self) -> None:
        """See `Sink`; a connection exists only while a message is sent."""

    def send(self, row: OutboxRow) -> bool:
        """See `Sink`; the event waits for others, unless it is quiet or too early for a message."""
        if self._messages or len(self._gathered) >= self._together:
            return False
        if not self._gathered:
            if self._monotonic() < self._next_at or self._is_quiet():
                return False
            self._since = self._monotonic()
        self._gathered.append(item_of(row))
        return True

    def outcomes(self, wait_s: float) -> list[Outcome]:
        """See `Sink`: sends a message if one is due, and waits for the answer."""
        if not self._messages:
            if not self._gathered:
                return []
            left_s = self._since + self._options.group_s - self._monotonic()
            if left_s > 0 and len(self._gathered) < self._together:
                time.sleep(min(left_s, wait_s))
                return []
            self._messages.append(self._gathered)
            self._gathered = []
        items = self._messages.popleft()
        refused = self._deliver(items)
        if not refused:
            self._next_at = self._monotonic() + self._options.interval_s
            self._together = min(self.most, 2 * self._together)
            return [Outcome(each.row.sequence) for each in items]
        if len(items) == 1:
            return [Outcome(items[0].row.sequence, refused)]
        middle = len(items) // 2
        self._together = middle
        self._messages.extendleft([items[middle:], items[:middle]])
        return []

    def close(self) -> None:
        """See `Sink`."""
        self._gathered.clear()
        self._messages.clear()

    def _is_quiet(self) -> bool:
        quiet = self._options.quiet
        return quiet is not None and quiet.contains(self._clock())

    def _deliver(self, items: list[Item]) -> str:
        """Send events as one message; returns why the service will never accept it, or an empty text on success.

        Raises:
            SinkTrouble: It may be accepted later.
        """
        room = min(LONGEST_BODY, self._service.body_maxlen - self._service.title_maxlen - 2)
        notice = notice_of(items, self._options.gateway, self._zone, max(100, room))
        result = self._apprise.notify(
            body=notice.body, title=notice.title, notify_type=notice.mood, body_format=NotifyFormat.TEXT
        )
        if result:
            return ""
        complaints = _complaints(result)
        found = next((each for each in map(_STATUS.search, complaints) if each is not None), None)
        if found is None:
            raise SinkTrouble(without_secrets([*complaints, "no message was sent"][0], self._options.address))
        status = int(found[1])
        words = f"the service answers {status}"
        if 400 <= status < 500 and status not in OF_THE_RECEIVER:
            return words
        raise SinkTrouble(words, TOO_MANY_S if status == 429 else 0.0)


def _complaints(result: AppriseResult) -> list[str]:
    """Apprise's log messages about a rejected message."""
    return [each.message for each in result.logs() if each.level in {"WARNING", "ERROR", "CRITICAL"}]


def address_problem(address: str) -> str | None:
    """The problem with an address, or None; never quotes it."""
    try:
        _service_of(address, 1.0)
    except ValueError as error:
        return str(error)
    return None


def without_secrets(text: str, address: str) -> str:
    """A log message of Apprise without any part of the address except its scheme."""
    _, _, rest = address.partition("://")
    parts = {part for each in (rest, unquote(rest)) for part in re.split(r"[^\w.-]+|[.-](?=\W|$)", each)}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SECRET_LENGTH:
            text = text.replace(part, "***")
    return shortened(printable(text), LONGEST_REASON)


def _service_of(address: str, timeout_s: float) -> Any:
    """The Apprise service for an address.

    Raises:
        ValueError: Apprise doesn't support it, or it isn't a single address.
    """
    if len(address.split()) != 1:
        raise ValueError("must be one address of Apprise's, such as ntfys://ntfy.sh/TOPIC, and nothing else")
    asset = AppriseAsset(app_id="Edgewarden", app_desc=f"Edgewarden {VERSION}", app_url="", async_mode=False)
    service = Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if service is None:
        raise ValueError("isn't an address known to Apprise, see https://appriseit.com/services/")
    service.socket_connect_timeout = service.socket_read_timeout = timeout_s
    return service
