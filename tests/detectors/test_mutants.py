"""The contract suite finds defects: a sound detector passes, and a detector with one defect fails one check."""

from __future__ import annotations

import itertools
import time as wall
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from detector_contract import CHECKS
from detector_runs import Subject

from detectors.base import Detector, Field, Scores, State
from detectors.numeric.arrays import Floats, Slots
from detectors.numeric.gather import Piece
from detectors.parameters import parameter
from detectors.state import StateError, StateTable


@dataclass(frozen=True)
class Sound(Detector):
    """Finds values that are far from the mean.

    Catches: spikes.
    Blind to: all else.
    Contamination: each reading counts in proportion to the number of readings.
    Warm-up: 10 readings.
    State: 40 bytes per sensor.
    Cost: about 20 array operations per round.
    Source: written for this test.
    Differs: from any detector worth using.

    >>> Sound().name
    'sound'
    """

    memory: float = parameter(50.0, "Readings that the mean remembers.", unit="readings", above=1)

    name = "sound"
    kind = "spike"
    catches = frozenset({"spike"})

    def layout(self) -> dict[str, Field]:
        return {
            "mean": Field(),
            "deviation": Field(),
            "count": Field(),
            "last": Field(learned=False),
            "clock": Field(learned=False, moment=True),
        }

    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        mean, deviation, count = state["mean"][slots], state["deviation"][slots], state["count"][slots]
        residual = np.where(count > 0, values - mean, 0.0)
        share = 1.0 / np.minimum(count + 1.0, self.memory)
        score = np.where(count >= 10, self.surprise(np.abs(residual), deviation), np.nan)
        expected = np.where(count >= 10, mean, np.nan)
        state["mean"][slots] = np.where(count > 0, mean + share * residual, values)
        state["deviation"][slots] = deviation + share * (np.abs(residual) - deviation)
        state["count"][slots] = count + 1.0
        state["last"][slots] = values
        state["clock"][slots] = np.clip(times, -1e12, 1e12)
        return Scores(score, expected, expected - 3.0 * deviation, expected + 3.0 * deviation)

    def surprise(self, away: Floats, deviation: Floats) -> Floats:
        ratio: Floats = away / np.maximum(deviation, 1e-200)
        return np.minimum(ratio, 3.0)


class HalfPrecise(Sound):
    def judge(self, *given: Any) -> Scores:
        scores = super().judge(*given)
        return scores.with_score(scores.score.astype(np.float32))


class Negative(Sound):
    def judge(self, *given: Any) -> Scores:
        scores = super().judge(*given)
        return scores.with_score(scores.score - 0.5)


class Hasty(Sound):
    def judge(self, *given: Any) -> Scores:
        scores = super().judge(*given)
        return scores.with_score(np.nan_to_num(scores.score))


