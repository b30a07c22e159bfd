"""Flatline: a value that has stopped changing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from detectors.base import Detector, Field, Measure, Scores, State, no_opinion
from detectors.numeric.arrays import Arrays, Numbers, Rows
from detectors.numeric.elementwise import (
    NOTHING,
    any_of,
    bounded,
    constant_like,
    everywhere,
    log10,
    maximum,
    minimum,
    nowhere,
    where,
)
from detectors.numeric.gather import whole_arrays
from detectors.parameters import parameter
from detectors.univariate.reported import reported_layout, usual_of_reported

FEWEST_RUNS = 10.0
"""Number of changes of value before there is an opinion: a sensor that hardly moves can't be called stuck."""

LONGER = 2.0
"""A run is unusual from this multiple of the longest normal one, in readings and in time."""

SHORTEST_S = 1e-3
"""Replaces the longest normal time of a sensor of which none has ended yet, in seconds."""

FEW_RUNS = 5.0
"""The longest of few runs is weak evidence: with this many runs, it counts as twice as long."""

FADING = 1e-4

ALL: Any = True
"""The condition that holds for all readings."""

MANY = 10.0
"""Longest normal run, in readings, from which on a sensor rests now and then."""

YOUNG_S = 3 * 86_400.0
"""For a younger sensor, its rests at night aren't known yet."""

WEEK_S = 8 * 86_400.0
"""For a sensor that is younger than this, its rest at a weekend isn't known yet."""

OFTEN = 3.0
"""A sensor rests at its lowest value if it has been there so many times before."""

YOUNG_SHARE = 1 / 3
"""Factor on the surprise of its runs: repeats come in clusters, whose size isn't known yet either."""


