"""Profiles: the sensors under one profile, and what its detectors have learned about them.

Devices have groups of their own: their readings are rows of values, one per channel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import ge
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.notation.preferences import NONE, ReportingPreferences
from config.schema import IncidentSettings
from detectors.base import LARGEST, Detector, Scores
from detectors.multivariate.base import VectorDetector, ratio_of
from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import NOTHING, bounded, constant_like, known_maximum, minimum, pick
from detectors.numeric.gather import Familiar, roomy
from detectors.state import StateTable
from edge.core.model.notation.severity import WORST_SEVERITY
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.levels.calibration import HIGHEST
from edge.core.scoring.limit_conditions import MOST_BESIDE_LIMITS, BrokenLimit, has_limits
from edge.core.scoring.opinions import OF_LEVELS, Observation, Opinion
from edge.core.scoring.preferences import apply_preferences, is_too_small

LEVELS = (3.0, 12.0)
"""Bounds of the raising level in decades, whatever the budget and rate."""


@dataclass(frozen=True)
class Profile:
    """A profile: the detectors for a kind of sensor, and how their scores become incidents.

    Attributes:
        detectors: In the registry's order.
        incidents: Settings that define when scores become an incident.
        counter: Whether its sensors are counters; None to detect it.
        preferences: Which deviations to report, and the severity of incidents.
    """

    detectors: tuple[Detector, ...]
    incidents: IncidentSettings
    counter: bool | None = None
    preferences: ReportingPreferences = NONE

    def level_at(self, interval: Floats) -> Floats:
        """The raising level of sensors with a reading every `interval` seconds, in decades, shape (n,).

        The configured threshold if there is one, otherwise the surprise that chance alone reaches as often as the
        budget allows: readings per day times detectors of readings, divided by false alarms per day.
        """
        settings = self.incidents
        if settings.threshold is not None:
            return np.full(len(interval), settings.threshold)
        detectors = sum(not each.is_daily for each in self.detectors)
        chances = 86_400.0 * max(1, detectors) / settings.false_alarms_per_sensor_per_day
        level: Floats = bounded(np.log10(chances / np.maximum(interval, 1e-9)), *LEVELS)
        return level

    def with_budget(self, false_alarms: float) -> Profile:
        """The same profile with a budget of false alarms per sensor and day, and without a configured threshold."""
        incidents = self.incidents.replaced(false_alarms_per_sensor_per_day=false_alarms, threshold=None)
        return Profile(self.detectors, incidents, self.counter, self.preferences)


def exceeds_any(scores: Sequence[Numbers], levels: Sequence[Numbers]) -> tuple[Any, Numbers]:
    """Whether any score reaches its level, and the lowest of the levels; shape (n,).

    Args:
        scores: Scores of each detector in decades, or NaN, shape (detectors, n).
        levels: Their raising levels, shape (detectors, n).
    """
    if isinstance(scores, np.ndarray):
        return np.logical_or.reduce(scores >= levels, axis=0), np.minimum.reduce(levels, axis=0, initial=HIGHEST)
    return any(map(ge, scores, levels)), min([HIGHEST, *levels])


EVERYONE = slice(None)


class Places(SensorArrays):
    """Group and row of each sensor's state, in the order of the sensor table.

    Attributes:
        group: Index of its group.
        row: Its row in the tables of that group.
    """

    def __init__(self) -> None:
        self.group = np.zeros(0, dtype=np.intp)
        self.row = np.zeros(0, dtype=np.intp)
        self._known = 0

    def grow(self, members: Sequence[tuple[Group, int]], order: Sequence[Group]) -> None:
        """Record new sensors, given the group and row of all; known ones are unchanged."""
        self.grow_to(len(members))
        places = {id(group): place for place, group in enumerate(order)}
        for slot in range(self._known, len(members)):
            group, self.row[slot] = members[slot]
            self.group[slot] = places[id(group)]
        self._known = len(members)

    def move(self, slot: int, member: tuple[Group, int], order: Sequence[Group]) -> None:
        """Record that a sensor's state has moved."""
        group, self.row[slot] = member
        self.group[slot] = order.index(group)

    def by_group(self, slots: Slots, order: Sequence[Group]) -> Iterator[tuple[Group, slice | NDArray[np.bool_]]]:
        """The groups of sensors, each with a mask of the sensors in it; `order` has all groups."""
        membership = self.group[slots]
        present: list[int] = np.unique(membership).tolist() if len(order) > 1 else [0]
        for which in present:
            mine = membership == which
            yield order[which], EVERYONE if mine.all() else mine


