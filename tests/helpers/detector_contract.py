"""The contract of a detector: one function per property, which raises AssertionError if it doesn't hold.

The functions don't depend on any particular detector, so that the suite runs them on every registered one, and on
broken ones to check that they notice.
"""

from __future__ import annotations

import ast
import copy
import inspect
import io
import re
import textwrap

import detector_row_contract  # noqa: F401 - its checks are part of the contract
import numpy as np
from detector_runs import (
    BIT_COUNT,
    CHECKS,
    ROUNDS,
    SENSORS,
    START_S,
    Stranger,
    Subject,
    another_setting,
    at,
    check,
    clock,
    copied,
    next_round,
    readings,
    rows_of,
    run,
    same,
    trained,
)

from detectors.base import Scores
from detectors.parameters import parameters_of
from detectors.state import StateError, StateTable

__all__ = ["CHECKS"]


@check
def shapes_and_dtypes(subject: Subject) -> None:
    for count in (0, 1, 50):
        table = subject.table(count)
        for step in range(3):
            scores = table.update(np.arange(count), np.arange(count, dtype=np.float64) * 0.5, clock(step, count))
            assert isinstance(scores, Scores)
            for each in scores:
                assert each.shape == (count,)
                assert each.dtype == np.float64
        patience = subject.detector.patience(table.arrays, np.arange(count), 6.0)
        assert patience.shape == (count,)
        assert patience.dtype == np.float64


@check
def score_is_non_negative_or_nan(subject: Subject) -> None:
    for scores in run(subject.table(SENSORS), readings()):
        known = scores.score[~np.isnan(scores.score)]
        assert (known >= 0).all()
        assert (known <= BIT_COUNT).all()


@check
def cold_start_has_no_opinion(subject: Subject) -> None:
    if not any(field.learned for field in subject.detector.layout().values()):
        return
    for value in (0.0, 1.0, -1e6):
        scores = subject.table(1).update(np.array([0]), np.array([value]), clock(0, 1))
        assert np.isnan(scores.score).all()
    assert np.isinf(subject.detector.patience(subject.table(1).arrays, np.array([0]), 6.0)).all()


@check
def nan_in_nan_out_nothing_learned(subject: Subject) -> None:
    table = trained(subject)
    before = copied(table)
    values = readings()[7].copy()
    for missing in (np.nan, np.inf, -np.inf):
        odd = values.copy()
        odd[[0, 3]] = missing
        table.replace({name: array.copy() for name, array in before.items()})
        scores = next_round(table, odd)
        for each in scores:
            assert np.isnan(each[[0, 3]]).all()
        assert same(rows_of(table, [0, 3]), {name: array[[0, 3]] for name, array in before.items()})


@check
def expected_made_before_the_value_is_seen(subject: Subject) -> None:
    first, second = trained(subject), trained(subject)
    usual = next_round(first)
    other = next_round(second, readings()[5] + 1000.0)
    for one, two in ((usual.expected, other.expected), (usual.lower, other.lower), (usual.upper, other.upper)):
        assert same(one, two)


@check
def documented(subject: Subject) -> None:
    cls = type(subject.detector)
    doc = inspect.getdoc(cls) or ""
    promise, _, rest = doc.partition("\n")
    assert promise.endswith(".")
    for section in ("Catches", "Blind to", "Contamination", "Warm-up", "State", "Cost", "Source", "Differs"):
        assert re.search(rf"^{section}: \S", rest, re.MULTILINE), section
    assert ">>> " in rest
    size = re.search(r"^State: (.*)", rest, re.MULTILINE)
    assert size is not None
    told = {int(each.replace(",", "")) for each in re.findall(r"([\d,]+) bytes", size.group(1))}
    assert StateTable(subject.detector).bytes_per_sensor in told
    for each in parameters_of(cls):
        assert each.doc.endswith("."), each.name
        assert each.kind in (int, float, bool, str), each.name
        assert bool(each.words) == (each.kind is str), each.name
    assert cls.name
    assert cls.kind
    assert isinstance(cls.catches, frozenset)


@check
def batching_does_not_matter(subject: Subject) -> None:
    for together, apart in ((subject.table(SENSORS), subject.table(SENSORS)), (trained(subject), trained(subject))):
        for step, row in enumerate(readings()[190:230], ROUNDS):
            times = clock(step, SENSORS)
            all_at_once = together.update(np.arange(SENSORS), row.copy(), times)
            for sensor in range(SENSORS):
                alone = apart.update(np.array([sensor]), row[[sensor]], times[[sensor]])
                assert same(at(all_at_once, sensor), at(alone, 0))
        assert same(together.arrays, apart.arrays)


