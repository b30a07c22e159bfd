"""Detectors that look at a device's sensors together: the contract of both, and what each of them finds."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import DEVICE_DETECTORS
from detectors.base import Scores
from detectors.multivariate.base import (
    MEMORY,
    SAMPLE,
    SHORT_FAULT,
    SLOWEST_FAULT,
    VectorDetector,
    decades,
    in_order,
    ratio_of,
)
from detectors.multivariate.correlation import Correlation
from detectors.multivariate.shift import BEFORE, RECENT, Shift
from detectors.numeric.arrays import Floats
from detectors.parameters import ParameterError
from detectors.state import SavedState, StateTable

WARM_UP = 400
CHANNELS = 6
SUSPECT = 6.0
BOTH = pytest.mark.parametrize("kind", DEVICE_DETECTORS.values(), ids=DEVICE_DETECTORS)
Kind = type[VectorDetector]


def device(rows: int, seed: int = 1) -> Floats:
    """Four sensors driven by two hidden causes, a constant one, and an independent one."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(rows, 2))
    mixing = np.array([[1.0, 0.5], [2.0, -1.0], [-1.0, 1.0], [0.3, 2.0]])
    moved = causes @ mixing.T + 0.1 * rng.normal(size=(rows, 4))
    return np.column_stack([moved * [1, 10, 0.1, 5] + [0, 300, 7, -20], np.full(rows, 3.3), rng.normal(size=rows)])


class Watch:
    """Devices scored by a detector, one row per device at a time."""

    def __init__(self, detector: VectorDetector, devices: int = 1, interval_s: float = 60.0) -> None:
        self.table = StateTable(detector, devices)
        self.row = 0
        self.interval_s = interval_s

    def see(self, *devices: Floats, held: bool = False) -> Floats:
        """Scores of some rows of the first devices, shape (rows, devices)."""
        slots = np.arange(len(devices))
        told = []
        for values in np.stack(devices, axis=1):
            now = np.full(len(slots), 1e9 + self.interval_s * self.row)
            self.row += 1
            told.append(self.table.update(slots, values, now, np.full(len(slots), held)).score)
        return np.array(told)

    def shares(self, slot: int = 0) -> Floats:
        detector = self.table.detector
        assert isinstance(detector, VectorDetector)
        return detector.shares(self.table.arrays, slot)


def taught(kind: Kind, *seeds: int, rows: int = 1000) -> Watch:
    watch = Watch(kind(channels=CHANNELS, warm_up=WARM_UP), max(1, len(seeds)))
    watch.see(*(device(rows, seed) for seed in seeds or (1,)))
    return watch


def arrays(watch: Watch) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in watch.table.arrays.items()}


@BOTH
def test_no_score_is_given_before_the_end_of_the_warm_up(kind: Kind) -> None:
    scores = Watch(kind(channels=CHANNELS, warm_up=WARM_UP)).see(device(WARM_UP + 5))[:, 0]
    assert np.isnan(scores[:WARM_UP]).all()
    assert np.isfinite(scores[WARM_UP:]).all()


@pytest.mark.long
@BOTH
def test_devices_are_independent_and_their_order_does_not_matter(kind: Kind) -> None:
    together, apart = taught(kind, 1, 2, 3), [taught(kind, seed) for seed in (1, 2, 3)]
    rows = [device(60, seed) for seed in (4, 5, 6)]
    told = together.see(*rows)
    for index, each in enumerate(apart):
        assert np.array_equal(told[:, index], each.see(rows[index])[:, 0])
        assert np.array_equal(together.shares(index), each.shares())
    backward = taught(kind, 3, 2, 1)
    assert np.array_equal(backward.see(*rows[::-1])[:, ::-1], told)


@BOTH
def test_a_device_continues_from_its_saved_state(kind: Kind) -> None:
    watch = taught(kind, 1, 2)
    other = Watch(watch.table.detector, 1)  # type: ignore[arg-type]
    other.table.from_bytes(watch.table.to_bytes())
    other.row = watch.row
    rows = device(SAMPLE, 7)
    assert np.array_equal(watch.see(rows, rows), other.see(rows, rows))
    assert arrays(watch) == arrays(other)


