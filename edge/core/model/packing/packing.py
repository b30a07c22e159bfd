"""Packing: lossless compression of arrays of readings.

Sensors send decimals with few digits, at times that differ little from each other. Converted to integers, to
differences, and with bytes of equal significance grouped, they compress well with a general compressor. Numbers that
wouldn't survive this exactly are stored unchanged.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

SCALES = (1.0, 10.0, 100.0, 1e3, 1e4, 1e6)
EXACT = 2.0**53
SAMPLE = 16
"""Number of values tested to rule out a scale before testing all."""

FEW = 32
"""Up to this many numbers are packed one by one, which is faster than arrays of that size."""

WORD = 2**64 - 1

LEVEL, LEVEL_OF_SMALL, SMALL = 1, 6, 2**16
"""Compression level, and the level for up to `SMALL` bytes: several entries of a quiet plant then share a page of the
store, at 40 us each."""

LONG = 512
"""Minimum length in bytes of a part that gets a code of its own, which takes about 60."""

RAW = 0.0


class PackedFloats(msgspec.Struct, array_like=True, frozen=True):
    """Float64 numbers, shape (n,).

    Attributes:
        scale: Factor applied to convert the numbers to integers; 0 if they weren't converted.
        data: Differences of the integers, or the numbers, with bytes grouped by significance.
    """

    scale: float
    data: bytes

    @classmethod
    def of(cls, numbers: NDArray[np.float64]) -> PackedFloats:
        """Pack numbers; `unpack()` returns the same bits."""
        if len(numbers) <= FEW:
            return cls(*_few_floats(numbers.tolist()))
        with np.errstate(all="ignore"):
            for scale in SCALES:
                if _scaled(numbers[:SAMPLE], scale) is None:
                    continue
                integers = _scaled(numbers, scale)
                if integers is not None:
                    return cls(scale, _by_weight(np.diff(integers, prepend=0)))
        return cls(RAW, _by_weight(numbers))

    def unpack(self) -> NDArray[np.float64]:
        """The numbers.

        Raises:
            ValueError: The bytes are damaged.
        """
        if self.scale == RAW:
            return _in_order(self.data).view(np.float64)
        if self.scale not in SCALES:
            raise ValueError(f"unknown scale {self.scale}")
        return np.cumsum(_in_order(self.data)) / self.scale


def pack_integers(numbers: NDArray[np.int64]) -> bytes:
    """Encode integers as differences, with bytes grouped by significance."""
    if len(numbers) <= FEW:
        return _few_differences(numbers.tolist())
    return _by_weight(np.diff(numbers, prepend=0))


def unpack_integers(data: bytes) -> NDArray[np.int64]:
    """Decode the result of `pack_integers()`."""
    return np.cumsum(_in_order(data))


def compress(data: bytes, *apart: bytes) -> bytes:
    """Compress bytes, with a checksum of the content.

    Args:
        data: The bytes.
        apart: Parts of a small `data`, in order, that are unlike the rest, such as checksums: they get a code of their
            own, so that the code of the rest isn't blurred.
    """
    if len(data) > SMALL:
        return zlib.compress(data, LEVEL)
    compressor, compressed, done = zlib.compressobj(LEVEL_OF_SMALL), b"", 0
    for part in apart:
        begin = data.find(part, done) if len(part) >= LONG else -1
        for end in (begin, begin + len(part)) if begin >= 0 else ():
            compressed += compressor.compress(data[done:end]) + compressor.flush(zlib.Z_BLOCK)
            done = end
    return compressed + compressor.compress(data[done:]) + compressor.flush()


def decompress(data: bytes) -> bytes:
    """Decompress the result of `compress()`.

    Raises:
        ValueError: The bytes are damaged.
    """
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"damaged bytes: {error}") from error


def _scaled(numbers: NDArray[np.float64], scale: float) -> NDArray[np.int64] | None:
    """The numbers times a scale as integers, if that can be reversed exactly; else None."""
    scaled = np.rint(numbers * scale)
    if not (np.abs(scaled) < EXACT).all():
        return None
    integers = scaled.astype(np.int64)
    return integers if _same(integers / scale, numbers) else None


def _few_floats(numbers: Sequence[float]) -> tuple[float, bytes]:
    """Scale and data of a few numbers, in the format of `PackedFloats`."""
    doubles = f"<{len(numbers)}d"
    as_they_are = struct.pack(doubles, *numbers)
    for scale in SCALES:
        scaled = [number * scale for number in numbers]
        if not all(abs(each) < EXACT for each in scaled):
            continue
        integers = [round(each) for each in scaled]
        if struct.pack(doubles, *[each / scale for each in integers]) == as_they_are:
            return scale, _few_differences(integers)
    return RAW, _few_by_weight(as_they_are)


def _few_differences(integers: Sequence[int]) -> bytes:
    """Differences of a few integers, wrapping around as in an array, with bytes grouped by significance."""
    differences = [(after - before) & WORD for before, after in pairwise((0, *integers))]
    return _few_by_weight(struct.pack(f"<{len(differences)}Q", *differences))


def _few_by_weight(words: bytes) -> bytes:
    """Eight-byte words with their bytes grouped by significance."""
    return b"".join([words[weight::8] for weight in range(8)])


def _same(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return bool((one.view(np.int64) == other.view(np.int64)).all())


def _by_weight(numbers: NDArray[np.int64] | NDArray[np.float64]) -> bytes:
    little = np.ascontiguousarray(numbers.astype(numbers.dtype.newbyteorder("<"), copy=False))
    return little.view(np.uint8).reshape(-1, 8).T.tobytes()


def _in_order(data: bytes) -> NDArray[np.int64]:
    planes = np.frombuffer(data, np.uint8).reshape(8, -1)
    return np.ascontiguousarray(planes.T).view("<i8").ravel().astype(np.int64)
