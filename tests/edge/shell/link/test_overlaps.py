"""Filters that overlap partially: a message that a broker delivers for each of them counts once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import mqtt_bytes as mqtt
import pytest
from brokers import Mosquitto
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from running import receive, wait_until
from stub_broker import Client as StubClient
from stub_broker import StubBroker

from config.notation.topics import covers, overlap
from edge.core.model.readings.messages import Message
from edge.shell.link import Link, Subscription
from edge.shell.link.receiving.publish_parser import identifiers_at
from edge.shell.link.subscribing.overlaps import MOST, NO_IDENTIFIER, Identifiers, in_words, joined, overlapping
from edge.shell.link.subscribing.subscriber import LONGEST_RETRY_S, Subscriber

MakeLink = Callable[..., Link]
SEND, SEND_IF_NEW = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE, SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
WIDE, NARROW, BOTH, ONE = "a/b/#", "a/+/x", "a/b/x", "a/c/x"


@pytest.fixture
def sender(mosquitto: Mosquitto) -> Iterator[Client]:
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def say(client: Client, topic: str, payload: str, qos: int = 1, *, retain: bool = False) -> None:
    client.publish(topic, payload, qos, retain).wait_for_publish(60)


def counted(messages: list[Message]) -> list[tuple[str, bytes]]:
    return [(each.topic, each.payload) for each in messages if not each.is_copy]


def everything(link: Link, client: Client) -> list[Message]:
    """The messages up to one that both filters match and no other test sends."""
    say(client, BOTH, "the end")
    messages: list[Message] = []

    def has_ended() -> bool:
        messages.extend(link.receive(0.1))
        return [each.payload for each in messages].count(b"the end") == 2

    wait_until(has_ended, what="both deliveries of the last message")
    link.acknowledge(messages)
    return [each for each in messages if each.payload != b"the end"]


def test_a_message_that_is_delivered_twice_counts_once_and_equal_messages_all_count(
    mosquitto: Mosquitto, make_link: MakeLink, sender: Client
) -> None:
    say(sender, BOTH, "kept", retain=True)
    try:
        link = make_link(mosquitto.port, Subscription(NARROW), Subscription(WIDE), version="5")
        assert link.wait_subscribed(60)
        for qos in (0, 1, 0, 1):
            say(sender, BOTH, "same", qos)
        say(sender, ONE, "other")
        messages = everything(link, sender)
    finally:
        say(sender, BOTH, "", retain=True)
    assert counted(messages) == [(BOTH, b"kept"), *[(BOTH, b"same")] * 4, (ONE, b"other")]
    assert len(messages) == 11


def test_a_filter_that_overlaps_two_others_brings_nothing_twice(
    mosquitto: Mosquitto, make_link: MakeLink, sender: Client
) -> None:
    link = make_link(mosquitto.port, *(Subscription(each) for each in (NARROW, WIDE, "+/b/x")), version="5")
    assert link.wait_subscribed(60)
    say(sender, BOTH, "1")
    say(sender, "z/b/x", "2")
    say(sender, "a/b/y", "3")
    messages = receive(link, 5)
    assert counted(messages) == [(BOTH, b"1"), ("z/b/x", b"2"), ("a/b/y", b"3")]


def test_messages_queued_during_an_absence_count_once(
    mosquitto: Mosquitto, make_link: MakeLink, sender: Client
) -> None:
    how: dict[str, Any] = {"version": "5", "client_id": "overlaps-away", "clean_session": False}
    link = make_link(mosquitto.port, Subscription(NARROW), Subscription(WIDE), **how)
    assert link.wait_subscribed(60)
    link.stop()
    for number in range(5):
        say(sender, BOTH, str(number))
    again = make_link(mosquitto.port, Subscription(NARROW), Subscription(WIDE), **how)
    assert again.wait_subscribed(60)
    assert counted(everything(again, sender)) == [(BOTH, str(number).encode()) for number in range(5)]
    again.stop()
    make_link(mosquitto.port, **{**how, "clean_session": True}).wait_connected(60)


def test_messages_queued_before_a_filter_that_comes_first_was_added_are_not_lost(
    mosquitto: Mosquitto, make_link: MakeLink, sender: Client
) -> None:
    how: dict[str, Any] = {"version": "5", "client_id": "overlaps-added", "clean_session": False}
    link = make_link(mosquitto.port, Subscription(WIDE), **how)
    assert link.wait_subscribed(60)
    link.stop()
    say(sender, BOTH, "before")
    again = make_link(mosquitto.port, Subscription(NARROW), Subscription(WIDE), **how)
    assert again.wait_subscribed(60)
    say(sender, BOTH, "after")
    assert counted(everything(again, sender)) == [(BOTH, b"before"), (BOTH, b"after")]
    again.stop()
    make_link(mosquitto.port, **{**how, "clean_session": True}).wait_connected(60)


def test_filters_are_added_and_removed_at_run_time_and_nothing_is_lost_or_counts_twice(
    mosquitto: Mosquitto, make_link: MakeLink, sender: Client
) -> None:
    say(sender, BOTH, "kept", retain=True)
    link = make_link(mosquitto.port, Subscription(WIDE), version="5")
    probes = iter(range(10_000))

    def settles(copies: int) -> Callable[[], bool]:
        def has_settled() -> bool:
            probe = f"probe {next(probes)}"
            say(sender, BOTH, probe)
            say(sender, "a/b/behind it", probe)
            came: list[Message] = []
            wait_until(lambda: came.extend(link.receive(0.1)) or "a/b/behind it" in {each.topic for each in came})
            link.acknowledge(came)
            found = [each for each in came if each.topic == BOTH and each.payload == probe.encode()]
            assert counted(found)
            return [each.is_copy for each in found] in ([False, *[True] * copies], [*[True] * copies, False])

        return has_settled

    try:
        assert link.wait_subscribed(60)
        assert counted(receive(link, 1)) == [(BOTH, b"kept")]
        link.follow([Subscription(NARROW), Subscription(WIDE)], None)
        wait_until(settles(copies=1), what="one delivery that counts, and a copy")
        link.follow([Subscription(WIDE)], None)
        wait_until(settles(copies=0), what="a single delivery that counts")
    finally:
        say(sender, BOTH, "", retain=True)


@pytest.mark.parametrize(("said", "identifier"), [(b"", True), (b"\x29\x01", True), (b"\x29\x00", False)])
def test_a_broker_without_identifiers_gets_none_and_the_log_names_the_filters(
    make_link: MakeLink, said: bytes, identifier: bool, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[bytes] = []

    def behave(client: StubClient) -> None:
        client.read()
        client.send(mqtt.packet(mqtt.CONNACK, b"\x00\x00" + bytes([len(said)]) + said))
        while packet := client.read():
            if mqtt.kind_of(packet) == mqtt.SUBSCRIBE:
                asked.append(packet)
                filters = 1 + (b"+" in packet and b"#" in packet)
                client.send(mqtt.packet(mqtt.SUBACK, packet[2:4] + b"\x00" + b"\x01" * filters))

    with StubBroker(behave) as broker:
        link = make_link(broker.port, Subscription(NARROW), Subscription(WIDE), version="5")
        assert link.wait_subscribed(60)
    assert [each[4] > 0 for each in asked] == ([True, True] if identifier else [False])
    assert ("filters_overlap filters='a/b/# with a/+/x'" in caplog.text) is not identifier


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_overlapping_filters_are_logged_only_where_the_broker_cannot_distinguish_them(
    mosquitto: Mosquitto, make_link: MakeLink, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    link = make_link(mosquitto.port, Subscription("a/+"), Subscription("+/b"), Subscription("c"), version=version)
    assert link.wait_subscribed(60)
    assert ("filters_overlap" in caplog.text) is (version == "3.1.1")


@pytest.fixture
def doubling(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that delivers once for each subscription with MQTT 3.1.1, too."""
    broker = Mosquitto(tmp_path, "allow_anonymous true\nallow_duplicate_messages true").start()
    yield broker
    broker.stop()


