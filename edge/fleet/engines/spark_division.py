"""Division of a fleet on Spark: a new checkpoint begins with the states and positions of another with fewer cells.

The states of a checkpoint are read with Spark's state data source, and the divided ones are the initial state of the
new query.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql

from config.loading import parse
from edge.fleet.division import divided
from edge.fleet.engines.keyed_cells import TIME
from edge.fleet.keyed_store import KeyedStore
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing

STATES = "log string, cell string, name string, value binary"
"""Columns of states: the log, the name of the cell, and the name and value of a part of its state."""


class DivisionError(Exception):
    """The states of a checkpoint can't be divided; the message gives the reason."""


class Begun(NamedTuple):
    """What a new checkpoint begins with.

    Attributes:
        states: The states of the new cells, with the columns `STATES`.
        offsets: Offsets of the first records to be read, as JSON for Spark's `startingOffsets`.
    """

    states: DataFrame
    offsets: str


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


def _exists(spark: SparkSession, place: str) -> bool:
    """Whether there is such a file or folder, in any file system that Spark reaches."""
    java, context = spark._jvm, spark._jsc  # noqa: SLF001 - Python has no other way to Hadoop's file systems
    path = java.org.apache.hadoop.fs.Path(place)
    return bool(path.getFileSystem(context.hadoopConfiguration()).exists(path))


def begin(spark: SparkSession, before: str, configuration: str, cells: int) -> Begun:
    """What a checkpoint begins with that continues another with fewer cells.

    Args:
        spark: The session.
        before: The other checkpoint, of a job that has been stopped.
        configuration: The configuration, as TOML.
        cells: Number of cells of each partition from now on.

    Raises:
        DivisionError: There is no such checkpoint, or `cells` is no multiple of its number of cells.
    """
    lines = last_batch(spark, before)
    if lines is None:
        raise DivisionError(f"{before} is no checkpoint of a fleet that has finished a batch")
    _ = spark.streams.active  # Spark starts its coordinator of states with it
    read = spark.read.format("statestore").option("stateVarName", "cell").load(before)
    states = read.select("key.log", "key.cell", "user_map_key.name", "user_map_value.value")
    count = sql.regexp_extract("cell", "of([0-9]+)$", 1).cast("long")
    for each in states.select(count.alias("count")).distinct().collect():
        if cells % each["count"]:
            raise DivisionError(
                f"{before} has {each['count']} cells for each partition; {cells} is no multiple of that"
            )
    return Begun(states.groupBy("log", "cell").applyInPandas(_divider(configuration, cells), STATES), lines[2])


def _divider(configuration: str, cells: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def divide(rows: pd.DataFrame) -> pd.DataFrame:
        parsed = parse(configuration, "fleet").configuration
        plan = plan_of(parsed, cells)
        log, name = rows["log"].iloc[0], rows["cell"].iloc[0]
        place, _, which = name.rpartition("/")
        number, count = map(int, which.split("of"))
        values = _Values(zip(rows["name"], map(bytes, rows["value"]), strict=True))
        store = KeyedStore({number: values}.__getitem__)
        saved = store.snapshot(number), store.entries(number)
        found = []
        for new, state in divided(number, *saved, count, plan, TopicPlacing.of(parsed, plan)).items():
            target = _Values({TIME: values[TIME]} if TIME in values else {})
            KeyedStore({new: target}.__getitem__).put_snapshot(new, state, None, secrets.token_hex())
            found += [(log, f"{place}/{new}of{cells}", *each) for each in target.items()]
        return pd.DataFrame(found, columns=["log", "cell", "name", "value"])

    return divide


class _Values(dict[str, bytes]):
    """See `KeyedState`."""

    def put(self, name: str, value: bytes) -> None:
        """See `KeyedState`."""
        self[name] = value

    def remove(self, name: str) -> None:
        """See `KeyedState`."""
        self.pop(name, None)
