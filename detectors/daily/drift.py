"""Drift: a level over one hour or six hours beyond those of all previous days, or one that no longer returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from detectors.base import Detector, Field, Measure, Scores, State, no_opinion
from detectors.daily.day_records import OF_ROOTS, QUICK, SCALES_S, SIDES, SLOW, UNKNOWN, learn_days
from detectors.numeric.arrays import Arrays, Numbers, Rows
from detectors.numeric.elementwise import (
    NOTHING,
    any_of,
    bounded,
    common,
    constant_like,
    everywhere,
    exp,
    floor,
    log10,
    maximum,
    minimum,
    nowhere,
    quotient,
    sqrt,
    where,
)
from detectors.numeric.gather import array_of
from detectors.numeric.surprise import MOST, student_tail
from detectors.parameters import parameter

DAY_S = 86_400.0
MEANS, USUALS = ({scale: f"{scale}_{what}" for scale in SCALES_S} for what in ("mean", "usual"))
EXTREMES, ROOTS, RECORDS = (
    {scale: [f"{scale}_{side}_{what}" for side in SIDES] for scale in SCALES_S}
    for what in ("extreme", "root", "record")
)
"""Names of fields by scale, in the order of `SIDES`: to put them together would take as long as the arithmetic."""

SPAN = {QUICK: "an hour", SLOW: "six hours"}
"""What these are called."""

LEAST_SHARE = 0.02
"""Minimum of the deviation, as a share of the distance between the records."""

OWN_DAYS = 8.0
"""Number of days from which on only the sensor's own days count, since a weekend has been seen."""

IMAGINED, ASSUMED = 4.0, 0.15
"""Before that, days with this deviation, as a share of the distance between the records, are imagined in addition: so
many after the first day, and fewer with each."""

FAR, FAR_IN_DEVIATIONS = 2.0, 20.0
"""Maximum distance of a reading beyond the records: this many times the distance between them, or this many
deviations."""

SIDES_SEEN = 0.5
"""Decades subtracted from the value of a record because two sides and two levels may set one."""

ADOPTED_FROM, ADOPTED_S = 5.5, 3600.0
"""A level this surprising for this long while learning continues has been adopted."""

HALFWAY, ON_THE_WAY = 0.5, 0.75
"""A level is returning when this share of its largest distance from the record is left: the second one if the values
are back at the middle already."""

TELLING, RETURNING = 1.0, 2.0

A_DAY_S, LEAVING_S, LONGEST_PASSED_S = 26 * 3600.0, 7200.0, 3600.0
"""Time without a return of the level to where it has been on each day before; its beginning, in which the level is
still near; the maximum counted between readings."""

RETURNS = 0.75
"""Weight of that distance: where a level returns to is less regular than how far it goes."""

OF_A_LEVEL = ("told", *(f"{side}_missed" for side in SIDES))
"""Fields about a level that is beyond where it was."""

DAY = "day"
"""What the condition of such a level is called."""


