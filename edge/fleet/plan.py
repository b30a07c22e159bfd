"""Plan: defines cells by a configuration: the inputs, rules and devices of a gateway, for sensors hashed to cells."""

from __future__ import annotations

from functools import partial

from config.schema import Configuration
from edge.core.cells import CellPlan, Placing
from edge.shell.service.assembly.parts import make_pipeline


def plan_of(configuration: Configuration, cells: int) -> CellPlan:
    """The plan of a fleet of `cells` cells, at least 1.

    `gateway.name` is the name of the fleet, from which event IDs are derived. `limits.sensors` applies to each cell.
    Operator commands aren't supported.
    """
    commands = configuration.commands.replaced(enabled=False)
    quiet = configuration.replaced(commands=commands)
    return CellPlan(
        partial(make_pipeline, quiet),
        Placing(cells, configuration.device_for),
        configuration.digest(),
        configuration.inputs_digest(),
    )
