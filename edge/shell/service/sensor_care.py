"""Sensor care: forgets sensors after a long silence, and releases vacant slots."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.core.persistence.steps.step import Step
from edge.core.pipeline import Pipeline
from edge.shell.store import Store

log = logging.getLogger("edgewarden.input")


class SensorCare:
    """Forgets sensors by age, and makes slots of forgotten ones available again.

    Args:
        pipeline: The core.
        forget_days: Days of silence after which a sensor is forgotten; None for never.
        clock: Seconds since the epoch, UTC.
    """

    def __init__(self, pipeline: Pipeline, forget_days: float | None, clock: Callable[[], float]) -> None:
        self._pipeline = pipeline
        self._forget_days = forget_days
        self._clock = clock

    def turn(self, store: Store) -> Step:
        """Check all sensors, once a minute.

        Args:
            store: Its journal refers to sensors by slot, so a slot is reused only when the journal has no entry from
                before it was vacated.

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
