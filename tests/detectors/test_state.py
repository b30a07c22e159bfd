from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from detector_examples import example
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import DETECTORS
from detectors.state import SavedState, StateError, StateTable

EVERYONE = np.arange(4)


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def trained(name: str = "ewma", rounds: int = 80) -> StateTable:
    table = StateTable(example(name), rows=4)
    for index, row in enumerate(np.random.default_rng(1).normal(size=(rounds, 4))):
        table.update(EVERYONE, row, np.full(4, index * 600.0))
    return table


def test_the_size_of_a_row_counts_every_element() -> None:
    for name in DETECTORS:
        table = StateTable(example(name), rows=7)
        assert sum(array.nbytes for array in table.arrays.values()) == 7 * table.bytes_per_sensor


def test_growing_to_fewer_rows_changes_nothing() -> None:
    table = trained()
    before = table.to_bytes()
    table.grow(2)
    table.grow(4)
    assert table.to_bytes() == before


def test_a_table_takes_no_memory_for_what_its_sensors_never_used() -> None:
    rows = 20_000
    never = trained("states").rows_of(np.zeros(rows, dtype=np.intp))
    before = resident_bytes()
    grown, loaded = StateTable(example("states"), rows // 2), StateTable(example("states"), rows)
    grown.grow(rows)
    loaded.take_rows(never, np.arange(rows), np.arange(rows))
    assert resident_bytes() - before < 1.25 * rows * grown.bytes_per_sensor
    assert all(np.array_equal(loaded.arrays[name][-1], array[0]) for name, array in never.arrays.items())


def test_rows_are_taken_over_what_was_there() -> None:
    table = trained("states")
    table.arrays["shares"][2] = 0.5
    table.take_rows(StateTable(example("states"), rows=4).rows_of(EVERYONE), EVERYONE, EVERYONE)
    assert not table.arrays["shares"].any()


def test_elements_stay_adjacent_however_a_table_is_created() -> None:
    table = StateTable(example("contextual"))
    for rows in (0, 1, 2, 16, 33):
        table.grow(rows)
    saved = table.to_bytes()
    table.replace({name: np.ascontiguousarray(array) for name, array in table.arrays.items()})
    loaded, loaded_of_rows = StateTable(table.detector), StateTable(table.detector)
    loaded.from_bytes(saved)
    loaded_of_rows.from_bytes(table.to_bytes())
    table.grow(70)
    for each in (table, loaded, loaded_of_rows):
        for name, field in each.fields.items():
            assert each.arrays[name].flags["F_CONTIGUOUS" if field.by_element else "C_CONTIGUOUS"]


@pytest.mark.parametrize("name", DETECTORS)
def test_exactly_the_readings_not_held_back_are_learned(name: str) -> None:
    free, held = trained(name), trained(name)
    before = {key: array.copy() for key, array in held.arrays.items()}
    values, times = np.full(4, 2.5), np.full(4, 50_000.0)
    mask = np.array([True, False, True, False])
    free.update(EVERYONE, values, times)
    held.update(EVERYONE, values, times, mask)
    free.detector.held_back(free.arrays, EVERYONE[mask])
    for key, field in held.fields.items():
        expected = before[key] if field.learned else free.arrays[key]
        assert np.array_equal(held.arrays[key][mask], expected[mask], equal_nan=True)
        assert np.array_equal(held.arrays[key][~mask], free.arrays[key][~mask], equal_nan=True)


@pytest.mark.parametrize("name", DETECTORS)
def test_holding_back_does_not_change_the_score(name: str) -> None:
    free, held = trained(name), trained(name)
    values, times = np.full(4, 2.5), np.full(4, 50_000.0)
    one = free.update(EVERYONE, values, times)
    other = held.update(EVERYONE, values, times, np.ones(4, dtype=bool))
    for mine, theirs in zip(one, other, strict=True):
        assert np.array_equal(mine, theirs, equal_nan=True)


def test_holding_back_no_sensor_equals_learning() -> None:
    free, held = trained(), trained()
    free.update(EVERYONE, np.ones(4), np.full(4, 5e4))
    held.update(EVERYONE, np.ones(4), np.full(4, 5e4), np.zeros(4, dtype=bool))
    assert free.to_bytes() == held.to_bytes()


def test_loading_adopts_the_saved_number_of_rows() -> None:
    table = StateTable(example("ewma"), rows=9)
    table.from_bytes(trained().to_bytes())
    assert table.rows == 4
    table.grow(6)
    assert all(len(array) == 6 for array in table.arrays.values())


def test_an_empty_table_can_be_saved_and_loaded() -> None:
    table = trained()
    table.from_bytes(StateTable(example("ewma")).to_bytes())
    assert table.rows == 0


def altered(saved: bytes, **changes: object) -> bytes:
    """A saved state with some arrays replaced, or None if one is left out."""
    with np.load(io.BytesIO(saved)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, change in changes.items():
        if change is None:
            del arrays[name]
        else:
            arrays[name] = np.asarray(change)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def header(**changes: object) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    with np.load(io.BytesIO(trained().to_bytes())) as archive:
        said = json.loads(archive["__header__"].tobytes())
    return np.frombuffer(json.dumps({**said, **changes}).encode(), dtype=np.uint8)


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": None},
        {"mean": np.zeros(3)},
        {"mean": np.zeros((4, 2))},
        {"mean": np.zeros(4, dtype=np.float32)},
        {"__header__": None},
        {"__header__": np.zeros(4, dtype=np.uint8)},
        {"__header__": np.frombuffer(b"[1, 2]", dtype=np.uint8)},
        {"__header__": header(format=2)},
        {"__header__": header(detector="median")},
        {"__header__": header(parameters={})},
        {"__header__": header(rows=5)},
        {"__header__": header(rows=-1)},
        {"__header__": header(rows=10**15)},
        {"__header__": header(rows=None)},
        {"__header__": header(rows="4")},
    ],
)
def test_altered_state_is_refused_and_the_current_state_kept(changes: dict[str, object]) -> None:
    table = trained()
    before = table.to_bytes()
    with pytest.raises(StateError):
        table.from_bytes(altered(before, **changes))
    assert table.to_bytes() == before


def test_the_state_of_an_earlier_version_lacks_later_components() -> None:
    table, whole = trained(), trained()
    saved = altered(table.to_bytes(), rival=None)
    table.from_bytes(saved)
    assert (table.arrays["rival"] == 0.0).all()
    assert (table.arrays["mean"] == whole.arrays["mean"]).all()
    other = StateTable(example("ewma"), rows=6)
    other.arrays["rival"][:] = 7.0
    other.take_rows(SavedState.from_bytes(saved), np.array([1, 3]), np.array([5, 0]))
    assert (other.arrays["record"][[5, 0]] == whole.arrays["record"][[1, 3]]).all()
    assert other.arrays["rival"].tolist() == [0.0, 7.0, 7.0, 7.0, 7.0, 0.0]


SAVED = trained().to_bytes()


@settings(max_examples=60)
@given(st.integers(0, len(SAVED) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_harmless(place: int, flip: int) -> None:
    damaged = bytearray(SAVED)
    damaged[place] ^= flip
    table = StateTable(example("ewma"))
    try:
        table.from_bytes(bytes(damaged))
    except StateError:
        assert table.rows == 0
    else:
        assert table.to_bytes() == SAVED