@pytest.mark.long
@BOTH
def test_a_device_that_is_held_is_judged_but_not_learned(kind: Kind) -> None:
    learning, held, reset = taught(kind), taught(kind), taught(kind)
    before = arrays(held)
    rows = device(300, 8) * [1, 1, 1, 1, 1, 3]
    assert np.isfinite(held.see(rows, held=True)).all()
    learning.see(rows)
    learned = [name for name, field in held.table.fields.items() if field.learned]
    assert all(arrays(held)[name] == before[name] for name in learned)
    assert any(arrays(held)[name] != arrays(learning)[name] for name in learned)
    reset.table.reset(np.array([0]))
    assert arrays(reset) == arrays(Watch(reset.table.detector))  # type: ignore[arg-type]


@BOTH
def test_extreme_and_missing_values_keep_everything_finite(kind: Kind) -> None:
    watch = taught(kind)
    rng = np.random.default_rng(9)
    odd = rng.choice([1e300, -1e300, 5e-324, 0.0, np.nan, np.inf, -np.inf, 1.0], size=(500, CHANNELS))
    told = watch.see(odd)
    assert not np.isinf(told).any()
    assert (told[np.isfinite(told)] >= 0).all()
    assert watch.see(np.full((200, CHANNELS), np.nan)).shape == (200, 1)
    assert np.isnan(watch.see(np.full((1, CHANNELS), np.nan))).all()


@pytest.mark.long
@BOTH
def test_rows_like_earlier_ones_are_ordinary(kind: Kind) -> None:
    watch = taught(kind, rows=4000)
    assert np.mean(watch.see(device(3000, 11)) > SUSPECT) < 0.002


@BOTH
def test_the_shares_of_a_score_add_up_to_one(kind: Kind) -> None:
    watch = taught(kind)
    assert Watch(watch.table.detector).shares().tolist() == [0.0] * CHANNELS  # type: ignore[arg-type]
    shifted = device(40, 3)
    shifted[35:, 5] += 20.0
    watch.see(shifted)
    shares = watch.shares()
    assert shares.sum() == pytest.approx(1.0)
    assert (shares >= 0).all()
    assert shares.argmax() == 5


@BOTH
def test_a_sensor_that_never_varied_is_left_out(kind: Kind) -> None:
    one, other = taught(kind), taught(kind)
    rows = device(100, 3)
    stepped = rows.copy()
    stepped[:, 4] = 99.0
    assert np.array_equal(one.see(rows), other.see(stepped))


@BOTH
def test_a_counter_is_left_out_even_if_it_is_sometimes_reset(kind: Kind) -> None:
    rows = np.column_stack([device(1200), np.arange(1200.0) % 500])
    watch = Watch(kind(channels=CHANNELS + 1, warm_up=WARM_UP))
    told = watch.see(rows)[WARM_UP:, 0]
    assert told.max() < SUSPECT
    assert watch.shares()[-1] == 0.0


@pytest.mark.long
@BOTH
def test_the_sample_represents_all_earlier_rows(kind: Kind) -> None:
    watch = Watch(kind(channels=2, warm_up=WARM_UP))
    count = 6000
    watch.see(np.column_stack([np.arange(count, dtype=float) ** 2, np.arange(count, dtype=float)]))
    sample = watch.table.arrays["sample"][0].reshape(SAMPLE, 2)
    assert np.isfinite(sample).all()
    if kind is Correlation:
        quarters = np.histogram(sample[:, 1], bins=4, range=(0, count))[0]
        assert (abs(quarters - SAMPLE / 4) < SAMPLE / 8).all()
    assert watch.table.arrays["sampled"][0] > count - RECENT - BEFORE - 1
    assert 0 < watch.table.arrays["fitted"][0] <= count


