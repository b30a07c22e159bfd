from __future__ import annotations

import pytest

from edge.shell.link.sending.in_flight_window import UNWRITTEN, InFlightWindow


def test_there_is_room_until_the_window_is_full_and_again_after_an_answer() -> None:
    window = InFlightWindow(2)
    window.sent(1, 1, 101)
    assert window.has_room(1)
    window.sent(2, 1, 102)
    assert not window.has_room(1)
    assert window.has_room(0)
    window.note(2)
    assert window.collect() == [102]
    assert window.has_room(1)
    assert window.waits_for_answers


def test_an_answer_that_arrives_before_the_packet_is_recorded_is_not_lost() -> None:
    window = InFlightWindow(2)
    window.note(1)
    window.sent(1, 1, 101)
    assert window.collect() == [101]
    assert not window.waits_for_answers


def test_a_refusal_makes_room_and_confirms_nothing() -> None:
    window = InFlightWindow(1)
    window.sent(1, 1, 101)
    window.note(1, "Not authorized")
    assert window.collect() == []
    assert window.has_room(1)


def test_an_answer_to_nothing_is_ignored() -> None:
    window = InFlightWindow(1)
    window.note(9)
    assert window.collect() == []


def test_a_packet_id_used_twice_confirms_only_when_both_are_complete() -> None:
    window = InFlightWindow(5)
    window.sent(7, 1, 101)
    window.sent(7, 0, 102)
    window.note(7)
    assert window.collect() == []
    window.note(7)
    assert window.collect() == [101]


def test_qos_0_has_a_separate_limit() -> None:
    window = InFlightWindow(1)
    for packet in range(UNWRITTEN):
        window.sent(packet, 0, packet)
    assert not window.has_room(0)
    window.note(5)
    window.collect()
    assert window.has_room(0)


def test_the_slowest_answer_is_known_and_so_is_the_time_of_the_last_publication() -> None:
    now = [10.0]
    window = InFlightWindow(5, lambda: now[0])
    for packet, answer_s in ((1, 0.5), (2, 2.0), (3, 0.1)):
        window.sent(packet, 1, packet)
        now[0] += answer_s
        window.note(packet)
    now[0] += 100.0
    window.sent(4, 0, 4)
    window.collect()
    assert window.slowest_s == 2.0
    assert window.sent_at == 12.5


def test_a_window_knows_whether_everything_is_confirmed_before_the_answers_are_collected() -> None:
    window = InFlightWindow(10)
    assert window.has_accepted_all
    window.sent(1, 1, 1)
    window.sent(2, 1, 2)
    window.note(1)
    assert not window.has_accepted_all
    window.note(2)
    assert window.has_accepted_all
    assert window.collect() == [1, 2]
    assert window.has_accepted_all


@pytest.mark.parametrize("is_collected", [False, True])
def test_a_refused_publication_is_never_confirmed(is_collected: bool) -> None:
    window = InFlightWindow(10)
    window.sent(1, 1, 1)
    window.note(1, "Packet too large")
    if is_collected:
        window.collect()
    assert not window.has_accepted_all
