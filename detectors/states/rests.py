"""Rests: a sensor that is at rest at an hour when it is always active.

An inverter gives 0 W at noon, a pump that runs four minutes in fifteen doesn't run all morning. No state is needed for
that, only a rest: the lowest values of a sensor's histogram, where it is often, and next to which it is seldom. Each
hour of the week counts how many times in a row it was active, and at rest. It is expected to be active again after two
weeks, or after a week in which every day was, and only if the hours before and after are, too, so that neither a late
start nor the sunrise matters. What the timetable of a machine's states can tell is left to that. The reverse, activity
at an hour of rest, isn't scored: people choose it. Values below zero are no rest: they may be error values.

The surprise follows from the number of hours in which the expectation held, and how often it didn't.

Of a sensor without states the starts after a rest are counted, too: a heat pump whose power varies with the weather
starts once an hour, not ten times. Of any sensor it is followed how long it is active (`detectors.states.runs`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field, Measure, State
from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import any_of
from detectors.numeric.gather import lay_blank, whole_arrays
from detectors.states.busy_hours import STARTS, count_busy
from detectors.states.levels import BINS, MOST, NO_CUT
from detectors.states.runs import follow_runs, runs_layout
from detectors.states.timetable import CELLS, DAYS, HOUR_S, HOURS, LEAST_WATCHED, NEXT_TO_NONE, cell_of

LOWEST, REST_BINS, BESIDE_BINS = 0.005, 2, 2
"""The rest is the lowest bin with this share of the readings below its upper end, together with those above it: so many
in all. So many above these are beside it."""

OFTEN, HARDLY, SELDOM = 0.1, 0.98, 0.15
"""Minimum and maximum share of the readings at rest; maximum number of readings beside it, relative to that."""

ACTIVE, RESTING = 0.1, 0.02
"""An hour is active from the first share of active time on, and at rest up to the second."""

WEEKS = 2
"""Number of weeks after which an hour of the week is expected to be like the last ones."""

FEWEST_HOURS = 7
"""Minimum number of hours of the week that were at rest for so many weeks, and of active ones. Without both there is no
timetable: a level that was never so low isn't at rest, and a calm isn't either."""

LONG_S = 3600.0
"""Minimum length of an unexpected rest."""

LONGER = 1.5
"""An unexpected one must be longer than the longest one before that was too short by this factor."""

PER_LENGTH = 2.0
"""Decades by which one that is ten times as long as the minimum is more surprising."""

MOST_FORETOLD = 2000.0
"""Maximum number of hours that count as evidence."""

TELLS = 2.5
"""Decades below which nothing is said, so that the level of the detector's other conditions isn't raised."""

SOON_H = 72.0
"""Minimum number of hours before starts are scored."""

TOLD, LEFT = 1.0, 2.0
"""Whether a long rest is scored or left to the timetable, until it ends."""

OF_REST, OF_STARTS, OF_RUN = 0.0, 1.0, 2.0
"""What the last score was about."""


def rests_layout() -> dict[str, Field]:
    """The state fields of rests: 560 bytes per sensor."""
    return {
        **STARTS.layout(later=True),
        **runs_layout(),
        "starts_hours": Field(learned=False, later=True),
        "starts_told": Field(learned=False, later=True),
        "hours_active": Field(width=CELLS, dtype="u1", later=True),
        "hours_resting": Field(width=CELLS, dtype="u1", later=True),
        "as_expected": Field(later=True),
        "unlike": Field(learned=False, later=True),
        "usual_length": Field(later=True),
        "rest_most": Field(-NO_CUT, later=True),
        "rest_slack": Field(later=True),
        "rest_active": Field(1.0, learned=False, later=True),
        "rest_since": Field(learned=False, later=True, moment=True),
        "rest_last": Field(learned=False, later=True, moment=True),
        "rest_until": Field(NO_CUT, learned=False, later=True, moment=True),
        "rest_cell": Field(-1.0, learned=False, later=True),
        "rest_watched": Field(learned=False, later=True),
        "rest_spent": Field(learned=False, later=True),
        "rest_hour": Field(-1.0, learned=False, later=True),
        "rest_share": Field(learned=False, later=True),
        "rest_expected": Field(learned=False, later=True),
        "rest_expected_since": Field(learned=False, later=True, moment=True),
        "rest_told": Field(learned=False, later=True),
    }


def follow_rests(state: State, slots: Rows, values: Numbers, times: Numbers) -> Numbers:
    """Decades of surprise at rests at this hour, 0 where there is nothing to say.

    Args:
        state: The detector's state.
        slots: Rows, shape (n,), or a single one.
        values: Values, shape (n,).
        times: Times of the readings, shape (n,).
    """
    active = values > state["rest_most"][slots] + (1.0 - state["rest_active"][slots]) * state["rest_slack"][slots]
    goes_on = (active == (state["rest_active"][slots] > 0)) & (times < state["rest_until"][slots])
    score = 0.0 * times
    if type(goes_on) is bool:
        if not goes_on:
            columns = (np.array([each]) for each in (slots, active, times))
            with np.errstate(all="ignore"):
                score = float(_follow(whole_arrays(state), *columns)[0])
    elif any_of(others := ~goes_on):
        with np.errstate(all="ignore"):
            score[others] = _follow(whole_arrays(state), slots[others], active[others], times[others])
    return score


def _follow(arrays: Arrays, slots: Slots, active: NDArray[np.bool_], times: Floats) -> Floats:
    """Follow sensors that begin or end a rest, enter another hour, or do what is unexpected."""
    does, is_first = arrays["rest_active"][slots], arrays["rest_cell"][slots] < 0
    before = np.where(is_first, times, arrays["rest_last"][slots])
    passed = np.clip(times - before, 0.0, HOUR_S)
    arrays["rest_watched"][slots] += passed
    arrays["rest_spent"][slots] += np.where(does > 0, passed, 0.0)
    arrays["rest_last"][slots] = times
    cells = cell_of(times)
    enters = cells != arrays["rest_cell"][slots]
    if enters.any():
        _enter(arrays, slots[enters], cells[enters], times[enters])
    changes = (active != (does > 0)) | is_first
    if changes.any():
        _end(arrays, slots[changes], times[changes])
        arrays["rest_active"][slots[changes]] = active[changes]
        arrays["rest_since"][slots[changes]] = times[changes]
        arrays["rest_told"][slots[changes]] = 0.0
    score, until = _surprise(arrays, slots, times)
    hours = arrays["starts_hours"][slots] + passed / HOUR_S
    arrays["starts_hours"][slots] = hours
    starts, counts = (changes & active).astype(np.float64), (hours >= SOON_H) & (arrays["known"][slots] == 0)
    many = count_busy(STARTS, arrays, slots, starts, times, hours, counts)
    run, too_long = follow_runs(arrays, slots, (does > 0) & ~is_first, active, before, times)
    arrays["rest_until"][slots] = np.where((many > 0) | (run > 0), -NO_CUT, np.minimum(until, too_long))
    about = np.full(len(slots), OF_REST)
    for other, what in ((many, OF_STARTS), (run, OF_RUN)):
        told = np.where(other >= TELLS, other, 0.0)
        about, score = np.where(told > score, what, about), np.maximum(score, told)
    arrays["starts_told"][slots] = about
    return score


def _unexpected(arrays: Arrays, slots: Slots, times: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Whether sensors are at rest at an hour when they are expected to be active, and for how long."""
    since = np.maximum(arrays["rest_since"][slots], arrays["rest_expected_since"][slots])
    wrong = (arrays["rest_expected"][slots] > 0) & (arrays["rest_active"][slots] == 0)
    return wrong, np.maximum(times - since, 0.0)