@pytest.fixture
def sender_of_doubling(doubling: Mosquitto) -> Iterator[Client]:
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", doubling.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def test_with_3_1_1_one_filter_takes_the_place_of_those_that_overlap_so_that_nothing_comes_twice(
    doubling: Mosquitto, make_link: MakeLink, sender_of_doubling: Client
) -> None:
    sender = sender_of_doubling
    link = make_link(doubling.port, Subscription(NARROW), Subscription(WIDE), version="3.1.1")
    assert link.wait_subscribed(60)
    for qos, payload in ((1, "1"), (0, "2"), (1, "2"), (1, "2")):
        say(sender, BOTH, payload, qos)
    say(sender, ONE, "3")
    say(sender, "a/b/y/z", "4")
    assert [(each.topic, each.payload) for each in receive(link, 6)] == [
        (BOTH, b"1"), *[(BOTH, b"2")] * 3, (ONE, b"3"), ("a/b/y/z", b"4"),
    ]  # fmt: skip


def test_a_session_that_changes_the_version_brings_nothing_twice(
    doubling: Mosquitto, make_link: MakeLink, sender_of_doubling: Client
) -> None:
    sender = sender_of_doubling
    how: dict[str, Any] = {"client_id": "overlaps-versions", "clean_session": False}
    for version in ("5", "3.1.1", "5", "3.1.1"):
        link = make_link(doubling.port, Subscription(NARROW), Subscription(WIDE), **how, version=version)
        assert link.wait_subscribed(60)
        probes = iter(range(1000))

        def is_single(link: Link = link, probes: Iterator[int] = probes) -> bool:
            """Whether a message counts once, as soon as the filters of the other version are unsubscribed."""
            probe = f"{next(probes)}"
            say(sender, BOTH, probe)
            say(sender, ONE, probe)
            came: list[Message] = []
            wait_until(lambda: came.extend(link.receive(0.1)) or (ONE, probe.encode()) in counted(came))
            link.acknowledge(came)
            return counted(came).count((BOTH, probe.encode())) == 1

        wait_until(is_single, 60, f"a message that counts once with MQTT {version}")
        link.stop()