class Group:
    """The sensors of one profile; each sensor has the same row in the tables of all detectors."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.tables = [StateTable(detector) for detector in profile.detectors]
        self.familiar = Familiar()
        self.count = 0
        self._vacant: list[int] = []
        self.lingering = frozenset(each.name for each in profile.detectors if each.lingers)
        self.enduring = frozenset(each.name for each in profile.detectors if each.endures)
        self.knowing_times = frozenset(each.name for each in profile.detectors if each.knows_times)
        self.of_levels = (
            frozenset(each.name for each in profile.detectors if each.kind in OF_LEVELS) - self.knowing_times
        )
        self.relearning = frozenset(each.name for each in profile.detectors if each.relearns)
        vector = [each for each in profile.detectors if isinstance(each, VectorDetector)]
        self.channels = vector[0].channels if vector else 0
        self._patient = [each for each in self.tables if type(each.detector).patience is not Detector.patience]
        self._judging = [place for place, each in enumerate(profile.detectors) if each.scores_readings]
        self.judges = [profile.detectors[place] for place in self._judging]
        self._rhythms = [each for each in self.tables if each.detector.kind == "missing"]
        self._by_arrival = [each in self._rhythms for each in self.tables]
        self._takes_one = all(each.takes_one for each in profile.detectors)
        self._of_values = [not each.follows_pace for each in profile.detectors]
        self.most_severe = MOST_BESIDE_LIMITS if any(map(has_limits, profile.detectors)) else WORST_SEVERITY
        self.silence = next((each.name for each in profile.detectors if each.kind == "missing"), None)

    @property
    def of_devices(self) -> bool:
        """Whether the group consists of devices."""
        return self.channels > 0

    def add(self) -> int:
        """Make room for another sensor; returns its row."""
        if self._vacant:
            return self._vacant.pop()
        row = self.count
        self.count += 1
        for table in self.tables:
            if row >= table.rows:
                table.grow(roomy(row + 1, table.rows))
        return row

    def clear(self, row: int) -> None:
        """Reset the state of a sensor."""
        for table in self.tables:
            table.reset(np.array([row]))

    def leave(self, row: int) -> None:
        """Free a row for another sensor."""
        self.clear(row)
        self._vacant.append(row)

    def update(
        self, rows: Slots, values: Floats, seen: Floats, times: Floats, waited: Floats, held: np.ndarray
    ) -> list[Scores]:
        """Score readings with every detector, then learn, except for the sensors marked in `held`.

        Args:
            rows: Rows of their sensors, shape (n,).
            values: Values, shape (n,); for devices, rows of values.
            seen: Values, or for counters the pace or NaN, for the detectors that use it.
            times: Times, seconds since the epoch, shape (n,).
            waited: Waiting time of the sensors, see `SensorStatistics`: silence depends on when readings arrive, not on
                their timestamps, since one message may contain a day's readings.
            held: Whether nothing is learned from the reading, shape (n,).
        """
        verdicts = [
            table.update(rows, values if of_values else seen, waited if by_arrival else times, held)
            for table, of_values, by_arrival in zip(self.tables, self._of_values, self._by_arrival, strict=True)
        ]
        return self._with_preferences(verdicts, seen)

    def update_one(
        self, row: int, value: float, seen: float, time: float, waited: float, *, held: bool
    ) -> list[Scores]:
        """Score and learn a single reading."""
        of_each = zip(self.tables, self._of_values, self._by_arrival, strict=True)
        if self._takes_one and not held and abs(value) <= LARGEST and abs(seen) <= LARGEST:
            verdicts = [
                table.detector.judge(
                    table.views.cells, row, value if of_values else seen, waited if by_arrival else time
                )
                for table, of_values, by_arrival in of_each
            ]
        else:
            verdicts = [
                table.update_one(row, value if of_values else seen, waited if by_arrival else time, held=held)
                for table, of_values, by_arrival in of_each
            ]
        return self._with_preferences(verdicts, seen)

    def hear(self, row: int, value: float, waited: float) -> None:
        """Learn that a sensor reports, but nothing from its value."""
        for table in self._rhythms:
            table.update_one(row, value, waited, held=False)

    def kept(self, row: int) -> list[dict[str, Any]]:
        """The state of a sensor's detectors, for `put_back()`."""
        return [{name: np.copy(array[row]) for name, array in table.arrays.items()} for table in self.tables]

    def put_back(self, row: int, kept: list[dict[str, Any]]) -> None:
        """Restore the state returned by `kept()`."""
        for table, arrays in zip(self.tables, kept, strict=True):
            for name, array in arrays.items():
                table.arrays[name][row] = array

    def scores(self, verdicts: list[Scores], like: Numbers) -> Any:
        """The scores of the `judges`, shape (judges, n), where `like` has shape (n,)."""
        scores = [verdicts[place].learned for place in self._judging]
        return scores if type(like) is float else np.array(scores).reshape(len(scores), len(like))

    def ruled(self, verdicts: list[Scores]) -> Numbers | None:
        """The highest scores by operator-defined limits; None if there are no limits.

        The budget doesn't apply to these: a configured limit counts however often it is broken.
        """
        ruled = None
        for verdict in verdicts:
            if verdict.ruled is not None:
                ruled = verdict.ruled if ruled is None else known_maximum(ruled, verdict.ruled)
        return ruled

    def fitting(self, values: Floats) -> Floats:
        """Rows of values with as many columns as the detectors expect; NaN in added ones."""
        fitted = np.full((len(values), self.channels), np.nan)
        fitted[:, : values.shape[1]] = values[:, : self.channels]
        return fitted

    def distances(self, verdicts: list[Scores]) -> Floats:
        """The distance of devices from the ordinary, relative to the largest usual one; 0 while unknown."""
        farthest = np.zeros(len(verdicts[0].score))
        for detector, verdict in zip(self.profile.detectors, verdicts, strict=True):
            if isinstance(detector, VectorDetector):
                farthest = np.fmax(farthest, np.sqrt(ratio_of(verdict.score, detector.usual)))
        return farthest

    def shares(self, observation: Observation, row: int) -> list[float]:
        """The share of each channel of a device in the score of the detector with the highest one, for the last row."""
        for table in self.tables if observation.opinions else ():
            if isinstance(table.detector, VectorDetector) and table.detector.name == observation.opinions[0].detector:
                shares: list[float] = table.detector.shares(table.arrays, row).tolist()
                return shares
        return []

    def opinions(self, verdicts: list[Scores], levels: list[float], index: int, row: int) -> list[Opinion]:
        """The opinions of all detectors about one reading of a round.

        Args:
            verdicts: Scores of all detectors.
            levels: Raising levels of the `judges`, in their order.
            index: Position of the reading in the round.
            row: Row of its sensor, whose last reading it is.

        Returns:
            Opinions, the one furthest beyond its detector's level first.
        """
        opinions = []
        for place, level in zip(self._judging, levels, strict=True):
            detector, verdict = self.profile.detectors[place], verdicts[place]
            score = pick(verdict.learned, index)
            if not math.isnan(score):
                opinion = Opinion(detector.name, detector.kind, score, *verdict.at(index, level)[1:], level=level)
                measure = detector.measure(self.tables[place].arrays, row) if opinion.exceeds else None
                if measure is not None:
                    opinion.now, opinion.usual, opinion.about = measure.now, measure.usual, measure.about
                    if not (math.isnan(measure.lower) and math.isnan(measure.upper)):
                        opinion.lower, opinion.upper = measure.lower, measure.upper
                    if is_too_small(opinion, self.profile.preferences):
                        opinion.score = 0.0
                opinions.append(opinion)
        opinions.sort(key=lambda each: -each.ratio)
        return opinions

    def broken_limits(self, verdicts: list[Scores], index: int, row: int) -> list[BrokenLimit]:
        """The operator-defined limits broken by one reading of a round, the last one of the sensor."""
        broken: list[BrokenLimit] = []
        for table, verdict in zip(self.tables, verdicts, strict=True):
            score = NOTHING if verdict.ruled is None else pick(verdict.ruled, index)
            if score > 0:
                detector, (_, _, lower, upper) = table.detector, verdict.at(index)
                broken += [
                    BrokenLimit(detector.name, detector.kind, *limit, lower, upper)
                    for limit in detector.broken(table.arrays, row, score)
                ]
        return broken

    def patience(self, rows: Rows, decades: Numbers) -> Numbers:
        """Seconds of silence after which the most sensitive detector reaches `decades`, shape (n,)."""
        patience = constant_like(decades, math.inf)
        for table in self._patient:
            patience = minimum(patience, table.patience(rows, decades))
        return patience

    def forget_values(self, row: int) -> None:
        """Discard what was learned from a sensor's values, because it has become a counter or a gauge."""
        for table, of_values in zip(self.tables, self._of_values, strict=True):
            if not of_values:
                table.reset(np.array([row]))

    def forget_silence(self, row: int) -> None:
        """Discard what was learned of a sensor's reporting interval; what was learned of its values is kept."""
        for table in self.tables:
            if table.detector.kind == "missing":
                table.reset(np.array([row]))

    def pauses(self, row: int) -> bool:
        """Whether a sensor's last reading can't show that what was found while it was at work is over."""
        return any(table.detector.pauses(table.arrays, row) for table in self.tables)

    def resume(self, row: int, after: float) -> None:
        """Prepare for the first reading of a sensor after a silence of so many seconds that was reported."""
        self.pass_without_value(row, after)
        for table in self.tables:
            table.detector.returns(table.arrays, row)

    def pass_without_value(self, row: int, passed: float) -> None:
        """Let so many seconds pass in which a sensor had no value, so that it stayed at none."""
        for table in self.tables:
            for name in table.detector.stays:
                table.arrays[name][row] += passed

    def relearn(self, row: int) -> None:
        """Start learning a sensor's level anew, in the detectors that know only one."""
        for table in self.tables:
            if table.detector.relearns:
                table.reset(np.array([row]))

    def adopt(self, row: int, value: float) -> None:
        """Start learning a sensor's new level: detectors drop or move whatever would only blur it.

        Args:
            row: Its row.
            value: Its last value.
        """
        self.relearn(row)
        for table in self.tables:
            table.detector.adopt(table.arrays, row, value)

    def shift(self, row: int, by: float) -> None:
        """Shift a sensor's times by `by` seconds after a step of the clock that timestamps them."""
        for table, by_arrival in zip(self.tables, self._by_arrival, strict=True):
            if not by_arrival:
                table.shift(np.array([row]), by)

    def _with_preferences(self, verdicts: list[Scores], seen: Numbers) -> list[Scores]:
        """The scores after applying the operator's preferences, see `edge.core.scoring.preferences`."""
        preferences = self.profile.preferences
        return (
            apply_preferences(verdicts, self.profile.detectors, seen, preferences) if preferences.filters else verdicts
        )
