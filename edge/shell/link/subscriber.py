"""The subscriptions of a session: made, retried while the broker refuses them, and cancelled when not needed.

A persistent session outlives the configuration: what an earlier one subscribed to is still there, and nothing in MQTT
lists it. A message that no subscription of ours asks for shows that such a filter is left. Every filter that could have
brought it is unsubscribed, but for ours; unsubscribing from what was never there does no harm.

Source: MQTT 5.0, sections 3.8 to 3.11; the same sections of MQTT 3.1.1.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice
from typing import TypeVar

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from edge.shell.link.link_options import Subscription

log = logging.getLogger("edgewarden.link")

FILTERS_A_PACKET = 8
"""Filters in one SUBSCRIBE or UNSUBSCRIBE; AWS IoT takes no more."""

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""Refused filters are asked for again after this time, which doubles up to the other."""

CANDIDATES = 600
"""Filters that could have brought one topic, at most; those with the fewest wildcards first."""

LEFT = 5_000
"""Filters that are unsubscribed on one connection, at most."""

NOT_SUBSCRIBED = 0x11

T = TypeVar("T")


class Subscriber:
    """Subscribes one link. Everything but `refused`, `change()` and `leave()` is for the network thread.

    Args:
        wanted: The subscriptions.
        monotonic: Seconds that never step.

    Attributes:
        refused: Filters that the broker refuses, with its reason.
    """

    def __init__(self, wanted: Sequence[Subscription], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.refused: dict[str, str] = {}
        self._wanted = tuple(wanted)
        self._next: tuple[Subscription, ...] | None = None
        self._granted: set[Subscription] = set()
        self._monotonic = monotonic
        self._asked: dict[int, tuple[Subscription, ...]] = {}
        self._delay_s = FIRST_RETRY_S
        self._due = 0.0
        self._left: set[str] = set()
        self._leaving: dict[int, tuple[str, ...]] = {}

    def begin(self, client: Client, *, keeps: bool) -> bool:
        """Subscribe on a new connection.

        Args:
            client: The connection's client.
            keeps: Whether the session has what was granted before; the rest is requested in any case.

        Returns:
            Whether there is nothing to wait for.
        """
        self._asked.clear()
        self._leaving.clear()
        self._left.clear()
        self._delay_s = FIRST_RETRY_S
        if not keeps:
            self._granted.clear()
        self._change(client)
        self._ask(client, [each for each in self._wanted if each not in self._granted])
        return not self._asked

    def change(self, wanted: Sequence[Subscription]) -> None:
        """Want other filters from now on; safe in any thread. They are asked for, and others left, with the next turn.

        A filter that stays is not asked for again: the broker would send its retained messages once more.
        """
        self._next = tuple(wanted)

    def answered(self, packet: int, reasons: Sequence[ReasonCode]) -> bool:
        """Take the broker's answer to a packet of ours; returns whether it was the last one that was missing."""
        asked = self._asked.pop(packet, None)
        if asked is None:
            return False
        refused = dict(self.refused)
        for subscription, reason in zip(asked, reasons, strict=False):
            if reason.is_failure:
                refused[subscription.filter] = str(reason)
                log.error("subscription_refused filter=%r reason=%r", subscription.filter, str(reason))
                continue
            self._granted.add(subscription)
            if refused.pop(subscription.filter, None) is not None:
                log.info("subscribed filter=%r", subscription.filter)
            if reason.value < subscription.qos:
                log.warning("subscription_weakened filter=%r qos=%d", subscription.filter, reason.value)
        self.refused = refused
        if refused:
            self._due = self._monotonic() + self._delay_s
        return not self._asked

    def turn(self, client: Client) -> None:
        """Ask for filters that are new, and again for what was refused, if it is time."""
        if self._change(client):
            self._ask(client, [each for each in self._wanted if each not in self._granted])
        if self.refused and not self._asked and self._monotonic() >= self._due:
            self._delay_s = min(2 * self._delay_s, LONGEST_RETRY_S)
            self._ask(client, [each for each in self._wanted if each.filter in self.refused])

    def leave(self, client: Client, topic: str) -> None:
        """Unsubscribe from the filters that match an unwanted topic; may be called from any thread."""
        ours = {each.filter for each in self._wanted}
        filters = [each for each in islice(filters_of(topic), CANDIDATES) if each not in ours | self._left]
        if not filters or len(self._left) > LEFT:
            return
        if not self._left:
            log.warning("no_input topic=%r: the broker's session has a filter that no input asks for", topic[:99])
        self._left.update(filters)
        for some in _packets(filters):
            _, packet = client.unsubscribe(list(some))
            if packet is not None:
                self._leaving[packet] = some

    def has_left(self, packet: int, reasons: Sequence[ReasonCode]) -> None:
        """Take the broker's answer to an UNSUBSCRIBE; only MQTT 5 says which filters there were."""
        for each, reason in zip(self._leaving.pop(packet, ()), reasons, strict=False):
            if reason.value != NOT_SUBSCRIBED and not reason.is_failure:
                log.info("unsubscribed filter=%r", each)

    def _change(self, client: Client) -> bool:
        """Leave what isn't wanted any more; whether there was a change."""
        wanted, self._next = self._next, None
        if wanted is None or wanted == self._wanted:
            return False
        filters = {each.filter for each in wanted}
        gone = [each.filter for each in self._wanted if each.filter not in filters]
        self._wanted = wanted
        self._granted &= set(wanted)
        self.refused = {each: reason for each, reason in self.refused.items() if each in filters}
        self._left.difference_update(filters)
        for some in _packets(gone):
            _, packet = client.unsubscribe(list(some))
            if packet is not None:
                self._leaving[packet] = some
        return True

    def _ask(self, client: Client, wanted: Sequence[Subscription]) -> None:
        for some in _packets(wanted):
            code, packet = client.subscribe([(each.filter, each.qos) for each in some])
            if code == MQTTErrorCode.MQTT_ERR_SUCCESS and packet is not None:
                self._asked[packet] = some


def _packets(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    for first in range(0, len(items), FILTERS_A_PACKET):
        yield tuple(items[first : first + FILTERS_A_PACKET])


def filters_of(topic: str) -> Iterator[str]:
    """Every filter that matches a topic, those with the fewest `+` first."""
    levels = topic.split("/")
    for pluses in range(len(levels) + 1):
        for length in range(len(levels), pluses - 1, -1):
            for places in combinations(range(length), pluses):
                begin = ["+" if place in places else levels[place] for place in range(length)]
                if length == len(levels):
                    yield "/".join(begin)
                yield "/".join([*begin, "#"])
