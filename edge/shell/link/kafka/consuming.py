"""Consuming: a member of a consumer group, and what the broker says to it. The link knows the client only here.

One `GroupMember` is one life of a client. After an error that it can't go on from, such as another member with its
name, the link makes a new one. All of its methods are for the network thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka import Message as ClientRecord
from confluent_kafka.admin import AdminClient  # type: ignore[attr-defined, unused-ignore]

from edge.core.model.words.printable import printable
from edge.shell.link.kafka.cluster import GroupOptions
from edge.shell.link.kafka.ledger import Place

ASK_S = 10.0
"""How long the broker may take to answer a question."""

STATISTICS_MS = 1000
"""How often the client tells which brokers it is connected to, and how far the partitions reach."""

ROUND = 500
"""Records that are fetched from the client at a time."""

NO_TOPIC = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})  # noqa: SLF001 - so named
NOT_READABLE = NO_TOPIC | {KafkaError.TOPIC_AUTHORIZATION_FAILED}
OUT_OF_REACH = frozenset(
    {KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET}  # noqa: SLF001 - so named
)
FENCED = frozenset({KafkaError.FENCED_INSTANCE_ID, KafkaError._FENCED})  # noqa: SLF001 - so named


ClientError = KafkaException
"""What the client raises."""


class _BrokerState(msgspec.Struct):
    state: str
    nodeid: int = -1


class _PartitionState(msgspec.Struct):
    consumer_lag: int = -1


class _TopicState(msgspec.Struct):
    partitions: dict[str, _PartitionState] = {}


class _Statistics(msgspec.Struct):
    brokers: dict[str, _BrokerState] = {}
    topics: dict[str, _TopicState] = {}


class GroupListener(Protocol):
    """Is told what happens to a member, within its methods."""

    def assigned(self, places: Sequence[Place]) -> None:
        """Partitions are ours; the listener says from where on, by `GroupMember.begin()`."""

    def revoked(self, places: Sequence[Place]) -> None:
        """Partitions go to another member when this returns."""

    def lost(self, places: Sequence[Place]) -> None:
        """Partitions have gone to another member: we weren't heard of for too long."""

    def unreadable(self, topic: str, reason: str) -> None:
        """A topic isn't there, or we may not read it."""

    def out_of_reach(self, place: Place) -> None:
        """What was to be read of a partition isn't there any more."""

    def failed(self, reason: str, *, is_fenced: bool) -> None:
        """The client can't go on; fenced, if another member has our name."""