def test_filters_are_joined_only_with_3_1_1_and_part_again_if_the_broker_refuses_what_joins_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    subscriber, client = made(NARROW, "other", WIDE)
    assert not subscriber.begin(client, keeps=False, joins=True)
    assert client.calls == ["subscribe a/+/# other", f"unsubscribe {NARROW} {WIDE}"]
    assert not subscriber.answered(1, [ReasonCode(PacketTypes.SUBACK, identifier=each) for each in (0x80, 1)])
    subscriber.turn(client)
    assert client.calls[2:] == [f"subscribe {NARROW} {WIDE}", "unsubscribe a/+/#"]
    assert subscriber.refused == {}
    assert subscriber.answered(2, [ReasonCode(PacketTypes.SUBACK, identifier=1)] * 2)
    assert "filters_overlap" in caplog.text
    subscriber.begin(client, keeps=True, identifies=True)
    assert client.calls[-1] != "subscribe a/+/#"


@given(st.lists(st.sampled_from(["a/+/x", "a/b/+", "a/#", "b/+", "b/c", "+/c", "#", "a/c/x"]), unique=True, max_size=6))
def test_joined_filters_match_all_that_each_did_and_none_overlaps_another_that_begins_alike(filters: list[str]) -> None:
    found = [each.filter for each in joined([Subscription(each) for each in filters])]
    assert all(any(covers(wide, each) for wide in found) for each in filters)
    assert not any(
        overlap(one, other) and one.split("/")[0] == other.split("/")[0] for one, other in combinations(found, 2)
    )


def test_a_filter_waits_for_the_answers_to_those_it_overlaps_and_others_do_not() -> None:
    subscriber, client = made(NARROW, "other", WIDE)
    assert not subscriber.begin(client, keeps=False, identifies=True)
    assert client.subscribed == [[NARROW], ["other"]]
    assert not answer(subscriber, 1, 1)
    subscriber.turn(client)
    assert client.subscribed[2:] == [[WIDE]]
    assert not answer(subscriber, 2, 1)
    assert answer(subscriber, 3, 1)
    assert subscriber.is_copy(client.identifiers[2:], BOTH)
    assert not subscriber.is_copy(client.identifiers[2:], "a/b/y")
    assert not subscriber.is_copy([client.identifiers[0]], BOTH)
    assert not subscriber.is_copy([client.identifiers[0], client.identifiers[2]], BOTH)


