"""States: a machine's few values, when each is expected, how long each lasts, and how often they change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.base import Detector, Field, Measure, Scores, State, no_opinion
from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import NOTHING, any_of
from detectors.numeric.gather import array_of, lay_blank, whole_arrays
from detectors.parameters import parameter
from detectors.states.brief_spells import brief_layout, brief_spells, end_brief_spells, measure_of_brief_spells
from detectors.states.busy_hours import ASIDE, CHANGES, count_busy
from detectors.states.levels import (
    MOST,
    NO_CUT,
    count_readings,
    levels_layout,
    look_for_levels,
)
from detectors.states.means import gather_quiet, learn_means, means_layout, state_of, take_value
from detectors.states.plateaus import (
    follow_plateaus,
    is_where_it_was_told,
    measure_of_plateau,
    plateaus_layout,
)
from detectors.states.recognition import RARE, has_states
from detectors.states.rests import PER_LENGTH, follow_rests, look_for_rest, measure_of_rest, rests_layout
from detectors.states.spells import (
    BETWEEN,
    FADING,
    FEWEST_ALL,
    FEWEST_SPELLS,
    USUAL,
    beyond_record,
    end_spells,
    spells_layout,
    spread_of,
)
from detectors.states.timetable import HOUR_S, cell_of, enter, timetable_layout
from detectors.states.vacancies import follow_vacancies, vacancies_layout

DAY_S = 86_400.0

EARLY_S, LONG_S, WEEK_S = 3 * DAY_S, 8 * 3600.0, 8 * DAY_S
"""Before the first age no spell is too long; before the third none that is longer than the second or spent in the
lowest state, so that a night's or a weekend's rest isn't reported."""

MOST_FORETOLD = 2000.0
"""Maximum number of hours that count as evidence for the timetable."""

ENOUGH_FORETOLD = 84.0
"""Number of hours with an unusual state, half a week, from which on it counts in full how long one lasts: before, a
timetable may be one by chance, as of a set point that is changed at any time."""

FEWEST_GAPS = 3.0
"""Time outside of the usual states is scored from this many gaps between readings on."""

VALUE, LENGTH, BUSY, HOUR, STAY, REST, AWAY, BRIEF = 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0
ABOUT = {
    VALUE: "value",
    LENGTH: "length",
    BUSY: "changes",
    HOUR: "hour",
    STAY: "stay",
    REST: "rest",
    AWAY: "aside",
    BRIEF: "brief",
}
"""What the last score of a sensor was about."""

MEASURED = {STAY: measure_of_plateau, REST: measure_of_rest, BRIEF: measure_of_brief_spells}
"""Conditions that say themselves how long they are."""


