"""Drivers of the fleet on Spark: their processes, and how far their checkpoint is."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from fleet_plant import CONFIGURATION, EVENTS, SOURCE, Worker, python_with
from kafka_server import Kafka
from msgspec import json
from spark_jars import spark_jars


def driver(kafka: Kafka, folder: Path, *more: str, tasks: int = 2, cells: int = 4, batch: int = 700) -> Worker:
    """Start one; its checkpoint is in its folder."""
    python = python_with("pyspark", "spark")
    (folder / "fleet.toml").write_text(CONFIGURATION)
    where = ("--brokers", kafka.bootstrap, "--source", SOURCE, "--events", EVENTS, "--checkpoint", "checkpoint")
    how = ("--cells", str(cells), "--from", "beginning", "--batch", str(batch), "--trigger", "0")
    spark = ("--master", "local[2,4]", "--tasks", str(tasks), "--conf", f"spark.jars={spark_jars(python)}")
    small = ("--conf", "spark.driver.memory=1g", "--conf", "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1")
    return Worker(python, folder, "spark", *where, *how, *spark, *small, "--config", "fleet.toml", *more)


def committed(folder: Path) -> int:
    """The number of the last batch that was finished; -1 if there is none."""
    commits = folder / "checkpoint" / "commits"
    return max((int(each.name) for each in commits.glob("[0-9]*")), default=-1) if commits.exists() else -1


def read(folder: Path, source: str = SOURCE) -> int:
    """How many records of a topic the finished batches have read."""
    offsets = folder / "checkpoint" / "offsets" / str(committed(folder))
    if not offsets.exists():
        return 0
    return sum(json.decode(offsets.read_text().splitlines()[-1])[source].values())


def python_workers(driver: Worker) -> list[int]:
    """The Python processes that run cells."""
    found = []
    for each in _below(driver.process.pid):
        with suppress(OSError):
            command = Path(f"/proc/{each}/cmdline").read_bytes()
            if b"pyspark" in command and b"daemon" in command and not _below(each):
                found.append(each)
    return found


def processes(driver: Worker) -> list[int]:
    """The driver, Spark itself, and all of its workers."""
    return [driver.process.pid, *_below(driver.process.pid)]


def kill(driver: Worker) -> None:
    """End the driver, Spark itself and all of its workers at once."""
    below = _below(driver.process.pid)
    driver.process.send_signal(signal.SIGSTOP)
    for each in below:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    driver.kill()


def _below(process: int) -> list[int]:
    below = []
    for each in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            below += [int(child) for child in each.read_text().split()]
    return below + [each for child in below for each in _below(child)]
