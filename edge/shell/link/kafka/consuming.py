"""Consuming: a member of a consumer group. The link uses the Kafka client only through this module.

A `GroupMember` wraps one client. After a fatal error, such as another member with the same name, the link creates a new
one. All of its methods are called from the network thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

from edge.core.model.notation.printable import printable
from edge.shell.link.kafka.cluster import GroupOptions
from edge.shell.link.kafka.ledger import Place

ASK_S = 10.0
"""Timeout in seconds for an answer from the broker."""

LOOK_S = 1.0
"""Timeout in seconds for the end of a partition, which is asked for again if there is no answer."""

STATISTICS_MS = 1000
"""Interval of the client's statistics, which report connected brokers and the ends of partitions."""

ROUND = 500
"""Maximum number of records fetched from the client at a time."""

NO_TOPIC = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})  # noqa: SLF001 - so named
NOT_READABLE = NO_TOPIC | {KafkaError.TOPIC_AUTHORIZATION_FAILED}
OUT_OF_REACH = frozenset(
    {KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET}  # noqa: SLF001 - so named
)
FENCED = frozenset({KafkaError.FENCED_INSTANCE_ID, KafkaError._FENCED})  # noqa: SLF001 - so named


ClientError = KafkaException
"""The exception that the client raises."""


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
    """Receives notifications of a group member, during calls of its methods."""

    def assigned(self, places: Sequence[Place]) -> None:
        """Partitions were assigned; the listener starts reading them with `GroupMember.begin()`."""

    def revoked(self, places: Sequence[Place]) -> None:
        """Partitions are reassigned to another member once this returns."""

    def lost(self, places: Sequence[Place]) -> None:
        """Partitions were reassigned to another member because the session timed out."""

    def unreadable(self, topic: str, reason: str) -> None:
        """A topic doesn't exist, or reading it isn't permitted."""

    def out_of_reach(self, place: Place) -> None:
        """The position to read from no longer exists in a partition."""

    def failed(self, reason: str, *, is_fenced: bool) -> None:
        """The client can't continue; `is_fenced` if another member uses the same name."""


