"""States of cells that earlier versions have kept are read, and what they had learned counts.

`data/make_state.py` writes one; there is to be one of each change of the format.
"""

from __future__ import annotations

import lzma
from pathlib import Path

import msgspec
import pytest

from config.loading import parse
from edge.core.cells import Cell, CellStateError
from edge.fleet.plan import plan_of
from tests.edge.core.cells.data.make_state import CONFIGURATION, LAST, LOG, SENSORS, messages, offsets

DATA = Path(__file__).parent / "data"
EARLIER = sorted(each.stem for each in DATA.glob("*.xz"))


def kept(name: str) -> tuple[bytes, list[bytes]]:
    state, entries = msgspec.msgpack.decode(lzma.decompress((DATA / f"{name}.xz").read_bytes()))
    return state, entries


def new_cell() -> Cell:
    return Cell(plan_of(parse(CONFIGURATION, "test").configuration, 1))


@pytest.mark.parametrize("name", EARLIER)
def test_an_earlier_state_is_read_and_goes_on(name: str) -> None:
    cell = new_cell()
    state, entries = kept(name)
    cell.load(state, entries)
    assert cell.sensors() == SENSORS
    assert cell.positions == {LOG: offsets(0, LAST)[-1]}
    assert cell.process(messages(0, LAST), LOG, offsets(0, LAST)).events == []  # all of them were read
    assert [*cell.pipeline.engine.open_incidents] == [0]
    again = new_cell()
    again.load(cell.state())
    assert again.positions == cell.positions


@pytest.mark.parametrize("name", EARLIER)
def test_a_garbled_state_is_an_error_or_read_whole_and_never_half(name: str) -> None:
    state, entries = kept(name)
    for place in range(0, len(state), max(1, len(state) // 50)):
        garbled = state[:place] + bytes([state[place] ^ 0x55]) + state[place + 1 :]
        cell = new_cell()
        try:
            cell.load(garbled, entries)
        except CellStateError:
            continue
        assert cell.sensors() == SENSORS
    for each in range(len(entries)):
        with pytest.raises(CellStateError):
            new_cell().load(state, [*entries[:each], entries[each][:-9]])
