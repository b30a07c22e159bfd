"""The write-ahead log, read without SQLite to verify its committed frames.

SQLite reads the log up to the first frame with a wrong checksum and treats that as its end, since a power cut tears the
last transaction. Damage in the middle looks the same: all later commits would be lost silently. The commits behind that
frame are therefore counted before SQLite opens the file.

Source: "The Write-Ahead Log", section 4 of SQLite's file format, https://www.sqlite.org/fileformat2.html#walformat
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = {0x377F0682: "<u4", 0x377F0683: ">u4"}
"""The first word of a log, and the byte order of its checksums."""

HEADER = struct.Struct(">8I")
FRAME = struct.Struct(">6I")
USUAL_PAGE = 4096
"""Page size in bytes if a damaged header doesn't contain it."""

TORN = 1
"""Number of commits that may follow a damaged frame after a power cut, which tears the last transaction."""

Sum = NDArray[np.uint32]


def lost_commits(path: Path) -> int:
    """Number of unreachable commits in a write-ahead log, not counting an unfinished last one.

    Args:
        path: Path of the log; if it is missing or empty, nothing is lost.
    """
    try:
        file = path.open("rb")
    except OSError:
        return 0
    with file:
        return _lost_commits(file)


def _lost_commits(file: BinaryIO) -> int:
    header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        return 0
    magic, _, page, _, *salts, first, second = HEADER.unpack(header)
    order = MAGIC.get(magic, "<u4")
    running = _checksum(header[:24], order, np.zeros(2, dtype=np.uint32))
    whole = magic in MAGIC and running.tolist() == [first, second]
    trusted = whole
    size = FRAME.size + ((65536 if page == 1 else page) if trusted else USUAL_PAGE)
    behind = 0
    while len(frame := file.read(size)) == size:
        _, is_commit, *its_salts, first, second = FRAME.unpack_from(frame)
        if not trusted:
            salts, trusted = its_salts, True
        if whole:
            running = _checksum(frame[:8] + frame[FRAME.size :], order, running)
            whole = its_salts == salts and running.tolist() == [first, second]
        if not whole and is_commit and its_salts == salts:
            behind += 1
    return behind if behind > TORN else 0


def _checksum(data: bytes, order: str, before: Sum) -> Sum:
    """The checksum of a log after additional data.

    Each pair of words (a, b) changes the sums (s, t) to s' = s + t + a and t' = t + s' + b, modulo 2**32. This is
    linear, so each word is multiplied by its effect on the final sums.
    """
    words = np.frombuffer(data, dtype=order).astype(np.uint32).reshape(-1, 2)
    weights = _weights(len(words))
    both = np.concatenate([before[np.newaxis], words])
    one = (weights[0] * both[:, 0] + weights[1] * both[:, 1]).sum(dtype=np.uint32)
    other = (weights[2] * both[:, 0] + weights[3] * both[:, 1]).sum(dtype=np.uint32)
    return np.array([one, other], dtype=np.uint32)


@cache
def _weights(pairs: int) -> NDArray[np.uint32]:
    """Coefficients of the previous sums and of each pair of words in both new sums, shape (4, pairs + 1).

    Rows: first word to first sum, second word to first sum, first word to second sum, second word to second sum.
    """
    weights = np.zeros((4, pairs + 1), dtype=np.uint32)
    column = [1, 0, 1, 1]  # a pair that was just added: s' has a; t' has a and b
    for place in range(pairs, 0, -1):
        weights[:, place] = column
        column = _one_pair_earlier(column)
    weights[:, 0] = _of_the_sums(column)
    return weights


def _one_pair_earlier(column: list[int]) -> list[int]:
    """The weights of a pair one step earlier: s' = s + t, t' = t + s'."""
    a_first, b_first, a_second, b_second = column
    first = [(a_first + a_second) % 2**32, (b_first + b_second) % 2**32]
    return [*first, (a_second + first[0]) % 2**32, (b_second + first[1]) % 2**32]


def _of_the_sums(column: list[int]) -> list[int]:
    """The weights of the previous sums, given those of a pair in their place."""
    # A pair (a, b) in their place gives the sums (a, a + b), so the sums (s, t) correspond to the pair (s, t - s).
    a_first, b_first, a_second, b_second = column
    return [(a_first - b_first) % 2**32, b_first, (a_second - b_second) % 2**32, b_second]
