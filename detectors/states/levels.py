"""Levels: the few values of a machine, found as modes of its histogram with almost nothing between them.

A row of `BINS` counts readings by value. Its grid follows the range of the values: it becomes coarser when values lie
beyond it, but not for a few outliers. Two levels are separate if over several bins between them there are far fewer
readings than the sparser side would have there. A continuous signal has no such valley, because it passes through.

Values of a coarse resolution are also separate without being states: 20 and 21 degrees. Levels no further apart than a
few of the smallest steps are therefore rejected, unless each is a single exact value and they are either unevenly
spaced or two of which the lower is 0: off and on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field, State
from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import any_of, everywhere, floor, nowhere, where, whole
from detectors.numeric.gather import add_to_element, whole_arrays

BINS = 64
FIRST_SPAN = 32.0
"""Distance in bins between the first two different values."""

MOST = 4
"""Maximum number of levels of a sensor."""

FINEST = 1e-150
"""Minimum width of a bin: smaller differences are ignored."""

NO_CUT = float(np.finfo(np.float64).max)

FAMILIAR = 64.0
"""Number of readings from which on a value beyond the grid may be an outlier."""

STRAYS = 5.0
A_VISIT, A_READING = 1.0, 0.01
"""Weight of outliers towards widening the grid: a visit beyond it counts as one, each further reading as a
hundredth."""

REMEMBERED = 20_000.0
"""Number of readings at which all counts are halved."""

FIRST_LOOK, LATEST_LOOK = 200.0, 2000.0
NEXT_LOOK = 0.25
"""Levels are searched for after this many readings, and again after a quarter as many more, at most `LATEST_LOOK`."""

NARROWEST = 3
"""Minimum width of a valley in bins."""

SHALLOW = 3e-4
"""A bin belongs to a valley if it holds at most this share of all readings."""

SURE = 2.0
OFTEN = 3.0
"""Levels found this many times are certain. Others replace them when found as many times in a row, or at once if the
old ones weren't certain."""

EXPECTED, NEARLY_EMPTY = 30.0, 0.05
"""A valley must be expected to hold this many readings at the density of the sparser side, and hold at most this share
of them.
"""

RAREST = 0.003
"""Minimum share of the readings in a level."""

FEW_STEPS = 3.0
"""Levels up to this many of the smallest steps apart aren't separate."""

EVEN = 0.25
"""Distances are equal if they differ by at most this share of the smallest."""


def levels_layout() -> dict[str, Field]:
    """The state fields of the histogram: 368 bytes per sensor."""
    return {
        "bins": Field(width=BINS, dtype="f4"),
        "low": Field(),
        "width": Field(),
        "seen": Field(),
        "look": Field(FIRST_LOOK),
        "strays": Field(),
        "strayed": Field(learned=False),
        "last_value": Field(learned=False),
        "finest": Field(NO_CUT),
        "levels": Field(),
        "doubted": Field(),
        "agreed": Field(),
        "cuts": Field(NO_CUT, width=MOST - 1),
    }


