"""What Spark's Python workers do: pack records by cell, and run the cells.

Records are packed before they are distributed to the tasks that run cells: a pack is one row with thousands of records,
which Spark needn't sort and convert one by one. A Python worker lives longer than a batch and keeps its cells in
memory. A cell's packs arrive in any order and are sorted by their offsets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.streaming.stateful_processor import MapState, StatefulProcessor, StatefulProcessorHandle

from config.loading import parse
from edge.fleet.engines.keyed_cells import KeyedCells
from edge.fleet.engines.packing import Packing, text_of
from edge.fleet.engines.packs import VERSION, Pack, Records, decode
from edge.fleet.engines.tally import RefusalTally
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing
from edge.shell.sinks.cloud_event import record_of
from edge.shell.system.logs import set_up_logs

log = logging.getLogger("edgewarden.fleet")

PACKED = "log string, cell string, first bigint, pack binary"
"""Columns of packs: the log, the name of the cell, the offset of the first record, and the pack."""

OUTPUT = "key binary, value binary, headers array<struct<key: string, value: binary>>"
"""Columns of events, as Spark's Kafka sink expects them."""

_PACKED = pa.schema([("log", pa.string()), ("cell", pa.string()), ("first", pa.int64()), ("pack", pa.binary())])

TICK = -1
"""First offset of a pack without records."""

ENTRIES = 10
"""Maximum number of batches between two snapshots of a cell; another Python worker that gets the cell replays them."""

Packer = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def packer_of(configuration: str, cells: int) -> Packer:
    """A function for Spark that packs records by cell; its result has the columns `PACKED`.

    The records have the columns `topic`, `partition`, `offset`, `key`, `value`, `arrived` and `type`. Heartbeats, which
    have no key, give a pack for each cell of their partition. Records that no input reads are left out.

    Args:
        configuration: The configuration, as TOML.
        cells: Number of cells of each partition, at least 1.
    """

    def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        packing, tally = _packing(configuration, cells)
        for batch in batches:
            partitions = batch.column("partition")
            for partition in partitions.unique().to_pylist():
                its_own = batch.filter(pc.equal(partitions, partition))
                yield _packed(its_own, partition, packing, cells, tally)

    return pack


def _packed(batch: pa.RecordBatch, partition: int, packing: Packing, cells: int, tally: RefusalTally) -> pa.RecordBatch:
    """The packs of records of one partition."""
    topic, keys = batch.column("topic")[0].as_py(), batch.column("key")
    types = [text_of(each) if each else "" for each in batch.column("type").to_pylist()]
    offsets, values, arrivals = (batch.column(each).to_pylist() for each in ("offset", "value", "arrived"))
    share = packing.share(topic, offsets, keys.to_pylist(), values, arrivals, types)
    tally.add(share.refused)
    time = pc.max(batch.column("arrived").filter(pc.is_null(keys))).as_py()
    place = f"{topic}/{partition}"
    numbers = sorted(share.records) if time is None else range(cells)
    packs = [Pack(VERSION, place, time, share.records.get(each) or Records()) for each in numbers]
    names = [f"{place}/{each}of{cells}" for each in numbers]  # with another number, a cell has other sensors
    firsts = [each.records.offsets[0] if each.records else TICK for each in packs]
    columns = [place] * len(packs), names, firsts, [each.encode() for each in packs]
    return pa.RecordBatch.from_arrays([*map(pa.array, columns, _PACKED.types)], schema=_PACKED)


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

    def handleInitialState(self, key: Any, initialState: pd.DataFrame, timerValues: Any) -> None:  # noqa: N802, N803, ARG002 - Spark's names
        """Take over a part of the state of a cell, see `spark_division.py`."""
        for name, value in zip(initialState["name"].tolist(), initialState["value"].tolist(), strict=True):
            self._state.updateValue((name,), (bytes(value),))

    def handleInputRows(self, key: Any, rows: Iterator[pd.DataFrame], timerValues: Any) -> Iterator[pd.DataFrame]:  # noqa: N802, N803, ARG002 - Spark's names
        """Run a cell on its packs; its events are the rows that result."""
        place, name = key
        cells, tally = _cells(*self._of)
        records, time = _joined(rows)
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


def _joined(rows: Iterator[pd.DataFrame]) -> tuple[Records, float | None]:
    """The records of a cell in order of offset, and the time of the last heartbeat among them."""
    found = [each for frame in rows for each in zip(frame["first"].tolist(), frame["pack"].tolist(), strict=True)]
    packs = [decode(bytes(pack)) for _, pack in sorted(found, key=lambda each: each[0])]
    times = [each.time for each in packs if each.time is not None]
    records = packs[0].records
    for each in packs[1:]:
        records.add(each.records)
    return records, max(times, default=None)


@cache
def _cells(configuration: str, cells: int) -> tuple[KeyedCells, RefusalTally]:
    """The cells of this Python worker."""
    parsed = parse(configuration, "fleet").configuration
    set_up_logs(parsed.log.level)
    return KeyedCells(plan_of(parsed, cells), entries=ENTRIES), RefusalTally(log)


@cache
def _packing(configuration: str, cells: int) -> tuple[Packing, RefusalTally]:
    parsed = parse(configuration, "fleet").configuration
    set_up_logs(parsed.log.level)
    return Packing(TopicPlacing.of(parsed, plan_of(parsed, cells))), RefusalTally(log)
