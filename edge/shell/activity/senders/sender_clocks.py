"""Clocks of senders: topics whose times are behind their arrival, always by as much.

Such a clock is wrong, or its times are in another time zone than the input says. Nothing is refused, but incidents are
dated by it. Times ahead of their arrival are refused instead. A part of the messages is examined: the first ones of
each topic, and later one in many.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import islice

from edge.core.intake.decoders.notation.times import LocalTime
from edge.core.intake.decoders.sparkplug import SparkplugDecoder
from edge.core.intake.routes import Resolved, Route
from edge.core.intake.times.time_hints import looks_local
from edge.core.model.notation.printable import printable, shortened
from edge.core.model.notation.quantities import duration
from edge.core.model.readings.messages import Message, Refused
from edge.shell.system.logs import BOUNDED

log = logging.getLogger("edgewarden.input")

BEHIND_S = 300.0
"""Times are behind from this lag on; a smaller one may be that of a slow transmission."""

STEADY_S, FEWEST, SPAN_S = 60.0, 5, 120.0
"""Maximum change of the lag, and minimum number of messages and time between their arrivals during which it is steady.

A backlog that is made up for becomes younger by more than that meanwhile.
"""

FIRST, EVERY = 16, 61
"""Number of messages of a topic that are examined at first, and the interval of those after them.

A topic isn't examined any more if none of the first ones has a time.
"""

PENDING_S = 10.0
"""Interval at which messages are examined while it is undecided whether a steady lag remains."""

TOPICS = 2000
"""Maximum number of examined topics."""

LARGEST = 16_384
"""Maximum size of a payload that is examined, in bytes."""

MOST_TOLD = 10
"""Maximum number of topics that are logged and listed; all are counted."""

LONGEST_TOPIC = 200


class SenderClocks:
    """Notices topics whose times are behind their arrival.

    Args:
        find: Returns the route of a topic; None if no input reads it.
    """

    def __init__(self, find: Callable[[str], Resolved | None]) -> None:
        self._find = find
        self._topics: dict[str, _TopicLag | None] = {}  # None if a topic's messages have no times of their own
        self._behind: dict[str, _TopicLag] = {}
        self._logged = 0

    def note(self, messages: Sequence[Message]) -> None:
        """Examine messages; a topic whose times are behind is logged once."""
        topics = self._topics
        for message in messages:
            topic = message.topic
            lag = topics[topic] if topic in topics else self._begin(topic)
            if lag is None or message.retained or message.redelivered or message.is_copy:
                continue
            if not lag.is_due(message.arrived):
                continue
            time = _newest(lag.route, message)
            if time is None:
                topics[topic] = lag if lag.may_have_times() else None
                continue
            if lag.is_behind(time, message.arrived):
                if topic not in self._behind:
                    self._behind[topic] = lag
                    self._log(topic, lag)
            elif not lag.count:
                self._behind.pop(topic, None)

    def listed(self) -> dict[str, object]:
        """The topics in the form of the status file."""
        told = islice(self._behind.items(), MOST_TOLD)
        topics = [{"topic": topic, "behind_s": round(lag.first), "remedy": lag.remedy} for topic, lag in told]
        return {"count": len(self._behind), "topics": topics}

    def _begin(self, topic: str) -> _TopicLag | None:
        """The lag of a topic that hasn't been examined yet; None if it can't have one, or there are too many."""
        if len(self._topics) >= TOPICS:
            return None
        resolved = self._find(topic)
        route = None if resolved is None else resolved.route
        is_timed = route is not None and route.time_from_payload and not isinstance(route.decoder, SparkplugDecoder)
        self._topics[topic] = lag = _TopicLag(route) if route is not None and is_timed else None
        return lag

    def _log(self, topic: str, lag: _TopicLag) -> None:
        if self._logged >= MOST_TOLD:
            return
        self._logged += 1
        log.warning(
            "clock_behind topic=%r: its times are %s behind their arrival, always by as much; %s",
            shortened(printable(topic), LONGEST_TOPIC),
            duration(lag.first),
            lag.remedy,
            extra=BOUNDED,
        )


class _TopicLag:
    """By how much the times of one topic are behind their arrival.

    Args:
        route: The topic's route.

    Attributes:
        route: The topic's route.
        first: The lag since which it is steady, in seconds.
        count: Number of examined messages since then; 0 if the times aren't behind.
        remedy: What may be done about it.
    """

    __slots__ = ("_last", "_left", "_since", "_without", "count", "first", "remedy", "route")

    def __init__(self, route: Route) -> None:
        self.route = route
        self._left, self._without = FIRST, 0
        self._since = self._last = 0.0
        self.first, self.count, self.remedy = 0.0, 0, ""

    def is_due(self, arrived: float) -> bool:
        """Whether the next message is to be examined."""
        self._left -= 1
        if self._left <= -EVERY:
            self._left = 0
        is_pending = self.count > 1 and self._last - self._since < SPAN_S
        return self._left >= 0 or (is_pending and arrived - self._last >= PENDING_S)

    def may_have_times(self) -> bool:
        """Whether the topic may have times although one more message has none."""
        self._without += 1
        return self._without < FIRST

    def is_behind(self, time: float, arrived: float) -> bool:
        """Whether the times have been behind by as much for long enough, up to this message."""
        lag, self._without, self._last = arrived - time, 0, arrived
        if not lag >= BEHIND_S:
            self.count = 0
            return False
        if self.count == 0 or abs(lag - self.first) > STEADY_S:
            self.first, self._since, self.count = lag, arrived, 0
            self.remedy = _remedy(lag, is_local=isinstance(time, LocalTime))
        self.count += 1
        return self.count >= FEWEST and arrived - self._since >= SPAN_S


def _remedy(lag: float, *, is_local: bool) -> str:
    if is_local and looks_local(lag):
        return 'these times look like local time: zone = "..." of the input says which'
    return 'the sender\'s clock is to be set; until then time = "arrival" of the input uses the arrival'


def _newest(route: Route, message: Message) -> float | None:
    """The latest time in a message; None if there is none, or it can't be read."""
    if len(message.payload) > LARGEST:
        return None
    try:
        decoder = route.decoder_for(message.content_type) if message.content_type else route.decoder
        return decoder.decode(message.payload, message.arrived).newest_time()
    except Refused:
        return None
