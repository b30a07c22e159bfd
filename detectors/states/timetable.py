"""Timetable: when each state is usual, by hour of the week.

For each hour of the week it keeps the share of time spent in each state, as an exponential mean over the weeks. Similar
days share evidence: what a line does at ten on four Wednesdays says little, what it does at ten on twenty working days
says more. Similarity of days is measured from their shares. A state is *undue* if it takes almost no time in that hour
and in the hours before and after, so that neither daylight saving time nor a late start matters.

The reliability of this is measured: the number of hours with an undue state, and the number of those in which it
occurred.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field
from detectors.numeric.arrays import Arrays, Floats, Slots
from detectors.states.levels import MOST
from detectors.states.spells import BETWEEN, STATES

HOUR_S = 3600.0
HOURS, DAYS = 24, 7
CELLS = HOURS * DAYS

FEWEST_VISITS = 2.0
"""Minimum number of weeks in which an hour of the week was seen before it is used."""

FEWEST_HOURS = 6.0
"""Minimum number of comparable hours seen, over all similar days and adjacent hours."""

ALIKE = 0.1
"""Days are similar if the shares of their hours differ by at most this on average."""

ENOUGH_HOURS = 20.0
"""Minimum number of hours seen on both days."""

NEXT_TO_NONE = 0.05
"""Maximum share of time of an undue state."""

LEAST_WATCHED = 900.0
"""Minimum observed seconds of an hour for it to count."""

NEWEST = 0.2
"""Weight of a new visit in the mean; the first visits have equal weights."""


def timetable_layout() -> dict[str, Field]:
    """The state fields of the timetable: 1,624 bytes per sensor."""
    return {
        "shares": Field(width=CELLS * MOST, dtype="f2"),
        "visits": Field(width=CELLS, dtype="u1"),
        "cell": Field(-1.0, learned=False),
        "spent": Field(width=MOST, learned=False),
        "spent_until": Field(learned=False, moment=True),
        "undue": Field(width=STATES, learned=False),
        "due": Field(-1.0, learned=False),
        "foretold": Field(),
        "outlasted": Field(learned=False),
        "broken": Field(learned=False),
    }


def cell_of(times: Floats) -> Floats:
    """The hour of the week of each time, 0 to 167."""
    hour = np.floor(np.where(np.abs(times) < 1e15, times, 0.0) / HOUR_S)
    return np.mod(hour, CELLS)


def enter(arrays: Arrays, slots: Slots, cells: Floats) -> None:
    """End the visits of sensors to their last hours, and predict the undue states of the new ones.

    Args:
        arrays: The detector's state.
        slots: Rows of sensors that enter another hour, shape (n,).
        cells: The hours of the week that they enter, shape (n,).
    """
    left = arrays["cell"][slots]
    spent = arrays["spent"][slots]
    watched = spent.sum(axis=1)
    counts = (left >= 0) & (watched >= LEAST_WATCHED)
    # First, because an hour that was unlike all before must not excuse the next one.
    undue, due = foretell(arrays, slots, cells.astype(np.intp))
    if counts.any():
        rows, cell = slots[counts], left[counts].astype(np.intp)
        visits = arrays["visits"][rows, cell].astype(np.float64)
        columns = cell[:, None] * MOST + np.arange(MOST)
        before = arrays["shares"][rows[:, None], columns].astype(np.float64)
        share = spent[counts] / watched[counts, None]
        rate = np.maximum(NEWEST, 1.0 / (visits + 1.0))
        arrays["shares"][rows[:, None], columns] = before + rate[:, None] * (share - before)
        arrays["visits"][rows, cell] = np.minimum(visits + 1.0, 255.0)
        arrays["foretold"][rows] += arrays["undue"][rows].any(axis=1)
    arrays["spent"][slots] = 0.0
    arrays["cell"][slots] = cells
    arrays["undue"][slots], arrays["due"][slots] = undue, due


def foretell(arrays: Arrays, slots: Slots, cells: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Which states are undue at these hours, shape (n, STATES), and the usual one then, shape (n,), or -1."""
    rows, each = len(slots), np.arange(len(slots))
    undue, due = np.zeros((rows, STATES)), np.full(rows, -1.0)
    visits = arrays["visits"][slots].astype(np.float64)
    known = visits[each, cells] >= FEWEST_VISITS
    if not known.any():
        return undue, due
    slots, cells, visits, each = slots[known], cells[known], visits[known], each[: int(known.sum())]
    shares = arrays["shares"][slots].astype(np.float64).reshape(len(slots), DAYS, HOURS, MOST)
    seen = (visits > 0).reshape(len(slots), DAYS, HOURS)
    day = cells // HOURS
    both = seen & seen[each, day][:, None, :]
    apart = np.abs(shares - shares[each, day][:, None]).sum(axis=3) / 2.0
    hours = both.sum(axis=2)
    like = ((apart * both).sum(axis=2) <= ALIKE * hours) & (hours >= ENOUGH_HOURS)
    like[each, day] = True
    flat, weight = shares.reshape(len(slots), CELLS, MOST), visits.reshape(len(slots), CELLS)
    worst, most, total = np.zeros((len(slots), MOST)), np.zeros((len(slots), MOST)), np.zeros(len(slots))
    for aside in (-1, 0, 1):
        there = ((cells % HOURS + aside)[:, None] + HOURS * np.arange(DAYS)) % CELLS
        by_day = np.where(like, weight[each[:, None], there], 0.0)
        if aside < 0:  # the hour that has just been learned would excuse the current one
            by_day[each, day] = np.where(like.sum(axis=1) > 1, 0.0, by_day[each, day])
        visits_in_all = np.maximum(by_day.sum(axis=1), 1.0)
        mean = (flat[each[:, None], there] * by_day[:, :, None]).sum(axis=1) / visits_in_all[:, None]
        worst = np.maximum(worst, mean)
        total += by_day.sum(axis=1)
        if aside == 0:
            most = mean
    undue[known, :MOST] = worst < NEXT_TO_NONE
    undue[known, BETWEEN] = 1.0
    undue[known] *= (total >= FEWEST_HOURS)[:, None]
    due[known] = np.where(most.max(axis=1) > 0.5, most.argmax(axis=1), -1.0)
    return undue, due
