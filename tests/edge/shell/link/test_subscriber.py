from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import mqtt_bytes as mqtt
import pytest
from brokers import Mosquitto
from hypothesis import given
from hypothesis import strategies as st
from running import receive, wait_until
from stub_broker import Client, StubBroker

from edge.core.intake.routes import match
from edge.shell.link import Link, Subscription
from edge.shell.link.subscribing.subscriber import (
    CANDIDATES,
    FILTERS_A_PACKET,
    FIRST_RETRY_S,
    LONGEST_RETRY_S,
    Subscriber,
    filters_of,
)

MakeLink = Callable[..., Link]
LEVELS = st.lists(st.text("ab", max_size=2), min_size=1, max_size=7)


class Answer:
    def __init__(self, value: int) -> None:
        self.value = value

    @property
    def is_failure(self) -> bool:
        return self.value >= 0x80

    def __str__(self) -> str:
        return "Not authorized" if self.is_failure else "Granted"


class FakeClient:
    """The packets of a subscriber, numbered from 1."""

    def __init__(self) -> None:
        self.subscribed: list[list[tuple[str, int]]] = []
        self.unsubscribed: list[list[str]] = []

    def subscribe(self, filters: list[tuple[str, int]]) -> tuple[int, int]:
        self.subscribed.append(filters)
        return 0, len(self.subscribed)

    def unsubscribe(self, filters: list[str]) -> tuple[int, int]:
        self.unsubscribed.append(filters)
        return 0, 1000 + len(self.unsubscribed)


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def made(*wanted: str) -> tuple[Subscriber, Any, Clock]:
    clock = Clock()
    return Subscriber([Subscription(each) for each in wanted], clock), FakeClient(), clock


def answer(subscriber: Subscriber, packet: int, *values: int) -> bool:
    return subscriber.answered(packet, [Answer(each) for each in values])  # type: ignore[misc]


def test_refused_filters_are_requested_again_without_a_reconnect_and_less_and_less_often() -> None:
    subscriber, client, clock = made("good", "bad")
    subscriber.begin(client, keeps=False)
    assert answer(subscriber, 1, 1, 0x87)
    pauses, asked_at = [], clock.now
    for packet in range(2, 12):
        while len(client.subscribed) < packet:
            clock.now += 0.25
            subscriber.turn(client)
        assert client.subscribed[-1] == [("bad", 1)]
        pauses.append(clock.now - asked_at)
        asked_at = clock.now
        answer(subscriber, packet, 0x87)
    assert pauses[0] == FIRST_RETRY_S
    assert pauses[-1] == LONGEST_RETRY_S
    assert pauses == sorted(pauses)


def test_a_filter_that_is_finally_granted_is_no_longer_refused() -> None:
    subscriber, client, clock = made("one")
    subscriber.begin(client, keeps=False)
    answer(subscriber, 1, 0x87)
    assert subscriber.refused == {"one": "Not authorized"}
    clock.now += FIRST_RETRY_S
    subscriber.turn(client)
    answer(subscriber, 2, 1)
    assert subscriber.refused == {}
    clock.now += 1000.0
    subscriber.turn(client)
    assert len(client.subscribed) == 2


def test_in_a_session_that_is_kept_only_refused_filters_are_requested() -> None:
    subscriber, client, _ = made("good", "bad")
    subscriber.begin(client, keeps=False)
    answer(subscriber, 1, 1, 0x87)
    assert not subscriber.begin(client, keeps=True)
    assert client.subscribed[1:] == [[("bad", 1)]]


def test_many_filters_are_sent_in_packets_that_every_broker_accepts() -> None:
    subscriber, client, _ = made(*(f"t/{number}" for number in range(20)))
    assert not subscriber.begin(client, keeps=False)
    assert [len(each) for each in client.subscribed] == [FILTERS_A_PACKET, FILTERS_A_PACKET, 4]
    assert not answer(subscriber, 1, *[1] * 8)
    assert not answer(subscriber, 2, *[1] * 8)
    assert answer(subscriber, 3, *[1] * 4)


def test_a_lower_quality_of_service_than_requested_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    subscriber, client, _ = made("one")
    subscriber.begin(client, keeps=False)
    answer(subscriber, 1, 0)
    assert "subscription_weakened filter='one'" in caplog.text


@given(LEVELS)
def test_every_unsubscribed_filter_would_have_brought_the_topic(levels: list[str]) -> None:
    topic = "/".join(levels)
    filters = list(islice(filters_of(topic), 2000))
    assert all(match(each.split("/"), topic.split("/")) is not None for each in filters)
    assert len(filters) == len(set(filters)) == 2 ** (topic.count("/") + 2) - 1 + 2 ** (topic.count("/") + 1)


