"""Cells on Quix Streams: readings from a Kafka topic, events to another, and state in changelog topics.

A worker has two tasks, and any number of workers share both: it packs the records of its partitions by cell at each
checkpoint, and it runs the cells whose packs it reads. Kafka's consumer group handles workers that fail or join; a
worker that takes over a cell restores its state from the changelog.

Packs may be written again, and events are delivered at least once with the same IDs. The read position is part of a
cell's state, so each reading counts once.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AdminClient  # type: ignore[attr-defined, unused-ignore]
from quixstreams import Application
from quixstreams.kafka.configuration import ConnectionConfig
from quixstreams.models import Serializer, TopicConfig
from quixstreams.sinks import BatchingSink, SinkBatch
from quixstreams.state import State

from config.schema import Configuration
from edge.fleet.engines.keyed_cells import KeyedCells
from edge.fleet.engines.packs import VERSION, Pack, PackedRecord, PackError, cut, decode
from edge.fleet.engines.tally import RefusalTally
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing
from edge.shell.sinks.cloud_event import record_of

log = logging.getLogger("edgewarden.fleet")

DELIVERY_S = 60.0
TICK_S = 30.0
"""Interval of ticks for cells without records, in seconds of the log's clock."""

MOST_A_CHECKPOINT = 20_000
PACKS_KEPT_MS = 24 * 3600 * 1000


class FleetError(Exception):
    """The fleet can't start, or a worker can't continue."""


@dataclass(frozen=True)
class QuixOptions:
    """The settings of a worker.

    Attributes:
        cells: Number of cells per partition.
        source: Topic of the readings.
        events: Topic of the events; created if missing.
        group: Consumer group, from which the names of the topics for packs and states are derived.
        client: Settings of librdkafka for the connection and the consumer, including `bootstrap.servers`.
        state: Folder for the states of this worker, restored from Kafka if it is lost.
        begin: Where a new group begins: `earliest` or `latest`.
        checkpoint_s: Maximum seconds between two checkpoints.
    """

    cells: int
    source: str
    events: str
    group: str
    client: Mapping[str, str] = field(repr=False)
    state: str = "state"
    begin: str = "latest"
    checkpoint_s: float = 1.0


