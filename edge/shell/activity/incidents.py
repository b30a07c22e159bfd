"""Incidents raised and ended, one log line each; in a flood, the number of lines left out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from edge.core.incidents.events.event import Event, severity_name
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.printable import printable, shortened
from edge.shell.system.logs import BOUNDED

log = logging.getLogger("edgewarden.incident")

TOLD = {Transition.RAISED.value, Transition.CLEARED.value, Transition.EXPIRED.value}
PER_MINUTE = 30
LONGEST_MESSAGE = 600


class Incidents:
    """Logs incidents, at most `PER_MINUTE` lines per minute."""

    def __init__(self) -> None:
        self._minute_began = -60.0
        self._lines = 0
        self._left_out: Counter[str] = Counter()

    def note(self, events: Sequence[Event], now: float) -> None:
        """Log the events of a commit; `now` in seconds of a monotonic clock."""
        for event in events:
            if event.transition not in TOLD:
                continue
            self.turn(now)
            if self._lines >= PER_MINUTE:
                self._left_out[event.transition] += 1
                continue
            self._lines += 1
            level = logging.WARNING if event.transition == Transition.RAISED.value else logging.INFO
            message = shortened(printable(event.message or ""), LONGEST_MESSAGE)
            sensor, severity = printable(event.sensor), severity_name(event.severity)[0]
            log.log(level, "%s sensor=%r severity=%s: %s", event.transition, sensor, severity, message, extra=BOUNDED)

    def turn(self, now: float, *, everything: bool = False) -> None:
        """Begin a new minute if one has passed, and log the number of lines left out in it."""
        if now - self._minute_began < 60.0 and not everything:
            return
        if self._left_out:
            counts = " ".join(f"{name}={count}" for name, count in sorted(self._left_out.items()))
            log.warning("more_incidents %s see='edgewarden events'", counts, extra=BOUNDED)
        self._minute_began, self._lines = now, 0
        self._left_out.clear()
