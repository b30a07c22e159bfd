"""The heap of the C library, which numpy's arrays are taken from."""

from __future__ import annotations

import ctypes
from contextlib import suppress

MAPPED = 2 * 2**20
"""Minimum size in bytes of blocks that are mapped one by one, and so go back to the system when they are freed."""

SPARE = 8 * 2**20
"""Free bytes at the end of the heap that are kept."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of `mallopt()`, see its manual page."""


def free_large_blocks_at_once() -> None:
    """Give the memory of large arrays back to the system when they are freed; only glibc needs to be told.

    By itself it does so only until the first of them is freed: a plant whose arrays have grown step by step would keep
    a fifth of their memory besides, in pieces that are too small for the next ones.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, MAPPED)
        library.mallopt(_TRIM_THRESHOLD, SPARE)
