"""A publisher with little overhead: prepared packets, written in bulk, with PUBACKs only counted.

    python benchmarks/flood.py PORT MESSAGES [--sensors N] [--pack N] [--rate N]

Prints `sent` and the wall-clock time of the first packet once all packets are acknowledged. A reading is a JSON object
with a time, as sensors send it; with `--pack`, a message is an array of readings of one device, each with its name.
"""

from __future__ import annotations

import argparse
import random
import socket
import struct
import time
from collections.abc import Iterator

WINDOW = 1000
"""Maximum number of unacknowledged packets."""

CHUNK = 100
CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"


def publish_packet(topic: str, payload: bytes, packet_id: int) -> bytes:
    """A PUBLISH packet of MQTT 3.1.1 with QoS 1."""
    name = topic.encode()
    length = 2 + len(name) + 2 + len(payload)
    header = bytearray(b"\x32")
    while True:
        length, digit = divmod(length, 128)
        header.append(digit | (0x80 if length else 0))
        if not length:
            break
    return bytes(header) + struct.pack(">H", len(name)) + name + struct.pack(">H", packet_id) + payload


def readings(
    count: int, sensors: int, start: float, period_s: float = 1.0, seed: int = 1
) -> Iterator[tuple[int, float, float]]:
    """Sensor, time and value of readings, one per sensor every `period_s` seconds."""
    noise = random.Random(seed)
    for number in range(count):
        sensor = number % sensors
        yield sensor, start + number // sensors * period_s, round(20 + sensor % 7 + noise.gauss(0, 0.3), 2)


def messages(
    count: int, sensors: int, pack: int, start: float, period_s: float = 1.0, seed: int = 1
) -> Iterator[tuple[str, bytes]]:
    """Topics and payloads of messages."""
    source = readings(count * pack, sensors, start, period_s, seed)
    for _ in range(count):
        if pack == 1:
            sensor, moment, value = next(source)
            yield f"plant/s{sensor}", b'{"ts":%.3f,"value":%.2f,"unit":"Cel"}' % (moment, value)
            continue
        taken = [next(source) for _ in range(pack)]
        elements = b",".join(b'{"ts":%.3f,"s%d":%.2f}' % (moment, sensor, value) for sensor, moment, value in taken)
        yield "packs/all", b"[" + elements + b"]"


def connect(port: int) -> socket.socket:
    """Open a connection, and wait for the broker's CONNACK."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(CONNECT)
    if connection.recv(4)[3] != 0:
        raise ConnectionError("the broker refused the connection")
    return connection


def flood(connection: socket.socket, packets: list[bytes], rate: float | None = None) -> None:
    """Send packets, at most `rate` per second, and wait for all PUBACKs."""
    acknowledged = 0
    chunk = CHUNK if rate is None else max(1, min(CHUNK, int(rate / 100)))
    began = time.monotonic()
    for first in range(0, len(packets), chunk):
        while first - acknowledged // 4 >= WINDOW:
            acknowledged += len(connection.recv(65_536))
        if rate is not None:
            time.sleep(max(0.0, began + first / rate - time.monotonic()))
        connection.sendall(b"".join(packets[first : first + chunk]))
    while acknowledged < 4 * len(packets):
        acknowledged += len(connection.recv(65_536))


def main() -> None:
    """Publish as requested on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("messages", type=int)
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--pack", type=int, default=1)
    parser.add_argument("--rate", type=float, help="messages per second; by default as many as the broker takes")
    parser.add_argument(
        "--period", type=float, default=1.0, help="seconds between readings of a sensor, by their times"
    )
    parser.add_argument("--start", type=float, help="time of the first readings; by default all lie in the past")
    parser.add_argument("--last", help="topic of one more message, published when all others are acknowledged")
    given = parser.parse_args()
    lasts = given.period * given.messages * given.pack / given.sensors
    start = given.start or time.time() - 30 - lasts
    made = messages(given.messages, given.sensors, given.pack, start, given.period)
    packets = [publish_packet(topic, payload, 1 + number % 60_000) for number, (topic, payload) in enumerate(made)]
    connection = connect(given.port)
    input()
    began = time.time()
    flood(connection, packets, given.rate)
    if given.last:
        flood(connection, [publish_packet(given.last, b'{"ts":%.3f,"value":1000}' % (start + lasts), 1)])
    print(f"sent {began}", flush=True)


if __name__ == "__main__":
    main()
