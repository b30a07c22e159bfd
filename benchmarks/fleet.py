"""A fleet end to end: readings in Apache Kafka, an engine, events in Apache Kafka, all on this machine.

python benchmarks/fleet.py {quix,spark} [--sensors N] [--readings N] [--cells N] [--workers N] [--master local[2,4]] ...
python benchmarks/fleet.py {quix,spark} --kills N ...

The readings are in Kafka before the engine starts. The clock starts when the engine has finished its first batch, and
stops when it has finished the last. Afterwards the same readings are run through the same cells without an engine, on
one core, for comparison. The columns are: engine, sensors, cells, readings, seconds, readings per second, per second of
CPU time of the engine, the same with Kafka's, the same of the cells without an engine, MiB of Python and of the JVM,
bytes of state per sensor, and events. With `--kills`, nothing is measured: the engine is killed N times on the way, and
once more to continue with twice the cells, on Quix Streams with a second worker and on Spark with twice the tasks; then
the event ids are compared with those of one process.

Needs Java 17 and Maven, and the engine's extra in this Python, or in the environment `quix` or `spark` in the same
folder, where `make verify` installs them.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

from cell_stores import Names  # noqa: E402 - the path comes first
from confluent_kafka import Consumer, KafkaException, TopicPartition  # noqa: E402
from fleet_plant import Worker, python_with  # noqa: E402
from kafka_server import Kafka  # noqa: E402
from spark_driver import kill, processes, read  # noqa: E402
from spark_jars import spark_jars  # noqa: E402

from config.loading import parse  # noqa: E402
from edge.core.cells import Cell  # noqa: E402
from edge.core.model.readings.messages import Message  # noqa: E402
from edge.fleet.engines.keyed_cells import KeyedCells  # noqa: E402
from edge.fleet.engines.packing import Packing  # noqa: E402
from edge.fleet.plan import plan_of  # noqa: E402
from edge.fleet.topics import TopicPlacing  # noqa: E402

PARTITIONS = 4
START, INTERVAL_S = 1_700_000_000, 10
SOURCE, EVENTS, GROUP = "readings", "events", "fleet"
CONFIGURATION = f'[gateway]\nname = "fleet"\n[[input]]\ntopic = "{SOURCE}/#"\n'
TICKS = os.sysconf("SC_CLK_TCK")


class Sent(NamedTuple):
    """A record: its partition, key and value, and its time in seconds since the epoch."""

    partition: int
    key: str
    value: str
    time: int


def records(sensors: int, readings: int) -> Iterator[Sent]:
    """Readings of each sensor, five sensors per device; one in 200 changes its level after two thirds."""
    noise = random.Random(1)
    names = [f"plant/device{each // 5}/field{each % 5}" for each in range(sensors)]
    places = [zlib.crc32(each.rpartition("/")[0].encode()) % PARTITIONS for each in names]
    for turn in range(readings):
        for number, name in enumerate(names):
            level = 60.0 if number % 200 == 0 and turn > readings * 2 // 3 else 20.0
            yield Sent(places[number], name, f"{level + noise.gauss(0.0, 0.2):.2f}", START + INTERVAL_S * turn)


def produce(kafka: Kafka, some: Iterable[Sent]) -> None:
    """Write records."""
    producer = kafka.producer(**{"linger.ms": 50, "compression.type": "lz4"})
    for each in some:
        while True:
            try:
                producer.produce(SOURCE, each.value, each.key, each.partition, timestamp=each.time * 1000)
            except BufferError:
                producer.poll(0.1)
                continue
            break
    producer.flush(600)


def undisturbed(some: Iterable[Sent]) -> set[str]:
    """The ids of the events of one process for the same records."""
    cell, found, offset = Cell(plan_of(parse(CONFIGURATION, "fleet").configuration, 1)), set(), 0
    while piece := [*islice(some, 10_000)]:
        messages = [Message(f"{SOURCE}/{each.key}", each.value.encode(), each.time) for each in piece]
        step = cell.process(messages, "log", range(offset, offset + len(piece)))
        found |= {each.id for each in step.events}
        offset += len(piece)
    return found


def alone(some: Iterable[Sent], cells: int) -> float:
    """Readings per second of CPU time of the same cells, without an engine."""
    configuration = parse(CONFIGURATION, "fleet").configuration
    plan = plan_of(configuration, cells)
    packing, host = Packing(TopicPlacing.of(configuration, plan)), KeyedCells(plan)
    states: defaultdict[str, Names] = defaultdict(Names)
    seconds, count = 0.0, 0
    while piece := [*islice(some, 20_000 * PARTITIONS)]:
        for partition in range(PARTITIONS):
            those = [each for each in piece if each.partition == partition]
            keys, values = [each.key.encode() for each in those], [each.value.encode() for each in those]
            times, offsets = [float(each.time) for each in those], [*range(count, count + len(those))]
            share = packing.share(SOURCE, offsets, [*keys], [*values], times, [""] * len(those))
            for cell, records in share.records.items():
                key, began = f"{partition}/{cell}", time.process_time()
                host.run(key, states[key], records, str(partition), times[-1])
                seconds += time.process_time() - began
            count += len(those)
    return count / seconds


def start(kafka: Kafka, folder: Path, given: argparse.Namespace) -> Worker:
    """Start the engine."""
    python = python_with({"quix": "quixstreams", "spark": "pyspark"}[given.engine], given.engine)
    folder.mkdir(exist_ok=True)
    (folder / "fleet.toml").write_text(CONFIGURATION)
    where = ("--brokers", kafka.bootstrap, "--source", SOURCE, "--events", EVENTS, "--config", "fleet.toml")
    how = ("--cells", str(given.cells), "--from", "beginning")
    if given.engine == "quix":
        (folder / "client").write_text("session.timeout.ms=6000\nheartbeat.interval.ms=1000\n")
        return Worker(python, folder, "quix", *where, *how, "--group", GROUP, "--client", "client")
    jars = ("--conf", f"spark.jars={spark_jars(python)}", "--conf", f"spark.driver.memory={given.memory}")
    tasks = ("--tasks", str(given.tasks), "--master", given.master, "--batch", str(given.batch), "--trigger", "0")
    divide = ("--divide", "checkpoint") if given.checkpoint != "checkpoint" else ()
    return Worker(python, folder, "spark", *where, *how, *jars, *tasks, "--checkpoint", given.checkpoint, *divide)


def is_behind(kafka: Kafka, topic: str) -> tuple[int, int]:
    """Number of records of a topic that a consumer group has read, and total number."""
    group = f"{GROUP}-packers" if topic == SOURCE else GROUP
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    try:
        if topic not in consumer.list_topics(timeout=20).topics:
            return 0, 1
        parts = [TopicPartition(topic, each) for each in range(PARTITIONS)]
        ends = sum(consumer.get_watermark_offsets(each, 20)[1] for each in parts)
        return sum(max(0, each.offset) for each in consumer.committed(parts, 30)), ends
    except KafkaException:
        return 0, 1
    finally:
        consumer.close()


def done(kafka: Kafka, folder: Path, given: argparse.Namespace, total: int) -> int:
    """Number of readings that are processed, with their events written and their state saved."""
    if given.engine == "spark":
        return int(read(folder, SOURCE, given.checkpoint))
    (packed, _), (run, packs) = is_behind(kafka, SOURCE), is_behind(kafka, f"{GROUP}-packs")
    return total if packed == total and run == packs else min(packed * run // max(1, packs), total - 1)


def cpu_of(process: int) -> float:
    """Seconds of CPU time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def used(workers: Sequence[Worker]) -> tuple[float, dict[str, int]]:
    """CPU seconds of the engine's processes that run now, and their memory in bytes by program."""
    seconds, memory = 0.0, {"java": 0, "python": 0}
    for each in (process for worker in workers for process in processes(worker)):
        with suppress(OSError):
            seconds += cpu_of(each)
            program = "java" if b"java" in Path(f"/proc/{each}/cmdline").read_bytes().split(b"\0")[0] else "python"
            pages = [line for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines() if line[:4] == "Pss:"]
            memory[program] += 1024 * int(pages[0].split()[1])
    return seconds, memory


