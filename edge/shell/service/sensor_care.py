"""Care for the sensor table: sensors that were silent for too long are forgotten, and slots become free again."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.core.persistence.steps.step import Step
from edge.core.pipeline import Pipeline
from edge.shell.store import Store

log = logging.getLogger("edgewarden.input")


class SensorCare:
    """Forgets sensors by age, and lets the slots of forgotten ones be used again.

    Args:
        pipeline: The core.
        forget_days: Sensors that were silent for longer are forgotten; None if none is.
        clock: Seconds since the epoch, UTC.
    """

    def __init__(self, pipeline: Pipeline, forget_days: float | None, clock: Callable[[], float]) -> None:
        self._pipeline = pipeline
        self._forget_days = forget_days
        self._clock = clock

    def turn(self, store: Store) -> Step:
        """Look at all sensors, once a minute.

        Args:
            store: Its journal names sensors by their slots, so that a slot is reused only when the journal
                has nothing from the time before it was left.

        Raises:
            StoreError: The store can't be read.
        """
        begins = store.journal_begins()
        self._pipeline.sensors.vacancies.release(self._clock() if begins is None else begins)
        if self._forget_days is None:
            return Step()
        before = self._pipeline.sensors.sensors
        step = self._pipeline.forget_silent(self._forget_days, self._clock())
        if step.journal is not None:
            log.info(
                "sensors_forgotten sensors=%d silent_for_days=%g",
                before - self._pipeline.sensors.sensors,
                self._forget_days,
            )
        return step
