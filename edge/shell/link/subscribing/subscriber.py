"""The subscriptions of a session: made, retried while the broker refuses them, and cancelled when not needed.

A persistent session outlives the configuration: subscriptions of an earlier one still exist, and MQTT can't list them.
A message that matches no current subscription shows that such a filter remains. Every filter that could have delivered
it, except current ones, is unsubscribed; unsubscribing from a filter that doesn't exist is harmless.

Source: MQTT 5.0, sections 3.8 to 3.11; the same sections of MQTT 3.1.1.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, islice
from typing import TypeVar

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from edge.shell.link.link_options import Subscription
from edge.shell.link.subscribing.overlaps import NO_IDENTIFIER, Identifiers, in_words, joined, overlapping
from edge.shell.link.versions.abilities import Abilities
from edge.shell.link.versions.mqtt5 import identified_by, options_of

log = logging.getLogger("edgewarden.link")

FILTERS_A_PACKET = 8
"""Maximum number of filters in one SUBSCRIBE or UNSUBSCRIBE, the limit of AWS IoT."""

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""Initial and maximum interval before refused filters are retried; it doubles each time."""

CANDIDATES = 600
"""Maximum number of filters tried for one topic; those with the fewest wildcards first."""

LEFT = 5_000
"""Maximum number of filters unsubscribed on one connection."""

NOT_SUBSCRIBED = 0x11

T = TypeVar("T")


