"""New sensors: their number, logged once it has settled."""

from __future__ import annotations

import logging

from edge.core.model.sensors.sensors import SensorTable

log = logging.getLogger("edgewarden.input")

SETTLED_S = 30.0
LONGEST_S = 600.0
"""New sensors are logged after `SETTLED_S` without another, or after `LONGEST_S` if they keep appearing."""


class FoundSensors:
    """Observes the growth of the sensor table."""

    def __init__(self) -> None:
        self._logged = 0
        self._seen = 0
        self._grew_at = 0.0
        self._began: float | None = None

    def begin(self, sensors: SensorTable) -> None:
        """Treat the known sensors as already logged."""
        self._logged = self._seen = sensors.sensors

    def turn(self, now: float, sensors: SensorTable) -> None:
        """Check the table; `now` in seconds of a monotonic clock."""
        count = sensors.sensors
        if count > self._seen:
            self._seen, self._grew_at = count, now
            self._began = now if self._began is None else self._began
        if self._began is None:
            return
        if now - self._grew_at >= SETTLED_S or now - self._began >= LONGEST_S:
            log.info("sensors_found new=%d sensors=%d devices=%d", count - self._logged, count, sensors.devices)
            self._logged, self._began = count, None
