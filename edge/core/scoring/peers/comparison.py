"""Comparison: each sensor's means over one length of time, held against those of its group.

A sensor's mean is divided by its usual one, or the usual one is subtracted, which makes like sensors of different size
or place comparable. The median of the group is what they suggest, and the sensor's *share* of that, or its *difference*
from it, is judged: by the range that it has had on the days remembered. Sensors that come to rest at zero together,
such as power and flow, have shares, all others differences. A share says nothing while the group is near rest.

Common causes don't show, since they move the median too. A group of which more than a third deviates has no middle that
could be trusted, and is not judged.

Only what moves together is compared: a sensor counts in its group, and is judged, if the group explains half of the
variance of its means. Sensors that stand still, or go their own ways, have no peers.

Robust against what it is to find: the median is, the worst day at either end of the range is left out, a mean beyond
the range widens it by little, and nothing is learned of a sensor that deviates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import where
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.peers.daily_ranges import add_day, find_usual
from edge.core.scoring.peers.group_medians import group_medians

SHARE, DIFFERENCE = 1, 2

FEWEST = 3
"""Minimum number of sensors in a comparison."""

MOST_DEVIATING = 1 / 3
"""Maximum share of a group that may deviate; one sensor always may."""

REST = 0.2
"""Sensors come to rest if they have been at this share of their highest mean, or below."""

INFORMATIVE, FADE = 0.15, 0.999
"""Shares are judged while the group is at this share of its highest level, which is forgotten by this factor."""

LEAVES, JOINS = 0.4, 0.6
"""A sensor counts once the group explains this share of its variance, and until it explains less than the other."""

NARROWEST_SHARE, NARROWEST_SPREAD, NARROWEST_REST = 0.02, 0.25, 3.0
"""Minimum width of a usual range: as a share, in standard deviations of the sensor's means, and in those of what its
group leaves unexplained."""

LEAST_SHARE = 0.1
"""Minimum deviation of a share."""

MARGIN, MARGIN_OF_FEW = 1.0, 7.0
"""A deviation is this many widths beyond the usual range; more by the second, divided by the number of days known. The
width is twice what lies on that side of the middle: a sensor that is often far above may well never be below."""

AGREEMENT = 0.5
"""A sensor agrees again within this many widths of its usual range."""


class TimeScale(NamedTuple):
    """A length of time over which means are taken.

    Attributes:
        window_s: Seconds.
        days: Number of days remembered, by their lowest and highest comparison.
        fewest_days: Number of days before anything is judged.
        to_differ: Consecutive deviating comparisons that count.
        to_agree: Consecutive agreeing comparisons that end it.
        to_begin: Number of means from which a sensor's usual one is taken.
        to_know: Number of means from which it is known whether a sensor moves with its group.
        memory: Number of means over which variances are averaged.
    """

    window_s: float
    days: int
    fewest_days: int
    to_differ: int
    to_agree: int
    to_begin: int
    to_know: int
    memory: int


class PeersCompared(NamedTuple):
    """The result of a comparison; all arrays have shape (n,).

    Attributes:
        now: Share or difference.
        differs: Whether it has deviated for long enough.
        agrees: Whether it has agreed for long enough.
        peers: Number of other sensors in the comparison.
    """

    now: Floats
    differs: NDArray[np.bool_]
    agrees: NDArray[np.bool_]
    peers: Floats


class PeerComparison(SensorArrays):
    """The comparison over one length of time; one row per sensor.

    State: 176 bytes per sensor, and 8 for each day remembered.

    Args:
        scale: The length of time.

    Attributes:
        total, count: Sum and number of the values in the present window.
        next_total, next_count: The same in the next one, which a sensor may have reached before the stream clock.
        form: `SHARE`, `DIFFERENCE`, or 0 while unknown.
        usual: Usual mean, relative to the group.
        together: Whether the sensor counts in its group.
        learned: Number of means from which the variances are learned.
        own_mean, own: Mean and variance of the sensor's means, in usual ones, or less the usual one.
        rest_mean, rest: Mean and variance of what the group leaves unexplained.
        reach: Highest level of the group.
        mean: Usual share or difference.
        day_low, day_high: Range on the present day; infinite the wrong way round while there is none.
        lows, highs: Ranges of the days remembered, in a ring; NaN where there is none.
        entries: Number of days so far.
        least, most: The usual range.
        beyond, within: Number of consecutive comparisons that deviate, and that agree.
        first_total, first_middle, first_count, first_judged: Sums of the sensor's and of the group's means, and their
            numbers, while `usual` isn't known.
        lowest, highest: Lowest and highest mean so far.
    """

    def __init__(self, scale: TimeScale) -> None:
        self.scale = scale
        self.total = np.zeros(0)
        self.count = np.zeros(0)
        self.next_total = np.zeros(0)
        self.next_count = np.zeros(0)
        self.form = np.zeros(0)
        self.usual = np.zeros(0)
        self.together = np.zeros(0)
        self.learned = np.zeros(0)
        self.own_mean = np.zeros(0)
        self.own = np.zeros(0)
        self.rest_mean = np.zeros(0)
        self.rest = np.zeros(0)
        self.reach = np.zeros(0)
        self.mean = np.zeros(0)
        self.day_low = np.zeros(0)
        self.day_high = np.zeros(0)
        self.entries = np.zeros(0)
        self.least = np.zeros(0)
        self.most = np.zeros(0)
        self.beyond = np.zeros(0)
        self.within = np.zeros(0)
        self.first_total = np.zeros(0)
        self.first_middle = np.zeros(0)
        self.first_count = np.zeros(0)
        self.first_judged = np.zeros(0)
        self.lowest = np.zeros(0)
        self.highest = np.zeros(0)
        self.lows = np.zeros((0, scale.days), dtype=np.float32)
        self.highs = np.zeros((0, scale.days), dtype=np.float32)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        unknown = {"day_low": np.inf, "day_high": -np.inf, "lowest": np.inf, "highest": -np.inf}
        self.grow_to(rows, together=1.0, lows=np.nan, highs=np.nan, **unknown)

    def take(self, slots: Rows, values: Numbers, counts: Any, *, early: bool = False) -> None:
        """Add values to the means of the present window, or of the next one.

        Args:
            slots: Their distinct sensors, shape (n,), or a single one.
            values: Values, shape (n,).
            counts: Which of them count, shape (n,).
            early: Whether they belong to the next window.
        """
        state = self.at(slots)
        total, count = (state["next_total"], state["next_count"]) if early else (state["total"], state["count"])
        total[slots] = total[slots] + where(counts, values, 0.0)
        count[slots] = count[slots] + where(counts, 1.0, 0.0)

    def means(self, rows: int) -> Floats:
        """End the window; returns the means of the first `rows` sensors, NaN where there is none."""
        count = self.count[:rows]
        means: Floats = np.where(count > 0, self.total[:rows] / np.maximum(count, 1.0), np.nan)
        self.total[:], self.count[:] = self.next_total, self.next_count
        self.next_total[:] = self.next_count[:] = 0.0
        return np.where(np.isfinite(means), means, np.nan)

    def restart(self, chosen: Any = slice(None)) -> None:
        """Discard the present window and the next, of some sensors or of all."""
        for each in (self.total, self.count, self.next_total, self.next_count):
            each[chosen] = 0.0

    def moves_together(self, rows: int) -> NDArray[np.bool_]:
        """Whether it is known of each of the first `rows` sensors that it moves with its group."""
        return (self.together[:rows] > 0) & (self.learned[:rows] >= self.scale.to_know)

    def compare(
        self, means: Floats, groups: Slots, frozen: NDArray[np.bool_], together: NDArray[np.bool_] | None = None
    ) -> PeersCompared:
        """Compare means with their groups, then learn from them.

        Args:
            means: Means, shape (n,), NaN where there is none.
            groups: Number of each sensor's group, or -1, shape (n,).
            frozen: Whether nothing is learned, because the sensor is known to deviate, shape (n,).
            together: Whether a sensor is known otherwise to move with its group, shape (n,).
        """
        rows = len(means)
        known = np.isfinite(means) & (groups >= 0)
        self._note_first(means, known)
        form, usual = self.form[:rows], self.usual[:rows]
        share = form == SHARE
        relative = np.where(share, means / np.where(usual > 0, usual, 1.0), means - usual)
        given = known & (form > 0)
        many = int(groups.max(initial=-1)) + 1
        counted = given & ((self.together[:rows] > 0) | (False if together is None else together))
        judged = counted & (self.moves_together(rows) | (False if together is None else together))
        few = np.append(np.bincount(groups[counted], minlength=many), 0)[groups] < FEWEST
        middles, sizes = group_medians(relative, np.where(counted | (given & few), groups, -1), many)
        middle, size = middles[groups], sizes[groups]
        in_group = known & (size >= FEWEST)
        self.first_middle[:rows] += np.where(in_group & (form == 0), middle, 0.0)
        self.first_judged[:rows] += in_group & (form == 0)
        valid = given & in_group
        reach = np.where(valid, np.maximum(middle, FADE * self.reach[:rows]), self.reach[:rows])
        self.reach[:rows] = reach
        informative = valid & (~share | ((middle > 0) & (middle >= INFORMATIVE * reach)))
        now = np.where(share, relative / np.where(middle > 0, middle, 1.0), relative - middle)
        ordinary, compared = self._judge(now, informative & judged & ~few, informative & ~frozen, groups, size)
        self._learn_variances(relative, relative - middle, valid & ~frozen & ordinary)
        return compared

    def end_day(self, groups: Slots, forms: Floats | None = None) -> None:
        """Note the range of the day that is over, and which sensors count from now on.

        Args:
            groups: Number of each sensor's group, or -1, shape (n,).
            forms: The form of each sensor's comparison, shape (n,); None to find it out.
        """
        rows = len(groups)
        self._note_day(np.flatnonzero(self.day_low[:rows] <= self.day_high[:rows]))
        own, rest, together = self.own[:rows], self.rest[:rows], self.together[:rows]
        explained = np.where(own > 0, 1.0 - rest / np.where(own > 0, own, 1.0), 0.0)
        stays = explained >= np.where(together > 0, LEAVES, JOINS)
        self.together[:rows] = np.where(self.learned[:rows] >= self.scale.to_know, stays, together)
        self._begin(groups, forms)

    def _note_first(self, means: Floats, known: NDArray[np.bool_]) -> None:
        rows = len(means)
        is_new = known & (self.form[:rows] == 0)
        self.first_total[:rows] += np.where(is_new, means, 0.0)
        self.first_count[:rows] += is_new
        self.lowest[:rows] = np.where(is_new, np.minimum(self.lowest[:rows], means), self.lowest[:rows])
        self.highest[:rows] = np.where(is_new, np.maximum(self.highest[:rows], means), self.highest[:rows])

    def _learn_variances(self, relative: Floats, rest: Floats, learns: NDArray[np.bool_]) -> None:
        rows = np.flatnonzero(learns)
        self.learned[rows] += 1.0
        rate = np.maximum(1.0 / self.learned[rows], 1.0 / self.scale.memory)
        for values, mean, variance in ((relative, self.own_mean, self.own), (rest, self.rest_mean, self.rest)):
            away = values[rows] - mean[rows]
            mean[rows] += rate * away
            variance[rows] = (1.0 - rate) * (variance[rows] + rate * away * away)

    def _bounds(self, rows: int) -> tuple[Floats, Floats, Floats]:
        """Widths of the usual range below and above its middle, and how many of them beyond it a deviation is, (n,)."""
        share = self.form[:rows] == SHARE
        spread, own = np.sqrt(self.rest[:rows]), np.sqrt(self.own[:rows])
        narrowest = np.maximum(NARROWEST_REST * spread, np.where(share, NARROWEST_SHARE, NARROWEST_SPREAD * own))
        middle = np.where(share, 1.0, 0.0)
        below = np.maximum(2.0 * (middle - self.least[:rows]), narrowest)
        above = np.maximum(2.0 * (self.most[:rows] - middle), narrowest)
        return below, above, MARGIN + MARGIN_OF_FEW / np.clip(self.entries[:rows], 1.0, self.scale.days)

    def _judge(
        self,
        now: Floats,
        speaks: NDArray[np.bool_],
        learns: NDArray[np.bool_],
        groups: Slots,
        size: Floats,
    ) -> tuple[NDArray[np.bool_], PeersCompared]:
        """Which sensors neither deviate nor are in a group without a middle, and the result; learns the range."""
        rows = len(now)
        below, above, margin = self._bounds(rows)
        least, most = self.least[:rows], self.most[:rows]
        low, high = least - margin * below, most + margin * above
        judged = speaks & (self.entries[:rows] >= self.scale.fewest_days)
        deviates = judged & ((now < low) | (now > high))
        deviates &= (self.form[:rows] != SHARE) | (np.abs(now - 1.0) >= LEAST_SHARE)
        many = np.bincount(groups[deviates], minlength=int(groups.max(initial=-1)) + 1)[groups]
        trusted = many <= np.maximum(1.0, MOST_DEVIATING * size)
        ordinary = trusted & ~deviates
        judged &= trusted
        deviates &= trusted
        agrees = judged & (now >= least - AGREEMENT * below) & (now <= most + AGREEMENT * above)
        self.beyond[:rows] = np.where(judged, np.where(deviates, self.beyond[:rows] + 1.0, 0.0), self.beyond[:rows])
        self.within[:rows] = np.where(judged, np.where(agrees, self.within[:rows] + 1.0, 0.0), self.within[:rows])
        self._learn_range(now, learns & trusted, low, high)
        return ordinary, PeersCompared(
            now,
            judged & (self.beyond[:rows] >= self.scale.to_differ),
            judged & (self.within[:rows] >= self.scale.to_agree),
            size - 1.0,
        )

    def _learn_range(self, now: Floats, learns: NDArray[np.bool_], low: Floats, high: Floats) -> None:
        rows = np.flatnonzero(learns)
        is_known = self.entries[rows] >= self.scale.fewest_days
        values = np.where(is_known, np.clip(now[rows], low[rows], high[rows]), now[rows])
        is_first = self.day_low[rows] > self.day_high[rows]
        is_first &= self.entries[rows] == 0
        rate = np.maximum(1.0 / np.maximum(self.learned[rows], 1.0), 1.0 / self.scale.memory)
        self.mean[rows] = np.where(is_first, values, self.mean[rows] + rate * (values - self.mean[rows]))
        self.day_low[rows] = np.minimum(self.day_low[rows], values)
        self.day_high[rows] = np.maximum(self.day_high[rows], values)

    def _note_day(self, rows: Slots) -> None:
        """Add the ranges of a day, and compute the usual ranges again."""
        if len(rows) == 0:
            return
        add_day(self, rows)
        self._center(rows)
        find_usual(self, rows)

    def _center(self, rows: Slots) -> None:
        """Move the usual mean to where the sensor has been."""
        share, mean, usual = self.form[rows] == SHARE, self.mean[rows], self.usual[rows]
        factor = np.where(share, np.clip(mean, 0.2, 5.0), 1.0)
        shift = np.where(share, 0.0, mean)
        self.usual[rows] = usual * factor + shift
        self.lows[rows] = (self.lows[rows] - shift[:, None]) / factor[:, None]
        self.highs[rows] = (self.highs[rows] - shift[:, None]) / factor[:, None]
        self.mean[rows] = (mean - shift) / factor
        before = self.own_mean[rows]
        self.own_mean[rows] = (before - shift) / factor
        self.rest_mean[rows] += self.own_mean[rows] - before

    def _begin(self, groups: Slots, forms: Floats | None) -> None:
        """Find the usual means of sensors that have none yet."""
        rows = len(groups)
        new = (groups >= 0) & (self.form[:rows] == 0) & (self.first_count[:rows] >= self.scale.to_begin)
        if not new.any():
            return
        many = int(groups.max()) + 1
        known = np.zeros(many)
        np.maximum.at(known, groups[groups >= 0], self.form[:rows][groups >= 0])
        settled = np.bincount(groups[(groups >= 0) & (self.form[:rows] > 0)], minlength=many) >= FEWEST
        if forms is None:
            rests = (self.lowest[:rows] >= 0) & (self.lowest[:rows] <= REST * self.highest[:rows])
            resting, all_new = (np.bincount(groups[each], minlength=many) for each in (new & rests, new))
            negative = np.bincount(groups[new & (self.lowest[:rows] < 0)], minlength=many)
            found = np.where((2 * resting >= all_new) & (negative == 0), SHARE, DIFFERENCE)
            forms = np.where(known > 0, known, found)[groups].astype(np.float64)
        new &= forms > 0
        mean = self.first_total[:rows] / np.maximum(self.first_count[:rows], 1.0)
        judged = self.first_judged[:rows]
        middle = self.first_middle[:rows] / np.maximum(judged, 1.0)
        if_alone = np.where(settled[groups], np.nan, mean)
        if_share = np.where(
            (judged >= self.scale.to_begin) & (middle > 0), mean / np.where(middle > 0, middle, 1.0), if_alone
        )
        if_difference = np.where(judged >= self.scale.to_begin, mean - middle, if_alone)
        usual = np.where(forms == SHARE, if_share, if_difference)
        begins = np.flatnonzero(new & np.isfinite(usual) & ((forms == DIFFERENCE) | (usual > 0)))
        self.form[begins], self.usual[begins] = forms[begins], usual[begins]