def _end(arrays: Arrays, slots: Slots, times: Floats) -> None:
    """Learn the length of an unexpected rest that ends, and that it occurred, unless that was counted before."""
    wrong, length = _unexpected(arrays, slots, times)
    longest = arrays["usual_length"][slots]
    ordinary = wrong & (arrays["rest_told"][slots] == 0)
    arrays["usual_length"][slots] = np.where(ordinary, np.maximum(longest, length), longest)
    arrays["unlike"][slots] += ordinary & (length >= LONG_S)


def _enter(arrays: Arrays, slots: Slots, cells: Floats, times: Floats) -> None:
    """End the hours of sensors, and expect what they do in the next ones."""
    watched, expected = arrays["rest_watched"][slots], arrays["rest_expected"][slots]
    _learn_hours(arrays, slots[arrays["rest_hour"][slots] >= 0])
    arrays["as_expected"][slots] += expected
    counts = watched >= LEAST_WATCHED
    arrays["rest_hour"][slots] = np.where(counts, arrays["rest_cell"][slots], -1.0)
    arrays["rest_share"][slots] = arrays["rest_spent"][slots] / np.maximum(watched, LEAST_WATCHED)
    arrays["rest_watched"][slots], arrays["rest_spent"][slots] = 0.0, 0.0
    arrays["rest_cell"][slots] = cells
    active, resting = arrays["hours_active"][slots], arrays["hours_resting"][slots]
    has_both = np.logical_and(*((each >= WEEKS).sum(axis=1) >= FEWEST_HOURS for each in (active, resting)))
    now = has_both & _is_expected(active, cells.astype(np.intp))
    anew = now != (expected > 0)
    if anew.any():
        _end(arrays, slots[anew], times[anew])
        arrays["rest_told"][slots[anew]] = 0.0
    arrays["rest_expected"][slots] = now
    since = arrays["rest_expected_since"][slots]
    arrays["rest_expected_since"][slots] = np.where(anew, np.floor(times / HOUR_S) * HOUR_S, since)


