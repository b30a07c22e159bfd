"""Shared topics: several senders whose readings on one topic become the same sensors.

If no template tells them apart, nothing is refused, but the values of such a sensor alternate between those of its
senders. A part of the messages is examined: the first ones of each topic, and later one in many. A field with a usual
name tells them apart by itself, any other one by its values, see `turns.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from config.writing.toml_text import toml_value
from edge.core.intake.decoders.documents.senders.sender_keys import senders_in
from edge.core.intake.decoders.documents.senders.turns import naming_keys
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.intake.routes import Resolved, Route
from edge.core.model.notation.printable import printable, shortened
from edge.core.model.readings.messages import Message, Refused
from edge.shell.activity.senders.compared_messages import ComparedMessages, SendersField
from edge.shell.system.logs import BOUNDED

log = logging.getLogger("edgewarden.input")

FIRST, EVERY = 16, 61
"""Number of messages of a topic that are examined at first, and the interval of those after them.

No usual number of senders divides it.
"""

WITHOUT = 3
"""A topic isn't examined any more after as many messages that name no sender, under a usual name or any other one."""

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
        remedy: The keys of its input that tell them apart, as TOML.
        unless_state: The field by which they do if it could be a state instead; empty if it can't.
    """

    topic: str
    remedy: str
    unless_state: str = ""


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
        self._compared = ComparedMessages()
        self.count = 0
        self.told: list[SharedTopic] = []

    def note(self, messages: Sequence[Message]) -> None:
        """Examine messages; a shared topic is logged once."""
        topics, compared = self._topics, self._compared
        for message in messages:
            topic = message.topic
            senders = topics[topic] if topic in topics else self._begin(topic)
            if senders is None or not senders.is_due() or message.retained or message.redelivered or message.is_copy:
                continue
            read = _read(senders.route, message, is_compared=topic in compared)
            key = senders.told_apart_by(read)
            field = None if key is None else SendersField(key)
            if field is None and topic in compared and read.paths:
                field = compared.note(topic, read.document, read.paths)
            if field is not None:
                remedy = _as_toml(naming_keys(field.key, senders.route.template))
                self._tell(SharedTopic(topic, remedy, field.key if field.may_be_state else ""))
            if field is not None or (senders.without >= WITHOUT and topic not in compared):
                topics[topic] = None
                compared.end(topic)

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
        if senders is not None and isinstance(decoder, FieldsDecoder) and decoder.items is None:
            self._compared.begin(topic)
        return senders

    def _tell(self, found: SharedTopic) -> None:
        self.count += 1
        if len(self.told) >= MOST_TOLD:
            return
        self.told.append(found)
        if found in self._told_before:
            return
        log.warning(
            "topic_shared topic=%r: readings of several senders become the same sensors%s; %s tells them apart",
            shortened(printable(found.topic), LONGEST_TOPIC),
            f", unless {printable(found.unless_state)} is a state" if found.unless_state else "",
            printable(found.remedy),
            extra=BOUNDED,
        )


class _Read(NamedTuple):
    """What a message says of its sender.

    Attributes:
        document: Its contents; None if they aren't read.
        fields: The fields with usual names that may identify the sender; empty if it holds no readings.
        paths: Hashes of the paths of its readings.
    """

    document: object = None
    fields: Mapping[str, str] = MappingProxyType({})
    paths: frozenset[int] = frozenset()


class _Senders:
    """The senders of one topic, as far as fields with usual names tell of them.

    Args:
        route: The topic's route.

    Attributes:
        route: The topic's route.
        without: Number of messages that named none, one after another.
    """

    __slots__ = ("_last", "_left", "_met", "route", "without")

    def __init__(self, route: Route) -> None:
        self.route = route
        self._left, self.without = FIRST, 0
        self._last: dict[str, str] = {}
        self._met: dict[str, dict[str, frozenset[int]]] = {}

    def is_due(self) -> bool:
        """Whether the next message is to be examined."""
        self._left -= 1
        if self._left <= -EVERY:
            self._left = 0
        return self._left >= 0

    def told_apart_by(self, read: _Read) -> str | None:
        """The field that tells the senders apart, if this message is the first that shows that there are several.

        They are if one sends again after another has used some of its paths: A, B, A.
        """
        self.without = 0 if read.fields else self.without + 1
        for key, text in read.fields.items():
            met, last = self._met.setdefault(key, {}), self._last.get(key, text)
            if last != text and text in met and not met[last].isdisjoint(read.paths):
                return key
            if text in met or len(met) < TEXTS:
                met[text] = read.paths
                self._last[key] = text
        return None


def _read(route: Route, message: Message, *, is_compared: bool) -> _Read:
    """What a message says of its sender; nothing if it can't be read.

    Args:
        route: The topic's route.
        message: The message.
        is_compared: Whether its contents are wanted although no field with a usual name identifies the sender.
    """
    if len(message.payload) > LARGEST:
        return _Read()
    decoder = route.decoder_for(message.content_type) if message.content_type else route.decoder
    if not isinstance(decoder, FieldsDecoder):
        return _Read()
    try:
        document = decoder.read(message.payload)
        fields = dict(islice(senders_in(document), KEYS)) if isinstance(document, dict) else {}
        samples = decoder.read_document(document, message.arrived).samples if fields or is_compared else ()
    except Refused:
        return _Read()
    paths = sorted(each.path for each in samples)[:PATHS]
    return _Read(document, fields if paths else {}, frozenset(map(hash, paths)))


def _as_toml(keys: Mapping[str, str]) -> str:
    return " with ".join(f"{key} = {toml_value(value)}" for key, value in keys.items())
