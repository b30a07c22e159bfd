"""Logs in practice: compacted, deleted under a running service, with large records and clocks that are ahead."""

from __future__ import annotations

import json
import time
from collections import Counter
from operator import itemgetter

import pytest
from running import PATIENT, wait_for_all, wait_until

pytest.importorskip("confluent_kafka")

from kafka_plant import (
    SENSORS,
    MakeWorker,
    PlantRecord,
    create_topics,
    expected_ids,
    health,
    kafka_configuration,
    new_topic,
    plant_records,
    produce,
    published_ids,
    taken,
    wait_for_readings,
)
from kafka_server import Kafka

from edge.core.incidents.events.event import timestamp

pytestmark = pytest.mark.long

DAY_S = 86_400.0


def early_silences(kafka: Kafka, events: str, before: float) -> list[str]:
    """The ids of silences that began when all sensors still had readings to come."""
    found = [(dict(each.headers()), json.loads(each.value())) for each in kafka.records(events)]
    silent = [headers for headers, data in found if data.get("kind") == "missing" and data["transition"] == "raised"]
    return [each["ce_id"].decode() for each in silent if each["ce_time"].decode() < timestamp(before)]


def test_a_topic_that_is_deleted_and_recreated_while_it_is_read_is_read_from_its_beginning(
    kafka: Kafka, topic: str, make_worker: MakeWorker
) -> None:
    records = plant_records(320)
    service = make_worker("gw", kafka_configuration(kafka, topic, f"{topic}-events")).start()
    produce(kafka, topic, records[:2000])
    wait_for_readings({"gw": service}, 2000)
    kafka.delete_topic(topic)
    wait_until(lambda: topic not in kafka.topics(), 60, "the end of the topic")
    create_topics(kafka, topic)
    produce(kafka, topic, records[2000:])
    wait_for_readings({"gw": service}, len(records))
    assert service.end() == 0
    assert Counter(taken(service)).most_common(1)[0][1] == 1


def test_the_remaining_records_of_a_compacted_topic_are_read_once_even_after_a_kill(
    kafka: Kafka, make_worker: MakeWorker
) -> None:
    topic = new_topic()
    create_topics(kafka, f"{topic}-events")
    kafka.create_topic(
        topic,
        3,
        cleanup_policy="compact",
        segment_bytes="1048576",
        segment_ms="1000",
        max_compaction_lag_ms="1000",
        min_cleanable_dirty_ratio="0.01",
        retention_ms="-1",
    )
    records = plant_records(300)
    service = make_worker("gw", kafka_configuration(kafka, topic, f"{topic}-events"))
    for first in range(0, 1800, 600):  # the last record remains, since Kafka doesn't compact the open segment
        produce(kafka, topic, records[first : first + 600])
    wait_until(lambda: len(kafka.records(topic)) < 900, 90, "the compaction")
    service.start()
    left = {(f"{topic}/{each.key().decode()}", json.loads(each.value())["ts"]) for each in kafka.records(topic)}
    wait_until(lambda: {*taken(service)} >= left, 90, "what is left")
    service.kill()
    produce(kafka, topic, records[1800:])
    service.start()
    wanted = {(f"{topic}/{each.key}", each.time) for each in records[-len(SENSORS) :]}
    wait_until(lambda: {*taken(service)} >= wanted, 90, "what came last")
    assert service.end() == 0
    assert Counter(taken(service)).most_common(1)[0][1] == 1
    assert "records_lost" not in service.log.read_text()


def test_a_record_that_is_too_large_is_a_dead_letter_and_the_others_are_read(
    kafka: Kafka, make_worker: MakeWorker
) -> None:
    topic = new_topic()
    create_topics(kafka, f"{topic}-events")
    kafka.create_topic(topic, 1, max_message_bytes=str(8 * 2**20), retention_ms="-1")
    service = make_worker("gw", kafka_configuration(kafka, topic, f"{topic}-events")).start()
    large = [PlantRecord(SENSORS[0], b"[" + b"1," * 200_000 + b"1]", 1_700_000_000.0)]
    produce(kafka, topic, [*large, *plant_records(160)])
    wait_for_readings({"gw": service}, 160 * len(SENSORS))
    wait_until(lambda: health(service).get("messages_refused"), 60, "the refusal")
    assert health(service)["messages_refused"] == {"too_large": 1}
    assert service.end() == 0


def test_a_gateway_whose_clock_is_a_day_ahead_affects_only_its_own_readings(
    kafka: Kafka, make_worker: MakeWorker
) -> None:
    topic = new_topic()
    create_topics(kafka, f"{topic}-events")
    kafka.create_topic(topic, 3, retention_ms="-1", message_timestamp_after_max_ms=str(int(2 * DAY_S * 1000)))
    now = time.time()
    shift = now - 10 - plant_records(300)[-1].time
    right = [_shifted(each, shift) for each in plant_records(300)]
    ahead = [
        PlantRecord(f"other/{each.key}", _shifted(each, DAY_S).value, each.time + DAY_S)
        for each in right
        if each.time > now - 600
    ]
    configuration = kafka_configuration(kafka, topic, f"{topic}-events")
    service = make_worker("gw", configuration).start()
    together = [(each.time, each) for each in right] + [(each.time - DAY_S, each) for each in ahead]
    produce(kafka, topic, [each for _, each in sorted(together, key=itemgetter(0))])
    wait_for_readings({"gw": service}, len(right))
    expected = expected_ids(configuration, topic, right)
    wait_for_all(lambda: len(published_ids(kafka, f"{topic}-events")), len(expected), "events", poll_s=0.5)
    refused = {"time_in_future": len(ahead)}
    wait_until(lambda: health(service).get("readings_refused") == refused, 60, "the refusals")
    assert service.end() == 0
    assert {*published_ids(kafka, f"{topic}-events")} >= {*expected}
    assert early_silences(kafka, f"{topic}-events", now - 60) == []


def test_a_broker_that_hangs_costs_nothing(kafka: Kafka, topic: str, make_worker: MakeWorker) -> None:
    records = plant_records(300)
    configuration = kafka_configuration(kafka, topic, f"{topic}-events", more=PATIENT)
    service = make_worker("gw", configuration).start()
    produce(kafka, topic, records[:2000])
    wait_for_readings({"gw": service}, 2000)
    kafka.stop()
    time.sleep(15)  # longer than the session
    kafka.resume()
    produce(kafka, topic, records[2000:])
    wait_for_readings({"gw": service}, len(records))
    expected = expected_ids(configuration, topic, records)
    wait_for_all(lambda: len(published_ids(kafka, f"{topic}-events")), len(expected), "events", poll_s=0.5)
    assert service.end() == 0
    assert Counter(taken(service)).most_common(1)[0][1] == 1
    assert published_ids(kafka, f"{topic}-events") == expected


def _shifted(record: PlantRecord, seconds: float) -> PlantRecord:
    value = json.loads(record.value)
    return PlantRecord(record.key, json.dumps({**value, "ts": value["ts"] + seconds}).encode(), record.time + seconds)