def test_a_refused_filter_leaves_its_messages_to_the_others_until_it_is_granted() -> None:
    subscriber, client = made(NARROW, WIDE)
    subscriber.begin(client, keeps=False, identifies=True)
    assert not answer(subscriber, 1, 0x87)
    subscriber.turn(client)
    assert answer(subscriber, 2, 1)
    assert not subscriber.is_copy([client.identifiers[1]], BOTH)
    client.clock += LONGEST_RETRY_S
    subscriber.turn(client)
    assert client.subscribed[2:] == [[NARROW]]
    answer(subscriber, 3, 1)
    subscriber.turn(client)
    assert client.subscribed[3:] == [[WIDE]]
    answer(subscriber, 4, 1)
    assert subscriber.is_copy([client.identifiers[3]], BOTH)
    assert client.retained == [SEND, SEND, SEND, SEND_IF_NEW]
    subscriber.turn(client)
    assert len(client.subscribed) == 4


def test_a_removed_filter_leaves_its_messages_to_the_others_before_it_is_unsubscribed() -> None:
    subscriber, client = made(NARROW, WIDE)
    subscriber.begin(client, keeps=False, identifies=True)
    answer(subscriber, 1, 1)
    subscriber.turn(client)
    answer(subscriber, 2, 1)
    subscriber.change([Subscription(WIDE)])
    subscriber.turn(client)
    assert client.calls[-2:] == [f"subscribe {WIDE}", f"unsubscribe {NARROW}"]
    assert client.identifiers[-1] == NO_IDENTIFIER


@given(st.lists(st.sampled_from(["a/+", "+/b", "a/b", "#", "+/+", "a/#", "c", "+/b/#"]), unique=True, max_size=6))
def test_exactly_one_delivery_of_a_message_counts_for_any_overlap(filters: list[str]) -> None:
    identifiers, before = Identifiers(), overlapping(filters)
    brings = [each for each in filters if covers(each, "a/b")]
    copies = [identifiers.is_copy([identifiers.of(each, before[each])], "a/b") for each in brings if each in before]
    assert len(brings) < 2 or copies.count(False) == 1
    merged = [identifiers.of(each, before[each]) for each in brings if each in before]
    assert not identifiers.is_copy(merged, "a/b")


def test_identifiers_are_the_same_in_every_run_and_depend_on_earlier_filters() -> None:
    assert Identifiers().of(WIDE, ()) == Identifiers().of(WIDE, ()) != Identifiers().of(WIDE, (NARROW,))
    assert all(1 <= Identifiers().of(str(each), ()) <= MOST for each in range(1000))
    assert not Identifiers().is_copy([7], BOTH)
    assert in_words(overlapping([NARROW, "b", WIDE])) == "a/b/# with a/+/x"


@given(st.lists(st.integers(1, MOST), max_size=8))
def test_identifiers_are_decoded_as_encoded_by_paho(numbers: list[int]) -> None:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for each in numbers:
        properties.SubscriptionIdentifier = each
    packed = properties.pack()  # type: ignore[no-untyped-call]
    assert identifiers_at(b"head" + packed + b"payload", 4) == numbers
    assert all(identifiers_at(b"head" + packed[:end], 4) is None for end in range(2, len(packed)))


def made(*wanted: str) -> tuple[Subscriber, Any]:
    client = FakeClient()
    return Subscriber([Subscription(each) for each in wanted], lambda: client.clock), client


def answer(subscriber: Subscriber, packet: int, value: int) -> bool:
    return subscriber.answered(packet, [ReasonCode(PacketTypes.SUBACK, identifier=value)])


class FakeClient:
    """The packets of a subscriber, numbered from 1."""

    def __init__(self) -> None:
        self.clock = 50.0
        self.subscribed: list[list[str]] = []
        self.calls: list[str] = []
        self.identifiers: list[int] = []
        self.retained: list[int] = []

    def subscribe(self, filters: list[tuple[str, Any]], properties: Any = None) -> tuple[int, int]:
        self.subscribed.append([each for each, _ in filters])
        self.calls.append(f"subscribe {' '.join(self.subscribed[-1])}")
        self.identifiers.append(properties.SubscriptionIdentifier[0] if properties else NO_IDENTIFIER)
        if properties:
            self.retained.append(filters[0][1].retainHandling)
        return 0, len(self.subscribed)

    def unsubscribe(self, filters: list[str]) -> tuple[int, int]:
        self.calls.append(f"unsubscribe {' '.join(filters)}")
        return 0, 1000 + len(self.calls)
