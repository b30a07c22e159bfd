"""The write-ahead log, read without SQLite: whether its committed frames are whole.

SQLite goes through the log up to the first frame whose checksum is wrong and takes that for its end, since a power cut
tears the last transaction. Damage in the middle looks the same to it: all that was committed behind it would be gone
without a word. So the commits behind that frame are counted before SQLite sees the file.

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
"""The first word of a log, and the order of the bytes over which its checksums go."""

HEADER = struct.Struct(">8I")
FRAME = struct.Struct(">6I")
USUAL_PAGE = 4096
"""Bytes of a page, where a damaged header doesn't say it."""

TORN = 1
"""A power cut tears the last transaction, so there may be one commit after a damaged frame."""

Sum = NDArray[np.uint32]


def lost_commits(path: Path) -> int:
    """Number of unreachable commits in a write-ahead log, not counting an unfinished last one.

    Args:
        path: The log; if there is none, or it is empty, nothing is lost.
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
    """The checksum that a log has after some more data.

    Each pair of words (a, b) turns the sums (s, t) to s' = s + t + a and t' = t + s' + b, modulo 2**32. That is linear,
    so the words are weighted with what becomes of them until the end.
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
    """The weights of a pair after one more step: s' = s + t, t' = t + s'."""
    a_first, b_first, a_second, b_second = column
    first = [(a_first + a_second) % 2**32, (b_first + b_second) % 2**32]
    return [*first, (a_second + first[0]) % 2**32, (b_second + first[1]) % 2**32]


def _of_the_sums(column: list[int]) -> list[int]:
    """The weights of the sums before, given those of a pair that would stand in their place."""
    # A pair (a, b) in their place makes the sums (a, a + b), so the sums (s, t) are the pair (s, t - s).
    a_first, b_first, a_second, b_second = column
    return [(a_first - b_first) % 2**32, b_first, (a_second - b_second) % 2**32, b_second]
