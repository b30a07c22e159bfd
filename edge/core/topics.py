"""Our own topics, below one base such as `edgewarden/plant7`."""

from __future__ import annotations

from typing import NamedTuple


class Topics(NamedTuple):
    """Where what is published.

    Attributes:
        base: What all of them begin with, without a slash at its ends.
    """

    base: str

    @property
    def status(self) -> str:
        """Online or offline; retained, and the link's last will."""
        return f"{self.base}/status"

    @property
    def health(self) -> str:
        """Counters, backlog and limits; retained."""
        return f"{self.base}/health"

    @property
    def open(self) -> str:
        """All open incidents in one message; retained."""
        return f"{self.base}/open"

    @property
    def gap(self) -> str:
        """What is missing, and why."""
        return f"{self.base}/gap"

    @property
    def dead_letter(self) -> str:
        """What could not be read."""
        return f"{self.base}/deadletter"

    @property
    def shelved(self) -> str:
        """What is shelved, and which maintenance windows stand; retained."""
        return f"{self.base}/shelved"

    @property
    def result(self) -> str:
        """What became of each command."""
        return f"{self.base}/result"

    def command(self, name: str) -> str:
        """Where the operator says something; `+` for everything."""
        return f"{self.base}/command/{name}"

    def anomaly(self, sensor: str) -> str:
        """Every event of a sensor's incidents; `sensor` is its name as the end of a topic."""
        return f"{self.base}/anomaly/{sensor}"

    def state(self, sensor: str) -> str:
        """`ok` or the open incident of a sensor; retained."""
        return f"{self.base}/state/{sensor}"
