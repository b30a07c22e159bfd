"""Cells on Quix Streams: readings from a Kafka topic, events to another, and state in changelog topics.

A worker has two tasks, and any number of workers share both: it packs the records of its partitions by cell, see
`quix_packer.py`, and it runs the cells whose packs it reads. Kafka's consumer groups handle workers that fail or join;
a worker that takes over a cell restores its state from the changelog.

Packs may be written again, and events are delivered at least once with the same IDs. The read position is part of a
cell's state, so each reading counts once. A fleet that gets a multiple of its cells goes on with what was learned, see
`quix_division.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient  # type: ignore[attr-defined, unused-ignore]
from quixstreams import Application
from quixstreams.kafka.configuration import ConnectionConfig
from quixstreams.models import Serializer, TopicConfig
from quixstreams.state import State

from config.schema import Configuration
from edge.core.cells import CellPlan
from edge.fleet.engines.packing import text_of
from edge.fleet.engines.packs import PackError, decode
from edge.fleet.engines.quix_division import InheritingCells
from edge.fleet.engines.quix_options import FleetError, QuixOptions
from edge.fleet.engines.quix_packer import Packer, PackerThread
from edge.fleet.engines.tally import RefusalTally
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing
from edge.shell.sinks.cloud_event import record_of

log = logging.getLogger("edgewarden.fleet")

PACKS_A_CHECKPOINT = 1000
PACKS_KEPT_MS = 24 * 3600 * 1000


class EventSerializer(Serializer):  # type: ignore[misc, unused-ignore]
    """Serialises an event's data; its attributes are in the headers."""

    def __call__(self, value: bytes, ctx: Any) -> bytes:  # noqa: ARG002 - Quix Streams' signature
        """See `record_of()`."""
        return record_of(value)[1]


class QuixState:
    """See `KeyedState`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def of(self, name: str) -> QuixState:
        """The state of another key of the same partition."""
        transaction = self._state._transaction  # noqa: SLF001 - Quix Streams gives a function the state of one key only
        return QuixState(transaction.as_state(prefix=name.encode()))

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

    def __init__(self, plan: CellPlan, topics: TopicPlacing) -> None:
        self._cells = InheritingCells(plan, topics)
        self._tally = RefusalTally(log)

    def __call__(self, value: bytes, key: bytes, timestamp: int, headers: Any, state: State) -> list[bytes]:  # noqa: ARG002 - Quix Streams' signature
        """Run the cell of a pack; returns its events."""
        try:
            pack = decode(value)
        except PackError as error:
            log.warning("left_out topic=packs key=%s reason=%s", key, error)
            return []
        outcome = self._cells.run(text_of(key), QuixState(state).of, pack)
        self._tally.add(outcome.refused, outcome.dead_letters)
        return [each.payload for each in outcome.events]


class QuixWorker:
    """A worker: the cells, and the packer in a thread of its own.

    Args:
        configuration: The configuration.
        options: The settings of the worker.

    Raises:
        FleetError: The topic of the readings doesn't exist, or Kafka can't be reached.
    """

    def __init__(self, configuration: Configuration, options: QuixOptions) -> None:
        plan = plan_of(configuration, options.cells)
        connection = ConnectionConfig.from_librdkafka_dict(dict(options.client), ignore_extras=True)
        client = connection.as_librdkafka_dict()
        topic_id, partitions, replicas = _described(client, options.source)
        self._app = app = Application(
            connection,
            consumer_group=options.group,
            auto_offset_reset="earliest",
            commit_interval=options.checkpoint_s,
            commit_every=PACKS_A_CHECKPOINT,
            consumer_extra_config={name: value for name, value in options.client.items() if name not in client},
            state_dir=options.state,
            loglevel="WARNING",
        )
        kept = TopicConfig(partitions, replicas, {"retention.ms": str(PACKS_KEPT_MS)})
        packs = app.topic(f"{options.group}-packs", value_deserializer="bytes", config=kept)
        made = TopicConfig(partitions, replicas)
        events = app.topic(options.events, value_serializer=EventSerializer(), config=made)
        cells = _Cells(plan, TopicPlacing.of(configuration, plan))
        found = app.dataframe(packs).apply(cells, stateful=True, expand=True, metadata=True)
        found = found.set_headers(lambda value, *_: record_of(value)[2])
        found.to_topic(events, key=lambda value: record_of(value)[0])
        packer = Packer(TopicPlacing.of(configuration, plan), options.cells, topic_id)
        self._packer = PackerThread(options, client, packs.name, packer, failed=lambda: app.stop(fail=True))

    def run(self) -> None:
        """Run until SIGTERM.

        Raises:
            FleetError: The source can't be read, or packs can't be written.
        """
        self._packer.start()
        try:
            self._app.run()
        finally:
            self._packer.stop()
        if self._packer.error is not None:
            raise FleetError(str(self._packer.error)) from self._packer.error


def _described(client: Mapping[str, str], topic: str) -> tuple[str, int, int]:
    """The ID of a topic, and its numbers of partitions and replicas."""
    admin = AdminClient(dict(client))
    try:
        found = admin.describe_topics(TopicCollection([topic]), request_timeout=30)[topic].result(30)
    except KafkaException as error:
        raise FleetError(f"the topic {topic} can't be read: {error.args[0].str()}") from error
    return str(found.topic_id), len(found.partitions), len(found.partitions[0].replicas)