@dataclass(frozen=True)
class Flatline(Detector):
    """Finds a sensor that repeats one value for far longer than it usually does.

    A value is taken to hold until the next reading: a sensor that reports changes only, and begins to report at fixed
    intervals, repeats itself for the first time but isn't stuck. A silence that was reported doesn't count.

    Catches: stuck sensors.
    Blind to: a sensor that rests for long anyway; a stuck sensor with noise; a constant from the beginning; in the
        first three days a sensor that stays at its lowest value so far, as at night, and in the first eight, as at a
        weekend, if it has often been there.
    Contamination: a run counts when it ends, and extends the normal length only up to another one as long. One that was
        reported counts only as a habit, at the same time of the day, such as a rest at night; if the sensor rests
        anyway, as at most half as much again. Rests at the lowest value in these first days count at once.
    Warm-up: 10 changes of value.
    State: 152 bytes per sensor.
    Cost: about 60 array operations per round.
    Source: the waiting time of a geometric distribution, W. Feller, "An Introduction to Probability Theory and Its
        Applications" I, chapter VI.8; the estimate of rare repeats is Laplace's rule of succession.
    Differs: runs up to twice the longest normal one, and shorter than `shortest`, are never surprising.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Flatline(), rows=1)
    >>> for time in range(100):
    ...     scores = table.update(np.array([0]), np.array([time * 0.37 % 1]), np.array([float(time)]))
    >>> for time in range(100, 130):
    ...     scores = table.update(np.array([0]), np.array([0.5]), np.array([float(time)]))
    >>> bool(scores.score[0] > 6)
    True
    """

    shortest: float = parameter(10.0, "Shorter runs are never surprising.", unit="readings", at_least=2, at_most=1e6)

    name: ClassVar[str] = "flatline"
    kind: ClassVar[str] = "flatline"
    catches: ClassVar[frozenset[str]] = frozenset({"stuck"})
    endures: ClassVar[bool] = True
    stays: ClassVar[tuple[str, ...]] = ("since",)
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "value": Field(learned=False),
            "run": Field(learned=False),
            "longest": Field(1.0, learned=False),
            "rival": Field(1.0, learned=False),
            "lasted": Field(learned=False, later=True),
            "longest_s": Field(learned=False, later=True),
            "rival_s": Field(learned=False, later=True),
            "runs": Field(),
            "repeats": Field(),
            "readings": Field(),
            "born": Field(math.nan, learned=False, moment=True, later=True),
            "since": Field(math.nan, learned=False, moment=True, later=True),
            "low": Field(math.inf, learned=False, later=True),
            "lows": Field(learned=False, later=True),
            **reported_layout(by_arrival=False),
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`."""
        run, longest, longest_s = state["run"][slots], state["longest"][slots], state["longest_s"][slots]
        runs, repeats, readings = state["runs"][slots], state["repeats"][slots], state["readings"][slots]
        last = state["value"][slots]
        same = (run > 0) & (values == last)
        length = 1.0 + same * run
        begun = everywhere(run > 0)
        ended = everywhere(begun & (values != last))
        born, since = where(begun, state["born"][slots], times), state["since"][slots]
        low, lows = state["low"][slots], state["lows"][slots]
        held = where(since == since, times - since, 0.0)  # noqa: PLR0124 - NaN in states of earlier versions
        if any_of(ended):
            self._learn(state, slots, run, held, (since - born < _rests_until(lows)) & (last <= low), ended)
        is_same = everywhere(same)
        since, lasted = where(is_same, since, times), where(is_same, held, 0.0)
        score, usual = constant_like(values, 0.0), ALL
        is_long = nowhere(length >= self.shortest)
        if is_long is not False:
            weak = 1.0 + FEW_RUNS / maximum(runs, 1.0)
            longer = minimum(length / (longest * weak), lasted / (maximum(longest_s, SHORTEST_S) * weak))
            is_young = since - born < YOUNG_S
            may_rest = (since - born < _rests_until(lows)) & (values <= low)
            unusual = (longer > LONGER) & is_long & (may_rest ^ True)
            usual = unusual ^ True
            if any_of(unusual):
                chance = bounded((repeats + 1.0) / (readings + 2.0), 1e-12, 1.0 - 1e-9)
                decades = minimum(-(length - 1.0) * log10(chance), LONGER * longer)
                decades = where(everywhere(is_young), YOUNG_SHARE * decades, decades)
                score = where(unusual, bounded(decades, 0.0, 300.0), 0.0)
        score = where(everywhere(runs >= FEWEST_RUNS), score, NOTHING)
        state["value"][slots], state["run"][slots], state["lasted"][slots] = values, length, lasted
        state["runs"][slots] = runs + ended
        state["repeats"][slots] = repeats + (same & usual)
        state["readings"][slots] = readings + usual
        state["born"][slots], state["since"][slots] = born, since
        state["low"][slots] = minimum(low, values)
        state["lows"][slots] = where(everywhere(values < low), 0.0, lows + (ended & (last <= low)))
        return no_opinion(values).with_score(score)

    def held_back(self, state: State, slots: Rows) -> None:
        """See `Detector`."""
        state["reported"][slots] = 1.0

    def adopt(self, arrays: Arrays, row: int, value: float) -> None:  # noqa: ARG002
        """See `Detector`; a value that is taken as normal may be repeated."""
        arrays["reported"][row] = 0.0

    def _learn(self, state: State, slots: Rows, run: Numbers, held: Numbers, rested: Any, ended: Any) -> None:
        """Learn from the runs that end with these readings."""
        is_rest, most = everywhere(rested), (run, held)
        reported = nowhere(ended & (state["reported"][slots] > 0))
        if reported is not False:
            most = self._usual_of_reported(state, slots, run, held, reported & (run >= self.shortest))
            state["reported"][slots] = where(reported, 0.0, state["reported"][slots])
        of_readings, of_seconds = ("longest", "rival", run, most[0]), ("longest_s", "rival_s", held, most[1])
        for longest, rival, length, usual in (of_readings, of_seconds):
            known, again = state[longest][slots], state[rival][slots]
            believed = where(is_rest, length, minimum(usual, again))
            state[longest][slots] = where(ended, maximum(known * (1.0 - FADING), believed), known)
            state[rival][slots] = where(ended, maximum(again * (1.0 - FADING), length), again)

    @staticmethod
    def _usual_of_reported(
        state: State, slots: Rows, run: Numbers, held: Numbers, reported: Any
    ) -> tuple[Numbers, Numbers]:
        """The usual part of runs, in readings and seconds, where those that were reported are usual only as a habit."""
        arrays, chosen = whole_arrays(state), np.flatnonzero(reported)
        rows, runs, spans = (np.atleast_1d(each)[chosen] for each in (slots, run, held))
        rests = arrays["longest"][rows] >= MANY
        usual = usual_of_reported(arrays, rows, arrays["since"][rows], spans, arrays["longest_s"][rows], rests)
        share = np.minimum(usual / np.maximum(spans, SHORTEST_S), 1.0)
        if type(run) is float:
            return (float(share[0] * run), float(share[0] * held)) if len(rows) else (run, held)
        most_runs, most_s = run.copy(), held.copy()
        most_runs[chosen], most_s[chosen] = share * runs, share * spans
        return most_runs, most_s

    def measure(self, state: State, slot: int) -> Measure:
        """Number of consecutive readings of one value, and as many as the longest normal run and the longest time."""
        run, lasted = float(state["run"][slot]), float(state["lasted"][slot])
        rate = (run - 1.0) / lasted if lasted > 0 else 0.0
        return Measure(run, max(float(state["longest"][slot]), rate * float(state["longest_s"][slot])))


def _rests_until(lows: Numbers) -> Numbers:
    """The age up to which rests at the lowest value aren't known yet, in seconds.

    Args:
        lows: How often a sensor has been there before.
    """
    return where(everywhere(lows >= OFTEN), WEEK_S, YOUNG_S)
