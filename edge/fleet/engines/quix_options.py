"""The settings of a Quix worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class FleetError(Exception):
    """The fleet can't start, or a worker can't continue."""


@dataclass(frozen=True)
class QuixOptions:
    """The settings of a worker.

    Attributes:
        cells: Number of cells per partition.
        source: Topic of the readings.
        events: Topic of the events; created if missing.
        group: Consumer group, from which the names of the topics for packs and states are derived.
        client: Settings of librdkafka for the connection and the consumer, including `bootstrap.servers`.
        state: Folder for the states of this worker, restored from Kafka if it is lost.
        begin: Where a new group begins: `earliest` or `latest`.
        checkpoint_s: Maximum seconds between two checkpoints.
    """

    cells: int
    source: str
    events: str
    group: str
    client: Mapping[str, str] = field(repr=False)
    state: str = "state"
    begin: str = "latest"
    checkpoint_s: float = 1.0
