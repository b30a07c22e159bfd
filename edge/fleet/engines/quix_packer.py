"""The packer of a Quix worker: reads the source, and writes packs by cell.

It reads thousands of records at once with a consumer of its own, because Quix Streams handles each record singly, which
costs more than detection. A consumer group shares the partitions of the source among the workers.

Positions are committed after Kafka has confirmed the packs, so that a crash repeats packs and loses none. Reading
pauses while too many packs wait for their cells, since Kafka deletes packs after a day.

A group never goes back to fewer cells, since the states of the others would remain and might be continued later as if
nothing had happened since. The number of cells is therefore stored with the read positions of the source, and a worker
with a number that isn't a multiple is refused.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined, unused-ignore]

from edge.fleet.engines.packing import Packing, text_of
from edge.fleet.engines.packs import VERSION, Pack, Records, cut
from edge.fleet.engines.quix_options import FleetError, QuixOptions
from edge.fleet.engines.tally import RefusalTally
from edge.fleet.topics import TopicPlacing

log = logging.getLogger("edgewarden.fleet")

MOST_AT_ONCE = 20_000
"""Maximum number of records read at once."""

TICK_S = 30.0
"""Interval of ticks for cells without records, in seconds of the log's clock."""

DELIVERY_S = 60.0
WAITING_PACKS = 500
"""Maximum number of packs of a partition that wait for their cells."""

LOOK_S = 5.0
ASK_S = 30.0

STAMP = "cells="
"""What precedes the number of cells in the metadata of a read position."""


class Keyed(NamedTuple):
    """A pack with its key, and the partition that its cell belongs to."""

    partition: int
    key: str
    pack: bytes


class Packer:
    """Packs the records of partitions by cell.

    Args:
        topics: Assigns topics to cells.
        cells: Number of cells per partition.
        topic_id: Unique ID of the source topic; a topic that is created again has another.
        now: The current time, seconds since the epoch.
    """

    def __init__(self, topics: TopicPlacing, cells: int, topic_id: str, now: Callable[[], float] = time.time) -> None:
        self._packing = Packing(topics)
        self._cells = cells
        self._id = topic_id
        self._now = now
        self._ticked: dict[str, float] = {}
        self._tally = RefusalTally(log)

    def pack(self, messages: Sequence[Any]) -> list[Keyed]:
        """Pack records, given as confluent-kafka's messages of any partitions in order of offset."""
        by_partition: dict[tuple[str, int], list[Any]] = {}
        for each in messages:
            by_partition.setdefault((each.topic(), each.partition()), []).append(each)
        packs: list[Keyed] = []
        for (topic, partition), those in by_partition.items():
            packs += self._pack(topic, partition, those)
        return packs

    def _pack(self, topic: str, partition: int, messages: Sequence[Any]) -> list[Keyed]:
        now = self._now()
        arrivals = [min(each.timestamp()[1] / 1000, now) for each in messages]
        share = self._packing.share(
            topic,
            [each.offset() for each in messages],
            [each.key() for each in messages],
            [each.value() for each in messages],
            arrivals,
            [_content_type(each.headers()) for each in messages],
        )
        self._tally.add(share.refused)
        return self._keyed(f"{topic}/{partition}", partition, share.records, max(arrivals))

    def _keyed(self, place: str, partition: int, shares: Mapping[int, Records], reached: float) -> list[Keyed]:
        """The packs of a partition, including ticks if they are due."""
        ticks = reached - self._ticked.get(place, 0.0) >= TICK_S
        if ticks:
            self._ticked[place] = reached
        packs = []
        for cell in range(self._cells) if ticks else sorted(shares):
            pieces = list(cut(shares[cell])) if cell in shares else [Records()]
            for number, records in enumerate(pieces, 1):
                time_of_it = reached if number == len(pieces) else records.arrivals[-1]
                pack = Pack(VERSION, f"{place}@{self._id}", time_of_it, records)
                packs.append(Keyed(partition, f"{place}/{cell}of{self._cells}", pack.encode()))
        return packs


class PackerThread(threading.Thread):
    """Packs the partitions of the source that this worker gets, until stopped.

    Args:
        options: The settings of the worker.
        client: Settings of librdkafka for the connection.
        packs: Topic of the packs, with as many partitions as the source.
        packer: Packs the records.
        failed: Called if the thread ends by an error.

    Attributes:
        error: The error by which it has ended.
    """

    def __init__(
        self, options: QuixOptions, client: Mapping[str, str], packs: str, packer: Packer, failed: Callable[[], None]
    ) -> None:
        super().__init__(name="packer", daemon=True)
        self._settings = {
            **options.client,
            "group.id": f"{options.group}-packers",
            "auto.offset.reset": options.begin,
            "enable.auto.commit": False,
            "queued.max.messages.kbytes": 16_384,  # of each partition
        }
        self._source, self._linger_s = options.source, options.checkpoint_s
        self._sender, self._lag = _Sender(client, packs), _Lag(client, options.group, packs)
        self._packer, self._failed = packer, failed
        self._count = CellCount(options)
        self._stopped = threading.Event()
        self.error: Exception | None = None

    def stop(self) -> None:
        """End the thread, after the packs that it is writing."""
        self._stopped.set()
        if self.is_alive():
            self.join(2 * DELIVERY_S)

    def run(self) -> None:
        """See `threading.Thread`."""
        try:
            consumer = Consumer(self._settings)
            try:
                consumer.subscribe([self._source], on_assign=self._count.claim)
                while not self._stopped.is_set():
                    self._hold(consumer)
                    self._pack(consumer, consumer.consume(MOST_AT_ONCE, self._linger_s))
            finally:
                consumer.close()
        except (FleetError, KafkaException) as error:
            self.error = error
            self._failed()

    def _hold(self, consumer: Consumer) -> None:
        """Pause reading while too many packs wait for their cells."""
        assigned = consumer.assignment()
        if self._lag.is_long([each.partition for each in assigned]):
            consumer.pause(assigned)
        else:
            consumer.resume(assigned)

    def _pack(self, consumer: Consumer, messages: Sequence[Any]) -> None:
        for each in messages:
            if (error := each.error()) is not None:
                raise FleetError(f"the topic {self._source} can't be read: {error.str()}")
        if not messages:
            return
        self._sender.send(self._packer.pack(messages))
        ends = {each.partition(): each.offset() + 1 for each in messages}
        commit(consumer, self._count.positions(self._source, ends))


