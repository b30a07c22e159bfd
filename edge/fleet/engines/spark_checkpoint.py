"""What a checkpoint of Spark says about the fleet that wrote it: its last batch, its states, and its number of cells.

With another number of cells, each cell has other sensors. The earlier states would remain in the checkpoint, and might
be continued later as if nothing had happened since. The number is therefore written into a file of the checkpoint, and
a job with another is refused.
"""

from __future__ import annotations

from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql

CELLS = "cells"
"""File of a checkpoint with the number of cells of each partition."""


class CheckpointError(Exception):
    """A checkpoint can't be continued as asked; the message gives the reason."""


def last_batch(spark: SparkSession, checkpoint: str) -> tuple[str, ...] | None:
    """The lines of the offset log of a checkpoint's last finished batch; None if there is none.

    The first line is the version, the second the metadata, the third the offsets.
    """
    if not _exists(spark, f"{checkpoint}/commits"):  # Spark logs a stack trace if it doesn't find what it is to read
        return None
    number = sql.regexp_extract(sql.input_file_name(), "([0-9]+)$", 1).cast("long").alias("number")
    try:
        done = spark.read.text(f"{checkpoint}/commits").select(number).agg(sql.max("number")).first()
        if done is None or done[0] is None:
            return None
        return tuple(each.value for each in spark.read.text(f"{checkpoint}/offsets/{done[0]}").collect())
    except AnalysisException:  # there is no such folder
        return None


def states_of(spark: SparkSession, checkpoint: str) -> DataFrame:
    """The states of a checkpoint that has finished a batch, with the columns `log`, `cell`, `name` and `value`."""
    _ = spark.streams.active  # Spark starts its coordinator of states with it
    read = spark.read.format("statestore").option("stateVarName", "cell").load(checkpoint)
    return read.select("key.log", "key.cell", "user_map_key.name", "user_map_value.value")


def cell_counts(states: DataFrame) -> list[int]:
    """The numbers of cells of each partition with which states were written, in ascending order."""
    count = sql.regexp_extract("cell", "of([0-9]+)$", 1).cast("long").alias("count")
    return sorted(each["count"] for each in states.select(count).distinct().collect())


def claim(spark: SparkSession, checkpoint: str, cells: int) -> None:
    """Write the number of cells into a checkpoint, or check it if the checkpoint has finished a batch.

    Args:
        spark: The session.
        checkpoint: Folder or address of the checkpoint; it needn't exist.
        cells: Number of cells of each partition.

    Raises:
        CheckpointError: The checkpoint has another number.
    """
    place = f"{checkpoint}/{CELLS}"
    before = [int(each.value) for each in spark.read.text(place).collect()] if _exists(spark, place) else []
    if before == [cells]:
        return
    if last_batch(spark, checkpoint) is not None:
        before = before or cell_counts(states_of(spark, checkpoint))  # an earlier version wrote no file
        if before != [cells]:
            raise CheckpointError(
                f"{checkpoint} has {' and '.join(map(str, before))} cells for each partition, not {cells}: start with "
                "that number, or with another checkpoint and --divide"
            )
    _write(spark, place, str(cells))


def _exists(spark: SparkSession, place: str) -> bool:
    """Whether there is such a file or folder, in any file system that Spark reaches."""
    files, path = _files(spark, place)
    return bool(files.exists(path))


def _write(spark: SparkSession, place: str, text: str) -> None:
    """Write a file, or replace it."""
    files, path = _files(spark, place)
    stream = files.create(path, True)
    stream.write(text.encode())
    stream.close()


def _files(spark: SparkSession, place: str) -> tuple[Any, Any]:
    """Hadoop's file system and path of a place; Python has no other way to them."""
    path = spark._jvm.org.apache.hadoop.fs.Path(place)  # noqa: SLF001
    return path.getFileSystem(spark._jsc.hadoopConfiguration()), path  # noqa: SLF001
