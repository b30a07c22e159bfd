from __future__ import annotations

import zlib
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model.readings.messages import Batch
from edge.core.persistence.journal import (
    ClockStep,
    JournalError,
    Part,
    Readings,
    SequenceReserved,
    TimePassed,
    join,
    pack,
    unpack,
)
from tests.edge.core.pipelines import START

NUMBERS = st.floats(allow_nan=False) | st.integers(-99_999, 99_999).map(lambda each: each / 100)
SENSORS = st.lists(st.tuples(st.text(max_size=5), st.sampled_from(["periodic", "full_repeat"]), st.booleans()))
DELIVERIES = st.lists(st.tuples(st.integers(1, 65_535), st.integers(0, 2**32 - 1)), max_size=5)


def batch(readings: list[tuple[int, float, float]]) -> Batch:
    columns = list(zip(*readings, strict=True)) or [(), (), ()]
    slots, values, times = columns
    origins = np.zeros(len(slots), dtype=np.intp)
    return Batch(np.array(slots, dtype=np.intp), np.array(values, float), np.array(times, float), origins)


READINGS = st.builds(
    Readings,
    st.lists(st.tuples(st.integers(0, 10_000), NUMBERS, NUMBERS), max_size=8).map(batch),
    SENSORS,
    DELIVERIES,
    st.booleans(),
)
PARTS = st.lists(
    st.one_of(
        READINGS,
        READINGS,
        st.builds(TimePassed, st.floats(allow_nan=False)),
        st.builds(ClockStep, st.floats(-1e9, 1e9)),
        st.builds(SequenceReserved, st.integers(0, 2**53)),
    ),
    max_size=8,
)


def flat(parts: list[Part]) -> list[object]:
    """Readings, sensors, deliveries and ticks one by one, so that it doesn't matter how readings were combined."""
    said: list[object] = []
    names: list[object] = []
    delivered: list[object] = []
    for part in [*parts, None]:
        if isinstance(part, Readings) and not part.interrupted:
            names += part.new_sensors
            delivered += part.deliveries
            said += _each(part.batch)
            continue
        said += [("new", *names), ("delivered", *delivered)]
        names, delivered = [], []
        if isinstance(part, Readings):
            names, delivered = list(part.new_sensors), list(part.deliveries)
            said += ["interrupted", *_each(part.batch)]
        elif part is not None:
            said.append(part)
    return said


def _each(readings: Batch) -> list[object]:
    values, times = readings.values.view(np.int64).tolist(), readings.times.view(np.int64).tolist()
    return list(zip(readings.slots.tolist(), values, times, strict=True))


@given(PARTS)
def test_packed_entries_are_restored(parts: list[Part]) -> None:
    assert flat(unpack(pack(parts))) == flat(parts)


@given(PARTS, st.integers(1, 20))
def test_joining_keeps_order_and_content(parts: list[Part], most: int) -> None:
    joined = list(join(parts, most))
    assert flat(joined) == flat(parts)
    for one, other in pairwise(joined):
        both = isinstance(one, Readings) and isinstance(other, Readings)
        assert not both or other.interrupted or len(one) >= most


def test_readings_before_and_after_a_tick_are_not_joined() -> None:
    one = Readings(batch([(0, 1.0, 2.0)]))
    assert [type(each) for each in join([one, one, TimePassed(3.0), one])] == [Readings, TimePassed, Readings]


@given(PARTS, st.integers(0, 10**6), st.integers(1, 255), st.booleans())
def test_any_damage_is_a_journal_error_or_harmless(parts: list[Part], at: int, change: int, cut: bool) -> None:
    entry = bytearray(pack(parts))
    at %= len(entry)
    entry[at] ^= change
    damaged = pack(parts)[:at] if cut else bytes(entry)
    try:
        unpacked = unpack(damaged)
    except JournalError:
        return
    assert not cut
    assert flat(unpacked) == flat(parts)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_a_journal_error(noise: bytes) -> None:
    with pytest.raises(JournalError):
        unpack(b"\x02" + noise)


