"""The sensor table: a row number, its slot, for each sensor name; bounded."""

from __future__ import annotations


class SensorTable:
    """Names of sensors, in the order in which they were first seen; a slot is an index into it.

    Args:
        limit: How many sensors there may be.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.names: list[str] = []
        self._slots: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.names)

    def slot(self, name: str) -> int | None:
        """The slot of a sensor, given out now if it is new; None if there is no room for a new one."""
        known = self._slots.get(name)
        if known is not None:
            return known
        if len(self.names) >= self.limit:
            return None
        slot = len(self.names)
        self.names.append(name)
        self._slots[name] = slot
        return slot

    def find(self, name: str) -> int | None:
        """The slot of a sensor that is known already, or None."""
        return self._slots.get(name)
