"""Well-being: the problems of a running service, and notes worth checking."""

from __future__ import annotations

from typing import NamedTuple

from edge.commands.support.service.service_state import ServiceState
from edge.core.model.notation.quantities import duration
from edge.shell.activity.well_being import notes_on, problems_in


class WellBeing(NamedTuple):
    """The health of a service.

    Attributes:
        problems: The problems, one sentence each; the service is well if there are none.
        notes: Notes: worth checking, but not necessarily a problem.
    """

    problems: list[str]
    notes: list[str]


def well_being(state: ServiceState, waiting_s: float | None, of_disk: str | None = None) -> WellBeing:
    """Assess a service by its status file.

    Args:
        state: The state of the service.
        waiting_s: How long the oldest event in its store has waited for delivery; None if none is waiting.
        of_disk: Why its disk can't be written, see `disk_problem()`; None if it can.
    """
    if not state.running:
        return WellBeing([], [])
    first = [] if of_disk is None else [of_disk]
    if state.is_starting:
        return WellBeing([*first, "it is starting, and has not written its status yet"], [])
    if not state.answers:
        return WellBeing(
            [*first, f"it has written no status for {duration(state.age_s)}: it hangs, or its disk is full"], []
        )
    return WellBeing(first + problems_in(state.status, waiting_s), notes_on(state.status))
