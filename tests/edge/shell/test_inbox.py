from __future__ import annotations

import threading

from running import wait_until

from edge.core.messages import Message
from edge.shell.inbox import Inbox


def message(payload: bytes, qos: int = 1) -> Message:
    return Message("a", payload, 0.0, qos=qos)


def payloads(inbox: Inbox, most: int = 100) -> list[bytes]:
    return [each.payload for each in inbox.take(0, most, 2**20)]


def test_what_is_put_is_taken_in_order_and_once() -> None:
    inbox = Inbox(10, 100)
    for each in (b"1", b"2", b"3"):
        inbox.put(message(each))
    assert payloads(inbox, 2) == [b"1", b"2"]
    assert payloads(inbox) == [b"3"]
    assert payloads(inbox) == []


def test_qos_0_is_dropped_where_bytes_run_out_and_room_comes_back() -> None:
    inbox = Inbox(10, 5)
    inbox.put(message(b"123", 0))
    inbox.put(message(b"456", 0))
    assert inbox.dropped == 1
    assert payloads(inbox, 1) == [b"123"]
    inbox.put(message(b"456", 0))
    assert payloads(inbox) == [b"456"]


def test_one_that_is_larger_than_all_room_passes_alone() -> None:
    inbox = Inbox(10, 5)
    inbox.put(message(b"123456789", 0))
    inbox.put(message(b"1", 0))
    assert payloads(inbox) == [b"123456789"]


def test_qos_1_waits_for_room() -> None:
    inbox = Inbox(1, 100)
    inbox.put(message(b"1"))
    thread = threading.Thread(target=inbox.put, args=[message(b"2")])
    thread.start()
    assert payloads(inbox) == [b"1"]
    thread.join(5)
    assert payloads(inbox) == [b"2"]


def test_who_waits_for_room_is_let_go_at_the_end_and_puts_nothing() -> None:
    inbox = Inbox(1, 100)
    inbox.put(message(b"1"))
    thread = threading.Thread(target=inbox.put, args=[message(b"2")])
    thread.start()
    inbox.close()
    thread.join(5)
    assert not thread.is_alive()
    assert payloads(inbox) == [b"1"]


def test_an_interruption_ends_one_take_only() -> None:
    inbox = Inbox(1, 100)
    inbox.interrupt()
    assert inbox.take(60, 1, 2**20) == []
    taken: list[list[Message]] = []
    thread = threading.Thread(target=lambda: taken.append(inbox.take(60, 1, 2**20)))
    thread.start()
    inbox.put(message(b"1"))
    wait_until(lambda: taken)
    thread.join(5)
    assert taken == [[message(b"1")]]


def test_no_more_bytes_are_taken_at_once_than_wanted_but_one_message_always_is() -> None:
    inbox = Inbox(10, 1000)
    for size in (70, 20, 20, 5):
        inbox.put(Message("t", b"x" * size, 0.0, qos=1))
    assert [len(each.payload) for each in inbox.take(0, 10, 50)] == [70]
    assert [len(each.payload) for each in inbox.take(0, 10, 40)] == [20, 20]
    assert [len(each.payload) for each in inbox.take(0, 10, 40)] == [5]
