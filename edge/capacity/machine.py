"""The capacity of this machine: the cost of a reading in each stage, and in total.

The whole pipeline runs in the service's own loop with its own store, on a disk of this machine; see `plant.py` for the
rest. A link's cost is that of parsing bytes and creating acknowledgements; the kernel's share isn't included.
"""

from __future__ import annotations

import os
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from config.schema import Configuration
from config.tables.inputs import Input
from edge.capacity.edge_node import edge_node
from edge.capacity.plant import START, Clock, FreeLink, LoadPlant, LoadReading
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import Readings, pack
from edge.shell.link.receiving.publish_parser import PublishParser
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.service import Service
from edge.shell.store import SqliteStore
from edge.shell.system.wall_clock import WallClock

TOPIC = "bench"
WIDEST = 1000
"""Number of readings processed together when stages are measured: a window of a busy broker."""

ROUNDS = 10
"""Number of readings of each sensor before measuring."""


@dataclass(frozen=True)
class Costs:
    """Costs in microseconds per reading.

    Attributes:
        link: CPU for parsing it and acknowledging it.
        decode: CPU from payload to arrays, including admission.
        detect: CPU of detectors and incidents.
        store: CPU for packing and committing.
        store_waits: Waiting for the disk.
    """

    link: float
    decode: float
    detect: float
    store: float
    store_waits: float


@dataclass(frozen=True)
class CapacityRun:
    """The whole pipeline over some time.

    Attributes:
        readings: Number of readings.
        plant_s: Duration in the plant's time, in seconds.
        cpu_s: CPU seconds.
        wall_s: Elapsed seconds, including waiting for the disk.
        written: Bytes passed to the kernel; None if unavailable.
        memory_mib: Growth of resident memory; None if unavailable.
    """

    readings: int
    plant_s: float
    cpu_s: float
    wall_s: float
    written: int | None
    memory_mib: float | None

    @property
    def cpu_us(self) -> float:
        """CPU microseconds per reading."""
        return 1e6 * self.cpu_s / self.readings

    @property
    def wall_us(self) -> float:
        """Elapsed microseconds per reading."""
        return 1e6 * self.wall_s / self.readings


@dataclass(frozen=True)
class Measured:
    """The measured capacity of a machine.

    Attributes:
        sensors: Number of sensors of the plant.
        rate: Readings per second.
        memory_mib: Memory of the process before the first sensor; None if unavailable.
        costs: Costs of the stages.
        busy: The whole pipeline with readings always waiting.
        asked: The whole pipeline at the plant's rate.
    """

    sensors: int
    rate: float
    memory_mib: float | None
    costs: Costs
    busy: CapacityRun
    asked: CapacityRun


def measure(configuration: Configuration, sensors: int, rate: float, folder: Path, seconds: float) -> Measured:
    """Measure everything.

    Args:
        configuration: The configuration to measure.
        sensors: Number of sensors.
        rate: Readings per second of all sensors together.
        folder: The folder for stores, which are left there.
        seconds: Elapsed duration of each of the two runs.
    """
    memory = resident_mib()
    asked = run_line(configuration, sensors, rate, folder, paced=True, seconds=seconds)
    busy = run_line(configuration, sensors, rate, folder, paced=False, seconds=seconds)
    return Measured(sensors, rate, memory, measure_parts(configuration, sensors, folder), busy, asked)


def measure_parts(configuration: Configuration, sensors: int, folder: Path) -> Costs:
    """Measure the stages one after the other over the same readings."""
    adjusted = bench_input(configuration)
    pipeline = make_pipeline(adjusted)
    width = min(WIDEST, sensors)
    plant = LoadPlant(sensors, float(sensors), message_of(adjusted.inputs[0]))
    store = SqliteStore(_file_in(folder, "parts"), configuration.store.durability)
    spent = dict.fromkeys(("link", "decode", "detect", "store", "waits"), 0.0)
    measured = 0
    cutter = PublishParser(time.time, 1, modern=False)
    least = ROUNDS * sensors
    while measured < max(least, 20 * width):
        messages = plant.until(np.inf, width)
        packets = b"".join(publish_packet(each) for each in messages)
        began = time.process_time()
        cutter.cut(packets)
        struct.pack(f">{2 * width}H", *([0x4002, 1] * width))
        cut = time.process_time()
        delivered: list[tuple[int, int]] = []
        batch = pipeline.intake.read(messages, [], delivered)
        pipeline.engine.grow(len(pipeline.sensors))
        batch = pipeline.intake.admit(batch, None, [])
        decoded = time.process_time()
        pipeline.engine.process(batch)
        detected = time.process_time()
        if plant.sent <= least:
            continue
        wall = time.perf_counter()
        store.append([], [], pack([Readings(batch, [], delivered)]), now=START)
        stored = time.process_time()
        spent["waits"] += time.perf_counter() - wall - (stored - detected)
        for name, begin, end in (
            ("link", began, cut),
            ("decode", cut, decoded),
            ("detect", decoded, detected),
            ("store", detected, stored),
        ):
            spent[name] += end - begin
        measured += width
    store.close()
    link, decode, detect, keep, waits = (1e6 * each / measured for each in spent.values())
    return Costs(link, decode, detect, keep, max(0.0, waits))


