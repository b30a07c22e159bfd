"""Topic placing: assigns topics to cells.

All sensors of a topic share a cell, as do all topics of a `[[device]]`. Topics without a device are distributed
individually, whatever their names have in common.
"""

from __future__ import annotations

from config.schema import Configuration
from edge.core.cells import CellPlan
from edge.core.intake.routes import Routes
from edge.core.model.bounded_cache import BoundedCache
from edge.shell.service.assembly.parts import routes_of

REMEMBERED_BYTES = 16 * 1024 * 1024


class TopicPlacing:
    """Assigns topics to cells.

    The result is the same in every process with the same inputs, devices and number of cells.

    Args:
        routes: The inputs.
        plan: The configuration of cells.
    """

    def __init__(self, routes: Routes, plan: CellPlan) -> None:
        self._routes = routes
        self._placing = plan.placing
        self._known: BoundedCache[str, int] = BoundedCache(REMEMBERED_BYTES)

    @classmethod
    def of(cls, configuration: Configuration, plan: CellPlan) -> TopicPlacing:
        """Create it from the inputs of a configuration."""
        return cls(routes_of(configuration), plan)

    def cell(self, topic: str) -> int | None:
        """The cell of a topic; None if no input reads it."""
        known = self._known.get(topic)
        if known is not None:
            return known
        resolved = self._routes.find(topic)
        if resolved is None:
            return None
        name = resolved.sensor("x") or resolved.sensor("") or topic
        found = self._placing.cell(name if self._placing.belongs(name) else f"{topic}/x")
        self._known.put(topic, found, 2 * len(topic) + 200)
        return found

    def cell_of_sensor(self, sensor: str, topic: str | None) -> int | None:
        """The cell of a sensor received on a topic; None if the topic is unknown or no input reads it any more."""
        if self._placing.belongs(sensor):
            return self._placing.cell(sensor)
        return None if topic is None else self.cell(topic)
