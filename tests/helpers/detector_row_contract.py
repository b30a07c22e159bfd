"""The part of a detector's contract about rows: the result doesn't depend on how they are selected."""

from __future__ import annotations

import numpy as np
from detector_runs import ROUNDS, SENSORS, START_S, Subject, at, check, clock, readings, same, trained

from detectors.numeric.gather import ENOUGH


@check
def a_single_reading_is_a_round_of_one(subject: Subject) -> None:
    if not subject.detector.takes_one:
        return
    odd = [np.nan, np.inf, -np.inf, 1e300, -1e300, 5e-324, 0.0, -0.0, 1e-310, 1e308, 1e16, 17.0, 17.0, 17.0]
    clocks = [0.0, -1e9, START_S, START_S - 1e6, 1e12, 0.5, 1e18, -1e18]
    usual = readings()
    for together, apart in ((subject.table(SENSORS), subject.table(SENSORS)), (trained(subject), trained(subject))):
        for step in range(260):
            values = usual[(190 + step) % ROUNDS].copy()
            times = clock(ROUNDS + step, SENSORS) + 7.0 * (step // 130)
            held = np.array([step % 50 > 40, False, step % 3 == 0, False, False, step % 7 == 0])
            if step >= 200:
                values[step % SENSORS] = odd[step % len(odd)]
                times[step % 5] = clocks[step % len(clocks)]
            all_at_once = together.update(np.arange(SENSORS), values, times, held)
            for sensor in range(SENSORS):
                alone = apart.update_one(sensor, float(values[sensor]), float(times[sensor]), held=bool(held[sensor]))
                assert [type(each) for each in alone] == [float] * 4
                assert same(at(all_at_once, sensor), tuple(np.array([each]) for each in alone))
            assert same(together.arrays, apart.arrays)
            decades = 6.0 + step % 3
            patience = subject.detector.patience(together.arrays, np.arange(SENSORS), decades)
            for sensor in range(SENSORS):
                assert subject.detector.patience(apart.views.of(sensor), sensor, decades) == patience[sensor]


@check
def consecutive_rows_are_like_any_others(subject: Subject) -> None:
    count = ENOUGH + 20
    in_one_piece, row_by_row = subject.table(count), subject.table(count)
    values = np.tile(readings(), (2, 20))[:, :count] + np.arange(count)
    for step in range(240):
        begin = 0 if step % 3 else step % 20
        slots = np.arange(begin, count if step % 3 else begin + ENOUGH)
        row, times = values[step, slots], clock(step, len(slots))
        if step % 10 == 9:
            row[step % 50 :: 50] = np.nan
        one = subject.detector.update(in_one_piece.views.of(slots), slots, row.copy(), times)
        assert same(
            at(one, slice(None)), at(subject.detector.update(row_by_row.arrays, slots, row, times), slice(None))
        )
        for each in one:
            assert not any(np.shares_memory(each, array) for array in in_one_piece.arrays.values())
    assert same(in_one_piece.arrays, row_by_row.arrays)


@check
def what_the_operator_rules_out_is_told_apart(subject: Subject) -> None:
    together, apart = subject.table(SENSORS), subject.table(SENSORS)
    for step in range(240):
        values, times = readings()[step].copy(), clock(step, SENSORS)
        values[step % SENSORS] *= 1e150 if step % 20 == 0 else 1.0
        scores = together.update(np.arange(SENSORS), values, times)
        for sensor in range(SENSORS):
            alone = apart.update_one(sensor, float(values[sensor]), float(times[sensor]), held=False)
            broken = []
            if scores.ruled is None:
                assert alone.ruled is None
                assert same(np.atleast_1d(alone.learned), np.atleast_1d(alone.score))
            else:
                assert same(np.atleast_1d(alone.ruled), np.atleast_1d(scores.ruled[sensor]))
                assert same(np.atleast_1d(alone.learned), np.atleast_1d(scores.learned[sensor]))
                assert same(np.fmax(scores.learned, scores.ruled), scores.score)
                ruled = float(scores.ruled[sensor])
                broken = subject.detector.broken(together.arrays, sensor, ruled) if ruled > 0 else []
                assert max((each.score for each in broken), default=ruled) == ruled or np.isnan(ruled)
                assert bool(broken) == (ruled > 0)
            for each in broken:
                assert getattr(subject.detector, each.name) == each.bound
