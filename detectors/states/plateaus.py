"""Plateaus: how long a sensor stays at a value where it usually doesn't stay.

A charger takes 11 kW or nothing; its power passes 7 kW within a minute, many times. If it stays there for an hour, a
phase is missing, although 7 kW is within its range. A plateau lasts while the value stays within a bin of the histogram
of where it began. Plateaus that began in the same of `STEPS` steps of the range, or next to it, are compared: the
surprise follows from how often the sensor was in that step or passed it, and from the lengths of the plateaus there, as
for spells. A signal that lingers everywhere, such as a temperature, is therefore surprising nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from detectors.base import Field, Measure, State
from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import any_of, bounded, everywhere, floor, log, maximum, minimum, where, whole
from detectors.numeric.gather import add_to_element, among, array_of, element_at, put_element, whole_arrays
from detectors.states.levels import BINS, NO_CUT
from detectors.states.spells import FADING, MOST_SPELLS, PRIOR_SPELLS, PRIOR_SPREAD, USUAL

STEPS = BINS // 2
"""Number of steps of the range."""

KINDS = 10.0
"""Number of steps that are watched in parallel: most sensors visit a third of them."""

FEWEST = 8.0
"""Minimum number of times that a step was passed or visited before its plateaus are scored."""

SMALLEST_SPREAD = 0.5
"""Minimum spread of the logarithms of lengths."""

LEAST_S, SHORTEST_S = 1800.0, 180.0
"""Plateaus shorter than the first aren't scored; all up to the second are equally long."""

READINGS = 4.0
"""A plateau must be longer than this many gaps between readings."""

YOUNG_S = 7 * 86_400.0
"""Minimum time since a sensor's plateaus are learned."""

MEMORY = 100.0
"""Memory, in plateaus, of their usual length."""

TELLS = 2.5
"""Decades below which a plateau says nothing, so that it doesn't raise the level of the detector's other conditions."""

LATER = 1.05
"""A plateau that isn't surprising is scored again when it has become longer by this factor."""

NOWHERE = -NO_CUT
"""Time of the first reading before there is one."""

OF_STEPS = ("stays", "passes", "stay_middle", "stay_spread", "stay_longest", "stay_rival")


def plateaus_layout() -> dict[str, Field]:
    """The state fields of plateaus: 872 bytes per sensor."""
    return {
        **{name: Field(width=STEPS + 1, dtype="f4", learned=False, later=True) for name in OF_STEPS},
        "anchor": Field(learned=False, later=True),
        "stay_first": Field(NOWHERE, learned=False, later=True, moment=True),
        "stay_since": Field(learned=False, later=True, moment=True),
        "stay_last": Field(learned=False, later=True, moment=True),
        "stay_until": Field(learned=False, later=True, moment=True),
        "stay_record": Field(learned=False, later=True),
        "stay_worst": Field(learned=False, later=True),
        "stay_told": Field(NOWHERE, learned=False, later=True),
        "stay_low": Field(learned=False, later=True),
        "stay_width": Field(learned=False, later=True),
    }


def follow_plateaus(state: State, slots: Rows, values: Numbers, times: Numbers) -> Numbers:
    """Decades of surprise at the plateaus of sensors, 0 where there is nothing to say; then learn from those that end.

    Args:
        state: The detector's state, before the readings are counted.
        slots: Rows, shape (n,), or a single one.
        values: Values, shape (n,).
        times: Times of the readings, shape (n,).
    """
    near = abs(values - state["anchor"][slots]) <= state["width"][slots]
    quiet = near & (times < state["stay_until"][slots]) & (times >= state["stay_since"][slots])
    score = 0.0 * times
    others = quiet ^ True
    if any_of(others):
        score = _scored(score, others, _look_at(state, *among(others, slots, values, times)))
    state["stay_last"][slots] = times
    return score


def _scored(score: Numbers, mask: Any, scores: Numbers) -> Numbers:
    """The scores with those of some readings."""
    if type(mask) is bool:
        return scores
    score[np.flatnonzero(mask)] = scores
    return score


