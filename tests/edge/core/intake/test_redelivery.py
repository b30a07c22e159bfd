"""A broker that received no acknowledgement delivers a message again; it is processed once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.state import StateError
from edge.core.intake.redelivery import IDENTIFIERS, Deliveries, checked, checksum
from edge.core.model.packing.encoding import encode
from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import START, Line, differing, pipeline, plant, revived


def delivered(packet: int, payload: bytes = b"21.5", *, again: bool = False, arrived: float = START) -> Message:
    """A QoS 1 message without a time."""
    return Message("now/a", payload, arrived, qos=1, packet=packet, redelivered=again)


def taken(*messages: Message) -> tuple[int, int]:
    """Numbers of messages that a pipeline processes and recognises."""
    line = Line(pipeline()).take(list(messages))
    assert line.pipeline.counters.balanced
    return line.pipeline.counters.messages_read, line.pipeline.counters.messages_redelivered


def test_a_redelivered_message_is_processed_once() -> None:
    assert taken(delivered(7), delivered(7, again=True, arrived=START + 9)) == (1, 1)


def test_a_message_marked_as_redelivered_that_never_arrived_is_processed() -> None:
    assert taken(delivered(7, again=True)) == (1, 0)


def test_however_often_it_is_redelivered() -> None:
    assert taken(*[delivered(7, again=True, arrived=START + each) for each in range(5)]) == (1, 4)


def test_the_same_packet_identifier_with_another_payload_is_another_message() -> None:
    assert taken(delivered(7), delivered(7, b"21.6", again=True, arrived=START + 9)) == (2, 0)


def test_the_same_packet_identifier_on_another_topic_is_another_message() -> None:
    other = delivered(7, again=True)._replace(topic="now/b")
    assert taken(delivered(7), other) == (2, 0)


def test_the_same_packet_without_the_flag_is_a_new_message() -> None:
    assert taken(delivered(7), delivered(7, arrived=START + 9)) == (2, 0)


def test_messages_of_qos_0_have_no_packet_identifier_and_are_never_recognised() -> None:
    plain = Message("now/a", b"1", START)
    assert taken(plain, plain._replace(arrived=START + 1, redelivered=True)) == (2, 0)


def test_an_unreadable_message_is_not_refused_twice() -> None:
    line = Line(pipeline()).take([delivered(7, b"{"), delivered(7, b"{", again=True)])
    assert line.refused == ["malformed"]


def test_after_a_restart_messages_from_before_and_after_the_snapshot_are_recognised() -> None:
    line = Line(pipeline()).take([delivered(7), delivered(8, b"{")])
    saved, parts = line.pipeline.save("", ""), len(line.parts)
    line.take([delivered(9, arrived=START + 1), delivered(10, b"{")])
    again = revived(pipeline(), saved, line.parts[parts:])
    counts = again.pipeline.engine.statistics.count[0]
    payloads = {7: b"21.5", 8: b"{", 9: b"21.5", 10: b"{"}
    again.take([delivered(each, payload, again=True, arrived=START + 60) for each, payload in payloads.items()])
    assert again.pipeline.counters.messages_redelivered == 4
    assert again.pipeline.engine.statistics.count[0] == counts == 2
    assert again.refused == []


def test_a_whole_window_redelivered_after_a_crash_is_processed_once() -> None:
    sent = [
        each._replace(qos=1, packet=1 + index)
        for index, each in enumerate(plant(START + np.arange(20.0), "now/a", "now/b"))
    ]
    once, twice = Line(pipeline()).take(sent), Line(pipeline()).take(sent[:30])
    again = revived(pipeline(), pipeline().save("", ""), twice.parts)
    again.take([each._replace(redelivered=True) for each in sent[10:30]]).take(sent[30:])
    assert again.pipeline.engine.statistics.count.tolist() == once.pipeline.engine.statistics.count.tolist()


def test_as_many_messages_as_can_be_in_flight_are_recognised_when_all_of_them_are_redelivered() -> None:
    made = Deliveries()
    sent = [delivered(packet, b"%d" % (packet // 7), again=True) for packet in range(1, IDENTIFIERS)]
    made.note_all([(each.packet, checksum(each)) for each in sent])
    assert all(made.is_known(each) for each in sent)


@pytest.mark.long
def test_a_window_above_4096_that_is_redelivered_doubles_no_readings_without_times() -> None:
    sent = [delivered(1 + each, b"%d" % (each % 50), arrived=START + each) for each in range(9000)]
    line = Line(pipeline()).take(sent, 500)
    again = revived(pipeline(), pipeline().save("", ""), line.parts)
    again.take([each._replace(redelivered=True, arrived=each.arrived + 9000) for each in sent], 500)
    assert again.pipeline.engine.statistics.count.tolist() == line.pipeline.engine.statistics.count.tolist()
    assert again.pipeline.counters.messages_redelivered == 9000


def test_packet_identifiers_have_no_meaning_beyond_their_session() -> None:
    line = Line(pipeline()).take([delivered(7)])
    line.note(line.pipeline.session_lost()).take([delivered(7, again=True, arrived=START + 9)])
    assert line.pipeline.counters.messages_read == 2
    assert line.pipeline.counters.messages_redelivered == 0


def test_an_empty_session_is_lost_without_a_journal_entry() -> None:
    assert pipeline().session_lost().journal is None


@pytest.mark.parametrize("saved_after", [0, 1])
def test_a_restart_knows_which_sessions_have_ended(saved_after: int) -> None:
    line = Line(pipeline())
    saved, parts = line.pipeline.save("", ""), 0
    line.take([delivered(7), delivered(8)])
    if saved_after:
        saved, parts = line.pipeline.save("", ""), len(line.parts)
    line.note(line.pipeline.session_lost()).take([delivered(9, arrived=START + 1)])
    again = revived(pipeline(), saved, line.parts[parts:])
    assert differing(again.pipeline, line.pipeline) == []
    again.take([delivered(each, again=True, arrived=START + 2 + each) for each in (7, 8, 9)])
    assert again.pipeline.counters.messages_redelivered == 1


@pytest.mark.parametrize("packed", [(b"", b"1234"), (b"", b"123"), (b"x", b""), 7])
def test_invalid_deliveries_are_refused(packed: object) -> None:
    with pytest.raises(StateError):
        Deliveries().load(encode(packed))


def test_a_packet_identifier_that_does_not_exist_is_damage() -> None:
    for packet in (-1, IDENTIFIERS):
        with pytest.raises(ValueError, match="identifier"):
            checked([(1, 5), (packet, 5)])


@given(st.lists(st.tuples(st.integers(1, 3), st.binary(max_size=1), st.booleans()), max_size=40), st.integers(0, 40))
def test_the_recognised_messages_equal_those_of_a_plain_model_also_after_a_restart(
    sent: list[tuple[int, bytes, bool]], restart: int
) -> None:
    made, latest = Deliveries(), {}
    for index, (packet, payload, again) in enumerate(sent):
        if index == restart:
            state, made = made.state(), Deliveries()
            made.load(state)
        message = delivered(packet, payload, again=again)
        assert made.is_known(message) == (again and latest.get(packet) == payload)
        if not made.is_known(message):
            made.note_all([(packet, checksum(message))])
            latest[packet] = payload
