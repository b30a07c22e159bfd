"""A broker that got no acknowledgement delivers a message again; it is dealt with once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.core.messages import Message
from edge.core.redelivery import REMEMBERED, Deliveries, checksum
from tests.edge.core.lines import START, Line, pipeline, plant, revived


def delivered(packet: int, payload: bytes = b"21.5", *, again: bool = False, arrived: float = START) -> Message:
    """A message without a time of its own, of QoS 1."""
    return Message("now/a", payload, arrived, qos=1, packet=packet, redelivered=again)


def taken(*messages: Message) -> tuple[int, int]:
    """How many messages a pipeline deals with, and how many it knows."""
    line = Line(pipeline()).take(list(messages))
    assert line.pipeline.accounts.balanced
    return line.pipeline.accounts.messages_read, line.pipeline.accounts.messages_redelivered


def test_a_message_that_comes_again_is_dealt_with_once() -> None:
    assert taken(delivered(7), delivered(7, again=True, arrived=START + 9)) == (1, 1)


def test_a_message_that_says_that_it_comes_again_but_never_came_is_taken() -> None:
    assert taken(delivered(7, again=True)) == (1, 0)


def test_however_often_it_comes_again() -> None:
    assert taken(*[delivered(7, again=True, arrived=START + each) for each in range(5)]) == (1, 4)


def test_the_same_packet_identifier_with_another_payload_is_another_message() -> None:
    assert taken(delivered(7), delivered(7, b"21.6", again=True, arrived=START + 9)) == (2, 0)


def test_the_same_packet_identifier_on_another_topic_is_another_message() -> None:
    other = delivered(7, again=True)._replace(topic="now/b")
    assert taken(delivered(7), other) == (2, 0)


def test_the_same_packet_without_the_flag_is_a_new_message() -> None:
    assert taken(delivered(7), delivered(7, arrived=START + 9)) == (2, 0)


def test_messages_of_qos_0_have_no_packet_and_are_never_known() -> None:
    plain = Message("now/a", b"1", START)
    assert taken(plain, plain._replace(arrived=START + 1, redelivered=True)) == (2, 0)


def test_what_could_not_be_read_is_not_refused_twice() -> None:
    line = Line(pipeline()).take([delivered(7, b"{"), delivered(7, b"{", again=True)])
    assert line.refused == ["malformed"]


def test_after_a_restart_messages_of_before_and_after_the_snapshot_are_known() -> None:
    line = Line(pipeline()).take([delivered(7), delivered(8, b"{")])
    saved, parts = line.pipeline.save("", ""), len(line.parts)
    line.take([delivered(9, arrived=START + 1), delivered(10, b"{")])
    again = revived(pipeline(), saved, line.parts[parts:])
    counts = again.pipeline.engine.vitals.count[0]
    payloads = {7: b"21.5", 8: b"{", 9: b"21.5", 10: b"{"}
    again.take([delivered(each, payload, again=True, arrived=START + 60) for each, payload in payloads.items()])
    assert again.pipeline.accounts.messages_redelivered == 4
    assert again.pipeline.engine.vitals.count[0] == counts == 2
    assert again.refused == []


def test_a_whole_window_that_comes_again_after_a_crash_is_dealt_with_once() -> None:
    sent = [
        each._replace(qos=1, packet=1 + index)
        for index, each in enumerate(plant(START + np.arange(20.0), "now/a", "now/b"))
    ]
    once, twice = Line(pipeline()).take(sent), Line(pipeline()).take(sent[:30])
    again = revived(pipeline(), pipeline().save("", ""), twice.parts)
    again.take([each._replace(redelivered=True) for each in sent[10:30]]).take(sent[30:])
    assert again.pipeline.engine.vitals.count.tolist() == once.pipeline.engine.vitals.count.tolist()


def test_a_packet_identifier_that_is_in_use_all_the_time_stays_known() -> None:
    made = Deliveries(most=2)
    for packet in (1, 2, 1, 1, 3):
        made.note_all([(packet, checksum(delivered(packet)))])
    assert [made.is_known(delivered(packet, again=True)) for packet in (1, 2, 3)] == [True, False, True]


def test_what_is_remembered_is_bounded() -> None:
    made = Deliveries()
    for packet in range(3 * REMEMBERED):
        made.note_all([(packet, packet)])
    assert made.remembered() == [(packet, packet) for packet in range(2 * REMEMBERED, 3 * REMEMBERED)]


@given(st.lists(st.tuples(st.integers(1, 3), st.binary(max_size=1), st.booleans()), max_size=40), st.integers(0, 40))
def test_what_is_known_is_what_a_plain_model_says_also_after_a_restart(
    sent: list[tuple[int, bytes, bool]], restart: int
) -> None:
    made, latest = Deliveries(most=2), {}
    for index, (packet, payload, again) in enumerate(sent):
        if index == restart:
            remembered, made = made.remembered(), Deliveries(most=2)
            made.note_all(remembered)
        message = delivered(packet, payload, again=again)
        in_use = sorted(latest, key=lambda each: latest[each][1])[-2:]
        assert made.is_known(message) == (again and packet in in_use and latest[packet][0] == payload)
        if not made.is_known(message):
            made.note_all([(packet, checksum(message))])
            latest[packet] = (payload, index)
