"""Heartbeats: records without key and value, so that time advances in partitions whose sensors are silent."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import KafkaException, Producer

ASK_S = 30.0


class HeartbeatError(Exception):
    """Kafka doesn't accept heartbeats; the message gives the reason."""


class Heartbeat:
    """Writes heartbeats to a topic.

    Args:
        client: Settings of librdkafka for the connection.
        topic: The topic.
    """

    def __init__(self, client: Mapping[str, str], topic: str) -> None:
        self._producer = Producer({**client, "message.timeout.ms": 10_000})
        self._topic = topic

    def beat(self) -> None:
        """Write a heartbeat to each partition.

        Raises:
            HeartbeatError: The topic doesn't exist, or Kafka doesn't answer.
        """
        try:
            found = self._producer.list_topics(self._topic, ASK_S).topics[self._topic]
            if found.error is not None:
                raise HeartbeatError(f"the topic {self._topic}: {found.error.str()}")
            for each in found.partitions:
                self._producer.produce(self._topic, None, partition=each)
        except KafkaException as error:
            raise HeartbeatError(f"Kafka: {error.args[0].str()}") from error
        if self._producer.flush(ASK_S):
            raise HeartbeatError(f"Kafka has accepted no heartbeat for {ASK_S:g} s")
