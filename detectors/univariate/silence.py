"""Silence: a sensor that has stopped reporting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from detectors.base import TOGETHER_S, Detector, Field, Scores, State, no_opinion
from detectors.numeric.arrays import Arrays, Numbers, Rows
from detectors.numeric.elementwise import any_of, bounded, everywhere, exp, maximum, minimum, nowhere, where
from detectors.numeric.gather import whole_arrays
from detectors.numeric.surprise import exponential_reach
from detectors.parameters import parameter
from detectors.univariate.reported import reported_layout, usual_of_reported

FEWEST_GAPS = 10.0
"""Number of gaps between readings before there is an opinion."""

PAUSE = 3.0
"""A gap of more than this many mean ones is a pause between two bursts."""

PAUSES, FEWEST_PAUSES = 0.02, 1.5
"""A sensor reports in bursts if this share of its gaps are pauses, and more than a single one, which may be a fault."""

PAUSE_DECADES, MOST_REACH = 3.0, 30.0
"""A silence exceeds all but one in a thousand pauses, as far as these are known, or this many of their scale."""

KNOWN_PAUSES = 30.0
"""Number of pauses that are remembered."""

MEMORY = 500.0
WINSOR = 10.0
"""Maximum contribution of a gap, in mean gaps."""

FADING, FADING_S = 2e-5, 60.0
"""Share by which the longest gap decays at each reading, or in this time if readings are more frequent: one of a few
seconds would forget by the evening what the night was like."""

LONG_S = 3 * 86_400.0
FEW_GAPS = 3.0
"""Number of gaps for a sensor that reports so rarely that more would take longer than `LONG_S`; the longest of them
then counts twice."""

STEADY_S = 3_600.0
"""Maximum average lateness assumed for the readings of a regular sensor, however rarely it reports."""

YOUNG_S = 3 * 86_400.0
"""For a younger sensor, its quiet times aren't known yet."""

SELDOM = 0.1
"""Largest share of readings that repeat a value if a sensor may report changes only."""

IRREGULAR = 0.25
"""Smallest average deviation of such a sensor's gaps, in mean gaps, unless it rests at zero."""

CALM_S, CALM_GAPS = 4 * 3_600.0, 50.0
"""Such a young sensor may be silent for this long, or for this many mean gaps if that is shorter."""

REST_S = 16 * 3_600.0
"""One that has reported zero, its lowest value, may be silent for a night: light after dusk, power, flow, rain."""

GRACE_S = 12 * 3_600.0
"""A silence this much longer than the longest gap always counts, whatever the number of usual gaps."""