@check
def order_inside_a_batch_does_not_matter(subject: Subject) -> None:
    forward, backward = trained(subject), trained(subject)
    for step, row in enumerate(readings()[190:230], ROUNDS):
        times = clock(step, SENSORS)
        ahead = forward.update(np.arange(SENSORS), row.copy(), times)
        back = backward.update(np.arange(SENSORS)[::-1].copy(), row[::-1].copy(), times[::-1].copy())
        assert same(at(ahead, slice(None)), at(back, slice(None, None, -1)))
    assert same(forward.arrays, backward.arrays)


@check
def sensors_are_independent(subject: Subject) -> None:
    calm, wild = trained(subject), trained(subject)
    others = readings()[:30].copy()
    others[:, 1:] = others[:, 1:] * 1e6 + 17.0
    for one, two in zip(run(calm, readings()[:30], start=ROUNDS), run(wild, others, start=ROUNDS), strict=True):
        assert same(at(one, 0), at(two, 0))
    assert same(rows_of(calm, [0]), rows_of(wild, [0]))


@check
def slot_number_does_not_matter(subject: Subject) -> None:
    low, high = trained(subject), subject.table(40)
    for name, array in low.arrays.items():
        high.arrays[name][[17, 38]] = array[[0, 1]]
    values = readings()[190:230, :2]
    ours, theirs = run(low, values, start=ROUNDS), run(high, values, np.array([17, 38]), start=ROUNDS)
    assert same([tuple(each) for each in ours], [tuple(each) for each in theirs])
    assert same(rows_of(low, [0, 1]), rows_of(high, [17, 38]))


@check
def deterministic(subject: Subject) -> None:
    first, second = trained(subject), trained(subject)
    assert same(run(first, readings()[190:230], start=ROUNDS), run(second, readings()[190:230], start=ROUNDS))
    assert same(first.arrays, second.arrays)


@check
def no_clock_no_randomness(subject: Subject) -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(type(subject.detector))))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            used |= {each.name.split(".")[0] for each in node.names}
    banned = {"time", "datetime", "random", "default_rng", "monotonic", "perf_counter", "now", "environ", "uuid4"}
    assert not used & banned


@check
def inputs_untouched(subject: Subject) -> None:
    table = trained(subject)
    slots, values, times = np.arange(SENSORS), readings()[9].copy(), clock(ROUNDS, SENSORS)
    values[2], values[4] = np.nan, 1e300
    kept = (slots.copy(), values.copy(), times.copy())
    table.update(slots, values, times)
    subject.detector.patience(table.arrays, slots, times)
    assert same((slots, values, times), kept)


@check
def no_aliasing(subject: Subject) -> None:
    table = trained(subject)
    slots, values, times = np.arange(SENSORS), readings()[9].copy(), clock(ROUNDS, SENSORS)
    scores = table.update(slots, values, times)
    patience = subject.detector.patience(table.arrays, slots, 6.0)
    returned = [*scores, patience]
    for index, each in enumerate(returned):
        for other in [*returned[:index], slots, values, times, *table.arrays.values()]:
            assert not np.shares_memory(each, other)


@check
def nothing_changes_but_declared_state(subject: Subject) -> None:
    detector, table = subject.detector, trained(subject)
    on_itself = copy.deepcopy(vars(detector))
    on_class = {name: repr(value) for name, value in vars(type(detector)).items()}
    before = copied(table)
    table.update(np.array([1, 3]), readings()[9][[1, 3]], clock(ROUNDS, 2))
    assert vars(detector) == on_itself
    assert {name: repr(value) for name, value in vars(type(detector)).items()} == on_class
    assert list(table.arrays) == list(detector.layout())
    others = [0, 2, 4, 5]
    assert same(rows_of(table, others), {name: array[others] for name, array in before.items()})
    after = copied(table)
    detector.patience(table.arrays, np.arange(SENSORS), 6.0)
    assert same(table.arrays, after)
    for name, field in detector.layout().items():
        assert table.arrays[name].dtype == np.dtype(field.dtype)
        assert table.arrays[name].shape == ((SENSORS, field.width) if field.width else (SENSORS,))


@check
def growing_keeps_state(subject: Subject) -> None:
    small, grown = trained(subject), trained(subject)
    before = copied(grown)
    grown.grow(SENSORS + 20)
    assert same(rows_of(grown, slice(SENSORS)), before)
    assert same(rows_of(grown, slice(SENSORS, None)), subject.table(20).arrays)
    assert same(at(next_round(small), slice(None)), at(next_round(grown), slice(None)))


@check
def reset_is_fresh_and_only_there(subject: Subject) -> None:
    table = trained(subject)
    before = copied(table)
    table.reset(np.array([1, 3]))
    others = [0, 2, 4, 5]
    assert same(rows_of(table, others), {name: array[others] for name, array in before.items()})
    assert same(rows_of(table, [1, 3]), subject.table(2).arrays)
    again = run(table, readings()[:60, [1, 3]], np.array([1, 3]))
    assert same(again, run(subject.table(2), readings()[:60, [1, 3]]))


