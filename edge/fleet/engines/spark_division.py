"""Division of a fleet on Spark: a new checkpoint begins with the states and positions of another with fewer cells.

The states of a checkpoint are read with Spark's state data source, and the divided ones are the initial state of the
new query.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from config.loading import parse
from edge.fleet.division import divided
from edge.fleet.engines.keyed_cells import TIME
from edge.fleet.engines.spark_checkpoint import CheckpointError, cell_counts, last_batch, states_of
from edge.fleet.keyed_store import KeyedStore
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing

STATES = "log string, cell string, name string, value binary"
"""Columns of states: the log, the name of the cell, and the name and value of a part of its state."""


class Begun(NamedTuple):
    """What a new checkpoint begins with.

    Attributes:
        states: The states of the new cells, with the columns `STATES`.
        offsets: Offsets of the first records to be read, as JSON for Spark's `startingOffsets`.
    """

    states: DataFrame
    offsets: str


def begin(spark: SparkSession, before: str, configuration: str, cells: int) -> Begun:
    """What a checkpoint begins with that continues another with fewer cells.

    Args:
        spark: The session.
        before: The other checkpoint, of a job that has been stopped.
        configuration: The configuration, as TOML.
        cells: Number of cells of each partition from now on.

    Raises:
        CheckpointError: There is no such checkpoint, or `cells` is no multiple of its number of cells.
    """
    lines = last_batch(spark, before)
    if lines is None:
        raise CheckpointError(f"{before} is no checkpoint of a fleet that has finished a batch")
    states = states_of(spark, before)
    for each in cell_counts(states):
        if cells % each:
            raise CheckpointError(f"{before} has {each} cells for each partition; {cells} is no multiple of that")
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