@dataclass(frozen=True)
class Silence(Detector):
    """Finds a sensor that has been silent for far longer than usual.

    A sensor that reports in bursts, such as a motion sensor, is judged by the pauses between them as well.

    Catches: silence of a sensor, its radio or its battery.
    Blind to: a sensor with fewer than 11 reports, or 4 reports over at least three days; a silence of all sensors while
        the service itself is disconnected; in the first three days, one of four hours by a sensor that may report
        changes only.
    Contamination: a gap counts as at most 10 mean gaps; a longer one becomes normal when it occurs twice. One that was
        reported and is longer than that becomes normal only as a habit, at the same time of the day, as with a rest at
        night; of an irregular sensor it counts as at most the silence at which it was reported.
    Warm-up: 10 gaps, or 3 of a day and more.
    State: 152 bytes per sensor.
    Cost: about 50 array operations per round.
    Source: the exponential tail of a renewal process with a minimum, D. R. Cox, "Renewal Theory", 1962, chapter 1;
        for few pauses the predictive tail of J. F. Lawless, "Prediction intervals for the two parameter exponential
        distribution", Technometrics 19 (4), 1977, pages 469-472.
    Differs: the tail's scale is at least a quarter of the mean gap, or an hour, so that a clock-like sensor isn't
        called silent for one late reading; the longest normal gap is never surprising.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Silence(), rows=1)
    >>> for time in range(0, 1200, 60):
    ...     scores = table.update(np.array([0]), np.array([1.0]), np.array([float(time)]))
    >>> bool(120 < table.detector.patience(table.arrays, np.array([0]), 6.0)[0] < 600)
    True
    """

    at_least_s: float = parameter(2.0, "Shorter silences never count.", unit="s", at_least=0, at_most=1e7)
    gaps: float = parameter(
        3.0,
        "Silences shorter than this many usual gaps never count, unless they are half a day longer than the longest.",
        at_least=1,
        at_most=1e4,
    )

    name: ClassVar[str] = "silence"
    kind: ClassVar[str] = "missing"
    catches: ClassVar[frozenset[str]] = frozenset({"silence"})
    scores_readings: ClassVar[bool] = False
    takes_one: ClassVar[bool] = True

    @property
    def follows_pace(self) -> bool:
        """See `Detector`."""
        return False

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "time": Field(learned=False, moment=True),
            "readings": Field(learned=False),
            "count": Field(),
            "gap": Field(),
            "deviation": Field(),
            "longest": Field(learned=False),
            "rival": Field(learned=False),
            "born": Field(math.nan, learned=False, moment=True, later=True),
            "value": Field(learned=False, later=True),
            "repeats": Field(learned=False, later=True),
            "low": Field(math.inf, learned=False, later=True),
            "paused": Field(learned=False, later=True),
            "pause": Field(learned=False, later=True),
            "pause_deviation": Field(learned=False, later=True),
            **reported_layout(by_arrival=True),
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`; a reading isn't a silence, so the scores are NaN."""
        readings, count, mean = state["readings"][slots], state["count"][slots], state["gap"][slots]
        times = bounded(times, -1e12, 1e12)
        gap = times - state["time"][slots]
        begun, is_known = everywhere(readings > 0), everywhere(count >= 3)
        lasted = counts = everywhere(begun & (gap > TOGETHER_S))
        believed = where(is_known, minimum(gap, WINSOR * mean), gap)
        rate = 1.0 / minimum(count + 1.0, MEMORY)
        deviation, longest, rival = state["deviation"][slots], state["longest"][slots], state["rival"][slots]
        normal, reported = minimum(gap, maximum(believed, rival)), nowhere(state["reported"][slots] > 0)
        if reported is not False:
            varies = (deviation >= IRREGULAR * mean) | (gap <= WINSOR * mean)
            normal = self._learn_reported(state, slots, gap, normal, reported, varies)
            counts = everywhere(counts & ((reported & (varies ^ True)) ^ True))
        kept = 1.0 - FADING * minimum(gap / FADING_S, 1.0)
        learned = mean + rate * (believed - mean)
        off = where(everywhere(count > 0), abs(believed - mean), 0.0)
        self._learn_pauses(state, slots, gap - PAUSE * mean, counts & is_known, rate)
        state["gap"][slots] = where(counts, learned, mean)
        state["deviation"][slots] = where(counts, deviation + rate * (off - deviation), deviation)
        state["longest"][slots] = where(lasted, maximum(longest * kept, normal), longest)
        state["rival"][slots] = where(lasted & (reported ^ True), maximum(rival * kept, gap), rival)
        state["count"][slots] = count + counts
        repeats = state["repeats"][slots]
        state["repeats"][slots] = repeats + (counts & (values == state["value"][slots]))
        state["value"][slots], state["low"][slots] = values, minimum(state["low"][slots], values)
        state["born"][slots] = where(begun, state["born"][slots], times)
        state["time"][slots] = times
        state["readings"][slots] = readings + 1.0
        return no_opinion(values)

    @staticmethod
    def _learn_reported(
        state: State, slots: Rows, gap: Numbers, normal: Numbers, reported: Any, irregular: Any
    ) -> Numbers:
        """The normal part of gaps, where those that were reported are normal only as a habit; shape (n,)."""
        arrays, chosen = whole_arrays(state), np.flatnonzero(reported)
        rows, gaps, varies = np.atleast_1d(slots)[chosen], np.atleast_1d(gap)[chosen], np.atleast_1d(irregular)[chosen]
        usual = usual_of_reported(arrays, rows, arrays["time"][rows], gaps, arrays["longest"][rows], varies)
        short = np.minimum(gaps, WINSOR * arrays["gap"][rows])
        usual = np.where(varies, np.maximum(usual, short), usual)
        arrays["reported"][rows] = 0.0
        if type(normal) is float:
            return float(usual[0])
        normal[chosen] = usual
        return normal

    def _learn_pauses(self, state: State, slots: Rows, beyond: Numbers, counts: Any, rate: Numbers) -> None:
        """Learn the pauses between bursts, by how far gaps are beyond the longest within one; arrays of shape (n,)."""
        is_pause, paused = counts & (beyond > 0), state["paused"][slots]
        state["paused"][slots] = where(counts, paused + rate * (is_pause - paused), paused)
        if not any_of(is_pause):
            return
        mean, deviation = state["pause"][slots], state["pause_deviation"][slots]
        known = minimum(paused * minimum(state["count"][slots], MEMORY), KNOWN_PAUSES)
        believed = where(everywhere(known >= 3), minimum(beyond, WINSOR * mean), beyond)
        share = 1.0 / (known + 1.0)
        off = where(everywhere(known > 0), abs(believed - mean), 0.0)
        state["pause"][slots] = where(is_pause, mean + share * (believed - mean), mean)
        state["pause_deviation"][slots] = where(is_pause, deviation + share * (off - deviation), deviation)

    def _between_bursts(self, state: State, slots: Rows, is_in_bursts: Any) -> Numbers:
        """Seconds of silence that exceed the pauses of sensors that report in bursts, 0 for others; shape (n,)."""
        known = maximum(state["paused"][slots] * minimum(state["count"][slots], MEMORY), 1.0)
        pause = state["pause"][slots]
        reach = minimum(known * (exp(exponential_reach(PAUSE_DECADES) / known) - 1.0), MOST_REACH)
        scale = maximum(1.25 * state["pause_deviation"][slots], pause / (known + 1.0))
        return where(is_in_bursts, PAUSE * state["gap"][slots] + pause + reach * scale, 0.0)

    def returns(self, arrays: Arrays, row: int) -> None:
        """See `Detector`."""
        arrays["reported"][row] = 1.0

    def patience(self, state: State, slots: Rows, decades: Numbers) -> Numbers:
        """See `Detector`."""
        mean, deviation = state["gap"][slots], state["deviation"][slots]
        count, longest = state["count"][slots], state["longest"][slots]
        is_many = everywhere(count >= FEWEST_GAPS)
        longest = where(is_many, longest, 2.0 * longest)
        scale = maximum(1.25 * deviation, minimum(mean / 4.0, STEADY_S))
        usual = mean + exponential_reach(decades) * scale
        paused = state["paused"][slots]
        is_in_bursts = everywhere((paused >= PAUSES) & (paused * minimum(count, MEMORY) >= FEWEST_PAUSES))
        if any_of(is_in_bursts):
            usual = maximum(usual, self._between_bursts(state, slots, is_in_bursts))
        floor = maximum(minimum(self.gaps * mean, longest + GRACE_S), maximum(1.5 * longest, self.at_least_s))
        young = nowhere(state["time"][slots] - state["born"][slots] < YOUNG_S)
        if young is not False:
            floor = maximum(floor, self._young_patience(state, slots, young))
        known = is_many | everywhere((count >= FEW_GAPS) & (count * mean >= LONG_S))
        return where(known, maximum(usual, floor), math.inf)

    @staticmethod
    def _young_patience(state: State, slots: Rows, young: Any) -> Numbers:
        """How long a sensor may be silent in its first days because it may report changes only, in seconds."""
        mean, value = state["gap"][slots], state["value"][slots]
        changes = young & (state["repeats"][slots] <= SELDOM * state["count"][slots])
        irregular = changes & (state["deviation"][slots] >= IRREGULAR * mean)
        calm = where(irregular, minimum(CALM_GAPS * mean, CALM_S), 0.0)
        return where(changes & (value == 0.0) & (value <= state["low"][slots]), REST_S, calm)