def _look_at(state: State, slots: Rows, values: Numbers, times: Numbers) -> Numbers:
    """The scores of sensors whose plateau has ended, or is long."""
    width, since = state["width"][slots], state["stay_since"][slots]
    known = (state["stay_low"][slots] == state["low"][slots]) & (state["stay_width"][slots] == width)
    known = known & (state["stay_first"][slots] != NOWHERE)
    stays = known & (abs(values - state["anchor"][slots]) <= width) & (times >= since)
    score = 0.0 * times
    ends = known & (stays ^ True)
    if any_of(ends):
        _end(state, *among(ends, slots, values, times))
    anew = known ^ True
    if any_of(anew):
        _begin_anew(state, *among(anew, slots, values, times))
    if any_of(stays):
        with np.errstate(all="ignore"):
            scores = _surprise(state, *(np.atleast_1d(each) for each in among(stays, slots, times)))
        score = _scored(score, stays, float(scores[0]) if type(stays) is bool else scores)
    return score


def _begin_anew(state: State, slots: Rows, values: Numbers, times: Numbers) -> None:
    """Begin to learn sensors whose histogram is new or has become coarser."""
    for name in OF_STEPS:
        array_of(state[name])[slots] = 0.0
    state["stay_first"][slots] = times
    state["stay_low"][slots], state["stay_width"][slots] = state["low"][slots], state["width"][slots]
    _begin(state, slots, values, times)


def _begin(state: State, slots: Rows, values: Numbers, times: Numbers) -> None:
    """Begin plateaus."""
    state["anchor"][slots], state["stay_since"][slots] = values, times
    state["stay_until"][slots] = times + LEAST_S
    state["stay_worst"][slots] = 0.0


def _element(table: Any, slots: Rows, step: Any) -> Numbers:
    """One element of each row, in double precision."""
    element = element_at(table, slots, step)
    return element if type(element) is float else element.astype(np.float64)


def _steps_of(state: State, slots: Rows, *values: Numbers) -> Iterator[Numbers]:
    """The steps in which values lie."""
    width, low = state["width"][slots], state["low"][slots]
    step = where(everywhere(width > 0), 2.0 * width, 1.0)
    return (bounded(floor((each - low) / step), 0.0, STEPS - 1.0) for each in values)


def _end(state: State, slots: Rows, values: Numbers, times: Numbers) -> None:
    """Learn from the plateaus that end with these readings, and begin others."""
    here, there = _steps_of(state, slots, state["anchor"][slots], values)
    # The steps left or passed are counted as differences, so that only the ends are touched.
    upward = there >= here
    first, last = where(upward, here, minimum(there + 1.0, here)), where(upward, maximum(there - 1.0, here), here)
    first, last = whole(first), whole(last) + 1
    add_to_element(state["passes"], slots, first, 1.0)
    add_to_element(state["passes"], slots, last, -1.0)
    here = whole(here)
    length = maximum(times - state["stay_since"][slots], 0.0)
    lasted = state["stay_last"][slots] > state["stay_since"][slots]
    if any_of(lasted):
        _learn(state, *among(lasted, slots, here, length))
    # One reading alone is no plateau, but may have been true until the next: for so long, staying there isn't new.
    held = (lasted ^ True) & (length > SHORTEST_S)
    if any_of(held):
        held = held & (length > _element(state["stay_longest"], slots, here))
    if any_of(held):
        _learn_record(state, *among(held, slots, here, length, 0.0 * length))
    _begin(state, slots, values, times)