class Packer(BatchingSink):  # type: ignore[misc, unused-ignore]
    """Packs the records of partitions by cell, at each checkpoint.

    Args:
        topics: Assigns topics to cells.
        cells: Number of cells per partition.
        topic_id: Unique ID of the source topic; a topic that is created again has another.
        send: Sends packs with their keys, and returns when Kafka has all of them.
        now: The current time, seconds since the epoch.
    """

    def __init__(
        self,
        topics: TopicPlacing,
        cells: int,
        topic_id: str,
        send: Callable[[list[tuple[str, bytes]]], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(lambda: None)
        self._topics = topics
        self._cells = cells
        self._id = topic_id
        self._send = send
        self._now = now
        self._ticked: dict[str, float] = {}
        self._tally = RefusalTally(log)

    def write(self, batch: SinkBatch) -> None:
        """Pack the records of a partition since the last checkpoint."""
        place, now, reached = f"{batch.topic}/{batch.partition}", self._now(), 0.0
        shares: dict[int, list[PackedRecord]] = {}
        refused: Counter[str] = Counter()
        for each in batch:
            arrived = min(each.timestamp / 1000, now)
            reached = max(reached, arrived)
            if each.key is None:
                continue  # a heartbeat
            topic = f"{batch.topic}/{_text(each.key)}"
            cell = self._topics.cell(topic)
            if cell is None:
                refused["no_route"] += 1
                continue
            record = PackedRecord(each.offset, topic, each.value or b"", arrived, _content_type(each.headers))
            shares.setdefault(cell, []).append(record)
        self._tally.add(refused)
        self._send(self._packs(place, shares, reached))

    def _packs(self, place: str, shares: Mapping[int, list[PackedRecord]], reached: float) -> list[tuple[str, bytes]]:
        """The packs of a log with their keys, including ticks if they are due."""
        ticks = reached - self._ticked.get(place, 0.0) >= TICK_S
        if ticks:
            self._ticked[place] = reached
        packs = []
        for cell in range(self._cells) if ticks else sorted(shares):
            pieces = list(cut(shares.get(cell, ()))) or [[]]
            for number, records in enumerate(pieces, 1):
                time_of_it = reached if number == len(pieces) else records[-1].arrived
                pack = Pack(VERSION, f"{place}@{self._id}", time_of_it, records)
                packs.append((f"{place}/{cell}of{self._cells}", pack.encode()))
        return packs


class EventSerializer(Serializer):  # type: ignore[misc, unused-ignore]
    """Serialises an event's data; its attributes are in the headers."""

    def __call__(self, value: bytes, ctx: Any) -> bytes:  # noqa: ARG002 - Quix Streams' signature
        """See `record_of()`."""
        return record_of(value)[1]


class QuixState:
    """See `KeyedState`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, name: str) -> bytes | None:
        """See `KeyedState`."""
        value: bytes | None = self._state.get_bytes(name)
        return value

    def put(self, name: str, value: bytes) -> None:
        """See `KeyedState`."""
        self._state.set_bytes(name, value)

    def remove(self, name: str) -> None:
        """See `KeyedState`."""
        self._state.delete(name)


class _Cells:
    """Runs the cells whose packs this worker reads."""

    def __init__(self, cells: KeyedCells) -> None:
        self._cells = cells
        self._tally = RefusalTally(log)

    def __call__(self, value: bytes, key: bytes, timestamp: int, headers: Any, state: State) -> list[bytes]:  # noqa: ARG002 - Quix Streams' signature
        """Run the cell of a pack; returns its events."""
        try:
            pack = decode(value)
        except PackError as error:
            log.warning("left_out topic=packs key=%s reason=%s", key, error)
            return []
        outcome = self._cells.run(_text(key), QuixState(state), pack.records, pack.log, pack.time)
        self._tally.add(outcome.refused, outcome.dead_letters)
        return [each.payload for each in outcome.events]


def application(configuration: Configuration, options: QuixOptions) -> Application:
    """Create a worker; `run()` starts it, and SIGTERM stops it.

    Raises:
        FleetError: The topic of the readings doesn't exist, or Kafka can't be reached.
    """
    plan = plan_of(configuration, options.cells)
    connection = ConnectionConfig.from_librdkafka_dict(dict(options.client), ignore_extras=True)
    client = connection.as_librdkafka_dict()
    topic_id, partitions, replicas = _described(client, options.source)
    app = Application(
        connection,
        consumer_group=options.group,
        auto_offset_reset=options.begin,
        commit_interval=options.checkpoint_s,
        commit_every=MOST_A_CHECKPOINT,
        consumer_extra_config={name: value for name, value in options.client.items() if name not in client},
        state_dir=options.state,
        loglevel="WARNING",
    )
    kept = TopicConfig(partitions, replicas, {"retention.ms": str(PACKS_KEPT_MS)})
    packs = app.topic(f"{options.group}-packs", value_deserializer="bytes", config=kept)
    source = app.topic(options.source, value_deserializer="bytes")
    made = TopicConfig(partitions, replicas)
    events = app.topic(options.events, value_serializer=EventSerializer(), config=made)
    sender = _Sender(client, packs.name)
    app.dataframe(source).sink(Packer(TopicPlacing.of(configuration, plan), options.cells, topic_id, sender.send))
    told = app.dataframe(packs).apply(_Cells(KeyedCells(plan)), stateful=True, expand=True, metadata=True)
    told = told.set_headers(lambda value, *_: record_of(value)[2])
    told.to_topic(events, key=lambda value: record_of(value)[0])
    return app


class _Sender:
    """Sends packs."""

    def __init__(self, client: Mapping[str, str], topic: str) -> None:
        own = {"enable.idempotence": True, "compression.type": "lz4", "linger.ms": 5}
        self._producer = Producer({**client, **own})
        self._topic = topic
        self._error: KafkaError | None = None

    def send(self, packs: list[tuple[str, bytes]]) -> None:
        """Send packs, and wait until Kafka has them all.

        Raises:
            FleetError: Kafka doesn't have them. The checkpoint fails too, and another worker continues from the
                previous one.
        """
        for key, pack in packs:
            while True:
                try:
                    self._producer.produce(self._topic, pack, key, on_delivery=self._note)
                except BufferError:
                    self._producer.poll(0.1)
                    continue
                break
        if self._producer.flush(DELIVERY_S) or self._error is not None:
            raise FleetError(f"packs can't be written to {self._topic}: {self._error or 'no confirmation'}")

    def _note(self, error: KafkaError | None, _: Any) -> None:
        self._error = self._error or error


def _described(client: Mapping[str, str], topic: str) -> tuple[str, int, int]:
    """The ID of a topic, and its numbers of partitions and replicas."""
    admin = AdminClient(dict(client))
    try:
        found = admin.describe_topics(TopicCollection([topic]), request_timeout=30)[topic].result(30)
    except KafkaException as error:
        raise FleetError(f"the topic {topic} can't be read: {error.args[0].str()}") from error
    return str(found.topic_id), len(found.partitions), len(found.partitions[0].replicas)


def _content_type(headers: Any) -> str:
    for name, value in headers or ():
        if name.lower() == "content-type" and value:
            return _text(value)
    return ""


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
