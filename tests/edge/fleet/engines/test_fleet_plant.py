"""The plant of the fleet tests: what the workers read is in the order in which it was sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka_server import Kafka, jars

TOPICS = 40
"""So many that partitions still refuse records when the first are sent: the state of every new topic for a moment."""


@pytest.mark.long
def test_records_of_topics_that_have_just_been_created_stay_in_order(tmp_path: Path) -> None:
    jars()
    kafka = Kafka(tmp_path / "kafka")
    kafka.start()
    try:
        names, sent = [f"topic{each}" for each in range(TOPICS)], [b"%d" % each for each in range(1000)]
        producer = kafka.producer()
        producer.list_topics(timeout=20)  # it is connected when the topics come into being
        kafka.create_topics(*names, partitions=3)
        for value in sent:
            for name in names:
                producer.produce(name, value, "key", partition=0)
            producer.poll(0)
        assert producer.flush(120) == 0
        for name in names[::5]:
            assert [each.value() for each in kafka.records(name)] == sent
    finally:
        kafka.remove()
