"""The announcer: publishes Home Assistant discovery messages, so that the broker retains those of the current sensors.

The messages follow from the sensor table, so nothing is stored about them. On every connection all of them are
published again in a round, because the broker may have lost them; so they are at every start of Home Assistant, because
the broker may not have retained them. The first round after the service's start also clears messages left by an earlier
configuration. A round has a constant rate and begins with the gateway's own message; the others wait for its
acknowledgement.

The problem entity of a sensor reads `state/...`, where `ok` is published only when an incident ends. For all other
sensors it is published here.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from config.notation.topics import glob_pattern
from edge.core.incidents.events.event import Event, timestamp
from edge.core.incidents.events.open_incidents import ENDED
from edge.core.incidents.events.sensor_events import KIND as SENSOR
from edge.core.model.notation.topics import Topics
from edge.core.model.sensors.vacancies import is_vacant
from edge.shell.homeassistant.entities import Entities
from edge.shell.homeassistant.options import HomeAssistantOptions
from edge.shell.onlooker import Running

log = logging.getLogger("edgewarden.homeassistant")

PER_SECOND = 100.0
"""Number of discovery messages published per second; Home Assistant needs some milliseconds for each."""

BURST = 50

SPREAD_S = 10.0
"""Maximum random delay after a start of Home Assistant, so that gateways don't all publish at once.

The minimum is a tenth of it; further starts during the delay are ignored.
"""

GATEWAY = ""
"""Represents the gateway itself among the sensor names."""


class Announcer:
    """Announces sensors to Home Assistant; an `Onlooker` whose methods are all called by the service's loop.

    Args:
        options: Settings of Home Assistant discovery.
        topics: This gateway's own topics.
        monotonic: Seconds that never step.
        chance: Returns a random number from 0 to below 1.
    """

    def __init__(
        self,
        options: HomeAssistantOptions,
        topics: Topics,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._options = options
        self._topics = topics
        self._entities = Entities(options, topics)
        self._monotonic = monotonic
        self._chance = chance
        self._patterns = [glob_pattern(each) for each in options.sensors]
        self._running: Running | None = None
        self._connection = 0
        self._is_first = True
        self._round_at: float | None = None
        self._announced: dict[str, None] = {}
        self._table: object = None
        self._due: dict[str, None] = {}
        self._ended: dict[str, float] = {}
        self._left_out = 0
        self._allowance = 0.0
        self._allowed_at = monotonic()

    def follow(self, running: Running) -> None:
        """See `Onlooker`."""
        self._running = running

    def committed(self, events: Sequence[Event], answers: Sequence[bytes]) -> None:  # noqa: ARG002 - as the protocol says
        """See `Onlooker`."""
        for each in events:
            if each.kind == SENSOR:
                self._table = None
            elif each.transition in ENDED:
                self._ended[each.sensor] = each.time

    def turn(self) -> None:
        """See `Onlooker`."""
        running, now = self._running, self._monotonic()
        if running is None:
            return
        outbound = running.outbound
        if any(each == self._options.birth for each in outbound.births.take()) and self._round_at is None:
            self._round_at = now + SPREAD_S * (0.1 + 0.9 * self._chance())
        if not outbound.connected:
            return
        if outbound.connections != self._connection:
            self._connection = outbound.connections
            self._begin_round(running)
        elif self._round_at is not None and now >= self._round_at:
            log.info("homeassistant_started")
            self._begin_round(running)
        elif self._table != self._state_of(running):
            self._note_changes(running)
        self._allow(now)
        if self._due:
            self._publish(running)

    def _begin_round(self, running: Running) -> None:
        """Schedule all messages: the gateway, the announced sensors, and leftovers of others."""
        self._round_at = None
        self._note_changes(running)
        sensors = running.pipeline.sensors
        self._ended = {name: each for name, each in self._ended.items() if sensors.find(name) is not None}
        others = [*sensors.vacancies.names]
        if self._is_first:
            self._is_first = False
            others += [each for each in self._names(running) if each not in self._announced]
        self._due = dict.fromkeys([GATEWAY, *self._announced, *others])

    def _note_changes(self, running: Running) -> None:
        """Schedule messages of sensors found or forgotten."""
        self._table = self._state_of(running)
        fitting = [each for each in self._names(running) if any(one.fullmatch(each) for one in self._patterns)]
        most = self._options.most if self._options.enabled else 0
        wanted = dict.fromkeys(fitting[:most])
        self._due.update(dict.fromkeys(each for each in self._announced if each not in wanted))
        self._due.update(dict.fromkeys(each for each in wanted if each not in self._announced))
        self._announced = wanted
        left_out = len(fitting) - len(wanted) if self._options.enabled else 0
        if left_out and not self._left_out:
            log.warning("homeassistant_left_out sensors=%d most_sensors=%d", left_out, most)
        self._left_out = left_out

    @staticmethod
    def _state_of(running: Running) -> object:
        """A value that changes when the set of sensors changes."""
        sensors = running.pipeline.sensors
        return len(sensors), len(sensors.vacancies), len(sensors.vacancies.names)

    @staticmethod
    def _names(running: Running) -> Iterator[str]:
        """All sensors and devices, in order of appearance."""
        return (each for each in running.pipeline.sensors.names if not is_vacant(each))

    def _allow(self, now: float) -> None:
        self._allowance = min(float(BURST), self._allowance + PER_SECOND * (now - self._allowed_at))
        self._allowed_at = now

    def _publish(self, running: Running) -> None:
        """Publish scheduled messages as far as the rate allows."""
        if running.publisher.is_retaining(self._entities.config_topic(GATEWAY)):
            return
        while self._due and self._allowance >= 1:
            name = next(iter(self._due))
            del self._due[name]
            running.publisher.retain_all(self._messages(running, name))
            self._allowance -= 1
            if name == GATEWAY:
                return
        if self._due:
            running.inbound.wake()

    def _messages(self, running: Running, name: str) -> dict[str, bytes]:
        """The message that should be retained for a sensor or the gateway."""
        topic = self._entities.config_topic(name)
        if name == GATEWAY:
            return {topic: self._entities.gateway() if self._options.enabled else b""}
        pipeline = running.pipeline
        slot = pipeline.sensors.find(name)
        if slot is None or name not in self._announced:
            return {topic: b""}
        facts = pipeline.registry.facts(slot)
        messages = {topic: self._entities.sensor(name, facts.topic, pipeline.registry.device_of(slot))}
        if name not in pipeline.open_incidents.events:
            ended = self._ended.get(name)
            since = None if ended is None else timestamp(ended)
            messages[self._topics.state(facts.topic)] = msgspec.json.encode(
                {"state": "ok", "sensor": name, "since": since}
            )
        return messages
