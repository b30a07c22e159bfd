"""Placing: assigns sensors to cells by a hash of their device.

Detectors and incidents compare sensors only within a device, so the sensors of a device always share a cell. The device
is the one configured by a `[[device]]` table; otherwise sensors with names equal up to the last slash form one.

Cells can be divided without moving anything else: when their number doubles, cell 3 of 8 becomes cells 3 and 11 of 16.
"""

from __future__ import annotations

import hashlib

from edge.core.scoring.sensors.sensor_registry import DeviceFor

MOST_REMEMBERED = 100_000
"""Maximum number of sensors whose cells are cached; when it is exceeded, the cache is cleared."""


class Placing:
    """Assigns sensors to cells.

    Args:
        cells: Number of cells, from 1.
        device_for: Returns the configured device of a sensor, see `Pipeline`.

    Raises:
        ValueError: `cells` is less than 1.
    """

    def __init__(self, cells: int, device_for: DeviceFor = lambda _: None) -> None:
        if cells < 1:
            raise ValueError(f"{cells} cells; at least one is required")
        self.cells = cells
        self._device_for = device_for
        self._known: dict[str, int] = {}

    def cell(self, sensor: str) -> int:
        """The cell of a sensor, 0 to `cells` - 1; the same on every machine and in every version."""
        known = self._known.get(sensor)
        if known is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            known = self._known[sensor] = number(self.device(sensor)) % self.cells
        return known

    def belongs(self, sensor: str) -> bool:
        """Whether a sensor belongs to a configured device."""
        return self._device_for(sensor) is not None

    def device(self, sensor: str) -> str:
        """The common key of a device's sensors, by the name of a sensor, or of a device with a trailing slash."""
        if sensor.endswith("/"):
            return sensor.removesuffix("/")
        belongs_to = self._device_for(sensor)
        return sensor.rpartition("/")[0] or sensor if belongs_to is None else belongs_to[0]


def number(device: str) -> int:
    """A number distributed evenly over devices: the first 8 bytes of the BLAKE2b hash of the name, 64 bits."""
    digest = hashlib.blake2b(device.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
