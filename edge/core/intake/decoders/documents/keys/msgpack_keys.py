"""Types of the keys in a MessagePack payload, determined without decoding it.

Python dictionaries are slow when many keys share a hash. A sender can't choose the hashes of text and bytes, but it can
choose those of arrays: 256 kB of them takes seconds to decode. A large payload is therefore scanned first.
"""

from __future__ import annotations

from collections.abc import Mapping

_LENGTHS: Mapping[int, int] = {
    0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4
}  # fmt: skip
"""Size in bytes of the length field of each type that has one."""

_SIZES: Mapping[int, int] = {
    0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
    0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
"""Size in bytes of the value of each fixed-size type; other types have none."""

_KEYS = frozenset(
    [*range(0x80), *range(0xA0, 0xC0), 0xC4, 0xC5, 0xC6, *range(0xCC, 0xD4), 0xD9, 0xDA, 0xDB, *range(0xE0, 0x100)]
)
"""Types of text, bytes and integers."""


def has_other_keys(payload: bytes) -> bool:
    """Whether a map in a payload has a key that is neither text, bytes nor an integer.

    A malformed payload is scanned as far as it makes sense. Takes linear time.
    """
    place, size = 0, len(payload)
    # Remaining count of each open array or map: 2 n for an array of n items, 4 n + 1 for a map of n pairs. Each item
    # subtracts 2, so a key is due wherever the remainder above the 1 is a multiple of 4.
    open_items: list[int] = []
    while place < size:
        kind = payload[place]
        if open_items and open_items[-1] % 4 == 1 and kind not in _KEYS:
            return True
        if open_items:
            open_items[-1] -= 2
        place += 1
        is_map = 0x80 <= kind < 0x90 or kind in {0xDE, 0xDF}
        is_list = 0x90 <= kind < 0xA0 or kind in {0xDC, 0xDD}
        length = 0
        if kind in _LENGTHS:
            width = _LENGTHS[kind]
            length = int.from_bytes(payload[place : place + width])
            place += width + (0xC7 <= kind <= 0xC9)
        elif 0x80 <= kind < 0xC0:
            length = kind & (0x1F if kind >= 0xA0 else 0x0F)
        if is_map or is_list:
            open_items.append(4 * length + 1 if is_map else 2 * length)
        else:
            place += length + _SIZES.get(kind, 0)
        while open_items and open_items[-1] < 2:
            open_items.pop()
    return False
