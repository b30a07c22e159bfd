"""The line of readings: they are held back until they are sorted, admitted, and judged, in this order."""

from __future__ import annotations

from collections.abc import Callable

from edge.core.engine import Engine
from edge.core.intake.intake import Intake
from edge.core.intake.times.admission import Arrivals
from edge.core.intake.times.refused_readings import cut
from edge.core.intake.times.reorder import Reorder
from edge.core.model.readings.messages import Batch, DeadLetter, Message
from edge.core.model.readings.pauses import NO_PAUSE
from edge.core.operator.suppression import Finding, Suppression


class ReadingLine:
    """Judges readings in the order of their times.

    Args:
        reorder: Holds readings back, so that late ones are sorted.
        intake: Admits readings whose times advance.
        watch: Judges them, and holds back what the operator doesn't want to hear.
        engine: Hears of sensors whose readings were refused: they aren't silent.
    """

    def __init__(self, reorder: Reorder, intake: Intake, watch: Suppression, engine: Engine) -> None:
        self._reorder = reorder
        self._intake = intake
        self._watch = watch
        self._engine = engine

    def take(
        self,
        batch: Batch,
        message_of: Callable[[int], Message] | None,
        letters: list[DeadLetter],
        arrivals: Arrivals | None = None,
    ) -> list[Finding]:
        """Take new readings, and judge what needn't be held back any longer; see `Intake.admit()`."""
        return self._judge(self._reorder.pass_on(batch), message_of, letters, arrivals)

    def release(self, clock: float, letters: list[DeadLetter]) -> list[Finding]:
        """Judge what needn't be held back at a time of the stream clock, in seconds since the epoch."""
        return self._judge(self._reorder.pass_time(clock), None, letters, None)

    def _judge(
        self,
        batch: Batch,
        message_of: Callable[[int], Message] | None,
        letters: list[DeadLetter],
        arrivals: Arrivals | None,
    ) -> list[Finding]:
        batch = self._intake.admit(batch, message_of, letters, arrivals)
        findings: list[Finding] = []
        for piece, heard, quiet_until in cut(batch, self._intake.heard, self._intake.heard_after):
            findings += self._watch.process(piece)
            if quiet_until > NO_PAUSE:
                findings += self._watch.tick(quiet_until)
            self._engine.hear(heard)
        return findings
