"""The real command on a real Apache Kafka: kills, a broker that dies, workers that share a topic, invalid records."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from pathlib import Path

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

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("KAFKA_KILLS", "4"))
"""Number of kills of the service; 100 in the long form."""

WHILE_READING = 0.7
"""The share of kills that happen when the service has begun to read."""


def test_every_reading_is_read_once_through_kills_and_the_events_are_those_of_one_run(
    kafka: Kafka, topic: str, make_worker: MakeWorker
) -> None:
    configuration = kafka_configuration(kafka, topic, f"{topic}-events", more=PATIENT)
    records = plant_records(400)
    service, chance = make_worker("gw", configuration).start(), random.Random(5)
    share = len(records) // (KILLS + 1) + 1
    for first in range(0, len(records), share):
        produce(kafka, topic, records[first : first + share])
        if first:
            starts = service.log.read_text().count("partitions_assigned")
            service.kill()
            service.start()
            if chance.random() < WHILE_READING:
                wait_until(lambda n=starts: service.log.read_text().count("partitions_assigned") > n, 90, "the start")
            time.sleep(chance.uniform(0.1, 2.0))  # any moment will do
    wait_for_readings({"gw": service}, len(records))
    expected = expected_ids(configuration, topic, records)
    wait_for_all(lambda: len(published_ids(kafka, f"{topic}-events")), len(expected), "events", poll_s=0.5)
    assert service.end() == 0
    assert Counter(taken(service)).most_common(1)[0][1] == 1
    assert published_ids(kafka, f"{topic}-events") == expected


def test_offsets_are_committed_for_stored_records_and_the_lag_is_reported(
    kafka: Kafka, topic: str, make_worker: MakeWorker
) -> None:
    from confluent_kafka import Consumer, TopicPartition

    records = plant_records(160)
    service = make_worker("gw", kafka_configuration(kafka, topic, f"{topic}-events")).start()
    produce(kafka, topic, records)
    wait_for_readings({"gw": service}, len(records))
    places = [TopicPartition(topic, each) for each in range(3)]
    group = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": topic})
    wait_until(lambda: sum(max(0, each.offset) for each in group.committed(places, 20)) == len(records), 60, "commits")
    wait_until(lambda: health(service).get("input_lag") == 0, 60, "the lag")
    group.close()
    assert service.end() == 0


def test_readings_continue_after_the_broker_was_killed_and_restarted(tmp_path: Path, make_worker: MakeWorker) -> None:
    kafka = Kafka(tmp_path / "own")
    kafka.start()
    create_topics(kafka, "plant", "events")
    records = plant_records(300)
    configuration = kafka_configuration(kafka, "plant", "events", more=PATIENT)
    service = make_worker("gw", configuration).start()
    produce(kafka, "plant", records[:2000])
    wait_for_readings({"gw": service}, 2000)
    kafka.kill()
    wait_until(lambda: "disconnected host=127.0.0.1" in service.log.read_text(), 60, "the end of the connection")
    kafka.start()
    produce(kafka, "plant", records[2000:])
    wait_for_readings({"gw": service}, len(records))
    expected = expected_ids(configuration, "plant", records)
    wait_for_all(lambda: len(published_ids(kafka, "events")), len(expected), "events", poll_s=0.5)
    assert service.end() == 0
    assert Counter(taken(service)).most_common(1)[0][1] == 1
    assert published_ids(kafka, "events") == expected
    kafka.kill()


def test_two_workers_that_come_and_go_share_the_partitions_and_read_no_record_twice(
    kafka: Kafka, topic: str, make_worker: MakeWorker
) -> None:
    records = plant_records(300)
    workers = {
        name: make_worker(name, kafka_configuration(kafka, topic, f"{topic}-events", name)) for name in ("w1", "w2")
    }
    workers["w1"].start()
    produce(kafka, topic, records[:1200])
    wait_for_readings({"w1": workers["w1"]}, 1000)
    workers["w2"].start()
    for first in range(1200, 2400, 120):
        produce(kafka, topic, records[first : first + 120])
        time.sleep(0.3)  # while the partitions move
    wait_until(lambda: "partitions=['" in workers["w2"].log.read_text(), 90, "the move")
    produce(kafka, topic, records[2400:3000])
    wait_for_readings(workers, 3000)
    assert workers["w2"].end() == 0
    produce(kafka, topic, records[3000:])
    wait_for_readings(workers, len(records))
    assert workers["w1"].end() == 0
    every = Counter(one for name, each in workers.items() for one in taken(each, name))
    assert len(every) == len(records)
    assert every.most_common(1)[0][1] == 1
    assert taken(workers["w2"], "w2")


def test_sensors_that_have_moved_to_another_worker_are_not_silent(
    kafka: Kafka, topic: str, make_worker: MakeWorker
) -> None:
    now, rule = time.time(), '[[rule]]\nsensors = "**"\ndetectors.silence.at_least_s = 15\n'
    service = make_worker("w1", kafka_configuration(kafka, topic, f"{topic}-events", "w1", rule)).start()
    values = [b"21.%d" % (each * 7 % 10) for each in range(245)]
    seconds = [PlantRecord(sensor, values[each], now - 200 + each) for each in range(200) for sensor in SENSORS]
    produce(kafka, topic, seconds)
    wait_for_readings({"w1": service}, len(seconds))
    other = make_worker("w2", kafka_configuration(kafka, topic, f"{topic}-events", "w2", rule)).start()
    wait_until(lambda: "partitions=['" in other.log.read_text(), 90, "the move")
    mine = {sensor for sensor, _ in taken(service, "w1")}
    assert len(mine) == len(SENSORS)
    for each in values[200:]:  # three times as long as a sensor may be silent
        produce(kafka, topic, [PlantRecord(sensor, each, time.time()) for sensor in SENSORS])
        time.sleep(1.0)
    wait_until(lambda: taken(other, "w2"), 60, "readings of the other worker")
    assert "missing" not in {json.loads(each.value()).get("kind") for each in kafka.records(f"{topic}-events")}
    assert service.end() == other.end() == 0


def test_unknown_records_are_counted_and_kept_as_dead_letters(
    kafka: Kafka, topic: str, make_worker: MakeWorker
) -> None:
    service = make_worker("gw", kafka_configuration(kafka, topic, f"{topic}-events")).start()
    strange = [
        PlantRecord(SENSORS[0], b"\x00\x00\x00\x00\x01Avro", 1_700_000_000.0),
        PlantRecord(SENSORS[1], b"{", 1_700_000_000.0),
        PlantRecord("", b"hello", 1_700_000_000.0),
        PlantRecord("x" * 5000, b"21.5", 1_700_000_000.0),
    ]
    produce(kafka, topic, [*strange, *plant_records(160)])
    wait_for_readings({"gw": service}, 160 * len(SENSORS))
    wait_until(lambda: health(service).get("messages_refused"), 60, "health")
    assert sum(health(service)["messages_refused"].values()) == 3
    assert service.end() == 0


def test_a_missing_topic_is_named_and_read_once_it_exists(kafka: Kafka, make_worker: MakeWorker) -> None:
    name = new_topic()
    create_topics(kafka, f"{name}-events")
    service = make_worker("gw", kafka_configuration(kafka, name, f"{name}-events")).start()
    wait_until(lambda: "there is no such topic" in service.log.read_text(), 60, "the line in the log")
    create_topics(kafka, name)
    records = plant_records(160)
    produce(kafka, name, records)
    wait_for_readings({"gw": service}, len(records))
    assert service.end() == 0


def test_a_topic_that_is_deleted_and_recreated_is_read_from_its_beginning(
    kafka: Kafka, topic: str, make_worker: MakeWorker
) -> None:
    records = plant_records(320)
    service = make_worker("gw", kafka_configuration(kafka, topic, f"{topic}-events")).start()
    produce(kafka, topic, records[:2000])
    wait_for_readings({"gw": service}, 2000)
    assert service.end() == 0
    kafka.delete_topic(topic)
    wait_until(lambda: topic not in kafka.topics(), 60, "the end of the topic")
    create_topics(kafka, topic)
    produce(kafka, topic, records[2000:])
    service.start()
    wait_for_readings({"gw": service}, len(records))
    assert service.end() == 0


def test_records_that_were_deleted_unread_are_a_gap(kafka: Kafka, topic: str, make_worker: MakeWorker) -> None:
    records = plant_records(320)
    service = make_worker("gw", kafka_configuration(kafka, topic, f"{topic}-events")).start()
    produce(kafka, topic, records[:2000])
    wait_for_readings({"gw": service}, 2000)
    assert service.end() == 0
    produce(kafka, topic, records[2000:3000])
    kafka.delete_records(topic)
    produce(kafka, topic, records[3000:])
    service.start()
    wait_for_readings({"gw": service}, 2000 + len(records) - 3000)
    assert "records_lost" in service.log.read_text()
    gaps = [each for each in kafka.records(f"{topic}-events") if b".gap." in dict(each.headers())["ce_type"]]
    assert len(gaps) == 1
    assert service.end() == 0


def test_a_second_worker_of_one_name_is_reported(kafka: Kafka, topic: str, make_worker: MakeWorker) -> None:
    first = make_worker("one", kafka_configuration(kafka, topic, f"{topic}-events")).start()
    wait_until(lambda: "partitions_assigned" in first.log.read_text(), 60, "the first")
    second = make_worker("two", kafka_configuration(kafka, topic, f"{topic}-events")).start()
    wait_until(lambda: "client_id_in_use" in first.log.read_text() or "fenced" in first.log.read_text().lower(), 90)
    assert second.process is not None
