"""Last values of the sensors that resend unchanged values, used to recognise repetitions."""

from __future__ import annotations

from edge.core.model.packing.encoding import decode, encode


class LastValues:
    """The last value of each sensor that resends unchanged values, by slot."""

    def __init__(self) -> None:
        self._values: dict[int, float] = {}

    def note(self, slot: int, value: float) -> bool:
        """Record a value; returns whether it differs from the previous one."""
        if self._values.get(slot) == value:
            return False
        self._values[slot] = value
        return True

    def forget(self, slot: int) -> None:
        """Forget a sensor's value."""
        self._values.pop(slot, None)

    def state(self) -> bytes:
        """The values, for `load()`."""
        return encode(self._values)

    def load(self, state: bytes) -> None:
        """Continue with these values.

        Raises:
            StateError: They can't be read.
        """
        self._values = decode(state, dict[int, float])
