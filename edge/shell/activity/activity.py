"""The activity of a service as a whole: what its loop calls, and what it says of it."""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.pipeline import Pipeline
from edge.shell.activity.incidents import Incidents
from edge.shell.activity.inputs import Inputs
from edge.shell.activity.refusals import Refusals
from edge.shell.activity.sensors import FoundSensors
from edge.shell.commit_group import CommitGroup


class Activity:
    """Watches what a service takes in and finds, and tells it in the log.

    Args:
        filters: Topic filters of the inputs, in the operator's order.
        own: What our own topics begin with.
        pipeline: The core, whose counters are read.
    """

    def __init__(self, filters: Sequence[str], own: str, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._inputs = Inputs(filters, own)
        self._refusals = Refusals()
        self._incidents = Incidents()
        self._sensors = FoundSensors()
        self._refusals.begin(pipeline.accounts)
        self._sensors.begin(pipeline.sensors)

    def committed(self, group: CommitGroup, now: float) -> None:
        """Take note of what a commit holds, before the group is cleared; `now` in seconds that never step."""
        self._inputs.note(group.messages)
        self._refusals.note(group.dead_letters, now, self._pipeline.accounts)
        self._incidents.note(group.events, now)

    def turn(self, now: float, *, connected: bool) -> None:
        """Let time pass, every few seconds; `connected` is whether readings could come."""
        self._inputs.turn(now, connected=connected)
        self._refusals.turn(now, self._pipeline.accounts)
        self._incidents.turn(now)
        self._sensors.turn(now, self._pipeline.sensors)

    def close(self, now: float) -> None:
        """Tell what hasn't been told yet: the service ends."""
        self._refusals.close(now, self._pipeline.accounts)
        self._incidents.turn(now, everything=True)

    def as_dict(self, now: float) -> dict[str, object]:
        """What came in and what was refused, for `edgewarden status`."""
        return {
            "inputs": [each.as_dict() for each in self._inputs.listed(now)],
            "refused": self._refusals.listed(self._pipeline.accounts),
        }
