"""Apache Kafka: events as CloudEvents in binary mode, keyed by `partitionkey`, produced idempotently.

During the life of one producer Kafka neither reorders nor repeats. A failed producer is replaced by a new one, which
resends from the first event without a delivery report: repetitions are then possible, but the order in which the events
of a key first arrive is kept. A producer never gives up a message by itself (`message.timeout.ms` is 0); the runner
gives up the producer, including one that waits forever because its broker has lost its state.

A broker refuses a whole batch larger than the topic's `max.message.bytes`, and may accept the next one before the
client learns of it. The topic is therefore queried for that size, and batches are kept smaller. If the query isn't
permitted, batches contain one record. If a batch is refused for another reason, so do the following ones, until the
refused record is known and a number of others were accepted.

Sources: CloudEvents 1.0.2, Kafka Protocol Binding, section 3.2; librdkafka, CONFIGURATION.md and "Idempotent producer".
"""

from __future__ import annotations

from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined, unused-ignore]

from edge.core.model.notation.printable import printable
from edge.shell.link.kafka.cluster import Cluster
from edge.shell.sinks.base import EventRefused, Outcome, SinkTrouble
from edge.shell.sinks.cloud_event import KafkaRecord, record_of
from edge.shell.sinks.options import KafkaOptions
from edge.shell.store import OutboxRow

CONNECT_S = 10.0
LARGEST_BATCH, BATCH_HEADER, SPARE = 1_000_000, 100, 0.9
MOST = 2000
CAREFUL = 1000
"""Number of records sent one by one and confirmed after which batches are sent again."""

LARGEST_BYTES = 64 * 1024 * 1024
"""The client's own size limit; the broker decides how much a topic accepts."""

OF_THE_EVENT = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.POLICY_VIOLATION,
    }
)
"""Errors that concern a record, or one in its batch."""

NO_TOPIC = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}  # noqa: SLF001 - so named
)


class KafkaSink:
    """Produces events to a topic.

    Args:
        options: Settings of the receiver.
    """

    most = MOST
    keeps_order = True

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._producer: Producer | None = None
        self._outcomes: list[Outcome] = []
        self._trouble: str | None = None
        self._error = ""
        self._may_batch = self._batches = True
        self._batch_size = self._confirmed = 0

    def open(self) -> None:
        """See `Sink`; the broker is queried for the topic."""
        self._outcomes, self._trouble, self._error = [], None, ""
        admin = AdminClient(self._connection())
        try:
            found = admin.list_topics(self._options.topic, CONNECT_S).topics.get(self._options.topic)
        except KafkaException as error:
            admin.poll(0)
            raise SinkTrouble(self._words(error.args[0])) from error
        if found is None or found.error is not None:
            raise SinkTrouble(self._words(None if found is None else found.error))
        self._batch_size = self._largest_batch(admin)
        self._produce_with(self._batch_size if self._may_batch else 0)

    def _produce_with(self, batch_size: int) -> None:
        """Replace the producer; batches of size 0 contain one record."""
        self._batches, self._confirmed = batch_size > 0, 0
        self._producer = Producer(self._settings(batch_size))

    def send(self, row: OutboxRow) -> bool:
        """See `Sink`."""
        if not self._batches and self._batch_size and self._confirmed >= CAREFUL:
            if len(self._opened):
                return False  # once everything sent is confirmed
            self._may_batch = True
            self._produce_with(self._batch_size)
        key, value, headers = self._record(row)
        try:
            self._opened.produce(
                self._options.topic, value, key, headers=headers, on_delivery=partial(self._note, row.sequence)
            )
        except BufferError:
            return False
        except KafkaException as error:
            code = error.args[0].code()
            if code in OF_THE_EVENT:
                raise EventRefused(self._words(error.args[0])) from error
            raise SinkTrouble(self._words(error.args[0])) from error
        return True

    def _record(self, row: OutboxRow) -> KafkaRecord:
        """The Kafka record of a row.

        Raises:
            EventRefused: It can't be any record.
        """
        return record_of(row.payload)

    def outcomes(self, wait_s: float) -> list[Outcome]:
        """See `Sink`."""
        if self._trouble is not None and not self._outcomes:
            raise SinkTrouble(self._trouble)
        self._opened.poll(0.0 if self._outcomes else wait_s)
        found, self._outcomes = self._outcomes, []
        return found

    def close(self) -> None:
        """See `Sink`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge(in_queue=True, in_flight=True, blocking=False)
            producer.poll(0)

    @property
    def _opened(self) -> Producer:
        if self._producer is None:
            raise SinkTrouble("not open")
        return self._producer

    def _largest_batch(self, admin: AdminClient) -> int:
        """Maximum size of a batch for the topic, in bytes; 0 if the query isn't permitted."""
        topic = ConfigResource(ConfigResource.Type.TOPIC, self._options.topic)
        try:
            found = admin.describe_configs([topic], request_timeout=CONNECT_S)[topic].result(CONNECT_S)
            return max(1, min(LARGEST_BATCH, int(SPARE * int(found["max.message.bytes"].value)) - BATCH_HEADER))
        except (KafkaException, TimeoutError, KeyError, ValueError, TypeError):
            return 0

    def _settings(self, batch_size: int) -> dict[str, Any]:
        batches = {"batch.size": batch_size} if batch_size else {"batch.num.messages": 1}
        return {
            **self._connection(),
            **batches,
            "enable.idempotence": True,
            "message.timeout.ms": 0,
            "message.max.bytes": LARGEST_BYTES,
            "linger.ms": 5,
            "allow.auto.create.topics": True,
        }

    def _connection(self) -> dict[str, Any]:
        options, login = self._options, self._options.login
        cluster = Cluster(options.brokers, login.username, login.password, options.sasl, options.tls)
        return {**cluster.settings(), "error_cb": self._note_error}

    def _note(self, sequence: int, error: KafkaError | None, _: Message) -> None:
        """Process a delivery report."""
        if self._producer is None:  # purged
            return
        if error is None:
            self._confirmed += 1
            self._outcomes.append(Outcome(sequence))
        elif error.code() not in OF_THE_EVENT:
            self._trouble = self._trouble or self._words(error)
        elif self._batches:
            self._may_batch = False
            self._trouble = f"{self._words(error)}; records are sent one by one from now on"
        else:
            self._outcomes.append(Outcome(sequence, self._words(error)))

    def _note_error(self, error: KafkaError) -> None:
        """Process an error of the client's connections; a fatal error ends the producer."""
        self._error = printable(error.str())
        if error.fatal():
            self._trouble = f"the producer has failed: {self._error}"

    def _words(self, error: KafkaError | None) -> str:
        if error is None or error.code() in NO_TOPIC:
            return f"there is no topic {self._options.topic}, and the broker doesn't create topics automatically"
        if error.code() == KafkaError.INVALID_TIMESTAMP:
            return f"{printable(error.str())}: the topic refuses this machine's time; is the clock right?"
        if error.code() in {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN} and self._error:  # noqa: SLF001
            return self._error
        return printable(error.str())
