"""Linger: a lone message is read immediately, a stream in batches, a flood without waiting for the broker."""

from __future__ import annotations

import threading
import time

import pytest
from brokers import Mosquitto
from hypothesis import given
from hypothesis import strategies as st
from running import receive, wait_until

from edge.core.model.readings.messages import Message
from edge.shell.link import Link, LinkOptions, Subscription
from edge.shell.link.receiving.linger import ENOUGH, ENOUGH_BYTES, Linger, spread


def lots(linger: Linger, arrivals: list[float], cost_s: float = 0.0005) -> list[list[float]]:
    """The messages of each read, if reading takes `cost_s` and the socket then rests as requested."""
    waiting, now, read = list(arrivals), 0.0, []
    while waiting:
        now = max(now, waiting[0])
        lot = [each for each in waiting if each <= now]
        waiting = waiting[len(lot) :]
        read.append(lot)
        now += cost_s + linger.rest_s(len(lot), 60 * len(lot), now)
    return read


def test_a_message_after_a_pause_is_read_immediately_and_so_is_the_one_after_it():
    linger = Linger(0.25, 1000)
    assert [linger.rest_s(1, 60, at) for at in (10.0, 20.0, 30.0)] == [0.0, 0.0, 0.0]


def test_a_stream_of_a_hundred_a_second_is_read_four_times_a_second():
    read = lots(Linger(0.25, 1000), [number / 100 for number in range(1000)])
    assert len(read) <= 45


def test_a_stream_that_fills_no_batch_within_the_longest_rest_is_left_for_all_of_it():
    """The rate must not be overestimated because messages are read in lots."""
    assert len(lots(Linger(0.5, 1000), [number / 100 for number in range(1000)])) <= 23


@pytest.mark.parametrize("per_second", [200, 1000])
def test_a_denser_stream_is_left_until_a_batch_is_complete(per_second):
    read = lots(Linger(0.5, 1000), [number / per_second for number in range(60 * ENOUGH)])
    assert [len(each) for each in read[-6:-1]] == pytest.approx([ENOUGH] * 5, abs=4)


def test_no_message_waits_longer_than_allowed():
    linger, arrivals = Linger(0.25, 1000), [number / 100 for number in range(1000)]
    assert len(lots(linger, arrivals)) < len(arrivals)
    now, latest = 0.0, 0.0
    for lot in lots(Linger(0.25, 1000), arrivals):
        now = max(now, lot[-1])
        latest = max(latest, now - lot[0])
    assert latest <= 0.25 + 0.001


def test_a_burst_after_a_pause_takes_few_reads():
    arrivals = [60.0 * minute + 0.001 * number for minute in range(1, 5) for number in range(100)]
    assert len(lots(Linger(0.25, 1000), arrivals)) <= 4 * 6


@pytest.mark.parametrize("window", [1, 20, 1000, 65_535])
@pytest.mark.parametrize("per_second", [10, 100, 1000, 10_000])
def test_messages_that_arrive_during_a_rest_never_fill_the_window(window, per_second):
    linger, now, rest = Linger(0.25, window), 0.0, 0.0
    for _ in range(2000):
        now += max(rest, 1 / per_second)
        rest = linger.rest_s(max(1, round(per_second * rest)), 60, now)
    assert rest * per_second <= 1.1 * max(1.0, min(ENOUGH, window / 4))


def test_a_flood_is_read_as_it_arrives():
    linger = Linger(0.25, 1000)
    assert [linger.rest_s(30, 1800, number / 1000) for number in range(2000)][500:] == [0.0] * 1500


def test_gaps_between_bursts_are_not_a_sign_of_a_thin_stream():
    linger = Linger(0.25, 1000)
    rests = [linger.rest_s(50, 3000, number / 20) for number in range(100)]
    assert max(rests[20:]) < 0.1


def test_without_a_linger_there_are_no_rests():
    assert {Linger(0.0, 1000).rest_s(each, 60 * each, 0.001 * each) for each in range(1, 500)} == {0.0}


def test_large_messages_do_not_accumulate_in_the_socket():
    linger = Linger(0.25, 1000)
    rests = [linger.rest_s(10, 100_000, number / 10) for number in range(100)]
    assert rests[-1] * 1_000_000 <= 1.2 * ENOUGH_BYTES


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 2**20), st.floats(0, 10)), max_size=50), st.floats(0, 5))
def test_a_rest_is_never_longer_than_allowed_whatever_arrives(reads, most_s):
    linger, now = Linger(most_s, 1000), 0.0
    for received, size, pause in reads:
        now += pause
        assert 0.0 <= linger.rest_s(received, size, now) <= most_s


def test_arrivals_are_spread_over_the_rest_and_stay_in_order():
    read = [Message("a", b"%d" % number, 1000.0) for number in range(5)]
    assert [each.arrived for each in spread(read, 0.5)] == pytest.approx([999.6, 999.7, 999.8, 999.9, 1000.0])
    assert [each.payload for each in spread(read, 0.5)] == [each.payload for each in read]


@pytest.fixture
def lingering(mosquitto: Mosquitto):
    link = Link(LinkOptions(port=mosquitto.port, linger_s=2.0), [Subscription("linger/in")])
    link.start()
    assert link.wait_subscribed(10)
    yield link
    link.stop()


def stream(link: Link, sender: Link, number: int) -> list[list[Message]]:
    """The number of messages that a link returns at a time, for a stream of the given rate."""
    sent = threading.Event()

    def send() -> None:
        for each in range(number):
            wait_until(lambda each=each: sender.publish("linger/in", b"%d" % each) is not None)
            sender.confirmations()
            time.sleep(0.005)
        sent.set()

    threading.Thread(target=send).start()
    lots, got = [], 0
    while got < number:
        lots.append(link.receive(10.0))
        got += len(lots[-1])
        link.acknowledge(lots[-1])
    assert sent.wait(10)
    return lots


@pytest.mark.long
def test_a_stream_arrives_in_batches_with_nothing_lost(mosquitto: Mosquitto, make_link, lingering: Link):
    lots = stream(lingering, make_link(mosquitto.port), 200)
    payloads = [each.payload for lot in lots for each in lot]
    assert payloads == [b"%d" % each for each in range(200)]
    assert len(lots) < 100
    arrivals = [each.arrived for lot in lots for each in lot]
    assert arrivals == sorted(arrivals)


@pytest.mark.long
def test_a_publication_does_not_wait_for_the_end_of_a_rest(mosquitto: Mosquitto, make_link, lingering: Link):
    listener = make_link(mosquitto.port, Subscription("linger/out"))
    assert listener.wait_subscribed(10)
    stream(lingering, make_link(mosquitto.port), 50)
    assert lingering.publish("linger/out", b"now") is not None
    assert [each.payload for each in receive(listener, 1)] == [b"now"]
    wait_until(lingering.confirmations, what="the PUBACK")


@pytest.mark.long
def test_a_resting_link_ends_on_request(mosquitto: Mosquitto, make_link, lingering: Link):
    stream(lingering, make_link(mosquitto.port), 50)
    lingering.stop()
    assert not lingering.connected