def run_line(
    configuration: Configuration, sensors: int, rate: float, folder: Path, *, paced: bool, seconds: float
) -> CapacityRun:
    """Run the service over the plant for a number of seconds of real time, after some readings of each sensor."""
    adjusted = bench_input(configuration)
    clock = Clock()
    plant = LoadPlant(sensors, rate, message_of(adjusted.inputs[0]))
    link: Any = FreeLink(plant, clock, configuration.broker.in_flight, paced=paced)
    store = SqliteStore(_file_in(folder, "line"), configuration.store.durability)
    wall = WallClock(0.0, None, lambda: START + clock.now, clock)
    options = ServiceOptions(
        Topics("edgewarden/bench"), commit_s=configuration.store.commit_s, in_flight=configuration.broker.in_flight
    )
    memory = resident_mib()
    service = Service(make_pipeline(adjusted), store, link, link, options, clock=wall, monotonic=clock)
    until = time.perf_counter() + seconds
    while plant.sent < ROUNDS * sensors and time.perf_counter() < until:
        service._turn()  # noqa: SLF001 - the loop's body
    link.pauses = paced
    readings, now, written = plant.sent, clock.now, bytes_written()
    cpu, link_cpu, began = time.process_time(), link.cpu_s, time.perf_counter()
    while time.perf_counter() < began + seconds:
        service._turn()  # noqa: SLF001 - for the same reason
    cpu_s = time.process_time() - cpu - (link.cpu_s - link_cpu)
    wall_s = time.perf_counter() - began - (link.cpu_s - link_cpu)
    wrote, grown = bytes_written(), resident_mib()
    store.close()
    return CapacityRun(
        plant.sent - readings,
        clock.now - now,
        cpu_s,
        wall_s,
        None if wrote is None or written is None else wrote - written,
        None if grown is None or memory is None else grown - memory,
    )


def bench_input(configuration: Configuration) -> Configuration:
    """The configuration with a single input, in the format of its first."""
    first = configuration.inputs[0]
    is_sparkplug = first.format == "sparkplug"
    topic, sensor = ("spBv1.0/#", "{field}") if is_sparkplug else (f"{TOPIC}/#", "{topic}")
    changed = first.replaced(topic=topic, sensor=sensor, time="payload", zone="UTC", precision="ns")
    return configuration.replaced(inputs=(changed,))


def message_of(given: Input) -> Callable[[Sequence[LoadReading]], tuple[str, bytes]]:
    """The encoder for an input's readings."""
    if given.format == "number":
        return lambda readings: (f"{TOPIC}/s{readings[0].sensor}", b"%.2f" % readings[0].value)
    if given.format == "sparkplug":
        return edge_node(TOPIC)
    if given.format == "influx":
        return lambda readings: (
            f"{TOPIC}/s{readings[0].sensor}",
            b"plant value=%.2f %d" % (readings[0].value, readings[0].time * 1e9),
        )
    if given.format.startswith("senml"):
        value_key, time_key = "v", "t"
    else:
        value_key, time_key = given.value_key or "value", (given.time_keys or ("ts",))[0]

    encoders: dict[str, Callable[[Any], bytes]] = {
        "json": msgspec.json.encode,
        "msgpack": msgspec.msgpack.encode,
        "cbor": _as_cbor,
        "senml": msgspec.json.encode,
        "senml-cbor": _as_cbor,
    }
    encode = encoders[given.format]

    def write(readings: Sequence[LoadReading]) -> tuple[str, bytes]:
        (sensor, moment, value) = readings[0]
        return f"{TOPIC}/s{sensor}", encode({time_key: moment, value_key: value})

    return write


def _as_cbor(document: Any) -> bytes:
    import cbor2  # noqa: PLC0415 - an extra

    return bytes(cbor2.dumps(document))


def publish_packet(message: Message) -> bytes:
    """Encode a message as an MQTT 3.1.1 packet."""
    topic = message.topic.encode()
    body = struct.pack(f">H{len(topic)}sH", len(topic), topic, message.packet) + message.payload
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return b"\x32" + bytes(digits) + body


def folder_for(configuration: Configuration) -> tempfile.TemporaryDirectory[str]:
    """A folder on the disk of the store, or elsewhere if that isn't writable."""
    with suppress(OSError):
        return tempfile.TemporaryDirectory(prefix="edgewarden-bench-", dir=configuration.store.path.resolve().parent)
    return tempfile.TemporaryDirectory(prefix="edgewarden-bench-")


def resident_mib() -> float | None:
    """Resident memory of this process; None if unavailable."""
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return None


def bytes_written() -> int | None:
    """Bytes that this process has passed to the kernel so far; None if unavailable."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/io").read_text().splitlines()
        return int(next(each for each in lines if each.startswith("wchar")).split()[1])
    return None


def _file_in(folder: Path, name: str) -> Path:
    return folder / f"{name}-{time.monotonic_ns()}.db"