class CellCount:
    """The number of cells for each partition that a group has, stored with its read positions of the source.

    Args:
        options: The settings of the worker.
    """

    def __init__(self, options: QuixOptions) -> None:
        self._cells, self._group = options.cells, options.group
        self._begins_at_end = options.begin == "latest"

    def positions(self, topic: str, ends: dict[int, int]) -> list[TopicPartition]:
        """Positions to be committed, by partition, with the number of cells."""
        return [TopicPartition(topic, each, end, f"{STAMP}{self._cells}") for each, end in ends.items()]

    def claim(self, consumer: Consumer, assigned: Sequence[TopicPartition]) -> None:
        """Store the number for partitions that a worker gets, before it packs anything.

        Raises:
            FleetError: The group has had another number, and this one is no multiple of it, or Kafka doesn't answer.
        """
        try:
            self._claim(consumer, assigned)
        except KafkaException as error:  # the client would raise its own error within a callback as no exception at all
            raise FleetError(f"Kafka doesn't answer: {error.args[0].str()}") from error

    def _claim(self, consumer: Consumer, assigned: Sequence[TopicPartition]) -> None:
        changed: list[TopicPartition] = []
        for each in consumer.committed([*assigned], ASK_S):
            before = _stamped(each.metadata)
            if before and self._cells % before:
                raise FleetError(
                    f"the group {self._group} has {before} cells for each partition, and {self._cells} is no multiple "
                    f"of that: start with {before}, or with another group"
                )
            if before != self._cells:
                offset = each.offset if each.offset >= 0 else self._beginning(consumer, each)
                changed += self.positions(each.topic, {each.partition: offset})
        if changed:
            commit(consumer, changed)

    def _beginning(self, consumer: Consumer, partition: TopicPartition) -> int:
        first, end = consumer.get_watermark_offsets(partition, ASK_S)
        return int(end if self._begins_at_end else first)


def commit(consumer: Consumer, positions: list[TopicPartition]) -> None:
    """Commit read positions; if Kafka refuses, such as for a partition that another worker has now, log it."""
    try:
        consumer.commit(offsets=positions, asynchronous=False)
    except KafkaException as error:
        log.warning("not_committed topic=%s reason=%s", positions[0].topic, error.args[0].str())


def _stamped(metadata: str | None) -> int:
    """The number of cells stored with a position; 0 if there is none."""
    number = (metadata or "").removeprefix(STAMP)
    return int(number) if number.isdecimal() else 0


class _Lag:
    """How many packs wait for their cells."""

    def __init__(self, client: Mapping[str, str], group: str, topic: str) -> None:
        self._admin = AdminClient(dict(client))
        self._group, self._topic = group, topic
        self._looked, self._is_long = 0.0, False

    def is_long(self, partitions: Sequence[int]) -> bool:
        """Whether too many packs wait in one of these partitions, as seen in the last seconds."""
        if partitions and time.monotonic() - self._looked >= LOOK_S:
            self._is_long = max(self._waiting(partitions)) > WAITING_PACKS
            self._looked = time.monotonic()
        return self._is_long

    def _waiting(self, partitions: Sequence[int]) -> Iterator[int]:
        parts = [TopicPartition(self._topic, each) for each in partitions]
        asked = ConsumerGroupTopicPartitions(self._group, parts)
        ends = self._admin.list_offsets({each: OffsetSpec.latest() for each in parts})  # type: ignore[no-untyped-call, unused-ignore]
        done = self._admin.list_consumer_group_offsets([asked])[self._group].result(DELIVERY_S).topic_partitions
        offsets = {each.partition: max(0, each.offset) for each in done or ()}
        for part, future in ends.items():
            yield future.result(DELIVERY_S).offset - offsets.get(part.partition, 0)


class _Sender:
    """Sends packs."""

    def __init__(self, client: Mapping[str, str], topic: str) -> None:
        own = {"enable.idempotence": True, "compression.type": "lz4", "linger.ms": 5}
        self._producer = Producer({**client, **own})
        self._topic = topic
        self._error: KafkaError | None = None

    def send(self, packs: Sequence[Keyed]) -> None:
        """Send packs, and wait until Kafka has them all.

        Raises:
            FleetError: Kafka doesn't have them; after a restart, a worker packs the same records again.
        """
        for partition, key, pack in packs:
            while True:
                try:
                    self._producer.produce(self._topic, pack, key, partition, on_delivery=self._note)
                except BufferError:
                    self._producer.poll(0.1)
                    continue
                break
        if self._producer.flush(DELIVERY_S) or self._error is not None:
            raise FleetError(f"packs can't be written to {self._topic}: {self._error or 'no confirmation'}")

    def _note(self, error: KafkaError | None, _: Any) -> None:
        self._error = self._error or error


def _content_type(headers: Any) -> str:
    for name, value in headers or ():
        if name.lower() == "content-type" and value:
            return text_of(value)
    return ""