def _learn_hours(arrays: Arrays, slots: Slots) -> None:
    """Learn the hours before the last ones: a last one that is unlike all before would excuse what follows."""
    cell, share = arrays["rest_hour"][slots].astype(np.intp), arrays["rest_share"][slots]
    for name, like in (("hours_active", share >= ACTIVE), ("hours_resting", share <= RESTING)):
        before = arrays[name][slots, cell].astype(np.float64)
        arrays[name][slots, cell] = np.where(like, np.minimum(before + 1.0, 255.0), 0.0)


def _is_expected(times_in_a_row: NDArray[Any], cells: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether hours have been alike so often that this is expected of them, shape (n,).

    Args:
        times_in_a_row: How often each hour of the week was, shape (n, CELLS).
        cells: The hours of the week, shape (n,).
    """
    around = cells[:, None] + np.array([-1, 0, 1])
    each = np.arange(len(cells))[:, None]
    by_week = times_in_a_row[each, around % CELLS].min(axis=1) >= WEEKS
    days = (around[:, :, None] + HOURS * np.arange(DAYS)) % CELLS
    by_day = times_in_a_row[each[:, :, None], days].min(axis=(1, 2)) >= 1
    expected: NDArray[np.bool_] = by_week | by_day
    return expected


def _surprise(arrays: Arrays, slots: Slots, times: Floats) -> tuple[Floats, Floats]:
    """Decades of surprise at rests, and when sensors are looked at again, each of shape (n,)."""
    wrong, length = _unexpected(arrays, slots, times)
    least = np.maximum(LONG_S, LONGER * arrays["usual_length"][slots])
    is_long = wrong & (length >= least)
    is_new = is_long & (arrays["rest_told"][slots] == 0)
    arrays["unlike"][slots] += is_new
    before = np.where(is_long, arrays["rest_told"][slots], 0.0)
    arrays["rest_told"][slots] = np.where(is_new, np.where(_by_timetable(arrays, slots), LEFT, TOLD), before)
    others = np.maximum(arrays["unlike"][slots] - 1.0, 0.0)
    decades = np.log10((np.minimum(arrays["as_expected"][slots], MOST_FORETOLD) + 1.0) / (others + 0.5))
    decades += PER_LENGTH * np.log10(np.maximum(length / least, 1.0))
    hour_ends = (np.floor(times / HOUR_S) + 1.0) * HOUR_S
    soon = np.where(is_long, -NO_CUT, np.minimum(hour_ends, times - length + least))
    told = (arrays["rest_told"][slots] == TOLD) & (decades >= TELLS)
    return np.where(told, decades, 0.0), np.where(wrong, soon, hour_ends)


def _by_timetable(arrays: Arrays, slots: Slots) -> NDArray[np.bool_]:
    """Which sensors are in a state in which they usually aren't in this hour of the week at all."""
    state = np.clip(arrays["state"][slots], 0.0, MOST - 1.0).astype(np.intp)
    column = arrays["rest_cell"][slots].astype(np.intp) * MOST + state
    seldom: NDArray[np.bool_] = arrays["shares"][slots, column].astype(np.float64) < NEXT_TO_NONE
    return (arrays["known"][slots] > 0) & seldom


def look_for_rest(arrays: Arrays, slots: Slots) -> None:
    """Find the rest of sensors in their histograms, and forget one that no longer is.

    Args:
        arrays: The detector's state.
        slots: Rows, shape (n,).
    """
    bins, width = arrays["bins"][slots].astype(np.float64), arrays["width"][slots]
    below = np.cumsum(np.pad(bins, ((0, 0), (0, REST_BINS + BESIDE_BINS))), axis=1)
    total = below[:, -1]
    lowest = (below >= LOWEST * total[:, None]).argmax(axis=1) + REST_BINS - 1
    low, has_old = arrays["low"][slots], arrays["rest_most"][slots] > -NO_CUT
    old = np.where(has_old, arrays["rest_most"][slots], low)
    most = low + (lowest + 1.0) * width
    is_same = np.abs(most - old) <= REST_BINS * width
    known = np.clip(np.floor((old - low) / np.where(width > 0, width, 1.0) + 0.5), 1.0, BINS).astype(np.intp) - 1
    found = _is_rest(below, lowest, OFTEN, SELDOM) & (width > 0) & (most >= width)
    stays = (
        has_old & (known <= lowest + REST_BINS) & _is_rest(below, known, OFTEN / 2.0, SELDOM * 2.0) & (is_same | ~found)
    )
    new = ~stays & (found | has_old)
    rows, found = slots[new], found[new]
    for name, field in rests_layout().items():
        lay_blank(arrays[name], rows, field.initial)
    rows = rows[found]
    arrays["rest_most"][rows], arrays["rest_slack"][rows] = most[new][found], width[new][found]
    arrays["rest_until"][rows] = -NO_CUT


def _is_rest(below: Floats, last: NDArray[np.intp], often: float, seldom: float) -> NDArray[np.bool_]:
    """Whether sensors are often at rest and seldom next to it, if that is up to a bin, shape (n,)."""
    each, total = np.arange(len(below)), below[:, -1]
    at_rest, beside = below[each, last], below[each, last + BESIDE_BINS] - below[each, last]
    is_rest: NDArray[np.bool_] = (at_rest >= often * total) & (at_rest <= HARDLY * total) & (beside <= seldom * at_rest)
    return is_rest


def measure_of_rest(row: Mapping[str, Any]) -> Measure:
    """How long a sensor has been unexpectedly at rest or active, and next to which value, or its starts an hour."""
    if row["starts_told"] == OF_RUN:
        length = float(row["rest_last"]) - float(row["run_since"])
        return Measure(length, float(row["run_longest"]), about="run", upper=float(row["rest_most"]))
    if row["starts_told"] == OF_STARTS:
        return Measure(float(row[STARTS.amount]), max(float(row[STARTS.busiest]), STARTS.fewest), about="starts")
    length = float(row["rest_last"]) - max(float(row["rest_since"]), float(row["rest_expected_since"]))
    usual = max(LONG_S, float(row["usual_length"]))
    return Measure(length, usual, about="rest", lower=float(row["rest_most"]) + float(row["rest_slack"]))