@BOTH
def test_the_sample_is_known_by_the_order_of_its_rows(kind: Kind) -> None:
    watch = Watch(kind(channels=2, warm_up=WARM_UP))
    count = np.arange(1500, dtype=float)
    watch.see(np.column_stack([count**2, count**2]))
    sample = watch.table.arrays["sample"][0].reshape(SAMPLE, 2)[:, 0]
    assert (np.diff(sample[in_order(int(watch.table.arrays["sampled"][0]))]) > 0).all()
    assert (np.diff(sample) < 0).any()


@pytest.mark.parametrize("warm_up", [WARM_UP, 2 * SHORT_FAULT + 100])
@BOTH
def test_a_young_model_is_fitted_again_when_half_as_many_rows_have_come(kind: Kind, warm_up: int) -> None:
    watch = Watch(kind(channels=2, warm_up=warm_up))
    fits = set()
    for row in device(warm_up + warm_up // 2 + SHORT_FAULT)[:, :2]:
        watch.see(row[None])
        fits.add(int(watch.table.arrays["fitted"][0]))
    _, first, second, *_ = sorted(fits)
    assert second - first == max((first + 1) // 2, SHORT_FAULT)


@pytest.mark.long
@BOTH
def test_a_model_is_not_fitted_again_while_a_fault_may_be_in_progress(kind: Kind) -> None:
    watch = Watch(kind(channels=CHANNELS, warm_up=2 * SLOWEST_FAULT + BEFORE + RECENT))
    watch.see(device(2 * SLOWEST_FAULT + BEFORE + RECENT + 1))
    fitted = watch.table.arrays["fitted"][0]
    watch.see(device(SLOWEST_FAULT - 10, 2))
    assert watch.table.arrays["fitted"][0] == fitted
    watch.see(device(20, 3))
    assert watch.table.arrays["fitted"][0] == fitted + SLOWEST_FAULT
    assert MEMORY / 16 > SLOWEST_FAULT


def test_the_first_night_of_a_room_is_not_unusual() -> None:
    rng = np.random.default_rng(4)
    day = np.sin(2 * np.pi * np.arange(1440) / 1440)
    room = np.column_stack([21 + 2.2 * day, 45 - 6.0 * day]) + rng.normal(size=(1440, 2)) * [0.2, 0.9]
    watch = Watch(Correlation(channels=2, warm_up=WARM_UP))
    assert np.nanmax(watch.see(room)) < SUSPECT / 2


def usual_distance_after_a_move(interval_s: float) -> float:
    """Usual Q of a device whose last quarter of the sample is elsewhere, with readings at this interval."""
    rows = device(WARM_UP)
    rows[3 * WARM_UP // 4 :, 0] += 6.0
    watch = Watch(Correlation(channels=CHANNELS, warm_up=WARM_UP), interval_s=interval_s)
    watch.see(rows)
    return float(watch.table.arrays["most"][0, 1])


def test_the_usual_distance_in_a_sample_of_minutes_is_that_of_its_own_rows() -> None:
    in_minutes, in_hours = usual_distance_after_a_move(1.0), usual_distance_after_a_move(60.0)
    assert in_hours > 2 * in_minutes


def test_a_broken_correlation_is_found_although_each_sensor_looks_ordinary() -> None:
    watch = taught(Correlation)
    rng = np.random.default_rng(2)
    cause = np.repeat(rng.normal(size=(20, 2)), 40, axis=0)
    watch.see(device(100, 12))
    whole, broken = device(800, 13), device(800, 13)
    broken[:, 1] = 300.0 - (broken[:, 1] - 300.0) + 12.0 * cause[:, 0]
    assert watch.see(whole)[50:].max() < SUSPECT
    row = next(row for row in range(len(broken)) if watch.see(broken[row : row + 1])[0, 0] > SUSPECT)
    assert row < 100
    assert watch.shares().argmax() == 1


def test_a_shift_is_found_at_its_beginning_and_its_end() -> None:
    watch = taught(Shift, rows=2000)
    rows = device(800, 14)
    rows[300:600, 5] += 6.0
    told = np.flatnonzero(watch.see(rows, held=True)[:, 0] > 4.5)
    assert any(300 <= row < 300 + RECENT for row in told)
    assert any(600 <= row < 600 + RECENT for row in told)
    assert not any(300 + RECENT + BEFORE <= row < 600 or row < 300 for row in told)


def test_a_missing_sensor_is_estimated_from_the_others() -> None:
    watch, whole = taught(Correlation), taught(Correlation)
    rows = device(400, 15)
    rows[:, :4] += np.array([1.0, 20.0, -0.1, 1.5])  # along the first cause: extreme, but consistent
    missing = rows.copy()
    missing[:, 1] = np.nan
    told, of_all = watch.see(missing)[50:, 0], whole.see(rows)[50:, 0]
    assert told.max() < of_all.max() + 1.0
    assert watch.shares()[1] == 0.0


def test_a_row_of_one_value_has_no_score() -> None:
    watch = taught(Correlation)
    alone = np.full((3, CHANNELS), np.nan)
    alone[:, 0] = 1e6
    assert np.isnan(watch.see(alone)).all()


def test_a_ratio_and_its_decades_are_equivalent() -> None:
    ratio = np.array([0.5, 1.0, 20.0])
    assert ratio_of(decades(ratio, 0.995), 0.995) == pytest.approx(ratio)
    assert decades(np.array([1.0]), 0.99) == pytest.approx([2.0])


@pytest.mark.parametrize(("setting", "value"), [("channels", 1), ("channels", 65), ("warm_up", 199)])
def test_a_setting_out_of_range_is_refused(setting: str, value: int) -> None:
    with pytest.raises(ParameterError, match=setting):
        Correlation(**{setting: value})  # type: ignore[arg-type]


def test_scores_have_the_shape_of_the_devices() -> None:
    watch = taught(Shift, 1, 2)
    scores = watch.table.update(np.arange(2), np.zeros((2, CHANNELS)), np.zeros(2))
    assert isinstance(scores, Scores)
    assert all(each.shape == (2,) and each.dtype == np.float64 for each in scores)
    assert watch.table.update(np.arange(0), np.zeros((0, CHANNELS)), np.zeros(0)).score.shape == (0,)


def excursion(watch: Watch, *, returns: bool, drifts: float) -> Floats:
    """Scores of 400 rows: one channel is wrong, throughout or in the first 200 rows only, while another one drifts."""
    rows = device(400, 12)
    rows[: 200 if returns else 400, 0] += 60.0
    rows[:, 5] += np.minimum(np.arange(400) / 200, 1.0) * drifts
    scores = np.zeros(400)
    is_open = False
    for row in range(400):
        scores[row] = watch.see(rows[row : row + 1], held=is_open)[0, 0]
        is_open = bool(scores[row] >= SUSPECT)
    return scores


@pytest.mark.long
def test_drift_keeps_no_incident_open_once_its_cause_is_over() -> None:
    scores = excursion(taught(Correlation), returns=True, drifts=8.0)
    assert (scores[40:200] > SUSPECT).all()
    assert (scores[330:] < SUSPECT).all()
    assert (excursion(taught(Correlation), returns=False, drifts=8.0)[40:] > SUSPECT).all()


def test_new_faults_after_an_excursion_are_found_although_the_device_settles() -> None:
    watch = taught(Correlation)
    assert (excursion(watch, returns=True, drifts=8.0)[330:] < SUSPECT).all()
    rows = device(60, 13)
    rows[:, 5] += 8.0
    rows[:, 1] += 900.0
    assert (watch.see(rows)[30:, 0] > SUSPECT).all()


def test_a_correlation_saved_before_excursions_were_followed_continues() -> None:
    watch = taught(Correlation)
    saved = SavedState.from_bytes(watch.table.to_bytes())
    for name in ("level", "excursion", "held", "away", "settling", "drift"):
        del saved.arrays[name]
    assert saved.belongs_to(watch.table)
