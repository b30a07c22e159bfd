from __future__ import annotations

import threading

from running import wait_until

from edge.core.model.readings.messages import Message
from edge.shell.link.receiving.receive_queue import ReceiveQueue


def message(payload: bytes, qos: int = 1) -> Message:
    return Message("a", payload, 0.0, qos=qos)


def payloads(inbox: ReceiveQueue, most: int = 100) -> list[bytes]:
    return [each.payload for each in inbox.take(0, most, 2**20)]


def test_messages_are_taken_in_order_and_once() -> None:
    inbox = ReceiveQueue(10, 100)
    for each in (b"1", b"2", b"3"):
        inbox.put(message(each))
    assert payloads(inbox, 2) == [b"1", b"2"]
    assert payloads(inbox) == [b"3"]
    assert payloads(inbox) == []


def test_qos_0_is_dropped_where_bytes_run_out_and_room_returns() -> None:
    inbox = ReceiveQueue(10, 5)
    inbox.put(message(b"123", 0))
    inbox.put(message(b"456", 0))
    assert inbox.dropped == 1
    assert payloads(inbox, 1) == [b"123"]
    inbox.put(message(b"456", 0))
    assert payloads(inbox) == [b"456"]


def test_a_message_larger_than_the_whole_queue_passes_alone() -> None:
    inbox = ReceiveQueue(10, 5)
    inbox.put(message(b"123456789", 0))
    inbox.put(message(b"1", 0))
    assert payloads(inbox) == [b"123456789"]


def test_qos_1_is_kept_without_waiting_and_stops_the_reading_until_there_is_room() -> None:
    inbox = ReceiveQueue(2, 100)
    inbox.put_all([message(b"1"), message(b"2")])
    assert not inbox.is_full
    inbox.put(message(b"3"))
    assert inbox.is_full
    assert payloads(inbox, 1) == [b"1"]
    assert not inbox.is_full
    assert payloads(inbox) == [b"2", b"3"]


def test_bytes_beyond_the_limit_stop_the_reading_too() -> None:
    inbox = ReceiveQueue(10, 5)
    inbox.put(message(b"12345"))
    assert not inbox.is_full
    inbox.put(message(b"6"))
    assert inbox.is_full


def test_qos_0_alone_never_stops_the_reading_but_is_dropped() -> None:
    inbox = ReceiveQueue(2, 100)
    inbox.put_all([message(b"%d" % each, 0) for each in range(5)])
    assert not inbox.is_full
    assert inbox.dropped == 3
    assert inbox.arrived == 5


def test_messages_set_aside_are_not_taken_and_qos_0_is_not_set_aside() -> None:
    inbox = ReceiveQueue(2, 100)
    inbox.put_all([message(b"1"), message(b"2", 0), message(b"3")])
    inbox.set_aside()
    assert not inbox.is_full
    assert payloads(inbox) == [b"2"]


def test_redelivered_messages_are_forgotten() -> None:
    inbox = ReceiveQueue(10, 100)
    inbox.put_all([message(b"1"), message(b"2")])
    inbox.set_aside()
    assert inbox.forget_aside() == 2
    assert inbox.take_back() == 0
    assert payloads(inbox) == []


def test_messages_that_are_not_redelivered_are_handed_over_first_since_they_cannot_be_acknowledged() -> None:
    inbox = ReceiveQueue(10, 6)
    inbox.put_all([message(b"123")._replace(packet=7, redelivered=True), message(b"4", 0), message(b"56")])
    inbox.set_aside()
    inbox.put(message(b"7"))
    assert inbox.take_back() == 2
    assert inbox.is_full
    assert [(each.payload, each.qos, each.packet, each.redelivered) for each in inbox.take(0, 10, 100)] == [
        (b"123", 0, 0, False),
        (b"56", 0, 0, False),
        (b"4", 0, 0, False),
        (b"7", 1, 0, False),
    ]
    assert not inbox.is_full


def test_nothing_is_added_after_the_end() -> None:
    inbox = ReceiveQueue(1, 100)
    inbox.close()
    inbox.put(message(b"1"))
    assert payloads(inbox) == []


def test_an_interruption_ends_one_take_only() -> None:
    inbox = ReceiveQueue(1, 100)
    inbox.interrupt()
    assert inbox.take(60, 1, 2**20) == []
    taken: list[list[Message]] = []
    thread = threading.Thread(target=lambda: taken.append(inbox.take(60, 1, 2**20)))
    thread.start()
    inbox.put(message(b"1"))
    wait_until(lambda: taken)
    thread.join(5)
    assert taken == [[message(b"1")]]


def test_no_more_bytes_are_taken_at_once_than_requested_except_a_single_message() -> None:
    inbox = ReceiveQueue(10, 1000)
    for size in (70, 20, 20, 5):
        inbox.put(Message("t", b"x" * size, 0.0, qos=1))
    assert [len(each.payload) for each in inbox.take(0, 10, 50)] == [70]
    assert [len(each.payload) for each in inbox.take(0, 10, 40)] == [20, 20]
    assert [len(each.payload) for each in inbox.take(0, 10, 40)] == [5]
