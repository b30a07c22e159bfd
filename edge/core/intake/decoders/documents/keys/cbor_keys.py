"""Finds CBOR map keys whose hashes a sender can choose, without decoding the payload.

Python hashes of arrays, floats and big numbers can be chosen freely: 256 kB of such keys take seconds to decode. Only
about ten integers of 64 bits share a hash, and those of text and bytes are secret.

Source: RFC 8949, section 3.
"""

from __future__ import annotations

_BYTES, _TEXT, _ARRAY, _MAP, _TAG = 2, 3, 4, 5, 6
"""Major types; those of integers are lower."""

_BREAK = 0xFF
_INDEFINITE, _ENDLESS = 31, 2**62


def has_other_keys(payload: bytes) -> bool:
    """Whether a map in a payload has a key that is neither text, bytes nor an integer of 64 bits.

    A malformed payload is scanned as far as it makes sense. Takes linear time.
    """
    place, size = 0, len(payload)
    # Remaining items of each open array, map or string in chunks, and whether it is a map: in one, a key is due
    # wherever the number is even.
    open_items: list[tuple[int, bool]] = []
    while place < size:
        while open_items and open_items[-1][0] <= 0:
            open_items.pop()
        kind, place = payload[place], place + 1
        if kind == _BREAK:
            del open_items[-1:]
            continue
        major = kind >> 5
        length, place = _length(payload, kind & 31, place)
        if open_items:
            left, is_map = open_items[-1]
            if is_map and left % 2 == 0 and major > _TEXT:
                return True
            if major != _TAG:  # the item that follows is the tagged one
                open_items[-1] = left - 1, is_map
        if major in {_ARRAY, _MAP} or (length == _ENDLESS and major in {_BYTES, _TEXT}):
            open_items.append((2 * length if major == _MAP else length, major == _MAP))
        elif major in {_BYTES, _TEXT}:
            place += length
    return False


def _length(payload: bytes, info: int, place: int) -> tuple[int, int]:
    """The number in the low bits of an item's first byte, or in the bytes at `place`; and the position after it."""
    width = 1 << (info - 24) if 24 <= info < _INDEFINITE - 3 else 0
    if width:
        return int.from_bytes(payload[place : place + width]), place + width
    return (_ENDLESS if info == _INDEFINITE else info), place