@dataclass(frozen=True)
class LevelDrift(Detector):
    """Finds a level that has slowly left the range of all previous days.

    The levels of the last hour and of the last six hours are exponential means; their lowest and highest values over
    all days are records. The surprise of a level beyond a record depends on the number of days, and on how far daily
    extremes usually are from the mean extreme; in the first week imagined days are added to the few that have been
    seen. Once told, a level that is returning is told again only if it goes farther than before.

    Likewise, each day has a lowest and a highest level of an hour. A level that for a day didn't come down to the
    highest of the lowest ones is surprising, as with a leak that never lets a flow rest; so is one that didn't come up
    to the lowest of the highest ones.

    Catches: drift, and lasting level shifts, that go far in the first week, and less far later; a base load.
    Blind to: levels within the extremes of previous days; the first 3 days, and as many after a level was adopted; a
        drift slower per day than the usual difference between daily extremes.
    Contamination: a record moves by at most the usual distance per day. While an incident is open, nothing is learned.
    Warm-up: 3 days; 8 for a base load, so that a weekend has been seen.
    State: 272 bytes per sensor.
    Cost: about 90 array operations per round.
    Source: records of exchangeable sequences, N. Glick, "Breaking records and breaking boards", American Mathematical
        Monthly 85 (1), 1978.
    Differs: the tail beyond a record is Student's, because few days give little evidence of their variation; records
        move by limited steps and decay, so that the seasons of a year are followed.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(LevelDrift(), rows=1)
    >>> def reading(hour, value):
    ...     return table.update(np.array([0]), np.array([value]), np.array([3600.0 * hour])).score[0]
    >>> usual = [reading(hour, 20 + 5 * np.sin(hour / 24 * 2 * np.pi) + hour % 7 / 50) for hour in range(480)]
    >>> bool(max(usual[200:]) < 2)
    True
    >>> bool(max(reading(480 + hour, 25.0 + hour / 2) for hour in range(8)) > 3)
    True
    """

    fewest_days: float = parameter(
        3.0, "Days that a sensor is observed before it is scored.", unit="days", at_least=3, at_most=1000
    )

    name: ClassVar[str] = "drift"
    kind: ClassVar[str] = "drift"
    catches: ClassVar[frozenset[str]] = frozenset()
    floor: ClassVar[float] = 3.25
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        fields = {
            "time": Field(learned=False, moment=True),
            "watched": Field(learned=False),
            "readings": Field(learned=False),
            "day_began": Field(moment=True),
            "days": Field(),
            "beyond": Field(),
            "crest": Field(learned=False, later=True),
            "told": Field(learned=False, later=True),
        }
        for side, sign in SIDES.items():
            fields[f"{side}_inner"] = Field(-sign * UNKNOWN, later=True)
            fields[f"{side}_missed"] = Field(learned=False, later=True)
            fields[f"{side}_nearest"] = Field(learned=False, later=True)
        for scale in SCALES_S:
            fields[f"{scale}_mean"] = Field(learned=False)
            fields[f"{scale}_usual"] = Field(math.nan, later=True)
            for side in SIDES:
                for what in ("extreme", "middle", "root", "record"):
                    fields[f"{scale}_{side}_{what}"] = Field()
        return fields

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`."""
        readings, watched = state["readings"][slots], state["watched"][slots]
        first = nowhere(readings == 0)
        passed = where(first, 0.0, bounded(times - state["time"][slots], 0.0, DAY_S))
        watched = watched + passed
        state["time"][slots], state["watched"][slots], state["readings"][slots] = times, watched, readings + 1.0
        begins = self._turn_days(state, slots, times, first)
        days = state["days"][slots]
        known = nowhere(everywhere(days >= self.fewest_days))
        imagined, settled = (0.0, False) if known is False else (_imagined(days), nowhere(known & (days >= OWN_DAYS)))
        sides = list(SIDES.items())
        farthest, beyond, band = 0.0 * values, [False, False], [NOTHING, NOTHING]
        quick, gap, newest = values, common(passed), passed / maximum(watched, 1.0)
        for scale, memory_s in SCALES_S.items():
            share = maximum(newest, 1.0 - exp(-gap / memory_s))
            if known is False:  # most of the arithmetic is about records that don't count yet
                self._follow(state, slots, scale, values, share, first, begins)
                continue
            records = [state[name][slots] for name in RECORDS[scale]]
            width = records[1] - records[0]
            roots = [state[name][slots] for name in ROOTS[scale]]
            deviations = [maximum(OF_ROOTS * each * each, LEAST_SHARE * width) for each in roots]
            if any_of(imagined > 0):
                deviations = [_with_imagined(each, width, days, imagined) for each in deviations]
            reach = maximum(FAR * width, FAR_IN_DEVIATIONS * maximum(*deviations))
            believed = minimum(maximum(values, records[0] - reach), records[1] + reach)
            believed = where(first, values, where(known, believed, values))
            mean = self._follow(state, slots, scale, believed, share, first, begins)
            off = [sign * (mean - record) for (_, sign), record in zip(sides, records, strict=True)]
            if scale != QUICK:  # it counts as far as the quicker one is there, too, and once it has seen a weekend
                ahead = [sign * (quick - record) for (_, sign), record in zip(sides, records, strict=True)]
                off = [where(settled, minimum(*pair), 0.0) for pair in zip(off, ahead, strict=True)]
            quick = mean
            if scale == QUICK:  # a level says nothing while the values, or a quicker level, are back
                beyond, band = self._speak(state, slots, values, off, records, passed, known), records
                farthest = self._never_back(state, slots, mean, deviations, passed, settled)
            for place in range(len(sides)):
                # The slower level of a sensor that hasn't settled says nothing, and silences nothing.
                beyond[place] = beyond[place] & ((off[place] > 0) | (scale != QUICK and settled ^ True))
                farthest = maximum(farthest, where(beyond[place], quotient(off[place], deviations[place]), 0.0))
        if known is False:
            state["beyond"][slots] = 0.0
            return no_opinion(values)
        score = where(known, 0.0 * values, NOTHING)
        is_beyond = nowhere(known & (farthest > 0))
        if is_beyond is False:
            state["beyond"][slots] = 0.0
        else:
            rare = log10(days + 1.0) - SIDES_SEEN + student_tail(farthest, maximum(days - 1.0 + imagined, 1.0))
            score = where(is_beyond, bounded(rare, 0.0, MOST), score)
            stage = state["told"][slots]
            state["told"][slots] = where(is_beyond & (beyond[0] | beyond[1]) & (rare >= self.floor), TELLING, stage)
            self._let_adopted(state, slots, passed, nowhere(is_beyond & (rare >= ADOPTED_FROM)), days)
        lower, upper = (where(known, each, NOTHING) for each in band)
        return Scores(score, constant_like(values, NOTHING), lower, upper)

    def adopt(self, arrays: Arrays, row: int, value: float) -> None:  # noqa: ARG002
        """See `Detector`; a level within the records is no news."""
        if arrays["told"][row] or any(arrays[f"{side}_missed"][row] >= A_DAY_S for side in SIDES):
            for name in ("days", *OF_A_LEVEL):
                arrays[name][row] = 0.0

    @staticmethod
    def _speak(
        state: State,
        slots: Rows,
        values: Numbers,
        off: list[Numbers],
        records: list[Numbers],
        passed: Numbers,
        known: Any,
    ) -> list[Any]:
        """On which side the level of the last hour is beyond its record, and isn't on its way back."""
        outside = [values < records[0], values > records[1]]
        stage, farther = state["told"][slots], maximum(*off)
        away = nowhere(known & ((farther > 0) | (stage > 0)))
        if away is False:
            return outside
        before = state["crest"][slots]
        slow = state[MEANS[SLOW]][slots]
        off_slow = (slow - state[name][slots] for name in RECORDS[SLOW])
        lasting = maximum(*(sign * off for sign, off in zip(SIDES.values(), off_slow, strict=True)))
        over = (farther <= 0) & ((stage == 0) | (lasting <= 0))
        crest = where(over, 0.0, maximum(before * exp(-passed / SCALES_S[SLOW]), farther))
        middle = 0.5 * (records[0] + records[1])
        home = where(off[1] > 0, middle - values, values - middle) >= 0
        returns = (farther < HALFWAY * crest) | (home & (farther < ON_THE_WAY * crest))
        stage = where(over, 0.0, where((stage > 0) & returns, RETURNING, stage))
        state["crest"][slots] = where(away, crest, before)
        state["told"][slots] = where(away, stage, state["told"][slots])
        speaks = (stage < RETURNING) | (farther >= crest)
        return [(speaks & side) | (stage == TELLING) for side in outside]

    @staticmethod
    def _never_back(
        state: State, slots: Rows, mean: Numbers, deviations: list[Numbers], passed: Numbers, known: Any
    ) -> Numbers:
        """How far from where it was on each day before the level has stayed for a day, in deviations; else 0."""
        farthest = 0.0 * mean
        counted = minimum(passed, LONGEST_PASSED_S)
        for place, (side, sign) in enumerate(SIDES.items()):
            off = sign * (state[f"{side}_inner"][slots] - mean)
            gone = nowhere(known & (off > 0))
            before, nearest = state[f"{side}_missed"][slots], state[f"{side}_nearest"][slots]
            missed = where(gone, before + counted, where(known, 0.0, before))
            nearest = where(gone, where(missed > LEAVING_S, minimum(nearest, off), off), where(known, 0.0, nearest))
            state[f"{side}_missed"][slots], state[f"{side}_nearest"][slots] = missed, nearest
            is_long = nowhere(known & (missed >= A_DAY_S))
            if is_long is not False:
                distance = RETURNS * quotient(nearest, deviations[place])
                farthest = maximum(farthest, where(is_long, distance, 0.0))
        return farthest

    @staticmethod
    def _follow(state: State, slots: Rows, scale: str, values: Numbers, share: Numbers, first: Any, begins: Any) -> Any:
        """Update a level by values, and its extremes of the day by what is learned; returns the level."""
        mean, usual = state[MEANS[scale]][slots], state[USUALS[scale]][slots]
        usual = where(everywhere(usual == usual), usual, mean)  # noqa: PLR0124 - NaN in states of earlier versions
        mean, usual = mean + share * (values - mean), usual + share * (values - usual)
        if first is not False:
            mean, usual = where(first, values, mean), where(first, values, usual)
        state[MEANS[scale]][slots], state[USUALS[scale]][slots] = mean, usual
        low, high = EXTREMES[scale]
        lowest, highest = state[low][slots], state[high][slots]
        lower, higher = nowhere(begins | (usual < lowest)), nowhere(begins | (usual > highest))
        if lower is not False:
            state[low][slots] = where(lower, usual, lowest)
        if higher is not False:
            state[high][slots] = where(higher, usual, highest)
        return mean

    def measure(self, state: State, slot: int) -> Measure:
        """The level that is farthest beyond its record, in deviations, and that record."""
        row = {name: float(array_of(state[name])[slot]) for name in self.layout()}
        found = []
        for scale in SCALES_S:
            width = row[f"{scale}_high_record"] - row[f"{scale}_low_record"]
            mean = row[f"{scale}_mean"]
            deviation = max(LEAST_SHARE * width, *(OF_ROOTS * row[f"{scale}_{side}_root"] ** 2 for side in SIDES))
            for side, sign in SIDES.items():
                record = row[f"{scale}_{side}_record"]
                found.append((sign * (mean - record) / max(deviation, 1e-300), mean, record, SPAN[scale]))
                if scale == QUICK and row[f"{side}_missed"] >= A_DAY_S:
                    nearest, inner = row[f"{side}_nearest"], row[f"{side}_inner"]
                    own = max(LEAST_SHARE * width, OF_ROOTS * row[f"{QUICK}_{side}_root"] ** 2)
                    found.append((RETURNS * nearest / max(own, 1e-300), inner - sign * nearest, inner, DAY))
        _, mean, record, span = max(found)
        return Measure(mean, record, about=span)

    def _turn_days(self, state: State, slots: Rows, times: Numbers, first: Any) -> Any:
        """Record the days that end with these readings; returns where a day begins."""
        began = where(first, times, state["day_began"][slots])
        passed = floor(maximum(times - began, 0.0) / DAY_S)
        begins = nowhere(first | (passed > 0))
        if begins is False:
            return False
        ended = begins & (state["readings"][slots] > 1.0)
        if any_of(ended):
            days = state["days"][slots]
            learn_days(state, slots, days, days < max(OWN_DAYS, self.fewest_days), ended)
            state["days"][slots] = days + ended
        state["day_began"][slots] = began + passed * DAY_S
        return begins

    @staticmethod
    def _let_adopted(state: State, slots: Rows, passed: Numbers, far: Any, days: Numbers) -> None:
        """Restart where a level was adopted, because the variation between days is unknown there."""
        lasted = where(far, state["beyond"][slots] + passed, 0.0)
        adopted = nowhere(lasted >= ADOPTED_S)
        state["beyond"][slots] = lasted
        if adopted is not False:
            state["days"][slots] = where(adopted, 0.0, days)
            for name in OF_A_LEVEL:
                state[name][slots] = where(adopted, 0.0, state[name][slots])


def _imagined(days: Numbers) -> Numbers:
    """Number of imagined days, which ends with the first week."""
    return maximum(IMAGINED * (1.0 - (days - 1.0) / (OWN_DAYS - 1.0)), 0.0)


def _with_imagined(deviation: Numbers, width: Numbers, days: Numbers, imagined: Numbers) -> Numbers:
    """The deviation from the sensor's own days and the imagined ones together."""
    assumed, own = ASSUMED * width, maximum(days - 1.0, 0.0)
    mean = (imagined * assumed * assumed + own * deviation * deviation) / maximum(imagined + own, 1.0)
    return where(imagined > 0, sqrt(mean), deviation)