class GroupMember:
    """A Kafka client that is a member of a consumer group.

    Args:
        options: The cluster and the group.
        topics: Topics to read.
        listener: Receives notifications.

    Attributes:
        is_up: Whether a broker is connected.
        lag: Number of records in the assigned partitions that haven't been fetched; None if unknown.
        trouble: The client's last message about its connections, while no broker is connected.
    """

    def __init__(self, options: GroupOptions, topics: Sequence[str], listener: GroupListener) -> None:
        self.is_up, self.lag, self.trouble = False, None, ""  # type: tuple[bool, int | None, str]
        self._options = options
        self._listener = listener
        self._answers: AdminClient | None = None
        self._consumer = Consumer(self._settings())
        # A consumer must not be called within its own callbacks, or the client aborts the process later.
        self._asking = Consumer({**options.cluster.settings(), "group.id": options.group, "enable.auto.commit": False})
        self._paused: set[Place] = set()
        self._ended: dict[Place, int] = {}
        self._failure: Exception | None = None  # of a notification
        self._losses = 0  # number of times that a connection was lost
        self._looked: dict[Place, int] = {}  # that number when a partition's end was last known to be current
        self.subscribe(topics)

    def subscribe(self, topics: Sequence[str]) -> None:
        """Set the topics to read."""
        listener = self._listener
        self._consumer.subscribe(
            list(topics),
            on_assign=lambda _, places: self._notify(listener.assigned, places),
            on_revoke=lambda _, places: self._notify(listener.revoked, places),
            on_lost=lambda _, places: self._notify(listener.lost, places),
        )

    def _notify(self, listen: Callable[[Sequence[Place]], None], partitions: Sequence[TopicPartition]) -> None:
        """Notify the listener; what it raises is kept until the call of the client is over.

        The client raises an error of its own methods, if it comes from a callback, as a `KafkaError`. That isn't an
        exception: no `except` catches it, and the thread ends.
        """
        try:
            listen([(each.topic, each.partition) for each in partitions])
        except Exception as error:  # noqa: BLE001 - whatever it was, it is raised later
            self._failure = self._failure or error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def poll(self, timeout_s: float) -> list[ClientRecord]:
        """Fetch records, in the order of each partition; waits for the first one only.

        Raises:
            KafkaException: The broker didn't answer while partitions were assigned.
        """
        first = self._consumer.poll(timeout_s)
        self._raise_failure()
        if first is None:
            return []
        return [each for each in (first, *self._consumer.consume(ROUND, 0.0)) if self._is_record(each)]

    def begin(self, starts: Sequence[tuple[Place, int]]) -> None:
        """Start reading assigned partitions, each from an offset."""
        self._consumer.incremental_assign([TopicPartition(*place, offset) for place, offset in starts])

    def seek(self, place: Place, offset: int) -> None:
        """Continue reading a partition at another offset."""
        self._consumer.seek(TopicPartition(*place, offset))

    def hold(self, places: set[Place]) -> None:
        """Pause fetching from these partitions, and resume all others."""
        for wanted, do in (places - self._paused, self._consumer.pause), (self._paused - places, self._consumer.resume):
            if wanted:
                do([TopicPartition(*each) for each in wanted])
        self._paused = places

    def committed(self, places: Sequence[Place]) -> dict[Place, int]:
        """The committed offsets of the group, for partitions that have one.

        Raises:
            KafkaException: The broker doesn't answer.
        """
        found = self._asking.committed([TopicPartition(*each) for each in places], ASK_S)
        return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}

    def reach(self, place: Place) -> tuple[int, int]:
        """The offset of the first record of a partition, and the offset after the last one.

        Raises:
            KafkaException: The broker doesn't answer.
        """
        low, high = self._asking.get_watermark_offsets(TopicPartition(*place), ASK_S)
        return low, high

    def ends_at(self, place: Place, offset: int) -> bool:
        """Whether a partition has no records from an offset on, according to the broker's last report.

        The end marker of a transaction has an offset too but is never returned, so reaching the end of the partition
        also counts. A report from before a connection was lost doesn't: records may have been added since, and other
        partitions' new ones would be delivered long before them.
        """
        if self._looked.get(place, 0) != self._losses and not self._still_ends_at(place, offset):
            return False
        if place in self._ended:
            return True
        try:
            _, high = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
        except KafkaException:
            return False
        return bool(high != OFFSET_INVALID and offset >= high)

    def _still_ends_at(self, place: Place, offset: int) -> bool:
        """Whether nothing was added to a partition while a connection was lost; asks the broker."""
        if not self.is_up:
            return False
        try:
            _, high = self._asking.get_watermark_offsets(TopicPartition(*place), LOOK_S)
        except KafkaException:
            return False
        if high > max(offset, self._ended.get(place, 0)):
            return False
        self._looked[place] = self._losses
        return True

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """The unique ID of each topic; a topic that is deleted and created again gets another ID.

        Raises:
            KafkaException: The broker doesn't answer.
        """
        if self._answers is None:
            self._answers = AdminClient(self._options.cluster.settings())
        futures = self._answers.describe_topics(TopicCollection(list(topics)), request_timeout=ASK_S)
        return {name: str(future.result(ASK_S).topic_id) for name, future in futures.items()}

    def partitions(self, topics: Sequence[str]) -> list[Place]:
        """All partitions of topics.

        Raises:
            KafkaException: The broker doesn't answer.
        """
        found = [self._asking.list_topics(each, ASK_S).topics.get(each) for each in topics]
        return [(each.topic or "", number) for each in found if each is not None for number in each.partitions]

    def commit(self, offsets: Sequence[tuple[Place, int]], *, waits: bool) -> None:
        """Commit offsets; those that the broker doesn't accept now are committed with the next ones.

        Raises:
            KafkaException: The commit was waited for and refused.
        """
        if offsets:
            wanted = [TopicPartition(*place, offset) for place, offset in offsets]
            if waits:
                self._consumer.commit(offsets=wanted, asynchronous=False)
            else:
                self._consumer.commit(offsets=wanted, asynchronous=True)

    def close(self) -> None:
        """Leave; a static member keeps its partitions until its session times out."""
        self._consumer.close()
        self._asking.close()
        self._raise_failure()

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
            self._ended.pop((topic or "", partition or 0), None)
            return True
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - so named
            self._ended[topic or "", partition or 0] = record.offset() or 0
        elif error.code() in NOT_READABLE and topic is not None:
            no_topic = "there is no such topic" if error.code() in NO_TOPIC else printable(error.str())
            self._listener.unreadable(topic, no_topic)
        elif error.code() in OUT_OF_REACH and topic is not None and partition is not None:
            self._listener.out_of_reach((topic, partition))
        else:
            self._note_error(error)
        return False

    def _note_error(self, error: KafkaError) -> None:
        self._losses += 1
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
