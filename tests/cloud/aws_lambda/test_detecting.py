"""A function that detects anomalies counts each reading once, even if batches are repeated, fail, or overlap."""

from __future__ import annotations

import base64
import random
from typing import Any

import pytest
from lambda_readings import FIRST_SEQUENCE, SHARDS, TEXT, Seen, Stores, detection, kafka, kinesis, log_of, undisturbed

from cloud.aws_lambda.detecting import detect
from cloud.aws_lambda.once import InMemory
from cloud.aws_lambda.sources import UnknownSourceError
from config.loading import parse
from edge.fleet.memory_store import MemoryStore
from edge.fleet.plan import plan_of
from edge.fleet.store import Head, StaleHeadError
from edge.fleet.topics import TopicPlacing


@pytest.mark.long
def test_repeated_failing_and_overlapping_batches_change_no_event() -> None:
    chance, store, once = random.Random(4), Stores(), InMemory()
    seen, read = Seen(lambda: chance.random() < 0.25), dict.fromkeys(SHARDS, 0)
    environments, failures = [detection(store) for _ in range(3)], 0
    while unread := [each for each in SHARDS if read[each] < len(log_of(each))]:
        shard = chance.choice(unread)
        first = max(0, read[shard] - chance.choice([0, 0, 30]))
        last = first + chance.randrange(1, 60)
        environment = chance.randrange(3)
        if chance.random() < 0.2:
            environments[environment] = detection(store)
        answer = detect(kinesis(shard, first, last), environments[environment], seen, once)
        failed = [int(each["itemIdentifier"]) for each in answer["batchItemFailures"]]
        failures += len(failed)
        done = (failed[0] - FIRST_SEQUENCE) // 7 if failed else min(last, len(log_of(shard)))
        read[shard] = done if failed else max(read[shard], done)
    assert failures > 3
    assert sorted(seen.ids) == undisturbed()


@pytest.mark.long
def test_records_of_kafka_are_read_in_the_same_way() -> None:
    seen, one = Seen(), detection()
    for partition in SHARDS:
        for _ in range(2):
            assert detect(kafka(partition, 0, 999), one, seen, InMemory()) == {"batchItemFailures": []}
    assert sorted(seen.ids) == undisturbed()


@pytest.mark.long
def test_a_cell_that_another_invocation_runs_meanwhile_is_run_again() -> None:
    stores, once = Stores(), InMemory()
    one, other = detection(stores), detection(stores)
    ids: list[str] = []

    def function(event: Any) -> None:
        ids.append(event.id)
        if len(ids) == 1:  # Lambda assumes that this invocation has died, and starts another one
            detect(kinesis(SHARDS[0], 0, 90), other, lambda each: ids.append(each.id), once)

    assert detect(kinesis(SHARDS[0], 0, 999), one, function, once) == {"batchItemFailures": []}
    for shard in SHARDS[1:]:
        detect(kinesis(shard, 0, 999), other, lambda each: ids.append(each.id), once)
    assert sorted({*ids}) == undisturbed()
    assert len(ids) <= len({*ids}) + 1  # the batch in progress


def test_a_cell_that_is_always_taken_over_fails_from_its_first_record_on() -> None:
    class Taken(MemoryStore):
        def append(self, cell: int, entry: bytes, before: Head | None, nonce: str) -> None:
            raise StaleHeadError

    stores = Stores()
    stores[f"arn:aws:kinesis:eu-central-1:1:stream/s/{SHARDS[0]}"] = Taken()
    answer = detect(kinesis(SHARDS[0], 5, 40), detection(stores, cells=1), Seen(), InMemory())
    assert answer == {"batchItemFailures": [{"itemIdentifier": str(FIRST_SEQUENCE + 35)}]}


def test_a_shard_that_is_read_faster_makes_no_sensor_of_another_one_look_silent() -> None:
    kinds, one = list[str](), detection()
    for shard in SHARDS:
        detect(kinesis(shard, 0, 999), one, lambda each: kinds.append(each.data.kind), InMemory())
    assert {*kinds} == {"range"}


def test_only_the_records_of_failed_cells_are_delivered_again() -> None:
    once, one = InMemory(), detection()

    def function(event: Any) -> None:
        if "press0" in event.subject:
            raise RuntimeError

    answer = detect(kinesis(SHARDS[0], 0, 120), one, function, once)
    cell = one.topics.cell("hall/press0")
    mine = [place for place, each in enumerate(log_of(SHARDS[0])) if one.topics.cell(each[0]) == cell]
    assert answer == {"batchItemFailures": [{"itemIdentifier": str(FIRST_SEQUENCE + 7 * mine[0])}]}


def test_a_shard_is_delivered_again_from_the_first_record_of_all_failed_cells() -> None:
    one = detection()
    assert one.topics.cell("hall/press3") < one.topics.cell("hall/press0")  # processed in this order, read in the other
    answer = detect(kinesis(SHARDS[0], 0, 120), one, Seen(lambda: True), InMemory())
    assert answer == {"batchItemFailures": [{"itemIdentifier": str(FIRST_SEQUENCE)}]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"partitionKey": ""}, "no_key"),
        ({"data": "no base64!"}, "no_payload"),
        ({"approximateArrivalTimestamp": None}, "no_time"),
        ({"partitionKey": "elsewhere/x"}, "no_route"),
    ],
)
def test_unknown_records_are_logged_and_skipped(
    change: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    invocation, seen = kinesis(SHARDS[0], 0, 999), Seen()
    invocation["Records"][0]["kinesis"] |= change
    with caplog.at_level("INFO", "edgewarden.lambda"):
        assert detect(invocation, detection(), seen, InMemory()) == {"batchItemFailures": []}
    assert f"reason={reason}" in caplog.text
    assert f"{reason}=1" in caplog.text
    assert len(seen.ids) > 10


def test_payloads_that_cannot_be_read_are_counted_by_reason(caplog: pytest.LogCaptureFixture) -> None:
    invocation = kinesis(SHARDS[0], 0, 3)
    invocation["Records"][1]["kinesis"]["data"] = base64.b64encode(b"{").decode()
    with caplog.at_level("INFO", "edgewarden.lambda"):
        detect(invocation, detection(), Seen(), InMemory())
    assert "refused_malformed=1" in caplog.text


@pytest.mark.parametrize("invocation", [None, {}, {"Records": [{"eventSource": "aws:sqs"}]}, {"payload": ""}])
def test_sources_that_are_not_logs_are_refused(invocation: Any) -> None:
    with pytest.raises(UnknownSourceError):
        detect(invocation, detection(), Seen(), InMemory())


def test_the_sensors_of_a_topic_share_a_cell_and_so_do_the_topics_of_a_device() -> None:
    configuration = parse(TEXT + '[[device]]\nsensors = ["hall/line1/**"]\nname = "line1"\n', "test").configuration
    plan = plan_of(configuration, 1000)
    topics = TopicPlacing.of(configuration, plan)
    assert len({topics.cell(f"hall/line1/m{each}") for each in range(10)}) == 1
    assert len({topics.cell(f"hall/press{each}") for each in range(10)}) > 5
    assert topics.cell("elsewhere") is None
    assert topics.cell("hall/press1") == topics.cell("hall/press1")
