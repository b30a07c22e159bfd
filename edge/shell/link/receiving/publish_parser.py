"""Parses PUBLISH packets from a socket's data: many at once, with minimal work for each.

Only ordinary packets are parsed here: quality of service 0 or 1, a topic, and with MQTT 5 no properties except
subscription identifiers. Anything else, malformed packets above all, is left to paho, so that there is only one
interpretation of it.

Source: MQTT 3.1.1, sections 2.2 and 3.3; MQTT 5.0, section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from edge.core.model.bounded_cache import BoundedCache, size_of
from edge.core.model.readings.messages import Message

TOPICS_BYTES = 16 * 2**20
"""Maximum size of the cache of decoded topics; when it is exceeded, the cache is cleared."""

LONGEST_REMEMBERED = 512
"""Maximum size of a cached topic in bytes; MQTT allows 65,535."""

PUBLISH, RETAIN, QOS_1, QOS_2, DUP = 0x30, 0x01, 0x02, 0x04, 0x08

LAST_SHIFT = 21
"""Shift of the last of the four bytes that a length may have."""

IDENTIFIER = 0x0B
"""The property with a subscription identifier."""

NO_IDENTIFIERS: Sequence[int] = ()

INCOMPLETE = -1
"""The packet isn't complete, as far as can be determined."""

IsCopy = Callable[[Sequence[int], str], bool]
"""Returns from subscription identifiers and a topic whether the message is also delivered by another subscription."""

_make = tuple.__new__
"""Creates a named tuple in half the time."""


class PublishParser:
    """Parses ordinary PUBLISH packets.

    Args:
        clock: Returns the arrival time of messages, seconds since the epoch.
        receipt: The acknowledgement data of each message.
        modern: Whether the connection uses MQTT 5.
        apart: Topics whose messages are left to paho.
        is_copy: Whether a message delivered for some subscriptions is also delivered for another one.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        receipt: int,
        *,
        modern: bool,
        apart: Collection[str] = (),
        is_copy: IsCopy = lambda _identifiers, _topic: False,
    ) -> None:
        self._modern = modern
        self._clock = clock
        self._receipt = receipt
        self._is_copy = is_copy
        self._apart = {each.encode() for each in apart}
        self._topics: BoundedCache[bytes, str] = BoundedCache(TOPICS_BYTES)

    def cut(self, data: bytes, position: int = 0) -> tuple[list[Message], int]:  # noqa: C901, PLR0912 - a call costs more
        """Parse messages from an offset up to the first packet that isn't an ordinary PUBLISH or is incomplete.

        Args:
            data: The received bytes.
            position: Offset of a packet.

        Returns:
            The messages, and the offset of the first packet that was not parsed.
        """
        messages: list[Message] = []
        append, clock, topics, receipt = messages.append, self._clock, self._topics, self._receipt
        end = len(data)
        while position + 4 <= end:
            head = data[position]
            if head & 0xF4 != PUBLISH:
                break
            length = data[position + 1]
            body = position + 2
            if length & 0x80:
                length, body = remaining_length(data, position)
                if body == INCOMPLETE:
                    break
            following = body + length
            begin = body + 2
            if following > end or length < 3:
                break
            payload_at = begin + (data[body] << 8 | data[body + 1])
            packet, identifiers = 0, NO_IDENTIFIERS
            name = data[begin:payload_at]
            if head & QOS_1:
                payload_at += 2
                if payload_at > following:
                    break
                packet = data[payload_at - 2] << 8 | data[payload_at - 1]
            if self._modern:
                if payload_at >= following:
                    break
                found = identifiers_at(data, payload_at) if data[payload_at] else NO_IDENTIFIERS
                if found is None:
                    break
                identifiers = found
                payload_at += 1 + data[payload_at]
            if payload_at > following or not name:
                break
            topic = topics.get(name)
            if topic is None:
                if name in self._apart:
                    break
                topic = self._topic(name)
            retained, qos, redelivered = head & RETAIN != 0, 1 if head & QOS_1 else 0, head & DUP != 0
            payload = data[payload_at:following]
            is_copy = bool(identifiers) and self._is_copy(identifiers, topic)
            append(_make(Message, (topic, payload, clock(), retained, qos, receipt, packet, redelivered, "", is_copy)))
            position = following
        return messages, position

    def _topic(self, name: bytes) -> str:
        topic = topic_text(name)
        if len(name) <= LONGEST_REMEMBERED:
            self._topics.put(name, topic, size_of(name, topic))
        return topic


def identifiers_at(data: bytes, position: int) -> Sequence[int] | None:
    """The subscription identifiers in the properties of a packet; None if there are other properties.

    Args:
        data: The received bytes.
        position: Offset of the length of the properties.
    """
    end = position + 1 + data[position]
    if data[position] & 0x80 or end > len(data):
        return None
    found: list[int] = []
    position += 1
    while position < end:
        if data[position] != IDENTIFIER:
            return None
        number, shift, byte = 0, 0, 0x80
        while byte & 0x80:
            position += 1
            if position >= end or shift > LAST_SHIFT:
                return None
            byte = data[position]
            number |= (byte & 0x7F) << shift
            shift += 7
        if number == 0:
            return None
        found.append(number)
        position += 1
    return found


def topic_text(name: bytes) -> str:
    """A topic as text; invalid UTF-8 is replaced, although a broker shouldn't deliver it."""
    return name.decode("utf-8", "replace")


def remaining_length(data: bytes, position: int) -> tuple[int, int]:
    """Number of bytes after the fixed header of the packet at an offset, and the end of that header.

    Returns:
        Length and position; `INCOMPLETE` for both if the header is incomplete; 0 and the end of the bytes examined if
        the length is too long to be MQTT.
    """
    length, shift = 0, 0
    for place in range(position + 1, min(position + 5, len(data))):
        length |= (data[place] & 0x7F) << shift
        shift += 7
        if not data[place] & 0x80:
            return length, place + 1
    return (INCOMPLETE, INCOMPLETE) if len(data) < position + 6 else (0, position + 6)


def packet_end(data: bytes, position: int) -> int:
    """End of the packet at an offset, possibly beyond the buffer; `INCOMPLETE` if not known yet."""
    length, body = remaining_length(data, position)
    return INCOMPLETE if body == INCOMPLETE else body + length
