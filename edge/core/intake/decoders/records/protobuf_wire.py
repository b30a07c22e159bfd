"""The protocol buffers wire format, reduced to what untrusted messages need: bounded size, linear time.

Source: protobuf.dev, "Encoding". A number of more bytes or a field beyond the end is malformed; a field that isn't
known, or comes in another wire type than it should, is passed over, as every protobuf library does.
"""

from __future__ import annotations

from edge.core.model.readings.messages import Refused

VARINT = 0
FIXED64 = 1
BYTES = 2
GROUP = 3
END_OF_GROUP = 4
FIXED32 = 5

DEEPEST_GROUP = 50
"""Maximum nesting depth of skipped groups."""

_WIRE_TYPE = 7
_LONGEST_NUMBER = 10
_64_BITS = 2**64 - 1
_LARGEST_TAG = 2**32 - 1


def read_number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a varint.

    Args:
        data: Any bytes.
        at: Position at which it begins.
        end: End of the enclosing message.

    Returns:
        The number as an unsigned 64-bit integer, and the position after it.

    Raises:
        Refused: It is cut off or longer than ten bytes.
    """
    number = shift = 0
    for place in range(at, min(end, at + _LONGEST_NUMBER)):
        byte = data[place]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & _64_BITS, place + 1
        shift += 7
    raise Refused("malformed", f"a number of the protobuf at byte {at} has no end")


def read_tag(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read a field's tag: its number, its wire type, and the position of its value.

    Raises:
        Refused: It is cut off, or the field number is invalid.
    """
    tag, at = read_number(data, at, end)
    if tag >> 3 == 0 or tag > _LARGEST_TAG:
        raise Refused("malformed", f"not protobuf: the field before byte {at} has the number {tag >> 3}")
    return tag >> 3, tag & _WIRE_TYPE, at


def end_of(data: bytes, field: int, at: int, end: int, wire_type: int) -> tuple[int, int]:
    """Start and end of a field's value.

    A group is skipped, including nested groups, up to the end tag with the same field number.

    Raises:
        Refused: It goes beyond the end, or the wire type is invalid.
    """
    if wire_type == VARINT:
        return at, read_number(data, at, end)[1]
    if wire_type == GROUP:
        return at, _end_of_group(data, field, at, end)
    if wire_type == BYTES:
        size, at = read_number(data, at, end)
    elif wire_type in (FIXED64, FIXED32):
        size = 8 if wire_type == FIXED64 else 4
    else:
        raise Refused("malformed", f"not protobuf: wire type {wire_type} before byte {at}")
    if size > end - at:
        raise Refused("malformed", f"the protobuf is cut off: {size} bytes should follow at byte {at}")
    return at, at + size


def number_field(field: int, value: int) -> bytes:
    """Encode a field that holds a non-negative integer; field numbers up to 15."""
    return bytes([field << 3 | VARINT]) + _written(value)


def bytes_field(field: int, value: bytes) -> bytes:
    """Encode a field that holds bytes, text or a message; field numbers up to 15."""
    return bytes([field << 3 | BYTES]) + _written(len(value)) + value


def _written(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def _end_of_group(data: bytes, field: int, at: int, end: int) -> int:
    open_groups = [field]
    while open_groups:
        field, wire_type, at = read_tag(data, at, end)
        if wire_type == END_OF_GROUP:
            if field != open_groups.pop():
                raise Refused("malformed", f"not protobuf: the group that ends before byte {at} hasn't begun")
        elif wire_type == GROUP:
            open_groups.append(field)
            if len(open_groups) > DEEPEST_GROUP:
                raise Refused("too_deep")
        else:
            _, at = end_of(data, field, at, end, wire_type)
    return at
