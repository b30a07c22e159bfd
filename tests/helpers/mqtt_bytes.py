"""MQTT packets as bytes, for brokers and proxies that misbehave."""

from __future__ import annotations

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 14
UNSUBSCRIBE, UNSUBACK = 10, 11


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    length = len(body)
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([kind << 4 | flags]) + bytes(encoded) + body


def publish(topic: bytes, payload: bytes, qos: int = 0, packet_id: int = 1) -> bytes:
    identity = packet_id.to_bytes(2, "big") if qos else b""
    return packet(PUBLISH, len(topic).to_bytes(2, "big") + topic + identity + payload, qos << 1)


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """Whole packets, and the beginning of an incomplete one."""
    packets = []
    while True:
        end, length, shift = 1, 0, 0
        while end < len(data) and end < 6:
            length |= (data[end] & 0x7F) << shift
            shift += 7
            end += 1
            if not data[end - 1] & 0x80:
                break
        else:
            return packets, data
        if len(data) < end + length:
            return packets, data
        packets.append(data[: end + length])
        data = data[end + length :]


def kind_of(whole: bytes) -> int:
    return whole[0] >> 4
