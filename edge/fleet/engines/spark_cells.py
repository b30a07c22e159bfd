"""What Spark's Python workers do: assign records to cells, and run the cells.

A Python worker lives longer than a batch and keeps its cells in memory. A cell's rows arrive in any order and are
sorted by their offsets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pandas as pd
from pyspark.sql.streaming.stateful_processor import MapState, StatefulProcessor, StatefulProcessorHandle

from config.loading import parse
from edge.fleet.engines.keyed_cells import KeyedCells
from edge.fleet.engines.packs import PackedRecord
from edge.fleet.engines.tally import RefusalTally
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing
from edge.shell.sinks.cloud_event import record_of
from edge.shell.system.logs import set_up_logs

log = logging.getLogger("edgewarden.fleet")

OUTPUT = "key binary, value binary, headers array<struct<key: string, value: binary>>"
"""Columns of events, as Spark's Kafka sink expects them."""

NO_CELL = -1

ENTRIES = 10
"""Maximum number of batches between two snapshots of a cell; another Python worker that gets the cell replays them."""


def placing_of(configuration: str, cells: int) -> Callable[[pd.Series, pd.Series], pd.Series]:
    """A function for Spark that assigns records to cells by their topics and keys.

    It returns `NO_CELL` for records that no input reads, and for heartbeats.

    Args:
        configuration: The configuration, as TOML.
        cells: Number of cells of each partition, at least 1.
    """

    def place(topics: pd.Series, keys: pd.Series) -> pd.Series:
        placing, tally = _placing(configuration, cells)
        found = [
            NO_CELL if key is None else _or_none(placing.cell(f"{topic}/{_text(key)}"))
            for topic, key in zip(topics.tolist(), keys.tolist(), strict=True)
        ]
        strangers = found.count(NO_CELL) - int(keys.isna().sum())
        if strangers:
            tally.add({"no_route": strangers})
        return pd.Series(found, dtype="int32")

    return place


class CellProcessor(StatefulProcessor):  # type: ignore[misc, unused-ignore]
    """Runs the cells of the job.

    Args:
        configuration: The configuration, as TOML.
        cells: Number of cells of each partition, at least 1.
    """

    def __init__(self, configuration: str, cells: int) -> None:
        self._of = configuration, cells

    def init(self, handle: StatefulProcessorHandle) -> None:
        """Open the state."""
        self._state = handle.getMapState("cell", "name string", "value binary")

    def handleInputRows(self, key: Any, rows: Iterator[pd.DataFrame], timerValues: Any) -> Iterator[pd.DataFrame]:  # noqa: N802, N803, ARG002 - Spark's names
        """Run a cell; its events are the rows that result."""
        place, name = key
        cells, tally = _cells(*self._of)
        records, time = _records(place.rpartition("/")[0], pd.concat(list(rows)))
        outcome = cells.run(name, SparkState(self._state), records, place, time)
        tally.add(outcome.refused, outcome.dead_letters)
        if outcome.events:
            made = [record_of(each.payload) for each in outcome.events]
            headers = [[{"key": name, "value": value} for name, value in each] for _, _, each in made]
            keys, values = [each for each, _, _ in made], [each for _, each, _ in made]
            yield pd.DataFrame({"key": keys, "value": values, "headers": headers})

    def close(self) -> None:
        """Nothing is open."""


class SparkState:
    """See `KeyedState`. Each request to Spark takes a round trip, so none is made twice.

    Args:
        state: The state of a cell, as Spark provides it for a batch.
    """

    def __init__(self, state: MapState) -> None:
        self._state = state
        self._known: dict[str, bytes | None] = {}
        self._is_new = not state.exists()  # Spark logs a warning for each name that isn't there

    def get(self, name: str) -> bytes | None:
        """See `KeyedState`."""
        if name not in self._known:
            found = None if self._is_new else self._state.getValue((name,))
            self._known[name] = None if found is None else bytes(found[0])
        return self._known[name]

    def put(self, name: str, value: bytes) -> None:
        """See `KeyedState`."""
        self._state.updateValue((name,), (value,))
        self._known[name] = value

    def remove(self, name: str) -> None:
        """See `KeyedState`."""
        self._state.removeKey((name,))
        self._known[name] = None


def _records(topic: str, rows: pd.DataFrame) -> tuple[list[PackedRecord], float | None]:
    """The records of a cell by their offsets, and the time of the last heartbeat among them."""
    rows = rows.sort_values("offset")
    is_tick = rows["message"].isna()
    ticks, rows = rows[is_tick], rows[~is_tick]
    columns = rows["offset"], rows["message"], rows["value"], rows["arrived"], rows["type"]
    records = [
        PackedRecord(offset, f"{topic}/{_text(key)}", value or b"", arrived, _text(kind or b""))
        for offset, key, value, arrived, kind in zip(*(each.tolist() for each in columns), strict=True)
    ]
    return records, None if ticks.empty else float(ticks["arrived"].max())


@cache
def _cells(configuration: str, cells: int) -> tuple[KeyedCells, RefusalTally]:
    """The cells of this Python worker."""
    parsed = parse(configuration, "fleet").configuration
    set_up_logs(parsed.log.level)
    return KeyedCells(plan_of(parsed, cells), entries=ENTRIES), RefusalTally(log)


@cache
def _placing(configuration: str, cells: int) -> tuple[TopicPlacing, RefusalTally]:
    parsed = parse(configuration, "fleet").configuration
    set_up_logs(parsed.log.level)
    return TopicPlacing.of(parsed, plan_of(parsed, cells)), RefusalTally(log)


def _or_none(cell: int | None) -> int:
    return NO_CELL if cell is None else cell


def _text(value: bytes) -> str:
    return bytes(value).decode("utf-8", "replace")