def main() -> None:
    """Measure, and print a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=["quix", "spark"])
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--readings", type=int, default=300, help="of each sensor")
    parser.add_argument("--cells", type=int, default=4, help="of each of the four partitions")
    parser.add_argument("--master", default="local[2,4]")
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--batch", type=int, default=100_000)
    parser.add_argument("--memory", default="1g", help="of Spark's JVM")
    parser.add_argument("--check", action="store_true", help="compare the event ids with those of one process")
    parser.add_argument("--workers", type=int, default=1, help="of Quix Streams")
    parser.add_argument("--kills", type=int, default=0, help="kill the engine and compare the event ids")
    given = parser.parse_args()
    given.checkpoint = "checkpoint"
    with tempfile.TemporaryDirectory() as name:
        folder, kafka = Path(name), Kafka(Path(name) / "kafka", "log.retention.ms=-1")
        kafka.start()
        kafka.create_topic(SOURCE, PARTITIONS)
        kafka.create_topic(EVENTS, PARTITIONS)
        workers: list[Worker] = []
        try:
            produce(kafka, records(given.sensors, given.readings))
            workers += [start(kafka, folder / f"worker{each}", given) for each in range(given.workers)]
            if given.kills:
                disturb(kafka, folder / "worker0", given, workers, given.sensors * given.readings)
            else:
                measure(kafka, folder / "worker0", given, workers, given.sensors * given.readings)
            if given.check or given.kills:
                kill(workers[0])
                ids = {dict(each.headers())["ce_id"].decode() for each in kafka.records(EVENTS)}
                alone = undisturbed(records(given.sensors, given.readings))
                print(f"{len(ids):,} event ids, {len(ids ^ alone)} of them not as of one process")
        finally:
            for each in workers:
                kill(each)
            kafka.remove()


def disturb(kafka: Kafka, folder: Path, given: argparse.Namespace, workers: list[Worker], total: int) -> None:
    """Kill the engine on the way, continue with twice the cells and more workers or tasks, and wait for the end."""
    for number in range(1, given.kills + 2):
        wait_for(kafka, folder, given, workers, total, total * number // (given.kills + 2))
        kill(workers.pop())
        if number > given.kills:
            given.cells, given.tasks, given.checkpoint = 2 * given.cells, 2 * given.tasks, "wider"
        workers.append(start(kafka, folder, given))
    if given.engine == "quix":
        workers.append(start(kafka, folder.parent / "another", given))
    wait_for(kafka, folder, given, workers, total, total)


def wait_for(
    kafka: Kafka, folder: Path, given: argparse.Namespace, workers: list[Worker], total: int, count: int
) -> None:
    """Wait until that many readings have been processed."""
    while (reached := done(kafka, folder, given, total)) < count:
        for each in workers:
            each.must_run()
        time.sleep(0.5)
    print(
        f"{reached:,} of {total:,} by {len(workers)} with {given.cells * PARTITIONS} cells", file=sys.stderr, flush=True
    )


def measure(kafka: Kafka, folder: Path, given: argparse.Namespace, workers: Sequence[Worker], total: int) -> None:
    """Follow an engine to the last reading, and print a row."""
    began, first, cpu_before, peak = 0.0, 0, 0.0, {"java": 0, "python": 0}
    kafka_before = 0.0
    while (count := done(kafka, folder, given, total)) < total:
        for each in workers:
            each.must_run()
        seconds, memory = used(workers)
        peak = {name: max(peak[name], memory[name]) for name in peak}
        if count and not first:
            began, first, cpu_before, kafka_before = time.monotonic(), count, seconds, cpu_of(kafka.process)
            print(f"begins behind {first:,} of {total:,}", file=sys.stderr, flush=True)
        time.sleep(1.0)
    wall, cpu = time.monotonic() - began, used(workers)[0] - cpu_before
    both = cpu + cpu_of(kafka.process) - kafka_before
    kept = folder.parent.rglob("checkpoint" if given.engine == "spark" else "fleet-state")
    written = sum(file.stat().st_size for each in kept for file in each.rglob("*") if file.is_file())
    events = len(kafka.records(EVENTS))
    core = alone(records(given.sensors, given.readings), given.cells)
    count, mib = total - first, 2**20
    rates = (f"{count / each:,.0f}" for each in (wall, cpu, both))
    sizes = (f"{each:,.0f}" for each in (core, peak["python"] / mib, peak["java"] / mib, written / given.sensors))
    cells = given.cells * PARTITIONS
    row = (given.engine, f"{given.sensors:,}", cells, f"{count:,}", f"{wall:,.0f}", *rates, *sizes, f"{events:,}")
    print(f"load average {os.getloadavg()[0]:.0f}", file=sys.stderr)
    print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
