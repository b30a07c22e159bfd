"""The ledger of partitions and the merging of their records, without a broker."""

from __future__ import annotations

import threading

import pytest

from edge.core.model.readings.messages import Message
from edge.shell.link.kafka.ledger import PartitionLedger
from edge.shell.link.kafka.merging import CROWDED, PATIENCE_S, PartitionMerge
from edge.shell.link.kafka.records import Headers, as_message_of, time_of

PLACE = ("plant", 0)


def record(receipt: int, offset: int, time: float = 0.0, payload: bytes = b"1") -> Message:
    return Message("plant/pump", payload, time, receipt=receipt, packet=offset)


def records(receipt: int, *offsets: int) -> list[Message]:
    return [record(receipt, each) for each in offsets]


def test_only_stored_records_are_committed() -> None:
    ledger = PartitionLedger()
    number = ledger.assign(PLACE, "log", 5)
    taken = ledger.take(records(number, 5, 6, 7))
    assert ledger.to_commit() == [(PLACE, 5)]
    ledger.acknowledge(taken[:2])
    assert ledger.to_commit() == [(PLACE, 7)]
    assert ledger.to_commit() == []


def test_the_position_of_a_log_is_the_last_record_of_a_step() -> None:
    ledger = PartitionLedger()
    one, other = ledger.assign(PLACE, "one", 0), ledger.assign(("plant", 1), "other", 10)
    assert ledger.positions([*records(one, 0, 1), *records(other, 10), *records(one, 2)]) == {"one": 2, "other": 10}


def test_messages_of_the_service_itself_have_no_position() -> None:
    ledger = PartitionLedger()
    own = Message("edgewarden/gw/command/mute", b"{}", 0.0)
    assert ledger.take([own]) == [own]
    assert ledger.positions([own]) == {}


def test_nothing_more_is_handed_over_from_a_revoked_partition() -> None:
    ledger = PartitionLedger()
    number = ledger.assign(PLACE, "log", 0)
    ledger.acknowledge(ledger.take(records(number, 0)))
    assert ledger.leave([number], 0.0)
    assert ledger.take(records(number, 1)) == []
    ledger.forget([number])
    assert ledger.take(records(number, 2)) == []


def test_a_partition_is_released_when_its_records_are_stored() -> None:
    ledger = PartitionLedger()
    number = ledger.assign(PLACE, "log", 0)
    taken = ledger.take(records(number, 0, 1))
    assert not ledger.leave([number], 0.0)
    storing = threading.Timer(0.05, ledger.acknowledge, [taken])
    storing.start()
    assert ledger.leave([number], 60.0)
    assert ledger.to_commit([number]) == [(PLACE, 2)]


def test_a_handed_over_record_is_a_position_even_after_its_partition_was_lost() -> None:
    ledger = PartitionLedger()
    number = ledger.assign(PLACE, "log", 0)
    taken = ledger.take(records(number, 0, 1))
    ledger.forget([number])
    assert ledger.positions(taken) == {"log": 1}
    assert ledger.known() == {"log": 1}


def test_the_position_handed_over_by_this_process_is_ahead_of_the_stored_one() -> None:
    ledger = PartitionLedger()
    ledger.acknowledge(ledger.take(records(ledger.assign(PLACE, "log", 3), 3, 4)))
    ledger.resume({"log": 2, "other": 9})
    assert ledger.known() == {"log": 4, "other": 9}


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def merge(clock: list[float]) -> PartitionMerge:
    made = PartitionMerge(1000, lambda: clock[0])
    for number in (1, 2):
        made.open(number)
    return made


def add(merge: PartitionMerge, receipt: int, *times: float) -> None:
    for offset, each in enumerate(times):
        merge.add(record(receipt, offset, each))


def taken(merge: PartitionMerge, ended: set[int], most: int = 100) -> list[tuple[int, float]]:
    return [(each.receipt, each.arrived) for each in merge.take(ended.__contains__, most)]


def test_records_of_two_partitions_come_in_order_of_time(merge: PartitionMerge) -> None:
    add(merge, 1, 1.0, 2.0, 5.0)
    add(merge, 2, 1.5, 4.0)
    assert taken(merge, {1, 2}) == [(1, 1.0), (2, 1.5), (1, 2.0), (2, 4.0), (1, 5.0)]


