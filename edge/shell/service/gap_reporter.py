"""Reports lost data to subscribers, merging unsent reports with the same reason."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from edge.core.incidents.events.gaps import Gap
from edge.core.pipeline import Pipeline
from edge.shell.publishing.publisher import Publisher
from edge.shell.service.turns.commit_group import CommitGroup

log = logging.getLogger("edgewarden.service")


class GapReporter:
    """Adds gap events to the next commit.

    Args:
        pipeline: Numbers the events.
        publisher: Knows which of them were sent.
        group: The next commit.
        clock: The current time, in seconds since the epoch, UTC.
        monotonic: Seconds that never step.

    Attributes:
        also_read_up_to: Sequence of the last event that may have been passed to a receiver other than the publisher.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        publisher: Publisher,
        group: CommitGroup,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._pipeline = pipeline
        self._publisher = publisher
        self._group = group
        self._clock = clock
        self._monotonic = monotonic
        self._reported: dict[tuple[str, str], tuple[int, Gap]] = {}
        self.also_read_up_to: Callable[[], int] = lambda: 0

    def report(self, gap: Gap, dropped: Sequence[int] = ()) -> None:
        """Report lost data; an unsent gap with the same reason is merged with it.

        Args:
            gap: The lost data.
            dropped: Sequences of the events dropped for it. They are deleted in the transaction that adds the gap's
                event.
        """
        self._group.replace(dropped)
        earlier = self._reported.get((gap.reason, gap.sink))
        if earlier is not None and not self._was_sent(earlier[0]):
            gap = earlier[1].joined(gap)
            self._group.replace([earlier[0]])
        step = self._pipeline.gap(gap, self._clock())
        self._reported[gap.reason, gap.sink] = (step.events[0].sequence, gap)
        self._group.add(step, (), self._monotonic())
        log.warning("gap %s", step.events[0].message)

    def _was_sent(self, gap: int) -> bool:
        return self._publisher.was_sent(gap) or gap <= self.also_read_up_to()

    def forget(self) -> None:
        """Don't merge with earlier gaps, because the store is a new one."""
        self._reported.clear()