class Subscriber:
    """Manages the subscriptions of one link.

    All members except `refused`, `change()`, `renew()` and `leave()` are for the network thread.

    Partially overlapping filters have identifiers if the connection supports them, and are joined with MQTT 3.1.1; see
    `overlaps.py`. A filter with an identifier is subscribed to only after the broker has answered those before it.

    Args:
        wanted: The subscriptions.
        monotonic: Seconds that never step.
        abilities: What the broker can do, as its answers show.

    Attributes:
        refused: Filters refused by the broker, with its reason.
    """

    def __init__(
        self,
        wanted: Sequence[Subscription],
        monotonic: Callable[[], float] = time.monotonic,
        abilities: Abilities | None = None,
    ) -> None:
        self.refused: dict[str, str] = {}
        self._abilities = abilities or Abilities()
        self._configured = self._wanted = tuple(wanted)
        self._joins = False
        self._not_joined: set[str] = set()  # filters in place of others that the broker has refused
        self._overlapping = overlapping([each.filter for each in self._wanted])
        self._identifiers = Identifiers()
        self._identifies = False
        self._next: tuple[Subscription, ...] | None = None
        self._is_renewing = False
        self._granted: dict[str, tuple[Subscription, int]] = {}
        self._denied: set[str] = set()  # refused on this connection, and not due again
        self._monotonic = monotonic
        self._asked: dict[int, list[tuple[Subscription, int]]] = {}
        self._has_more = False
        self._delay_s = FIRST_RETRY_S
        self._due = 0.0
        self._left: set[str] = set()
        self._leaving: dict[int, tuple[str, ...]] = {}

    def begin(self, client: Client, *, keeps: bool, identifies: bool = False, joins: bool = False) -> bool:
        """Subscribe on a new connection.

        Args:
            client: The connection's client.
            keeps: Whether the session still has the granted filters; the others are requested in any case.
            identifies: Whether the broker supports subscription identifiers.
            joins: Whether the connection uses MQTT 3.1.1, where one filter takes the place of those that overlap.

        Returns:
            Whether there is nothing to wait for.
        """
        self._asked.clear()
        self._denied.clear()
        self._leaving.clear()
        self._left.clear()
        self._delay_s = FIRST_RETRY_S
        self._identifies = identifies
        if not keeps:
            self._granted.clear()
        self._joins = joins
        self._not_joined.clear()
        if not self._change(client):
            self._unsubscribe(client, self._filters_of_the_other_version())
        self._identify()
        self._ask(client)
        return not self._is_waiting()

    def change(self, wanted: Sequence[Subscription]) -> None:
        """Change the filters; thread-safe. The changes are made in the next turn.

        Unchanged filters aren't requested again, because the broker would resend their retained messages.
        """
        self._next = tuple(wanted)

    def renew(self) -> None:
        """Request all filters again in the next turn, since another client may have removed them; thread-safe."""
        self._is_renewing = True

    def is_copy(self, identifiers: Iterable[int], topic: str) -> bool:
        """Whether a message delivered for some subscriptions is also delivered for another one, which counts."""
        return self._identifiers.is_copy(identifiers, topic)

    def answered(self, packet: int, reasons: Sequence[ReasonCode]) -> bool:
        """Process a SUBACK; returns whether it was the last one awaited."""
        asked = self._asked.pop(packet, None)
        if asked is None:
            return False
        refused = dict(self.refused)
        for (subscription, identifier), reason in zip(asked, reasons, strict=False):
            if reason.is_failure:
                if self._joins and subscription not in self._configured:
                    self._not_joined.add(subscription.filter)
                    log.warning("subscription_not_joined filter=%r reason=%r", subscription.filter, str(reason))
                    self._has_more = True
                    continue
                self._denied.add(subscription.filter)
                refused[subscription.filter] = str(reason)
                log.error("subscription_refused filter=%r reason=%r", subscription.filter, str(reason))
                continue
            self._granted[subscription.filter] = subscription, identifier
            if refused.pop(subscription.filter, None) is not None:
                log.info("subscribed filter=%r", subscription.filter)
            self._abilities.granted(subscription, reason.value)
        self.refused = refused
        if refused:
            self._due = self._monotonic() + self._delay_s
        self._has_more |= any(each.filter in self._overlapping for each, _ in asked)
        return not self._is_waiting()

    def turn(self, client: Client) -> None:
        """Request filters that are new or had to wait, and retry refused ones when due."""
        self._has_more |= self._change(client)
        if self._is_renewing:
            self._is_renewing = False
            self._granted.clear()
            self._has_more = True
        if self.refused and not self._asked and self._monotonic() >= self._due:
            self._delay_s = min(2 * self._delay_s, LONGEST_RETRY_S)
            self._denied.clear()
            self._has_more = True
        if self._has_more:
            self._has_more = False
            self._ask(client)

    def leave(self, client: Client, topic: str) -> None:
        """Unsubscribe from the filters that match an unwanted topic; thread-safe."""
        ours = {each.filter for each in self._wanted}
        filters = [each for each in islice(filters_of(topic), CANDIDATES) if each not in ours | self._left]
        if not filters or len(self._left) > LEFT:
            return
        if not self._left:
            log.warning("no_input topic=%r: the broker's session has a filter that no input uses", topic[:99])
        self._left.update(filters)
        self._unsubscribe(client, filters)

    def has_left(self, packet: int, reasons: Sequence[ReasonCode]) -> None:
        """Process an UNSUBACK; only MQTT 5 tells which filters existed."""
        for each, reason in zip(self._leaving.pop(packet, ()), reasons, strict=False):
            if reason.value != NOT_SUBSCRIBED and not reason.is_failure:
                log.info("unsubscribed filter=%r", each)

    def _change(self, client: Client) -> bool:
        """Unsubscribe from filters that aren't wanted any more; returns whether there was a change."""
        if self._next is not None:
            self._configured, self._next = self._next, None
        wanted = joined(self._configured, self._not_joined) if self._joins else self._configured
        if wanted == self._wanted:
            return False
        filters = {each.filter for each in wanted}
        gone = [each.filter for each in self._wanted if each.filter not in filters]
        self._wanted = wanted
        self._overlapping = overlapping([each.filter for each in wanted])
        self._granted = {each: given for each, given in self._granted.items() if each in filters}
        self._denied &= filters
        self._abilities.wanted(filters)
        self.refused = {each: reason for each, reason in self.refused.items() if each in filters}
        self._left.difference_update(filters)
        self._identify()
        self._ask(client)  # first, as filters that overlapped these bring from now on what these have brought
        self._unsubscribe(client, gone)
        return True

    def _filters_of_the_other_version(self) -> list[str]:
        """The filters that a session of the other version of MQTT may have instead of some of these."""
        others = self._configured if self._joins else joined(self._configured)
        wanted = {each.filter for each in self._wanted}
        return [each.filter for each in others if each.filter not in wanted]

    def _unsubscribe(self, client: Client, filters: Sequence[str]) -> None:
        for some in _packets(filters):
            _, packet = client.unsubscribe(list(some))
            if packet is not None:
                self._leaving[packet] = some

    def _identify(self) -> None:
        """Register the identifiers that the session's queued messages may have, if all filters were granted."""
        needed = {identifier for _, identifier in self._granted.values()}
        needed.update(self._identifiers.of(each, before) for each, before in self._overlapping.items())
        self._identifiers.forget_others(needed)
        if self._overlapping and not self._identifies:
            log.warning(
                "filters_overlap filters=%r: messages that match both may be counted twice, except with MQTT 5",
                in_words(self._overlapping),
            )

    def _identifier(self, wanted: str) -> int:
        before = self._overlapping.get(wanted)
        if before is None or not self._identifies:
            return NO_IDENTIFIER
        return self._identifiers.of(wanted, tuple(each for each in before if each in self._granted))

    def _has_to_wait(self, wanted: str) -> bool:
        """Whether a filter overlaps one before it that the broker hasn't answered yet."""
        before = self._overlapping.get(wanted, ()) if self._identifies else ()
        return not all(each in self._granted or each in self._denied for each in before)

    def _is_waiting(self) -> bool:
        """Whether an answer of the broker is awaited."""
        answered = self._granted.keys() | self._denied
        return bool(self._asked) or any(each.filter not in answered for each in self._wanted)

    def _ask(self, client: Client) -> None:
        """Request the filters that aren't granted as wanted; those without identifiers share packets."""
        under_way = {each.filter for asked in self._asked.values() for each, _ in asked} | self._denied
        shared: list[Subscription] = []
        for each in self._wanted:
            if each.filter in under_way or self._has_to_wait(each.filter):
                continue
            identifier = self._identifier(each.filter)
            if self._granted.get(each.filter) == (each, identifier):
                continue
            if identifier == NO_IDENTIFIER:
                shared.append(each)
                continue
            again = each.filter in self._granted
            wanted = [(each.filter, options_of(each, again=again))]
            self._note(client.subscribe(wanted, properties=identified_by(identifier)), [(each, identifier)])
        for some in _packets(shared):
            asked = [(each, NO_IDENTIFIER) for each in some]
            self._note(client.subscribe([(each.filter, each.qos) for each in some]), asked)

    def _note(self, sent: tuple[MQTTErrorCode, int | None], asked: list[tuple[Subscription, int]]) -> None:
        code, packet = sent
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and packet is not None:
            self._asked[packet] = asked


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
