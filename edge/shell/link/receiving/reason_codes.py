"""Reason codes of MQTT 5 that the standard doesn't allow in a packet: paho ends the connection for one.

Brokers send them all the same. mosquitto answers a publication above `message_size_limit` by a PUBACK with 0x95 (packet
too large), which belongs into a DISCONNECT. The publication would be sent again on the next connection, and end that,
and so on. Such a code is replaced by 0x80 (unspecified error), and its meaning is kept.

Source: MQTT 5.0, section 2.4.
"""

from __future__ import annotations

from functools import cache

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

UNSPECIFIED = 0x80

MORE = 0x80
"""A byte of a length from here on is followed by another one."""

CODE_AT = {PacketTypes.CONNACK: 1, PacketTypes.PUBACK: 2, PacketTypes.DISCONNECT: 0}
"""Position of the reason code in the body of a packet."""

MEANINGS = (PacketTypes.DISCONNECT, PacketTypes.CONNACK, PacketTypes.PUBACK, PacketTypes.SUBACK)
"""Kinds of packets whose reason codes explain one of another kind, in this order."""


def allowed(packet: bytes) -> tuple[bytes, str]:
    """A packet with a reason code that it may have, and the meaning of the one that it had; empty if it was allowed.

    Args:
        packet: One packet of MQTT 5.
    """
    kind = packet[0] >> 4
    start = next((place for place, byte in enumerate(packet[1:5], 2) if byte < MORE), len(packet))
    codes = range(len(packet))[start:]
    if kind in CODE_AT:
        codes = codes[CODE_AT[kind] :][:1]
    elif kind in {PacketTypes.SUBACK, PacketTypes.UNSUBACK} and len(codes) > 2:
        codes = codes[2:]
        length = packet[codes[0]]
        codes = codes[1 + length :] if length < MORE else codes[:0]
    else:
        return packet, ""
    odd = [place for place in codes if not _is_allowed(kind, packet[place])]
    if not odd:
        return packet, ""
    changed = bytearray(packet)
    for place in odd:
        changed[place] = UNSPECIFIED
    return bytes(changed), _meaning(packet[odd[0]])


@cache
def _is_allowed(kind: int, code: int) -> bool:
    try:
        ReasonCode(kind, identifier=code)
    except (KeyError, ValueError):
        return False
    return True


def _meaning(code: int) -> str:
    for kind in MEANINGS:
        if _is_allowed(kind, code):
            return str(ReasonCode(kind, identifier=code))
    return f"reason code 0x{code:02X}"
