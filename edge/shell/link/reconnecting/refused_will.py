"""Refused wills: finds out whether an MQTT 3.1.1 broker closes connections because of their last will.

Unlike MQTT 5, MQTT 3.1.1 has no answer for a broker without retained messages or QoS 1: it closes a connection whose
will needs them without a CONNACK, as mosquitto does. So does a broker that is starting, or a proxy without one. After
some such ends, other connections are made with an ID of their own: one with the same will, some with less, and one with
the same will again. If only those with less are answered, the will is the cause.

Source: MQTT 3.1.1, section 3.2.2.3 and MQTT-3.1.4-1.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import replace

from edge.shell.link.link_options import LinkOptions
from edge.shell.link.receiving.bulk_client import make_client
from edge.shell.link.versions.abilities import QOS_1, RETAINED, WILL, Abilities
from edge.shell.link.versions.version_choice import Outcome, Version

log = logging.getLogger("edgewarden.link")

CLOSED_IN_A_ROW = 2
"""Number of attempts closed without an answer after which the will is examined."""

ANSWER_S = 5.0
"""Maximum time for an answer."""

STEP_S = 0.2
"""Maximum time until a request to stop is noticed."""

AGAIN_S = 3600.0
"""Minimum time after which the whole will is tried again, at the next connection."""

LESS: tuple[tuple[str, ...], ...] = ((RETAINED,), (QOS_1,), (RETAINED, QOS_1), (WILL,))
"""What wills are tried without."""


class RefusedWill:
    """Adapts the will to a broker that doesn't say what it lacks.

    Args:
        options: Returns the settings of the connection.
        abilities: Told what the broker lacks.
        is_over: Whether the connections end, so that no answer matters any more.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        options: Callable[[], LinkOptions],
        abilities: Abilities,
        is_over: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._abilities = abilities
        self._is_over = is_over
        self._monotonic = monotonic
        self._closed = 0
        self._found_at: float | None = None

    def note(self, version: Version, outcome: Outcome) -> None:
        """Record the outcome of an attempt, after the connection has ended if it was accepted.

        After some attempts that were closed without an answer the will is examined.
        """
        if version != "3.1.1" or outcome != "closed":
            self._closed = 0
            if self._found_at is not None and self._monotonic() - self._found_at >= AGAIN_S:
                self._found_at = None
                self._abilities.infer(())
            return
        self._closed += 1
        if self._closed < CLOSED_IN_A_ROW or self._options().will is None or self._abilities.is_inferred:
            return
        self._closed = 0
        lacking = self._lacking()
        if lacking:
            log.warning("will_refused lacking=%r: the broker closes connections with it", ", ".join(lacking))
            self._abilities.infer(lacking)
            self._found_at = self._monotonic()

    def _lacking(self) -> tuple[str, ...]:
        """What the broker lacks according to its answers; empty if that isn't the cause."""
        if self._answers(()):
            return ()
        found = next((each for each in LESS if self._answers(each)), ())
        return found if found and not self._answers(()) and not self._is_over() else ()

    def _answers(self, lacking: tuple[str, ...]) -> bool:
        """Whether the broker answers a connection with the will of a broker that lacks this."""
        abilities, answered = Abilities(), list[bool]()
        abilities.infer(lacking)
        options = self._options()
        name = f"{options.client_id}-{secrets.token_hex(4)}"
        options = replace(options, client_id=name, clean_session=True, echo=None, births=None)
        until = self._monotonic() + ANSWER_S
        try:
            client = make_client(options, "3.1.1", abilities)
            client.on_connect = lambda *_: answered.append(True)
            client.connect(options.host, options.port, options.keepalive_s)
            is_open = True
            while is_open and not (answered or self._is_over()) and self._monotonic() < until:
                is_open = client.loop(STEP_S) == 0
            client.disconnect()  # a will that was accepted isn't published
            client.loop(STEP_S)
        except (OSError, ValueError) as error:
            log.debug("will_not_examined error=%r", error)
        return bool(answered)