class GroupMember:
    """A client that is a member of a group.

    Args:
        options: Which group, and where.
        topics: Topics to read.
        listener: Is told what happens.

    Attributes:
        is_up: Whether some broker is connected.
        lag: Records of our partitions that were not fetched yet; None if unknown.
        trouble: What the client has said of its connections last, while none is up.
    """

    def __init__(self, options: GroupOptions, topics: Sequence[str], listener: GroupListener) -> None:
        self.is_up, self.lag, self.trouble = False, None, ""  # type: tuple[bool, int | None, str]
        self._options = options
        self._listener = listener
        self._answers: AdminClient | None = None
        self._consumer = Consumer(self._settings())
        # A consumer must not be asked anything within its own callbacks: the client aborts the process later.
        self._asking = Consumer({**options.cluster.settings(), "group.id": options.group, "enable.auto.commit": False})
        self._paused: set[Place] = set()
        self._ended: set[Place] = set()
        self.subscribe(topics)

    def subscribe(self, topics: Sequence[str]) -> None:
        """Read these topics and no others."""
        listener = self._listener
        self._consumer.subscribe(
            list(topics),
            on_assign=lambda _, places: listener.assigned(_places(places)),
            on_revoke=lambda _, places: listener.revoked(_places(places)),
            on_lost=lambda _, places: listener.lost(_places(places)),
        )

    def poll(self, timeout_s: float) -> list[ClientRecord]:
        """Records, in the order of each partition; waits for the first only."""
        first = self._consumer.poll(timeout_s)
        if first is None:
            return []
        return [each for each in (first, *self._consumer.consume(ROUND, 0.0)) if self._is_record(each)]

    def begin(self, starts: Sequence[tuple[Place, int]]) -> None:
        """Read partitions that were assigned, each from an offset on."""
        self._consumer.incremental_assign([TopicPartition(*place, offset) for place, offset in starts])

    def seek(self, place: Place, offset: int) -> None:
        """Go on reading a partition elsewhere."""
        self._consumer.seek(TopicPartition(*place, offset))

    def hold(self, places: set[Place]) -> None:
        """Fetch no more of these partitions, and of all others again."""
        for wanted, do in (places - self._paused, self._consumer.pause), (self._paused - places, self._consumer.resume):
            if wanted:
                do([TopicPartition(*each) for each in wanted])
        self._paused = places

    def committed(self, places: Sequence[Place]) -> dict[Place, int]:
        """The offsets that the group has committed, of partitions that have one.

        Raises:
            KafkaException: The broker doesn't say.
        """
        found = self._asking.committed([TopicPartition(*each) for each in places], ASK_S)
        return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}

    def reach(self, place: Place) -> tuple[int, int]:
        """Offset of the first record of a partition, and behind its last one.

        Raises:
            KafkaException: The broker doesn't say.
        """
        low, high = self._asking.get_watermark_offsets(TopicPartition(*place), ASK_S)
        return low, high

    def ends_at(self, place: Place, offset: int) -> bool:
        """Whether there is nothing to read from an offset on, by what the broker has said last.

        What a transaction ends with takes an offset too, and is never read; so an end that was met counts as well.
        """
        if place in self._ended:
            return True
        try:
            _, high = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
        except KafkaException:
            return False
        return bool(high != OFFSET_INVALID and offset >= high)

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """An id of each topic that no later one of the same name has.

        Raises:
            KafkaException: The broker doesn't say.
        """
        if self._answers is None:
            self._answers = AdminClient(self._options.cluster.settings())
        futures = self._answers.describe_topics(TopicCollection(list(topics)), request_timeout=ASK_S)
        return {name: str(future.result(ASK_S).topic_id) for name, future in futures.items()}

    def partitions(self, topics: Sequence[str]) -> list[Place]:
        """All partitions of topics.

        Raises:
            KafkaException: The broker doesn't say.
        """
        found = [self._asking.list_topics(each, ASK_S).topics.get(each) for each in topics]
        return [(each.topic or "", number) for each in found if each is not None for number in each.partitions]

    def commit(self, offsets: Sequence[tuple[Place, int]], *, waits: bool) -> None:
        """Commit offsets; what the broker doesn't take now is committed with the next ones.

        Raises:
            KafkaException: It was waited for, and refused.
        """
        if offsets:
            wanted = [TopicPartition(*place, offset) for place, offset in offsets]
            if waits:
                self._consumer.commit(offsets=wanted, asynchronous=False)
            else:
                self._consumer.commit(offsets=wanted, asynchronous=True)

    def close(self) -> None:
        """Say goodbye; a member with a name keeps its partitions until its session has ended."""
        self._consumer.close()
        self._asking.close()

    def _settings(self) -> dict[str, Any]:
        options = self._options
        return {
            **options.cluster.settings(f"edgewarden-{options.member}"),
            "group.id": options.group,
            "group.instance.id": options.member,
            "session.timeout.ms": int(1000 * options.session_s),
            "heartbeat.interval.ms": int(min(3000, 1000 * options.session_s / 3)),
            "partition.assignment.strategy": "cooperative-sticky",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "allow.auto.create.topics": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 100,
            "topic.metadata.refresh.interval.ms": 10_000,
            "queued.max.messages.kbytes": max(1024, options.queued_bytes // 1024),
            "statistics.interval.ms": STATISTICS_MS,
            "stats_cb": self._note_statistics,
            "error_cb": self._note_error,
        }

    def _is_record(self, record: ClientRecord) -> bool:
        error, topic, partition = record.error(), record.topic(), record.partition()
        if error is None:
            self._ended.discard((topic or "", partition or 0))
            return True
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - so named
            self._ended.add((topic or "", partition or 0))
        elif error.code() in NOT_READABLE and topic is not None:
            no_topic = "there is no such topic" if error.code() in NO_TOPIC else printable(error.str())
            self._listener.unreadable(topic, no_topic)
        elif error.code() in OUT_OF_REACH and topic is not None and partition is not None:
            self._listener.out_of_reach((topic, partition))
        else:
            self._note_error(error)
        return False

    def _note_error(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN or not self.trouble:  # noqa: SLF001 - so named; it says no cause
            self.trouble = printable(error.str())
        if error.fatal() or error.code() in FENCED:
            self._listener.failed(self.trouble, is_fenced=error.code() in FENCED or "fenced" in self.trouble.lower())

    def _note_statistics(self, text: str) -> None:
        found = msgspec.json.decode(text, type=_Statistics)
        self.is_up = any(each.state == "UP" for each in found.brokers.values())
        lags = [one.consumer_lag for each in found.topics.values() for one in each.partitions.values()]
        known = [each for each in lags if each >= 0]
        self.lag = sum(known) if known else None


def _places(partitions: Sequence[TopicPartition]) -> list[Place]:
    return [(each.topic, each.partition) for each in partitions]