def count_readings(state: State, slots: Rows, values: Numbers) -> Any:
    """Count readings; returns the sensors for which a search for levels is due.

    Args:
        state: The detector's state.
        slots: Rows, shape (n,), or a single one.
        values: Values, shape (n,).
    """
    seen, width = state["seen"][slots], state["width"][slots]
    continues = everywhere(seen > 0)
    low, last = state["low"][slots], state["last_value"][slots]
    if continues is not True:
        low, last = where(continues, low, values), where(continues, last, values)
        state["low"][slots] = low
    step, finest = abs(values - last), state["finest"][slots]
    finer = nowhere((step > 0) & (step < finest))
    if finer is not False:
        state["finest"][slots] = where(finer, step, finest)
    state["last_value"][slots] = values
    seen = seen + 1.0
    state["seen"][slots] = seen
    varies = everywhere(width > 0)
    place = where(varies, floor((values - low) / where(varies, width, 1.0)), 0.0)
    inside = everywhere((varies | (values == low)) & (place >= 0) & (place < BINS))
    if inside is True:
        add_to_element(state["bins"], slots, whole(place), 1.0)
        state["strayed"][slots] = 0.0
    else:
        add_to_element(state["bins"], slots, whole(where(inside, place, 0.0)), where(inside, 1.0, 0.0))
        before, strayed = state["strayed"][slots], where(inside, 0.0, 1.0)
        state["strayed"][slots] = strayed
        strays = state["strays"][slots] + strayed * where(before > 0, A_READING, A_VISIT)
        state["strays"][slots] = strays
        wider = (strayed > 0) & ((seen <= FAMILIAR) | (width == 0) | (strays >= STRAYS))
        if any_of(nowhere(wider)):
            which = np.flatnonzero(wider)
            _widen(whole_arrays(state), np.atleast_1d(slots)[which], np.atleast_1d(values)[which])
    return seen >= state["look"][slots]


def _widen(arrays: Arrays, slots: Slots, values: Floats) -> None:
    """Coarsen the grid of the counts, so that values beyond it are included."""
    bins, low, width = arrays["bins"][slots], arrays["low"][slots], arrays["width"][slots]
    is_first = width == 0
    old = np.where(is_first, 1.0, width)
    top = low + BINS * old
    reach = np.maximum(top, values) - np.minimum(low, values)
    coarser = old * np.exp2(np.ceil(np.log2(reach / (BINS * old) * (1.0 + 1.0 / BINS))))
    wider = np.where(is_first, np.maximum(np.abs(values - low) / FIRST_SPAN, FINEST), coarser)
    start = np.where(is_first, np.minimum(low, values) - wider / 2.0, np.where(values < low, top - BINS * wider, low))
    # The counts of each bin move to the bin that contains its middle.
    middles = np.where(is_first[:, None], low[:, None], low[:, None] + (np.arange(BINS) + 0.5) * width[:, None])
    place = np.clip(np.floor((middles - start[:, None]) / wider[:, None]), 0, BINS - 1).astype(np.intp)
    laid = np.zeros_like(bins)
    np.add.at(laid, (np.arange(len(slots))[:, None], place), bins)
    column = np.clip(np.floor((values - start) / wider), 0, BINS - 1).astype(np.intp)
    laid[np.arange(len(slots)), column] += 1.0
    arrays["bins"][slots], arrays["low"][slots], arrays["width"][slots] = laid, start, wider
    arrays["strays"][slots] = 0.0


def look_for_levels(arrays: Arrays, slots: Slots) -> NDArray[np.bool_]:
    """Search for the levels of sensors; returns which of them changed.

    Args:
        arrays: The detector's state.
        slots: Rows, shape (n,).
    """
    bins, seen = arrays["bins"][slots].astype(np.float64), arrays["seen"][slots]
    many = bins.sum(axis=1) >= REMEMBERED
    arrays["bins"][slots[many]] *= np.float32(0.5)
    arrays["look"][slots] = seen + np.minimum(np.floor(NEXT_LOOK * seen), LATEST_LOOK)
    valleys, counts = _valleys(bins)
    count = np.where((counts > 0) & (counts < MOST), counts + 1.0, 0.0)
    low, width = arrays["low"][slots][:, None], arrays["width"][slots][:, None]
    cuts = np.where(np.isfinite(valleys) & (count > 0)[:, None], low + valleys * width, NO_CUT)
    old = arrays["cuts"][slots]
    near = (cuts < NO_CUT) & (old < NO_CUT) & (np.abs(cuts / 2.0 - old / 2.0) <= NARROWEST * width)
    differs = (count != arrays["levels"][slots]) | ~((cuts == old) | near).all(axis=1)
    doubted = np.where(differs, arrays["doubted"][slots] + 1.0, 0.0)
    agreed = arrays["agreed"][slots]
    changed: NDArray[np.bool_] = differs & ((doubted >= OFTEN) | (agreed < SURE))
    arrays["agreed"][slots] = np.where(changed, 0.0, agreed + ~differs)
    arrays["doubted"][slots] = np.where(changed, 0.0, doubted)
    new = slots[changed]
    arrays["levels"][new], arrays["cuts"][new] = count[changed], cuts[changed]
    return changed