def test_no_record_overtakes_a_partition_that_has_more_to_read(merge: PartitionMerge) -> None:
    add(merge, 1, 1.0, 2.0)
    assert taken(merge, {1}) == []
    add(merge, 2, 1.5)
    assert taken(merge, {1}) == [(1, 1.0), (2, 1.5)]
    assert taken(merge, {1, 2}) == [(1, 2.0)]


def test_the_wait_for_a_partition_without_data_is_limited(merge: PartitionMerge, clock: list[float]) -> None:
    add(merge, 1, 1.0)
    assert taken(merge, {1}) == []
    clock[0] += PATIENCE_S
    assert taken(merge, {1}) == [(1, 1.0)]


def test_the_order_within_a_partition_is_kept_whatever_its_times(merge: PartitionMerge) -> None:
    add(merge, 1, 3.0, 1.0)
    add(merge, 2, 2.0)
    assert taken(merge, {1, 2}) == [(2, 2.0), (1, 3.0), (1, 1.0)]


def test_a_record_with_an_implausible_time_does_not_delay_those_after_it(merge: PartitionMerge) -> None:
    add(merge, 1, 1.0)
    merge.add(record(1, 1, 99.0), is_dated=False)
    add(merge, 1, 2.0, 4.0)
    add(merge, 2, 3.0, 5.0)
    assert taken(merge, {1, 2}) == [(1, 1.0), (1, 99.0), (1, 2.0), (2, 3.0), (1, 4.0), (2, 5.0)]


def test_no_more_are_taken_than_there_is_room_for(merge: PartitionMerge) -> None:
    add(merge, 1, 1.0, 2.0, 3.0)
    assert len(taken(merge, {1, 2}, 2)) == 2
    assert taken(merge, {1, 2}, 0) == []


def test_a_partition_with_many_records_waiting_is_crowded() -> None:
    merge = PartitionMerge(10**9)
    merge.open(1)
    merge.open(2)
    add(merge, 1, *[1.0] * CROWDED)
    assert merge.crowded() == {1}


def test_all_are_crowded_once_their_payloads_are_too_large_together(merge: PartitionMerge) -> None:
    merge.add(record(1, 0, payload=b"x" * 1000))
    assert merge.crowded() == {1, 2}
    merge.close(1)
    assert merge.crowded() == set()


class FakeRecord:
    def __init__(self, key: bytes | None, value: bytes | None, time: float, headers: Headers = None) -> None:
        self._key, self._value, self._time, self._headers = key, value, time, headers

    def topic(self) -> str:
        return "plant"

    def offset(self) -> int:
        return 7

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> Headers:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return 1, round(1000 * self._time)


def test_topic_and_key_form_the_topic_of_a_message() -> None:
    message = as_message_of(FakeRecord(b"line1/pump", b"21.5", 1_700_000_000.25), 3, 1_700_000_100.0)
    assert message == Message("plant/line1/pump", b"21.5", 1_700_000_000.25, receipt=3, packet=7)


@pytest.mark.parametrize("key", [None, b""])
def test_a_record_without_a_key_has_only_the_topic(key: bytes | None) -> None:
    assert as_message_of(FakeRecord(key, None, 1e9), 1, 2e9)[:2] == ("plant", b"")


def test_a_key_may_be_any_bytes() -> None:
    assert as_message_of(FakeRecord(b"\xff\x00", b"", 1e9), 1, 2e9).topic == "plant/\ufffd\x00"


def test_the_content_type_comes_from_the_header() -> None:
    made = as_message_of(FakeRecord(b"k", b"", 1e9, [("Content-Type", b"application/senml+json")]), 1, 2e9)
    assert made.content_type == "application/senml+json"


@pytest.mark.parametrize(
    ("said", "now", "time"),
    [
        (1.6e9, 1.7e9, 1.6e9),
        (1.8e9, 1.7e9, 1.7e9),
        (-0.001, 1.7e9, 1.7e9),
        (1000.0, 1.7e9, 1.7e9),
        (1.7e9, 1000.0, 1.7e9),
    ],
    ids=["past", "ahead of our clock", "none", "a producer's clock that was never set", "our clock was never set"],
)
def test_the_time_of_a_record_is_used_unless_it_is_impossible(said: float, now: float, time: float) -> None:
    assert time_of(said, now) == time
