"""Contextual: unusual for this sensor, at this time, after this sequence of readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import BAND_DECADES, Detector, Field, Scores, State
from detectors.contextual.adoption import adoption_layout, move
from detectors.contextual.likelihood import likelihood, likelihood_layout, weighted_decades
from detectors.contextual.neighbours import neighbours, neighbours_layout
from detectors.contextual.range_break import range_break, range_layout
from detectors.contextual.rarity import rarity, rarity_layout
from detectors.contextual.season import Season, season, season_layout
from detectors.contextual.spread import level_away, level_layout, spread, spread_layout
from detectors.contextual.steps import WARM_UP, Age, StepStatistics, age_of, learn_interval, steps_layout, take_steps
from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows
from detectors.numeric.elementwise import NOTHING, any_of, everywhere, log10, minimum, nowhere, where
from detectors.numeric.surprise import student_reach
from detectors.parameters import choice, parameter

CHANGES = 10.0
"""Number of changes of value before a change can be rarer than one in all steps: a sensor that has hardly ever changed
has no scale for changes."""

LIGHT, FULL = "light", "full"
STREAMS = {LIGHT: 4, FULL: 5}
"""Range break, season level, hour residual, spread, and neighbours."""

SHARES = (1 / 2, 1 / 8, 1 / 8, 1.0, 2 / 5)
"""Weight of the newest raw score in the smoothed one, in the same order: a mean over about 3, 15, 15, 1 and 4 steps."""

WEIGHTS: tuple[float, ...] = (1 / 4, 1.0, 1.0, 1 / 6, 1 / 2, 3 / 2)
"""Weight of a decade as evidence: of the distance from the long-run level, then of each stream. Halving or doubling any
of them changes little."""

_REACH = student_reach(BAND_DECADES, 1e6)


@dataclass(frozen=True)
class Contextual(Detector):
    """Finds readings that are unusual for a sensor at this time of day and week, after this sequence of readings.

    Catches: spikes, level shifts, dropouts, changed units, drift, a season that is lost, bursts of noise.
    Blind to: faults shorter than a step; the first 150 steps.
    Contamination: a step counts by its share in means over a few thousand steps; one step at most trebles the range.
        While an incident is open, nothing is learned.
    Warm-up: 150 steps. A step is a reading, or for fast sensors the readings of up to `step_s`.
    State: 28,088 bytes a sensor; light 3,704 bytes.
    Cost: about 220 array operations per round; with neighbours, 60,000 multiplications a reading besides.
    Source: A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta anomaly benchmark",
        2015, arXiv:1510.03336.
    Differs: the source judges one anomaly score by its own recent history; here five are judged and added.
        `detectors.contextual` has a file for each.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Contextual(size="light"), rows=1)
    >>> def reading(hour, value):
    ...     return table.update(np.array([0]), np.array([value]), np.array([3600.0 * hour])).score[0]
    >>> usual = [reading(hour, 20 + 5 * np.sin(hour / 24 * 2 * np.pi) + hour % 7 / 50) for hour in range(480)]
    >>> bool(max(usual[-48:]) < 2)
    True
    >>> bool(max(reading(hour, 15.0) for hour in range(484, 490)) > 3)
    True
    """

    size: str = choice(
        FULL, "How much is remembered of a sensor: full keeps its recent courses, light does without.", (LIGHT, FULL)
    )
    step_s: float = parameter(
        45.0, "Readings closer than this are averaged, once the sensor is known.", unit="s", at_least=0, at_most=86400
    )

    name: ClassVar[str] = "contextual"
    kind: ClassVar[str] = "contextual"
    catches: ClassVar[frozenset[str]] = frozenset(
        {"spike", "level_shift", "dropout", "unit_jump", "drift", "lost_season", "noise_burst"}
    )
    lingers: ClassVar[bool] = True
    knows_times: ClassVar[bool] = True
    floor: ClassVar[float] = 2.75
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        full = self.size == FULL
        return {
            "changes": Field(),
            "previous": Field(learned=False, later=True),
            "score": Field(learned=False),
            "expected": Field(learned=False, later=True),
            "reach": Field(learned=False, later=True),
            **steps_layout(),
            **range_layout(),
            **season_layout(),
            **spread_layout(),
            **level_layout(),
            **(neighbours_layout() if full else {}),
            **likelihood_layout(STREAMS[self.size]),
            **rarity_layout(),
            **adoption_layout(),
        }

    def warm_up_s(self, interval: Floats) -> Floats:
        """See `Detector`."""
        return WARM_UP * np.maximum(interval, self.step_s)

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`."""
        step, ends = take_steps(state, slots, values, times, self.step_s)
        if ends is True:
            return self._judge_steps(state, step)
        last, expected, reach = (state[name][slots] for name in ("score", "expected", "reach"))
        last, expected = where(last < 0, NOTHING, last), where(everywhere(reach > 0), expected, NOTHING)
        # Within a step, what was last found holds.
        scores = Scores(last, expected, expected - reach, expected + reach)
        if any_of(ends):
            ended = self._judge_steps(state, StepStatistics(*(each[ends] for each in step)))
            for mine, theirs in zip(scores, ended, strict=True):
                mine[ends] = theirs
        return scores

    def adopt(self, arrays: Arrays, row: int, value: float) -> None:
        """See `Detector`."""
        move(arrays, row, value)

    def _judge_steps(self, state: State, step: StepStatistics) -> Scores:
        """Score completed steps, then learn from them."""
        slots = step.slots
        learn_interval(state, step)
        age = age_of(state, slots)
        warm = age.warm
        evidence, usual = self._evidence(state, step, age)
        score = rarity(state, slots, where(warm, evidence, 0.0), age)
        if any_of(step.readings > 1.0):  # what is as rare as this among steps is rarer among readings
            score = score + log10(step.readings) * minimum(score, 1.0)
        rigid = nowhere(state["changes"][slots] < CHANGES)
        if rigid is not False:
            score = where(rigid, minimum(score, log10(age.learned + 2.0)), score)
            _count_changes(state, *((slots, step.value) if rigid is True else (slots[rigid], step.value[rigid])))
        score = where(warm, score, NOTHING)
        state["score"][slots] = where(warm, score, -1.0)
        state["count"][slots] = age.learned + 1.0
        state["place"][slots] = age.seen + 1.0
        expected, reach = step.origin + usual.expected, _REACH * usual.spread
        state["expected"][slots], state["reach"][slots] = where(warm, expected, 0.0), where(warm, reach, 0.0)
        expected = where(warm, expected, NOTHING)
        return Scores(score, expected, expected - reach, expected + reach)

    def _evidence(self, state: State, step: StepStatistics, age: Age) -> tuple[Numbers, Season]:
        """The weighted sum of the streams' decades, and the value expected by the season."""
        beyond = range_break(state, step, age)
        usual = season(state, step, age)
        scattered = spread(state, step, age)
        away, variance = level_away(state, step, age)
        raw = [beyond, usual.level, usual.hour, scattered]
        if self.size == FULL:
            raw.append(neighbours(state, step, age.seen, variance))
        deviations = [away, *likelihood(state, step.slots, raw, SHARES[: len(raw)], age)]
        return weighted_decades(deviations, WEIGHTS[: len(deviations)]), usual


def _count_changes(state: State, slots: Rows, values: Numbers) -> None:
    """Count the steps whose value differs from the previous one."""
    state["changes"][slots] += values != state["previous"][slots]
    state["previous"][slots] = values