@check
def state_round_trips_through_bytes_without_pickle(subject: Subject) -> None:
    table, other = trained(subject), subject.table(1)
    saved = table.to_bytes()
    with np.load(io.BytesIO(saved), allow_pickle=False) as archive:
        assert set(table.arrays) < set(archive.files)
        assert all(archive[name].dtype != object for name in archive.files)
    other.from_bytes(saved)
    assert other.rows == table.rows
    assert same(other.arrays, table.arrays)
    assert same(run(table, readings()[:20], start=ROUNDS), run(other, readings()[:20], start=ROUNDS))
    assert other.to_bytes() == table.to_bytes()


@check
def state_is_detached(subject: Subject) -> None:
    table, other = trained(subject), subject.table(1)
    saved = table.to_bytes()
    kept = bytes(saved)
    other.from_bytes(saved)
    before = copied(other)
    next_round(table)
    assert saved == kept
    assert same(other.arrays, before)
    own, theirs = subject.detector.layout(), subject.detector.layout()
    own.clear()
    assert theirs
    assert subject.detector.layout() == theirs


@check
def wrong_state_refused(subject: Subject) -> None:
    table = trained(subject)
    saved, before = table.to_bytes(), copied(table)
    stranger = StateTable(Stranger(), 3).to_bytes()
    damaged = [b"", b"nonsense", saved[: len(saved) // 2], saved[:-1], b"\x00" * 200, stranger]
    changed = another_setting(subject.detector)
    if changed is not None:
        damaged.append(StateTable(changed, 3).to_bytes())
    for each in damaged:
        refused = False
        try:
            table.from_bytes(each)
        except StateError:
            refused = True
        assert refused
        assert same(table.arrays, before)
        assert table.rows == SENSORS


@check
def finite_at_extremes(subject: Subject) -> None:
    extremes = [1e300, -1e300, 5e-324, -5e-324, 1e-310, 0.0, 1e308, 1.0, -1e100, 1e16, 1e-100, 3.0]
    table = subject.table(3)
    for step in range(150):
        values = np.array([extremes[step % 12], extremes[(step * 5 + 3) % 12], 5e-324 * (step % 3)])
        assert_finite(table, table.update(np.arange(3), values, clock(step, 3)))
    table = trained(subject)
    for step, each in enumerate([*extremes, *extremes[::-1]]):
        assert_finite(table, next_round(table, np.full(SENSORS, each), start=ROUNDS + step))


@check
def a_flat_line_does_not_explode(subject: Subject) -> None:
    levels = np.array([0.0, 0.1, 2.9, -1.0, 1e-9])
    table = subject.table(len(levels))
    for step in range(ROUNDS):
        scores = next_round(table, levels, start=step)
        assert not (scores.score > 3.0).any()
        assert_finite(table, scores)
    for step in range(ROUNDS, ROUNDS + 5):
        moved = next_round(table, levels + 0.01, start=step)
        assert not (moved.score > 5.0).any()


@check
def odd_clocks_survived(subject: Subject) -> None:
    table = trained(subject)
    clocks = [0.0, -1e9, START_S, START_S, START_S - 1e6, 1e12, 253_402_300_799.0, 0.5, 1e18, -1e18, START_S]
    for step, instant in enumerate([*clocks, *clocks[::-1]]):
        row = readings()[step]
        assert_finite(table, table.update(np.arange(SENSORS), row.copy(), np.full(SENSORS, instant)))
        assert not np.isnan(subject.detector.patience(table.arrays, np.arange(SENSORS), 6.0)).any()
    assert_finite(table, next_round(table))


@check
def a_clock_that_is_set_changes_nothing(subject: Subject) -> None:
    everyone, weeks = np.arange(SENSORS), 4 * 7 * 86_400.0
    still, moved = trained(subject), trained(subject)
    moved.shift(everyone, weeks)
    for step, row in enumerate(readings()[190:230], ROUNDS):
        times = clock(step, SENSORS)
        one, two = still.update(everyone, row.copy(), times), moved.update(everyone, row.copy(), times + weeks)
        assert same(at(one, slice(None)), at(two, slice(None)))
    patience = [subject.detector.patience(each.arrays, everyone, 6.0) for each in (still, moved)]
    assert same(patience[0], patience[1])
    moved.shift(everyone, -weeks)
    assert same(still.arrays, moved.arrays)


def assert_finite(table: StateTable, scores: Scores) -> None:
    for each in scores:
        assert not np.isinf(each).any()
    for name, array in table.arrays.items():
        assert np.isfinite(array).all(), name
