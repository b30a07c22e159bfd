from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.core.model.packing import packing
from edge.core.model.packing.packing import (
    RAW,
    PackedFloats,
    compress,
    decompress,
    pack_integers,
    unpack_integers,
)

ANY = st.floats(allow_subnormal=True, allow_nan=True)
DECIMALS = st.builds(lambda whole, digits: whole / 10**digits, st.integers(-(10**9), 10**9), st.integers(0, 6))


def bits(numbers: np.ndarray) -> list[int]:
    return numbers.view(np.int64).tolist()


@given(st.lists(ANY | DECIMALS, max_size=50))
@example([])
@example([0.0, -0.0])
@example([math.inf, -math.inf, math.nan, 1.0])
@example([5e-324, 1.7976931348623157e308, -1.7976931348623157e308])
@example([2.0**53, 2.0**53 - 1.0, -(2.0**53)])
@example([9007199254740993.0, 0.1])
@example([1_700_000_000.123456, 1_700_000_000.5])
@example([0.1 + 0.2, 0.3])
def test_numbers_are_restored_bit_by_bit(numbers: list[float]) -> None:
    array = np.array(numbers, dtype=np.float64)
    unpacked = PackedFloats.of(array).unpack()
    assert unpacked.dtype == np.float64
    assert bits(unpacked) == bits(array)


@given(st.lists(DECIMALS, min_size=1, max_size=50))
def test_decimals_with_few_digits_are_packed_as_integers(numbers: list[float]) -> None:
    array = np.array(numbers) + 0.0
    assert PackedFloats.of(array).scale != RAW


def test_every_second_number_of_an_array_is_packed_too() -> None:
    array = (np.arange(20.0) / 3)[::2]
    assert bits(PackedFloats.of(array).unpack()) == bits(np.ascontiguousarray(array))


@given(st.lists(st.integers(-(2**62), 2**62), max_size=50))
def test_integers_come_back(numbers: list[int]) -> None:
    assert unpack_integers(pack_integers(np.array(numbers, dtype=np.int64))).tolist() == numbers


@given(st.lists(ANY | DECIMALS, max_size=packing.FEW), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=packing.FEW))
@example([0.0, -0.0], [2**62, -(2**62)])
@example([2.0**53, 0.5], [])
@example([math.inf, 1.0, math.nan], [-1])
@example([2.5, 0.00025, 1e300], [0])
def test_few_numbers_give_the_same_bytes_as_in_a_large_batch(floats: list[float], integers: list[int]) -> None:
    numbers, whole = np.array(floats, dtype=np.float64), np.array(integers, dtype=np.int64)
    few = PackedFloats.of(numbers), pack_integers(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "FEW", -1)
        assert few == (PackedFloats.of(numbers), pack_integers(whole))


@given(st.binary(max_size=200), st.floats())
def test_arbitrary_bytes_give_numbers_or_a_value_error(data: bytes, scale: float) -> None:
    try:
        unpacked = PackedFloats(scale, data).unpack()
    except ValueError:
        return
    assert 8 * len(unpacked) == len(data)


@given(st.binary(max_size=300), st.integers(0, 10**6), st.integers(1, 255), st.booleans())
def test_damaged_bytes_give_a_value_error_or_do_no_harm(data: bytes, at: int, change: int, cut: bool) -> None:
    packed = bytearray(compress(data))
    at %= len(packed)
    packed[at] ^= change
    damaged = compress(data)[:at] if cut else bytes(packed)
    try:
        unpacked = decompress(damaged)
    except ValueError:
        return
    assert not cut
    assert unpacked == data


def test_truncated_bytes_give_a_value_error() -> None:
    packed = compress(bytes(range(200)))
    for length in range(len(packed)):
        with pytest.raises(ValueError, match="damaged bytes"):
            decompress(packed[:length])


@given(st.lists(st.tuples(st.binary(max_size=1500), st.binary(min_size=400, max_size=1500)), max_size=4), st.binary())
def test_parts_with_a_code_of_their_own_are_restored(pieces: list[tuple[bytes, bytes]], end: bytes) -> None:
    data = b"".join(before + part for before, part in pieces) + end
    assert decompress(compress(data, *(part for _, part in pieces))) == data
    assert decompress(compress(data, b"x" * packing.LONG, *(part for _, part in reversed(pieces)))) == data


def test_checksums_do_not_blur_the_code_of_what_is_around_them() -> None:
    checksums = np.random.default_rng(1).bytes(1400)
    around = bytes(np.random.default_rng(2).integers(0, 8, 1600).tolist())
    data = around + checksums + around
    assert len(compress(data, checksums)) < len(compress(data)) - 40
