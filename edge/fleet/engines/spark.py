"""Cells on Spark Structured Streaming: readings from a Kafka topic, events to another, state in Spark's checkpoint.

Records are packed by cell, and each cell is a key of `transformWithStateInPandas`. Spark commits the offsets and
the states together, so that a batch is repeated as a whole or not at all. Events that were already written to the topic
remain there: events are delivered at least once, with the same IDs.

Time comes from heartbeats, which are records without a key: each is passed to all cells of its partition. Spark's
watermark isn't used, because it would drop the records of a partition that lags, and those of a gateway that was cut
off.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import msgspec
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.streaming import StreamingQuery

from edge.fleet.engines.spark_cells import OUTPUT, PACKED, CellProcessor, packer_of
from edge.fleet.engines.spark_checkpoint import CheckpointError, claim, last_batch
from edge.fleet.engines.spark_division import begin

log = logging.getLogger("edgewarden.fleet")

CONNECTOR = "org.apache.spark:spark-sql-kafka-0-10_2.13"
ROCKSDB = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
SETTINGS = {
    "spark.python.authenticate.socketTimeout": "120s",
    "spark.python.worker.reuse": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
    "spark.sql.streaming.minBatchesToRetain": "10",
    "spark.sql.streaming.stateStore.providerClass": ROCKSDB,
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""Settings of Spark, unless the operator sets others."""

LOOK_S = 0.5
PROGRESS_S = 60.0
AGAIN_S = 5.0
FAILURES = 5
"""Attempts in which a query fails before it has finished a batch, until the job fails."""


class SparkJobError(Exception):
    """The job can't start, or has failed; after a restart, it continues from its checkpoint."""


@dataclass(frozen=True)
class SparkOptions:
    """What a job does.

    Attributes:
        configuration: The configuration, as TOML; it is sent to the workers.
        cells: Number of cells of each partition of the source.
        source: Topic of the readings.
        events: Topic of the events.
        client: Settings of Kafka's Java client, `bootstrap.servers` among them.
        checkpoint: Folder or address of the checkpoint.
        begin: Where a new fleet begins: `earliest` or `latest`.
        most: Maximum number of records of a batch.
        trigger_s: Seconds between the beginnings of two batches; 0 begins the next at once.
        divided: Checkpoint with fewer cells that a new checkpoint continues; empty for none.
    """

    configuration: str
    cells: int
    source: str
    events: str
    client: Mapping[str, str] = field(repr=False)
    checkpoint: str
    begin: str = "latest"
    most: int = 500_000
    trigger_s: float = 1.0
    divided: str = ""


def run(master: str, tasks: int, settings: Mapping[str, str], options: SparkOptions) -> None:
    """Run the job until SIGTERM or SIGINT.

    Args:
        master: Address of the cluster, or `local[N]`.
        tasks: Number of tasks of a batch, at least 1.
        settings: Settings of Spark, which take precedence over `SETTINGS`.
        options: What the job does.

    Raises:
        SparkJobError: It can't start, or has failed.
    """
    stopped = threading.Event()
    try:
        spark = session(master, tasks, settings)
        for each in (signal.SIGTERM, signal.SIGINT):  # after Spark, which sets its own for SIGINT
            signal.signal(each, lambda *_: stopped.set())
        claim(spark, options.checkpoint, options.cells)
        distribute(spark, options.checkpoint, tasks)
        log.info("started engine=spark source=%s tasks=%d", options.source, tasks)
        _run_again(spark, options, stopped)
        spark.stop()
    except (CheckpointError, PySparkException, Py4JError) as error:  # the last if Spark's process has ended
        raise SparkJobError(_reason(error)) from error


def session(master: str, tasks: int, settings: Mapping[str, str]) -> SparkSession:
    """A session for cells: state in RocksDB, Python workers that outlive a batch."""
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if not settings.keys() & {"spark.jars", "spark.jars.packages"}:
        settings = {**settings, "spark.jars.packages": f"{CONNECTOR}:{version('pyspark')}"}
    builder = SparkSession.builder.master(master).appName("edgewarden-fleet")
    for name, value in (SETTINGS | {"spark.sql.shuffle.partitions": str(tasks)} | dict(settings)).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def distribute(spark: SparkSession, checkpoint: str, tasks: int) -> None:
    """Distribute the states of a checkpoint to another number of tasks, if it has another."""
    before = _tasks_of(spark, checkpoint)
    if before in {None, tasks}:
        return
    log.info("distributing checkpoint=%s before=%d tasks=%d", checkpoint, before, tasks)
    _ = spark.streams.active  # Spark starts its coordinator of states with it
    # A batch that was begun isn't finished first: its records are read again, and event IDs don't depend on batches.
    spark._streamingCheckpointManager.repartition(checkpoint, tasks, enforce_exactly_once_sink=False)  # noqa: SLF001 - so named by Spark