@dataclass(frozen=True)
class States(Detector):
    """Finds a machine in a wrong state, too long in one, or changing too often, and values outside of its states.

    A sensor has states if its histogram has few levels with almost nothing between them, each visited again and again.
    Of other sensors it is scored how long they stay at a value that they otherwise pass and, if they have a rest,
    whether they are at rest at an hour when they are always active, and how often they start.

    Catches: on/off and multi-state signals that stay on or off for too long or, several times in a row, too briefly,
        are in an unusual state for the hour of the week, change too often, or show a value between their levels, at
        once or again and again; any signal that stays where it never did, starts too often, doesn't rest any more, or
        is at rest for an hour when it is always active.
    Blind to: signals that linger anywhere; a spell no longer than a normal one, at an hour when its state is usual; a
        single one that is too short.
    Contamination: a spell that was surprising counts as normal up to another one as long; the timetable learns nothing
        while an incident is open.
    Warm-up: 200 readings, then 36 hours and 6 visits of each level; three days for lengths, a week for plateaus, two
        weeks for hours of the week.
    State: 4,096 bytes per sensor.
    Cost: about 35 array operations per round, about 80 for sensors that leave a plateau, and about 200 for sensors
        with states.
    Source: S. E. Levinson, "Continuously variable duration hidden Markov models", Computer Speech and Language 1, 1986,
        for states with durations of their own; B. M. Hill, "A simple general approach to inference about the tail of a
        distribution", Annals of Statistics 3 (5), 1975, for tails beyond a record.
    Differs: states are seen rather than hidden, as they lie apart; a timetable takes the place of transitions.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(States(), rows=1)
    >>> def reading(minute, value):
    ...     return table.update(np.array([0]), np.array([value]), np.array([60.0 * minute])).score[0]
    >>> scores = [reading(minute, float(minute % 60 < 20)) for minute in range(6000)]
    >>> bool(max(reading(minute, 1.0) for minute in range(6000, 6120)) > 3)
    True
    """

    shortest_s: float = parameter(
        600.0, "A state that isn't due is reported when it has lasted this long.", unit="s", above=0, at_most=1e6
    )

    name: ClassVar[str] = "states"
    kind: ClassVar[str] = "state"
    catches: ClassVar[frozenset[str]] = frozenset()
    endures: ClassVar[bool] = True
    stays: ClassVar[tuple[str, ...]] = ("since", "last", "stay_since", "stay_last", "stay_until")
    floor: ClassVar[float] = 2.5
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            **levels_layout(),
            **means_layout(),
            **spells_layout(),
            **CHANGES.layout(later=False),
            **ASIDE.layout(later=True),
            **timetable_layout(),
            **plateaus_layout(),
            **rests_layout(),
            **vacancies_layout(),
            **brief_layout(),
            "known": Field(learned=False),
            "until": Field(-NO_CUT, learned=False, moment=True),
            "violated": Field(learned=False),
            "began_undue": Field(learned=False),
            "odd_spent": Field(learned=False, later=True),
            "odd_longest": Field(later=True),
            "about": Field(learned=False),
            "near": Field(learned=False),
            "aside_gap": Field(learned=False, later=True),
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`."""
        scores, stays = no_opinion(values), follow_plateaus(state, slots, values, times)
        rests = follow_rests(state, slots, values, times)
        with_levels = state["levels"][slots] > 0
        if any_of(with_levels):
            quiet = with_levels & self._is_quiet(state, slots, values, times)
            if type(values) is float:
                if quiet:
                    gather_quiet(state, slots, values, times)
                    scores = scores.with_score(0.0 if state["known"][slots] > 0 else NOTHING)
                else:
                    found = self._follow(state, np.array([slots]), np.array([values]), np.array([times]))
                    scores = scores.with_score(float(found[0]))
            else:
                if any_of(quiet):
                    rows = slots[quiet]
                    gather_quiet(state, rows, values[quiet], times[quiet])
                    scores.score[quiet] = np.where(state["known"][rows] > 0, 0.0, NOTHING)
                others = with_levels & ~quiet
                if any_of(others):
                    scores.score[others] = self._follow(state, slots[others], values[others], times[others])
        due = count_readings(state, slots, values)
        if any_of(due):
            self._look(whole_arrays(state), np.atleast_1d(slots)[np.flatnonzero(due)])
        for others, about in ((stays, STAY), (rests, REST)):
            scores = _with_others(state, slots, scores, others, about) if any_of(others > 0) else scores
        return scores

    @staticmethod
    def _is_quiet(state: State, slots: Rows, values: Numbers, times: Numbers) -> Any:
        """Whether nothing needs checking: the value is well within the state, before any deadline of it."""
        in_state = (values >= state["least"][slots]) & (values <= state["most"][slots])
        in_time = (times >= state["last"][slots]) & (times < state["until"][slots])
        return in_state & in_time

    def _look(self, arrays: Arrays, slots: Slots) -> None:
        """Search for levels, and discard earlier ones."""
        look_for_rest(arrays, slots)
        changed = slots[look_for_levels(arrays, slots)]
        if not len(changed):
            return
        of_all = {**levels_layout(), **plateaus_layout(), **rests_layout()}
        for name, field in self.layout().items():
            if name not in of_all:
                lay_blank(arrays[name], changed, field.initial)

    def _follow(self, state: State, slots: Slots, values: Floats, times: Floats) -> Floats:
        """Follow sensors that have levels; returns decades of surprise, or NaN without states."""
        arrays = whole_arrays(state)
        learn_means(arrays, slots)
        before = arrays["state"][slots]
        is_first = before < 0
        passed = np.where(is_first, 0.0, np.clip(times - arrays["last"][slots], 0.0, HOUR_S))
        arrays["last"][slots] = times
        current, level = state_of(arrays, slots, values)
        self._spend(arrays, slots, before, times)
        changed = ~is_first & (current != before)
        if changed.any():
            end_brief_spells(arrays, slots[changed], times[changed], WEEK_S)
            end_spells(arrays, slots[changed], times[changed])
            self._end_odd_time(arrays, slots[changed], times[changed])
        begins = changed | is_first
        arrays["since"][slots] = np.where(begins, times, arrays["since"][slots])
        arrays["worst"][slots] = np.where(begins, 0.0, arrays["worst"][slots])
        arrays["violated"][slots] = np.where(begins & (arrays["odd_spent"][slots] == 0), 0.0, arrays["violated"][slots])
        arrays["state"][slots] = current
        # While a reported condition lasts, its effect on the counts must not silence the detector.
        goes_on = np.logical_or.reduce([arrays[of.crest][slots] > 0 for of in (CHANGES, ASIDE)])
        goes_on |= (arrays["worst"][slots] > USUAL) | (arrays["brief_score"][slots] > 0)
        known = has_states(arrays, slots) | ((arrays["known"][slots] > 0) & goes_on)
        arrays["known"][slots] = known
        take_value(arrays, slots, values, current, level)
        arrays["near"][slots] = level
        moment = np.maximum(passed, self.shortest_s / 10.0)
        vacant = follow_vacancies(arrays, slots, values, times, known & (current == BETWEEN), moment)
        score = self._surprise(arrays, slots, current.astype(np.intp), changed, passed, before, times, known, vacant)
        return np.where(known, score, NOTHING)

    def _spend(self, arrays: Arrays, slots: Slots, before: Floats, times: Floats) -> None:
        """Record the time spent in the last state, and the hour of the week."""
        spent = (before >= 0) & (before < BETWEEN)
        column = np.where(spent, before, 0.0).astype(np.intp)
        passed = np.clip(times - arrays["spent_until"][slots], 0.0, HOUR_S)
        arrays["spent"][slots, column] += np.where(spent, passed, 0.0)
        arrays["watched"][slots] += np.where(before >= 0, passed, 0.0)
        arrays["spent_until"][slots] = times
        cells = cell_of(times)
        entered = cells != arrays["cell"][slots]
        if entered.any():
            enter(arrays, slots[entered], cells[entered])

    def _surprise(
        self,
        arrays: Arrays,
        slots: Slots,
        current: NDArray[np.intp],
        changed: NDArray[np.bool_],
        passed: Floats,
        before: Floats,
        times: Floats,
        known: NDArray[np.bool_],
        vacant: Floats,
    ) -> Floats:
        """Decades of surprise at the sensors' states; also sets when they must be checked again."""
        since, watched = arrays["since"][slots], arrays["watched"][slots]
        length = np.maximum(times - since, 0.0)
        is_between = current == BETWEEN
        chances = np.where(is_between, arrays["spells"][slots].sum(axis=1), arrays["spells"][slots, current])
        enough = chances >= np.where(is_between, FEWEST_ALL, FEWEST_SPELLS)
        enough &= (watched >= EARLY_S) | is_between
        enough &= (watched >= WEEK_S) | ((length < LONG_S) & (current > 0))
        longest = np.maximum(arrays["longest"][slots, current], self.shortest_s / 10.0)
        record = np.where(is_between, np.maximum(longest, passed), longest)
        spread = spread_of(arrays, slots, current, chances)
        score = np.maximum(np.where(known & enough, beyond_record(chances, length / record, spread), 0.0), vacant)
        about = np.where(is_between, VALUE, LENGTH)
        arrays["worst"][slots] = np.maximum(arrays["worst"][slots], score)
        hours, counts = watched / HOUR_S, known & (watched >= EARLY_S)
        rush = count_busy(CHANGES, arrays, slots, changed.astype(np.float64), times, hours, counts)
        aside = self._aside(arrays, slots, passed, before, times, counts)
        undue = self._undue(arrays, slots, current, known)
        began = (since == times) & undue
        arrays["began_undue"][slots] = np.where(since == times, began, arrays["began_undue"][slots])
        until = np.where(known & enough, since + longest, NO_CUT)
        odd = arrays["odd_spent"][slots] + length
        until = np.where(undue, np.minimum(until, times + np.maximum(self.shortest_s - odd, 0.0)), until)
        wrong = self._wrong_hour(arrays, slots, undue & (odd >= self.shortest_s), odd)
        brief = brief_spells(arrays, slots, current, length, longest)
        for other, kind in ((rush, BUSY), (aside, AWAY), (brief, BRIEF), (wrong, HOUR)):
            about = np.where(other > score, kind, about)
            score = np.maximum(score, other)
        arrays["about"][slots] = about
        hour_ends = (np.floor(times / HOUR_S) + 1.0) * HOUR_S
        arrays["until"][slots] = np.where((rush > 0) | (aside > 0) | (brief > 0), -NO_CUT, np.minimum(until, hour_ends))
        return score

    def _aside(
        self, arrays: Arrays, slots: Slots, passed: Floats, before: Floats, times: Floats, counts: NDArray[np.bool_]
    ) -> Floats:
        """Decades of surprise at the time spent outside of the usual states, also if it was short each time."""
        readings, column = arrays["readings"][slots], np.clip(before, 0.0, MOST - 1.0).astype(np.intp)
        seldom = readings[np.arange(len(slots)), column] <= RARE * readings.sum(axis=1)
        apart = np.where((before == BETWEEN) | ((before >= 0) & seldom), passed, 0.0)
        gap = np.maximum(arrays["aside_gap"][slots] * (1.0 - FADING), passed)
        arrays["aside_gap"][slots] = gap
        hours = arrays["watched"][slots] / HOUR_S
        return count_busy(ASIDE, arrays, slots, apart, times, hours, counts, FEWEST_GAPS * gap)

    def _undue(
        self, arrays: Arrays, slots: Slots, current: NDArray[np.intp], known: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Which sensors are in a state that is unusual at this hour."""
        undue: NDArray[np.bool_] = known & (arrays["undue"][slots, current] > 0)
        return undue

    def _end_odd_time(self, arrays: Arrays, slots: Slots, times: Floats) -> None:
        """Add spells that end with these readings to the time in unusual states, from which usual ones are subtracted.

        A compressor that loads and unloads on a Sunday is in one wrong condition, not in a new one each time. A usual
        state for as long as is too long for an unusual one ends that.
        """
        length, state = np.maximum(times - arrays["since"][slots], 0.0), arrays["state"][slots].astype(np.intp)
        odd, spent = arrays["undue"][slots, state] > 0, arrays["odd_spent"][slots]
        over = ~odd & (length >= self.shortest_s)
        longest = arrays["odd_longest"][slots]
        arrays["odd_longest"][slots] = np.where(over, np.maximum(longest * (1.0 - FADING), spent), longest)
        passed = np.where(arrays["began_undue"][slots] > 0, length, np.minimum(length, HOUR_S))
        more = spent + np.where(state == BETWEEN, 0.0, passed)
        arrays["odd_spent"][slots] = np.where(odd, more, np.where(over, 0.0, np.maximum(spent - length, 0.0)))

    def _wrong_hour(self, arrays: Arrays, slots: Slots, wrong: NDArray[np.bool_], odd: Floats) -> Floats:
        """Decades of surprise at states that have lasted too long at an hour when they are unusual.

        A spell that begins then differs from one that continues, such as a night that doesn't end on a holiday: it
        is the more surprising the longer it lasts.

        Args:
            arrays: The detector's state.
            slots: Rows, shape (n,).
            wrong: Whether it is too long, shape (n,).
            odd: Seconds in unusual states so far, shape (n,).
        """
        foretold, began = arrays["foretold"][slots], arrays["began_undue"][slots] > 0
        is_new = wrong & (arrays["violated"][slots] == 0)
        broken = np.where(began, arrays["broken"][slots], arrays["outlasted"][slots])
        arrays["broken"][slots] += is_new & began
        arrays["outlasted"][slots] += is_new & ~began
        arrays["violated"][slots] = np.where(wrong, 1.0, arrays["violated"][slots])
        earlier = np.where(is_new, broken, np.maximum(broken - 1.0, 0.0))
        decades = np.log10((np.minimum(foretold, MOST_FORETOLD) + 1.0) / (earlier + 0.5))
        longer = np.log10(np.maximum(odd / np.maximum(arrays["odd_longest"][slots], HOUR_S), 1.0))
        known = np.minimum(foretold / ENOUGH_FORETOLD, 1.0)
        decades += np.where(began, known * PER_LENGTH * longer, 0.0)
        return np.where(wrong, np.maximum(decades, 0.0), 0.0)

    def measure(self, state: State, slot: int) -> Measure | None:
        """The quantity of the last score: the length of a spell, the changes per hour, or the position of the level."""
        row = {name: array_of(state[name])[slot] for name in self.layout()}
        about = float(row["about"])
        if about not in ABOUT:
            return None
        if about in MEASURED:
            return MEASURED[about](row)
        own = int(row["state"])
        if about in {BUSY, AWAY}:
            of = CHANGES if about == BUSY else ASIDE
            return Measure(float(row[of.amount]), max(float(row[of.busiest]), of.fewest), about=ABOUT[about])
        length = float(row["last"] - row["since"])
        if about == LENGTH:
            return Measure(length, float(row["longest"][own]), about=ABOUT[about])
        usual, name = int(row["near"] if about == VALUE else row["due"]), ABOUT[about]
        if about == HOUR and row["odd_spent"] > 0:
            length, name = length + float(row["odd_spent"]), "hours"
        if usual < 0 or usual == own:
            return Measure(length, NOTHING, about=name)
        reach = 3.0 * float(row["scale"][usual])
        center = float(row["center"][usual])
        return Measure(length, NOTHING, about=name, lower=center - reach, upper=center + reach)

    def pauses(self, arrays: Arrays, row: int) -> bool:
        """See `Detector`: a machine at rest doesn't show what it does at work, nor one that is back where it was."""
        return bool(arrays["rest_active"][row] == 0) or is_where_it_was_told(arrays, row)


def _with_others(state: State, slots: Rows, scores: Scores, others: Numbers, about: float) -> Scores:
    """The scores of readings, or those of plateaus or rests where these are higher."""
    more = (others > 0) & ((scores.score >= others) ^ True)
    if type(more) is bool:
        if more:
            state["about"][slots], scores = about, scores.with_score(others)
    else:
        state["about"][slots[more]], scores.score[more] = about, others[more]
    return scores


def values_of_states(arrays: Arrays) -> list[list[float]]:
    """The values of the states of each sensor, ascending; empty for a sensor without states.

    Args:
        arrays: `known`, `levels` and `center` of the detector's state.
    """
    return [
        center[: int(count)].tolist() if known > 0 else []
        for known, count, center in zip(arrays["known"], arrays["levels"], arrays["center"], strict=True)
    ]