def _learn(state: State, slots: Rows, here: Any, length: Numbers) -> None:
    """Learn the lengths of plateaus."""
    logarithm = log(maximum(length, SHORTEST_S))
    count, middle = _element(state["stays"], slots, here), _element(state["stay_middle"], slots, here)
    rate = 1.0 / minimum(count + 1.0, MEMORY)
    aside = where(count > 0, bounded(logarithm - middle, -4.0, 4.0), 0.0)
    put_element(state["stay_middle"], slots, here, where(count > 0, middle + rate * aside, logarithm))
    spread = _element(state["stay_spread"], slots, here)
    put_element(state["stay_spread"], slots, here, spread + rate * (aside * aside * (1.0 - rate) - spread))
    add_to_element(state["stays"], slots, here, 1.0)
    _learn_record(state, slots, here, length, where(state["stay_worst"][slots] <= USUAL, length, 0.0))


def _learn_record(state: State, slots: Rows, here: Any, length: Numbers, certain: Numbers) -> None:
    """Learn the longest time at a value: as much of it as is `certain`, and the rest if it occurs twice."""
    longest, rival = _element(state["stay_longest"], slots, here), _element(state["stay_rival"], slots, here)
    believed = maximum(minimum(length, rival), certain)
    put_element(state["stay_longest"], slots, here, maximum(longest * (1.0 - FADING), believed))
    put_element(state["stay_rival"], slots, here, maximum(rival * (1.0 - FADING), length))


def _surprise(state: State, slots: Slots, times: Floats) -> Floats:
    """Decades of surprise at plateaus, shape (n,); also sets when they are scored again."""
    arrays = whole_arrays(state)
    here, each = next(_steps_of(arrays, slots, arrays["anchor"][slots])).astype(np.intp), np.arange(len(slots))
    around = here[:, None] + np.array([-1, 0, 1])
    inside = (around >= 0) & (around < STEPS)
    rows, around = slots[:, None], np.clip(around, 0, STEPS - 1)
    counts = np.where(inside, arrays["stays"][rows, around].astype(np.float64), 0.0)
    squares = counts * arrays["stay_spread"][rows, around].astype(np.float64)
    seen = counts.sum(axis=1)
    spread = np.sqrt((PRIOR_SPELLS * PRIOR_SPREAD**2 + squares.sum(axis=1)) / (PRIOR_SPELLS + seen))
    record = np.maximum(arrays["stay_longest"][rows, around].astype(np.float64).max(axis=1), SHORTEST_S)
    visits = np.cumsum(arrays["passes"][slots].astype(np.float64), axis=1)[each, here]
    since = arrays["stay_since"][slots]
    length, passed = times - since, np.maximum(times - arrays["stay_last"][slots], 0.0)
    scored = (length > record) & (length >= np.maximum(LEAST_S, READINGS * passed)) & (visits >= FEWEST)
    scored &= times - arrays["stay_first"][slots] >= YOUNG_S
    seldom = np.log10(np.minimum(visits, MOST_SPELLS) + 1.0) - np.log10(KINDS)
    decades = seldom + np.log10(np.maximum(length / record, 1.0)) / np.maximum(spread, SMALLEST_SPREAD)
    decades = np.where(scored, np.maximum(decades, 0.0), 0.0)
    arrays["stay_worst"][slots] = np.maximum(arrays["stay_worst"][slots], decades)
    arrays["stay_record"][slots] = record
    later = since + np.maximum(LATER * length, np.maximum(record, LEAST_S))
    arrays["stay_until"][slots] = np.where(decades > USUAL, times, later)
    arrays["stay_told"][slots] = np.where(decades >= TELLS, arrays["anchor"][slots], arrays["stay_told"][slots])
    return np.where(decades >= TELLS, decades, 0.0)


def is_where_it_was_told(arrays: Mapping[str, Any], row: int) -> bool:
    """Whether a sensor is again where its last surprising plateau was."""
    aside = abs(float(arrays["anchor"][row]) - float(arrays["stay_told"][row]))
    return aside <= 2.0 * float(arrays["width"][row])


def measure_of_plateau(row: Mapping[str, Any]) -> Measure:
    """How long a sensor has stayed at a value, and at most did so far, by the elements of its state."""
    return Measure(float(row["stay_last"] - row["stay_since"]), float(row["stay_record"]), about="stay")