@pytest.mark.parametrize("removed", ["b/#", "b/+", "b/x", "+/x", "#", "b/x/#"])
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_filter_that_is_no_longer_wanted_is_unsubscribed_when_it_brings_something(
    start_mosquitto: Callable[..., Mosquitto], make_link: MakeLink, removed: str, version: str
) -> None:
    mosquitto = start_mosquitto()
    how: dict[str, Any] = {"client_id": "left", "clean_session": False, "version": version}
    before = make_link(mosquitto.port, Subscription("a/#"), Subscription(removed), **how)
    assert before.wait_subscribed(10)
    before.stop()
    link = make_link(mosquitto.port, Subscription("a/#"), **how)
    assert link.wait_subscribed(10)
    sender = make_link(mosquitto.port)
    assert sender.wait_connected(10)
    sender.publish("b/x", b"1")
    assert [each.topic for each in receive(link, 1)] == ["b/x"]
    link.unsubscribe("b/x")
    link.unsubscribe("b/x")
    probes = iter(range(1000))

    def is_left() -> bool:
        sender.publish("b/x", b"%d" % next(probes))
        sender.publish("a/y", b"1")
        topics = {each.topic for each in receive(link, 2, 0.5)}
        return topics == {"a/y"}

    wait_until(is_left, what="an end of b/x, but not of a/y")


def test_our_own_filters_are_never_unsubscribed_and_a_deep_topic_costs_a_bounded_number() -> None:
    subscriber, client, _ = made("a/+", "#")
    subscriber.leave(client, "a/b")
    left = [each for some in client.unsubscribed for each in some]
    assert "a/b" in left
    assert not {"a/+", "#"} & set(left)
    subscriber.leave(client, "/".join("abcdefghijklmnopqrstuvwxyz" * 4))
    assert sum(map(len, client.unsubscribed)) <= len(left) + CANDIDATES


def test_a_subscription_that_the_broker_grants_later_is_made_on_the_same_connection(make_link: MakeLink) -> None:
    asked: list[bytes] = []

    def behave(client: Client) -> None:
        client.accept()
        while packet := client.read():
            if mqtt.kind_of(packet) == mqtt.SUBSCRIBE:
                asked.append(packet)
                client.send(mqtt.packet(mqtt.SUBACK, packet[2:4] + (b"\x80" if len(asked) == 1 else b"\x01")))

    with StubBroker(behave) as broker:
        link = make_link(broker.port, Subscription("later"))
        wait_until(lambda: link.refused_subscriptions == {"later": "Unspecified error"})
        wait_until(lambda: not link.refused_subscriptions)
        assert link.connections == 1


def test_a_filter_whose_answer_never_came_is_requested_again_although_the_session_is_kept() -> None:
    subscriber, client, _ = made("a", "b")
    subscriber.begin(client, keeps=False)
    subscriber.begin(client, keeps=True)
    assert client.subscribed == [[("a", 1), ("b", 1)]] * 2
    assert answer(subscriber, 2, 1, 1)
    subscriber.begin(client, keeps=True)
    assert len(client.subscribed) == 2


def test_a_change_requests_only_new_filters_and_unsubscribes_only_old_ones() -> None:
    subscriber, client, _ = made("stays", "goes", "weaker")
    subscriber.begin(client, keeps=False)
    answer(subscriber, 1, 1, 1, 1)
    subscriber.change([Subscription("stays"), Subscription("weaker", 0), Subscription("new")])
    subscriber.turn(client)
    assert client.subscribed[1:] == [[("weaker", 0), ("new", 1)]]
    assert client.unsubscribed == [["goes"]]
    subscriber.turn(client)
    assert len(client.subscribed) == 2


def test_a_change_without_a_connection_applies_to_the_next_one() -> None:
    subscriber, client, _ = made("stays", "goes")
    subscriber.begin(client, keeps=False)
    answer(subscriber, 1, 1, 1)
    subscriber.change([Subscription("stays"), Subscription("new")])
    subscriber.begin(client, keeps=True)
    assert client.subscribed[1:] == [[("new", 1)]]
    assert client.unsubscribed == [["goes"]]


def test_a_refused_filter_that_is_no_longer_wanted_is_not_requested_again() -> None:
    subscriber, client, clock = made("bad")
    subscriber.begin(client, keeps=False)
    answer(subscriber, 1, 0x87)
    subscriber.change([])
    clock.now += LONGEST_RETRY_S
    subscriber.turn(client)
    assert subscriber.refused == {}
    assert len(client.subscribed) == 1
