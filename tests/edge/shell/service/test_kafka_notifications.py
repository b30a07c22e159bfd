"""An error while partitions are assigned reaches the caller as an exception that it can handle, with a real Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from unittest.mock import Mock

import pytest

pytest.importorskip("confluent_kafka")

from confluent_kafka import Consumer, KafkaException
from kafka_server import Kafka

from edge.shell.link.kafka.cluster import Cluster, GroupOptions
from edge.shell.link.kafka.consuming import GroupMember
from edge.shell.link.kafka.ledger import Place

pytestmark = pytest.mark.long


def test_a_broker_that_does_not_answer_while_partitions_are_assigned_is_an_exception(kafka: Kafka, topic: str) -> None:
    def no_answer(_: Sequence[Place]) -> None:
        Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "none"}).list_topics(topic, 0.5)

    member = GroupMember(GroupOptions(Cluster((kafka.bootstrap,)), topic, "member"), [topic], Mock(assigned=no_answer))
    with pytest.raises(KafkaException, match="_TRANSPORT"):
        all(member.poll(1.0) == [] for _ in range(60))
    member.close()