class TakesNothingForZero(Sound):
    def update(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        return super().update(state, slots, np.nan_to_num(values, posinf=0.0, neginf=0.0), times)


class WiseAfterTheEvent(Sound):
    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        scores = super().judge(state, slots, values, times)
        return Scores(
            scores.score, np.where(np.isnan(scores.score), np.nan, state["mean"][slots]), scores.lower, scores.upper
        )


class Silent(Sound):
    __doc__ = "No word of what it does."


class CountsItsBatch(Sound):
    def judge(self, *given: Any) -> Scores:
        scores = super().judge(*given)
        return scores.with_score(scores.score * (1.0 - 1e-6 * len(scores.score)))


class SaysAnotherThingOfOne(Sound):
    takes_one = True

    def update_one(self, state: State, slot: int, value: float, moment: float) -> Scores:
        arrays = {name: np.asarray(each) for name, each in state.items()}
        scores = self.update(arrays, np.array([slot]), np.array([value]), np.array([moment]))
        return Scores(*(float(each[0]) * (1.0 - 1e-15) for each in scores))


class TellsPiecesApart(Sound):
    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        scores = super().judge(state, slots, values, times)
        in_one_piece = any(type(each) is Piece for each in state.values())
        return scores.with_score(scores.score * (1.0 - 1e-15) if in_one_piece else scores.score)


class WantsSortedSlots(Sound):
    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        scores = super().judge(state, slots, values, times)
        return scores.with_score(scores.score * (0.5 if (np.diff(slots) < 0).any() else 1.0))


class LooksAtNeighbours(Sound):
    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        scores = super().judge(state, slots, values, times)
        return scores.with_score(scores.score * (0.5 if (np.abs(values) > 1e5).any() else 1.0))


class PrefersLowSlots(Sound):
    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        scores = super().judge(state, slots, values, times)
        return scores.with_score(scores.score * np.where(slots < 10, 1.0, 0.5))


CALLS = itertools.count()


class CountsItsCalls(Sound):
    def judge(self, *given: Any) -> Scores:
        scores = super().judge(*given)
        return scores.with_score(scores.score * (1.0 - 1e-9 * next(CALLS)))


class WatchesTheClock(Sound):
    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        return super().judge(state, slots, values + 0.0 * wall.monotonic(), times)


class TidiesItsInput(Sound):
    def update(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        scores = super().update(state, slots, values, times)
        values[np.isnan(values)] = 0.0
        return scores


class SharesItsBand(Sound):
    def judge(self, *given: Any) -> Scores:
        scores = super().judge(*given)
        return Scores(scores.score, scores.expected, scores.lower, scores.lower)


class RemembersByItself(Sound):
    def judge(self, *given: Any) -> Scores:
        object.__setattr__(self, "rounds", getattr(self, "rounds", 0) + 1)
        return super().judge(*given)


class Overflows(Sound):
    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        scores = super().judge(state, slots, values, times)
        state["last"][slots] = values**4
        return scores


class ExplodesWhenFlat(Sound):
    def surprise(self, away: Floats, deviation: Floats) -> Floats:
        return np.minimum(away / np.maximum(deviation, 1e-12), 300.0)


class DividesByTime(Sound):
    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        elapsed = times - state["clock"][slots]
        scores = super().judge(state, slots, values, times)
        state["last"][slots] = 1.0 / elapsed
        return scores


class KnowsNotWhatIsATime(Sound):
    def layout(self) -> dict[str, Field]:
        return {**super().layout(), "clock": Field(learned=False)}


class RulesOutWithoutALimit(Sound):
    def judge(self, *given: Any) -> Scores:
        scores = super().judge(*given)
        return Scores(*scores, learned=np.full_like(scores.score, np.nan), ruled=scores.score)


class SharesItsLayout(Sound):
    def layout(self) -> dict[str, Field]:
        if "shared" not in vars(self):
            object.__setattr__(self, "shared", super().layout())
        shared: dict[str, Field] = vars(self)["shared"]
        return shared


class GrowsAnew(StateTable):
    def grow(self, rows: int) -> None:
        self.arrays = type(self)(self.detector, rows).arrays
        self.rows = rows


class ForgetsWhatIsLearnedOnly(StateTable):
    def reset(self, slots: Slots) -> None:
        kept = self.arrays["last"].copy()
        super().reset(slots)
        self.arrays["last"] = kept


class SavesWhatIsLearnedOnly(StateTable):
    def to_bytes(self) -> bytes:
        fewer = StateTable(self.detector, self.rows)
        fewer.arrays = {**self.arrays, "last": np.zeros(self.rows)}
        return fewer.to_bytes()


class TakesAnything(StateTable):
    def from_bytes(self, saved: bytes) -> None:
        try:
            super().from_bytes(saved)
        except StateError:
            return


def broken(detector: type[Detector]) -> Callable[[], Subject]:
    return lambda: Subject(detector())


def mishandled(table: type[StateTable]) -> Callable[[], Subject]:
    return lambda: Subject(Sound(), table)


MUTANTS: dict[str, Callable[[], Subject]] = {
    "shapes_and_dtypes": broken(HalfPrecise),
    "score_is_non_negative_or_nan": broken(Negative),
    "cold_start_has_no_opinion": broken(Hasty),
    "nan_in_nan_out_nothing_learned": broken(TakesNothingForZero),
    "expected_made_before_the_value_is_seen": broken(WiseAfterTheEvent),
    "documented": broken(Silent),
    "batching_does_not_matter": broken(CountsItsBatch),
    "a_single_reading_is_a_round_of_one": broken(SaysAnotherThingOfOne),
    "order_inside_a_batch_does_not_matter": broken(WantsSortedSlots),
    "consecutive_rows_are_like_any_others": broken(TellsPiecesApart),
    "what_the_operator_rules_out_is_told_apart": broken(RulesOutWithoutALimit),
    "sensors_are_independent": broken(LooksAtNeighbours),
    "slot_number_does_not_matter": broken(PrefersLowSlots),
    "deterministic": broken(CountsItsCalls),
    "no_clock_no_randomness": broken(WatchesTheClock),
    "inputs_untouched": broken(TidiesItsInput),
    "no_aliasing": broken(SharesItsBand),
    "nothing_changes_but_declared_state": broken(RemembersByItself),
    "growing_keeps_state": mishandled(GrowsAnew),
    "reset_is_fresh_and_only_there": mishandled(ForgetsWhatIsLearnedOnly),
    "state_round_trips_through_bytes_without_pickle": mishandled(SavesWhatIsLearnedOnly),
    "state_is_detached": broken(SharesItsLayout),
    "wrong_state_refused": mishandled(TakesAnything),
    "finite_at_extremes": broken(Overflows),
    "a_flat_line_does_not_explode": broken(ExplodesWhenFlat),
    "odd_clocks_survived": broken(DividesByTime),
    "a_clock_that_is_set_changes_nothing": broken(KnowsNotWhatIsATime),
}

INHERENT = {
    # A result that changes from call to call differs between any two runs, whatever else is changed.
    "deterministic": {
        "batching_does_not_matter",
        "order_inside_a_batch_does_not_matter",
        "consecutive_rows_are_like_any_others",
        "sensors_are_independent",
        "slot_number_does_not_matter",
        "growing_keeps_state",
        "reset_is_fresh_and_only_there",
        "state_round_trips_through_bytes_without_pickle",
        "a_clock_that_is_set_changes_nothing",
    },
}


def failing(subject: Callable[[], Subject]) -> set[str]:
    failed = set()
    for name, check in CHECKS.items():
        try:
            check(subject())
        except AssertionError:
            failed.add(name)
    return failed


def test_a_sound_detector_passes() -> None:
    assert failing(broken(Sound)) == set()


def test_every_property_has_a_mutant() -> None:
    assert set(MUTANTS) == set(CHECKS)


@pytest.mark.parametrize("property_name", MUTANTS)
def test_the_mutant_fails_its_own_check_and_no_other(property_name: str) -> None:
    found = failing(MUTANTS[property_name])
    assert property_name in found
    assert found - INHERENT.get(property_name, set()) == {property_name}