@pytest.mark.parametrize(
    "content",
    [
        7,
        [["tick"]],
        [["readings", b"12345678", [1.0, b""], [1.0, b""], [], b"", b"", False]],
        [["readings", b"1", [1.0, b""], [1.0, b""], [], b"", b"", False]],
        [["readings", b"", [1.0, b""], [7.0, b""], [], b"", b"", False]],
        [["readings", b"", [1.0, b""], [1.0, b""], [], b"12345678", b"", False]],
        [["readings", b"\xff" * 8, [1.0, b"\0" * 8], [1.0, b"\0" * 8], [], b"", b"", False]],
    ],
)
def test_an_inconsistent_entry_is_a_journal_error(content: object) -> None:
    with pytest.raises(JournalError):
        unpack(b"\x02" + zlib.compress(msgspec.msgpack.encode(content)))


@pytest.mark.parametrize("tick", [None, 1_700_000_000.5])
def test_the_first_format_is_still_read(tick: float | None) -> None:
    slots, values, times = np.array([0, 2], "<i4"), np.array([1.5, -0.0]), np.array([10.0, 10.1])
    old = [True, [("a", "periodic")], slots.tobytes(), values.tobytes(), times.tobytes(), tick]
    (part,) = unpack(msgspec.msgpack.encode(old))
    if tick is not None:
        assert part == TimePassed(tick)
        return
    assert isinstance(part, Readings)
    assert (part.new_sensors, part.deliveries, part.interrupted) == ([("a", "periodic", False)], [], True)
    assert _each(part.batch) == _each(batch([(0, 1.5, 10.0), (2, -0.0, 10.1)]))


@pytest.mark.parametrize("place", [2, 3, 4])
def test_a_damaged_entry_of_the_first_format_is_a_journal_error(place: int) -> None:
    old: list[object] = [False, [], np.zeros(2, "<i4").tobytes(), np.zeros(2).tobytes(), np.zeros(2).tobytes(), None]
    old[place] = bytes(old[place])[:-4]  # type: ignore[call-overload]
    with pytest.raises(JournalError):
        unpack(msgspec.msgpack.encode(old))


def plant_of(readings: int) -> Readings:
    """One hundred sensors that send a value with two decimals every second, stamped to the millisecond."""
    rng = np.random.default_rng(4)
    order = np.arange(readings)
    slots = (order % 100).astype(np.intp)
    values = np.round(20.0 + slots + rng.normal(0.0, 0.5, readings), 2)
    times = np.round(START + order / 100 + rng.uniform(0.0, 0.005, readings), 3)
    checksums = rng.integers(0, 2**32, readings).tolist()
    made = Batch(slots, values, times, np.zeros(readings, dtype=np.intp))
    return Readings(made, [], [(1 + each % 65_535, checksum) for each, checksum in enumerate(checksums)])


@pytest.mark.parametrize(("readings", "most"), [(100, 9.5), (10_000, 8.5)])
def test_a_reading_takes_few_bytes_even_with_its_delivery(readings: int, most: float) -> None:
    assert len(pack([plant_of(readings)])) / readings <= most


def test_without_deliveries_a_reading_takes_a_quarter_of_the_bytes_of_its_numbers() -> None:
    part = plant_of(10_000)
    part.deliveries = []
    assert len(pack([part])) / 10_000 <= 16 / 4


@pytest.mark.parametrize(("seconds", "entries", "spare"), [(2.0, 3, 100), (3.5, 2, 30)])
def test_commits_of_a_quiet_plant_share_a_page_of_the_store(seconds: float, entries: int, spare: int) -> None:
    noise, readings = np.random.default_rng(7), round(100 * seconds)
    slots = np.arange(readings) % 100
    values = np.round(20 + slots % 7 + 0.3 * noise.normal(size=readings), 2)
    deliveries = list(zip(range(201, 201 + readings), noise.integers(0, 2**32, readings).tolist(), strict=True))
    made = Batch(slots, values, START + 100.0 + np.arange(readings) // 100, np.zeros(readings, dtype=np.intp))
    assert len(pack([Readings(made, [], deliveries)])) <= 4096 / entries - spare
