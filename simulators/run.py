"""One run of `edgewarden simulate`: from the options to the last confirmation."""

from __future__ import annotations

import csv
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from edge.core.model.readings.messages import Reading
from edge.shell.files.csv_file import CsvError
from edge.shell.link import Link, LinkOptions, TlsOptions
from simulators.faults.schedule import Schedule
from simulators.faults.truth import TruthSummary
from simulators.plant.plant import plant
from simulators.publish.csv_source import csv_readings
from simulators.publish.narration import Narrator
from simulators.publish.payloads import Publication, publications
from simulators.publish.publisher import PacedPublisher, PublishedCount, PublishError, PublishingOutlet, PublishingPace
from simulators.signals.label import FAULT_KINDS, Fault

CONNECT_S = 15.0
"""Timeout for the broker's acceptance of the connection."""


class RunError(Exception):
    """A run can't be started or completed.

    Attributes:
        exit_code: 2 if the command or a file is invalid, 1 if the broker or the disk failed.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ReadingSource(NamedTuple):
    """The messages to publish.

    Attributes:
        readings: Readings in order of time.
        units: Units of sensors, by name.
        faults: Faults of the run.
        speed: Seconds of plant time per second; 0 for as fast as possible.
        start: Start of the run in plant time, in seconds since the epoch, UTC.
        sensors: Number of readings; 0 if it depends on the file.
    """

    readings: Iterable[Reading]
    units: Mapping[str, str]
    faults: tuple[Fault, ...]
    speed: float
    start: float
    sensors: int


def execute(given: Mapping[str, Any]) -> None:
    """Run with the options of `simulators.commands.simulate`.

    Raises:
        RunError: A file is invalid, or the broker or the disk failed.
    """
    publishes = given["host"] is not None or given["kafka"] is not None or given["output"] is None
    try:
        source = _csv(given) if given["csv_path"] else _plant(given, publishes=publishes, now=time.time())
        with ExitStack() as open_things:
            stopped = open_things.enter_context(_stopping())
            record = _recorder(given["truth_path"], open_things)
            readings = source.readings
            if given["output"] is not None:
                readings = _written(readings, given["output"], open_things)
            narrator = Narrator(source.faults, record)
            messages = narrator.accompany(publications(readings, given["form"], source.units, given["pack"]))
            limit_s = given["seconds"] or float("inf")
            if publishes:
                link = _connected(given, open_things)
                pace = PublishingPace(source.speed, source.start, limit_s)
                publisher = PacedPublisher(link, time.monotonic, time.sleep, pace, qos=given["qos"], stopped=stopped)
                sent = publisher.run(messages)
                if source.sensors:
                    publisher.tell(narrator.conclude(_summary(given, source, sent, narrator.count)))
                publisher.finish()
            else:
                sent = _consumed(messages, time.monotonic, limit_s, stopped)
                if source.sensors:
                    narrator.conclude(_summary(given, source, sent, narrator.count))
    except CsvError as error:
        raise RunError(str(error), 2) from error
    except PublishError as error:
        raise RunError(str(error), 1) from error
    except OSError as error:
        raise RunError(f"{error.filename or 'output'}: {error.strerror or error}", 1) from error
    verb = "published" if publishes else "written"
    print(f"{sent.readings} readings {verb}, {narrator.count} faults", file=sys.stderr)


def _connected(given: Mapping[str, Any], open_things: ExitStack) -> PublishingOutlet:
    """A connection to the broker, or to Kafka.

    Raises:
        RunError: There is none.
    """
    if given["kafka"] is not None:
        if find_spec("confluent_kafka") is None:
            raise RunError("--kafka needs a package: pip install 'edgewarden[kafka]'", 2)
        from simulators.publish.kafka_outlet import KafkaOutlet  # noqa: PLC0415 - needs an extra

        return KafkaOutlet(given["kafka"], (given["prefix"] or "plant").split("/")[0])
    link = Link(_link_options(given))
    link.start()
    open_things.callback(link.stop)
    if not link.wait_connected(CONNECT_S):
        where = f"{link.options.host}:{link.options.port}"
        why = link.trouble or "no answer"
        raise RunError(f"the broker at {where} doesn't accept the connection within {CONNECT_S:g} s: {why}", 1)
    return link


def _plant(given: Mapping[str, Any], *, publishes: bool, now: float) -> ReadingSource:
    simulated = plant(given["sensors"], given["seed"], given["interval_s"], given["prefix"] or "plant")
    duration_s: float = given["duration_s"]
    speed = 1.0 if given["rate"] is None else given["rate"] / simulated.readings_per_second
    if not publishes:
        speed = 0.0
    if speed and given["seconds"] is not None:
        duration_s = min(duration_s, given["seconds"] * speed)
    start = first_moment(now, duration_s, speed) if given["start"] is None else given["start"]
    schedule = Schedule(
        given["fault_share"],
        given["warm_up"],
        given["fault_size"],
        given["faults_each"],
        given["fault_kinds"] or FAULT_KINDS,
    )
    injections = schedule.plan(simulated.sensors, given["seed"], start, duration_s)
    if given["fault_share"] and not injections:
        print("the run is too short for faults; lengthen it or lower --interval", file=sys.stderr)
    return ReadingSource(
        simulated.readings(start, start + duration_s, injections),
        {each.name: each.unit for each in simulated.sensors},
        tuple(each.fault for each in injections),
        speed,
        start,
        len(simulated.sensors),
    )


def first_moment(now: float, duration_s: float, speed: float) -> float:
    """Start of a run in plant time, such that it ends now and is never ahead of the clock.

    Args:
        now: The wall clock, seconds since the epoch.
        duration_s: Duration of the run in seconds of plant time.
        speed: Seconds of plant time per second; 0 for as fast as possible.
    """
    takes_s = duration_s / speed if speed else 0.0
    return round(now + min(0.0, takes_s - duration_s), 3)


def _csv(given: Mapping[str, Any]) -> ReadingSource:
    """The readings of a file, all read before the first is published, so that a malformed row publishes nothing."""
    readings = list(csv_readings(given["csv_path"], given["prefix"] or ""))
    start = readings[0].time if readings else 0.0
    return ReadingSource(readings, {}, (), given["speed"], start, 0)


def _summary(given: Mapping[str, Any], source: ReadingSource, sent: PublishedCount, faults: int) -> TruthSummary:
    end = source.start if sent.last is None else sent.last
    return TruthSummary(source.sensors, sent.readings, faults, source.start, end, given["seed"])


def _link_options(given: Mapping[str, Any]) -> LinkOptions:
    password = None
    if given["password_file"] is not None:
        try:
            password = given["password_file"].read_text("utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{given['password_file']}: can't be read as a password: {error}", 2) from error
    ca_file = str(given["ca_file"]) if given["ca_file"] else None
    return LinkOptions(
        host=given["host"] or "127.0.0.1",
        port=given["port"] or (8883 if given["tls"] else 1883),
        username=given["username"],
        password=password,
        tls=TlsOptions(ca_file=ca_file) if given["tls"] else None,
    )


def _recorder(path: Path | None, open_things: ExitStack) -> Callable[[bytes], None]:
    if path is None:
        return lambda _line: None
    file = open_things.enter_context(path.open("wb"))

    def record(line: bytes) -> None:
        file.write(line + b"\n")
        file.flush()

    return record


def _written(readings: Iterable[Reading], path: Path, open_things: ExitStack) -> Iterator[Reading]:
    """The readings, each written to a CSV file as it passes."""
    file = open_things.enter_context(path.open("w", encoding="utf-8", newline=""))
    write = csv.writer(file, lineterminator="\n").writerow
    write(("time", "sensor", "value"))
    return _passed(readings, write)


def _passed(readings: Iterable[Reading], write: Callable[[tuple[float, str, float]], object]) -> Iterator[Reading]:
    for reading in readings:
        write((reading.time, reading.sensor, reading.value))
        yield reading


def _consumed(
    messages: Iterable[Publication], clock: Callable[[], float], limit_s: float, stopped: Callable[[], bool]
) -> PublishedCount:
    """Consume messages for their side effects."""
    end = clock() + limit_s
    readings, count, last = 0, 0, None
    for message in messages:
        if message.readings:
            readings, count, last = readings + message.readings, count + 1, message.time
        if stopped() or clock() >= end:
            break
    return PublishedCount(readings, count, last)


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Convert Ctrl-C and SIGTERM to a request to stop, returned by the function."""
    wished = False

    def wish(*_: object) -> None:
        nonlocal wished
        wished = True

    before = {each: signal.signal(each, wish) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: wished
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
