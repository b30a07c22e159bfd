"""Drivers of the fleet on Spark: their processes, and the progress of their checkpoints."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from fleet_plant import CONFIGURATION, EVENTS, SOURCE, Worker, python_with
from kafka_server import Kafka
from msgspec import json
from spark_jars import spark_jars

ROOT = Path(__file__).parents[2]
FAULTS = Path(__file__).parent / "spark_faults"


def driver(
    kafka: Kafka,
    folder: Path,
    *,
    tasks: int = 2,
    kills_workers: bool = False,
    cells: int = 4,
    checkpoint: str = "checkpoint",
    divides: str = "",
) -> Worker:
    """Start one; its checkpoint is in its folder."""
    python = python_with("pyspark", "spark")
    (folder / "fleet.toml").write_text(CONFIGURATION)
    where = ("--brokers", kafka.bootstrap, "--source", SOURCE, "--events", EVENTS, "--checkpoint", checkpoint)
    how = ("--cells", str(cells), "--from", "beginning", "--batch", "700", "--trigger", "0")
    how += ("--divide", divides) if divides else ()
    spark = ("--master", "local[2,4]", "--tasks", str(tasks), "--conf", f"spark.jars={spark_jars(python)}")
    small = ("--conf", "spark.driver.memory=1g", "--conf", "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1")
    faults = {"PYTHONPATH": f"{FAULTS}:{ROOT}", "KILLED_WORKERS": str(folder)} if kills_workers else {}
    return Worker(python, folder, "spark", *where, *how, *spark, *small, "--config", "fleet.toml", **faults)


def committed(folder: Path, checkpoint: str = "checkpoint") -> int:
    """The number of the last batch that was finished; -1 if there is none."""
    commits = folder / checkpoint / "commits"
    return max((int(each.name) for each in commits.glob("[0-9]*")), default=-1) if commits.exists() else -1


def read(folder: Path, source: str = SOURCE, checkpoint: str = "checkpoint") -> int:
    """Number of a topic's records read by the finished batches."""
    offsets = folder / checkpoint / "offsets" / str(committed(folder, checkpoint))
    if not offsets.exists():
        return 0
    return sum(json.decode(offsets.read_text().splitlines()[-1])[source].values())


def killed_workers(folder: Path) -> int:
    """Number of Python workers that were killed between state and output."""
    return len([*folder.glob("kill[0-9]")])


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
