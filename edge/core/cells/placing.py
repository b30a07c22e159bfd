"""Placing: which cell a sensor belongs to, by a hash of its device.

What detectors and incidents compare is compared within a device, so the sensors of one are never parted. The device is
the operator's where a `[[device]]` table names it; otherwise sensors whose names agree up to the last slash are taken
for one.

Cells can be divided without moving anything else: of twice as many cells, cell 3 of 8 becomes cells 3 and 11 of 16.
"""

from __future__ import annotations

import hashlib

from edge.core.scoring.sensors.sensor_registry import DeviceFor

MOST_REMEMBERED = 100_000
"""Sensors whose cells are remembered; beyond it all are looked up anew."""


class Placing:
    """Which cell each sensor belongs to.

    Args:
        cells: How many cells there are, from 1.
        device_for: The operator's device of a sensor, see `Pipeline`.

    Raises:
        ValueError: There is no cell.
    """

    def __init__(self, cells: int, device_for: DeviceFor = lambda _: None) -> None:
        if cells < 1:
            raise ValueError(f"{cells} cells; there must be one at least")
        self.cells = cells
        self._device_for = device_for
        self._known: dict[str, int] = {}

    def cell(self, sensor: str) -> int:
        """The cell of a sensor, from 0 to below `cells`; the same on every machine and in every version."""
        known = self._known.get(sensor)
        if known is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            known = self._known[sensor] = number(self.device(sensor)) % self.cells
        return known

    def belongs(self, sensor: str) -> bool:
        """Whether a sensor belongs to a device of the operator's."""
        return self._device_for(sensor) is not None

    def device(self, sensor: str) -> str:
        """What the sensors of one device have in common, by the name of a sensor or, ending in a slash, of a device."""
        if sensor.endswith("/"):
            return sensor.removesuffix("/")
        belongs_to = self._device_for(sensor)
        return sensor.rpartition("/")[0] or sensor if belongs_to is None else belongs_to[0]


def number(device: str) -> int:
    """A number that is spread evenly over devices: the first 8 bytes of their names' BLAKE2b, 64 bits."""
    digest = hashlib.blake2b(device.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