def _tasks_of(spark: SparkSession, checkpoint: str) -> int | None:
    """The number of tasks of the last finished batch of a checkpoint; None if there is none."""
    lines = last_batch(spark, checkpoint)
    return None if lines is None else int(msgspec.json.decode(lines[1])["conf"]["spark.sql.shuffle.partitions"])


def _run_again(spark: SparkSession, options: SparkOptions, stopped: threading.Event) -> None:
    """Run the query until it is to be stopped; start a failed one again, unless it failed too often without a batch.

    Most failures pass: Kafka is restarted, or Spark's 10 s for a Python process to start were too short on a busy
    machine. Starting the query again takes seconds, starting Spark again takes a minute.
    """
    failures = 0
    while not stopped.is_set():
        query = start(spark, options)
        try:
            _follow(query, stopped)
            query.stop()
        except StreamingQueryException as error:
            failures = 1 if query.lastProgress is not None else failures + 1
            if failures == FAILURES:
                raise
            log.warning("failed attempt=%d reason=%s", failures, _reason(error))
            stopped.wait(AGAIN_S)


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _follow(query: StreamingQuery, stopped: threading.Event) -> None:
    """Log the progress of the query, until it has failed or is to be stopped."""
    records, batch, logged_at = 0, -1, time.monotonic()
    while query.isActive and not stopped.wait(LOOK_S):
        progress: Any = query.lastProgress
        if progress is not None and progress["batchId"] != batch:
            batch = progress["batchId"]
            records += progress["numInputRows"]
        since = time.monotonic() - logged_at
        if since >= PROGRESS_S:
            log.info("progress batch=%d records=%d seconds=%.0f", batch, records, since)
            records, logged_at = 0, time.monotonic()
    if not stopped.is_set():
        query.awaitTermination()  # raises why it has ended


def start(spark: SparkSession, options: SparkOptions) -> StreamingQuery:
    """Start the job."""
    client = {f"kafka.{name}": value for name, value in options.client.items()}
    begun = None
    if options.divided and last_batch(spark, options.checkpoint) is None:
        begun = begin(spark, options.divided, options.configuration, options.cells)
    first = options.begin if begun is None else begun.offsets
    begins = {"subscribe": options.source, "startingOffsets": first, "maxOffsetsPerTrigger": str(options.most)}
    read = spark.readStream.format("kafka").options(**client, **begins, includeHeaders="true").load()
    writing = (
        _events(read, options, begun and begun.states)
        .writeStream.format("kafka")
        .options(**client, topic=options.events)
    )
    writing = writing.option("checkpointLocation", options.checkpoint).outputMode("append")
    return writing.trigger(processingTime=f"{round(options.trigger_s * 1000)} milliseconds").start()


def _events(read: DataFrame, options: SparkOptions, states: DataFrame | None = None) -> DataFrame:
    """Records of the source to records of events, with the initial states of cells, if there are any."""
    records = read.select(
        "topic",
        "partition",
        "offset",
        "key",
        "value",
        # A producer's clock may be ahead: no record arrives after the batch began, even if the batch is repeated.
        sql.least("timestamp", sql.current_timestamp()).cast("double").alias("arrived"),
        sql.filter("headers", _is_content_type)[0]["value"].alias("type"),
    )
    packs = records.mapInArrow(packer_of(options.configuration, options.cells), PACKED)
    processor = CellProcessor(options.configuration, options.cells)
    initial = None if states is None else states.groupBy("log", "cell")
    return packs.groupBy("log", "cell").transformWithStateInPandas(processor, OUTPUT, "Append", "None", initial)


def _is_content_type(header: Column) -> Column:
    return sql.lower(header["key"]) == "content-type"