def _valleys(bins: Floats) -> tuple[Floats, Floats]:
    """The middles of the valleys of histograms, in bins, and their number: shapes (n, MOST - 1) and (n,)."""
    below = np.zeros((len(bins), BINS + 1))  # readings below each bin's lower end
    np.cumsum(bins, axis=1, out=below[:, 1:])
    total = below[:, -1]
    found, counts = np.full((len(bins), MOST - 1), np.nan), np.zeros(len(bins))
    edge = (bins > 0).argmax(axis=1)  # end of the last valley
    rows, begin, end, follows = _gaps(bins, bins <= SHALLOW * total[:, None])
    turns = np.arange(len(rows)) - np.searchsorted(rows, rows)
    for turn in range(int(turns.max(initial=-1)) + 1):
        row, first, last, after = (each[turns == turn] for each in (rows, begin, end, follows))
        left, right = below[row, first] - below[row, edge[row]], below[row, after] - below[row, last]
        held, width = below[row, last] - below[row, first], last - first
        sparser = np.minimum(left / np.maximum(first - edge[row], 1), right / np.maximum(after - last, 1))
        apart = (sparser * width >= EXPECTED) & (held <= NEARLY_EMPTY * (sparser * width))
        apart &= np.minimum(left, right) >= RAREST * total[row]
        row, first, last = row[apart], first[apart], last[apart]
        room = counts[row] < MOST - 1
        found[row[room], counts[row[room]].astype(np.intp)] = (first[room] + last[room]) / 2.0
        counts[row] += 1.0
        edge[row] = last
    return found, counts


def _gaps(bins: Floats, empty: NDArray[np.bool_]) -> tuple[NDArray[np.intp], ...]:
    """Runs of at least `NARROWEST` empty bins below the highest reading of each histogram.

    Their histograms, ascending; their first bins; the bins after them; and the bins in which the next runs begin, or
    after the highest readings.
    """
    edges = np.diff(empty.view(np.int8), axis=1, prepend=0, append=0).ravel()
    rows, begin = np.divmod(np.flatnonzero(edges == 1), BINS + 1)
    end = np.flatnonzero(edges == -1) - rows * (BINS + 1)
    wide = end - begin >= NARROWEST
    rows, begin, end = rows[wide], begin[wide], end[wide]
    top = BINS - (bins[:, ::-1] > 0).argmax(axis=1)[rows]
    follows = top.copy()
    follows[:-1] = np.where(rows[1:] == rows[:-1], np.minimum(begin[1:], top[:-1]), top[:-1])
    inner = end < top
    return rows[inner], begin[inner], end[inner], follows[inner]


def is_of_resolution(centers: Floats, exact: NDArray[np.bool_], count: Floats, finest: Floats) -> NDArray[np.bool_]:
    """Whether levels may be steps of a coarse resolution.

    Args:
        centers: The levels, ascending, shape (n, MOST); entries beyond `count` are ignored.
        exact: Whether each sensor's levels are single exact values, shape (n,).
        count: Number of levels, shape (n,).
        finest: The smallest step seen, shape (n,).
    """
    steps = np.diff(centers, axis=1)
    real = np.arange(1, MOST) < count[:, None]
    least = np.where(real, steps, np.inf).min(axis=1)
    most = np.where(real, steps, -np.inf).max(axis=1)
    even = most - least <= EVEN * least
    is_switch = (count == 2) & (centers[:, 0] == 0)
    coarse: NDArray[np.bool_] = (least <= FEW_STEPS * finest) & ~(exact & (is_switch | ~even))
    return coarse
