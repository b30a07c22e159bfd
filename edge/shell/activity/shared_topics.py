"""Shared topics: several senders whose readings on one topic become the same sensors.

If no template tells them apart, nothing is refused, but the values of such a sensor alternate between those of its
senders. A part of the messages is examined: the first ones of each topic, and later one in many.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

from edge.core.intake.decoders.documents.sender_keys import senders_in
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.intake.routes import Resolved, Route
from edge.core.model.notation.printable import printable, shortened
from edge.core.model.readings.messages import Message, Refused
from edge.shell.system.logs import BOUNDED

log = logging.getLogger("edgewarden.input")

FIRST, EVERY = 16, 61
"""Number of messages of a topic that are examined at first, and the interval of those after them.

No usual number of senders divides it.
"""

WITHOUT = 3
"""A topic isn't examined any more after as many messages that name no sender."""

TOPICS, KEYS, TEXTS, PATHS = 2000, 4, 8, 6
"""Maximum number of examined topics, of fields of each, of senders that a field names, and of paths of a sender."""

LARGEST = 16_384
"""Maximum size of a payload that is examined, in bytes."""

MOST_TOLD = 10
"""Maximum number of topics that are logged and listed; all are counted."""

LONGEST_TOPIC = 200


class SharedTopic(NamedTuple):
    """A topic on which several senders publish.

    Attributes:
        topic: The topic.
        sensor: A template of its input that tells them apart.
    """

    topic: str
    sensor: str


class SharedTopics:
    """Notices topics that several senders share.

    Args:
        find: Returns the route of a topic; None if no input reads it.
        told: Those that were logged before the configuration was read again.

    Attributes:
        count: Number of such topics.
        told: Those that have been logged.
    """

    def __init__(self, find: Callable[[str], Resolved | None], told: Sequence[SharedTopic] = ()) -> None:
        self._find, self._told_before = find, frozenset(told)
        self._topics: dict[str, _Senders | None] = {}  # None once a topic needn't be examined any more
        self.count = 0
        self.told: list[SharedTopic] = []

    def note(self, messages: Sequence[Message]) -> None:
        """Examine messages; a shared topic is logged once."""
        topics = self._topics
        for message in messages:
            topic = message.topic
            senders = topics[topic] if topic in topics else self._begin(topic)
            if senders is None or not senders.is_due() or message.retained or message.redelivered or message.is_copy:
                continue
            template = senders.told_apart_by(message)
            if template is not None:
                self._tell(SharedTopic(topic, template))
            if template is not None or senders.without >= WITHOUT:
                topics[topic] = None

    def listed(self) -> dict[str, object]:
        """The topics in the form of the status file."""
        return {"count": self.count, "topics": [each._asdict() for each in self.told]}

    def _begin(self, topic: str) -> _Senders | None:
        """The senders of a topic that hasn't been examined yet; None if it needn't be, or there are too many."""
        if len(self._topics) >= TOPICS:
            return None
        resolved = self._find(topic)
        decoder = None if resolved is None else resolved.route.decoder
        is_possible = isinstance(decoder, FieldsDecoder) and not decoder.sender and not decoder.batch
        senders = None if resolved is None or not is_possible else _Senders(resolved.route)
        self._topics[topic] = senders
        return senders

    def _tell(self, found: SharedTopic) -> None:
        self.count += 1
        if len(self.told) >= MOST_TOLD:
            return
        self.told.append(found)
        if found in self._told_before:
            return
        log.warning(
            "topic_shared topic=%r: readings of several senders become the same sensors; sensor = %r tells them apart",
            shortened(printable(found.topic), LONGEST_TOPIC),
            printable(found.sensor),
            extra=BOUNDED,
        )


class _Senders:
    """The senders of one topic, as far as its payloads name them.

    Args:
        route: The topic's route.

    Attributes:
        without: Number of messages that named none, one after another.
    """

    __slots__ = ("_last", "_left", "_met", "_route", "without")

    def __init__(self, route: Route) -> None:
        self._route = route
        self._left, self.without = FIRST, 0
        self._last: dict[str, str] = {}
        self._met: dict[str, dict[str, frozenset[int]]] = {}

    def is_due(self) -> bool:
        """Whether the next message is to be examined."""
        self._left -= 1
        if self._left <= -EVERY:
            self._left = 0
        return self._left >= 0

    def told_apart_by(self, message: Message) -> str | None:
        """A template that tells the senders apart, if this message is the first that shows that there are several.

        They are if one sends again after another has used some of its paths: A, B, A.
        """
        fields, paths = _read(self._route, message)
        self.without = 0 if fields else self.without + 1
        for key, text in fields.items():
            met, last = self._met.setdefault(key, {}), self._last.get(key, text)
            if last != text and text in met and not met[last].isdisjoint(paths):
                return _with_sender(self._route.template, key)
            if text in met or len(met) < TEXTS:
                met[text] = paths
                self._last[key] = text
        return None


def _read(route: Route, message: Message) -> tuple[dict[str, str], frozenset[int]]:
    """The fields of a message that may identify its sender, none if it holds no readings, and hashes of its paths."""
    if len(message.payload) > LARGEST:
        return {}, frozenset()
    decoder = route.decoder_for(message.content_type) if message.content_type else route.decoder
    if not isinstance(decoder, FieldsDecoder):
        return {}, frozenset()
    try:
        document = decoder.read(message.payload)
        fields = dict(islice(senders_in(document), KEYS)) if isinstance(document, dict) else {}
        samples = decoder.read_document(document, message.arrived).samples if fields else ()
    except Refused:
        return {}, frozenset()
    paths = sorted(each.path for each in samples)[:PATHS]
    return fields if paths else {}, frozenset(map(hash, paths))


def _with_sender(template: str, key: str) -> str:
    """A template that also uses a field of the payload."""
    sender = f"{{payload.{key}}}"
    return template.replace("{field}", f"{sender}/{{field}}", 1) if "{field}" in template else f"{template}/{sender}"
