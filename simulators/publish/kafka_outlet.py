"""Publishing to Apache Kafka: the first level of a topic is the Kafka topic, the rest the key of the record.

All sensors of a device are in one partition. Topics of another first level, such as that of the truth, are left out.
"""

from __future__ import annotations

import zlib
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from simulators.publish.publisher import PublishError

CONNECT_S = 15.0


class KafkaOutlet:
    """See `PublishingOutlet`; the client itself connects again and sends again.

    Args:
        brokers: Bootstrap servers, host:port, separated by commas.
        topic: The Kafka topic.

    Raises:
        PublishError: There is no such topic, or Kafka doesn't answer.
    """

    alive = True
    connections = 1

    def __init__(self, brokers: str, topic: str) -> None:
        self._topic = topic
        self._producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "log_level": 0})
        try:
            found = self._producer.list_topics(topic, CONNECT_S).topics[topic]
        except KafkaException as error:
            raise PublishError(f"Kafka at {brokers}: {error.args[0].str()}") from error
        if found.error is not None:
            raise PublishError(f"the topic {topic}: {found.error.str()}")
        self._partitions = len(found.partitions)
        self._token = 0
        self._confirmed: list[int] = []

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:  # noqa: ARG002 - the protocol's
        """See `PublishingOutlet`; None while the client has as much in hand as it may."""
        first, _, key = topic.partition("/")
        self._token += 1
        token = self._token
        if first != self._topic:
            self._confirmed.append(token)
            return token

        def note(error: KafkaError | None, _: Any) -> None:
            if error is None:
                self._confirmed.append(token)

        partition = zlib.crc32(key.rpartition("/")[0].encode()) % self._partitions
        try:
            self._producer.produce(self._topic, payload, key, partition, on_delivery=note)
        except BufferError:
            self._producer.poll(0.05)
            return None
        return token

    def confirmations(self) -> list[int]:
        """See `PublishingOutlet`."""
        self._producer.poll(0)
        confirmed, self._confirmed = self._confirmed, []
        return confirmed
