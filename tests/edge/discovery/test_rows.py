"""Numbers in a row: their columns are called by position."""

from __future__ import annotations

import pytest
from discovered import inputs, proposed


@pytest.mark.parametrize(
    ("payload", "columns", "more"),
    [
        ("4,1170,1174,240.34", ["1", "2", "3", "4"], {}),
        ("21.5 48 1013", ["1", "2", "3"], {}),
        ("21,5;48,0", ["1", "2"], {"decimal": ","}),
        ("2023-11-14 22:14:20;21.5;48", ["time", "2", "3"], {}),
        ("14.11.2023 23:14:20;21,5;48,0", ["", "2", "3"], {"decimal": ","}),
    ],
)
def test_as_many_numbers_in_each_payload_are_columns(payload: str, columns: list[str], more: dict[str, str]) -> None:
    proposal, sensors = proposed(*(("x/y", payload) for _ in range(3)))
    assert proposal.inputs == [{"topic": "x/y", "format": "text", "columns": columns, **more}]
    assert sensors.keys() == {f"x/y/{each}" for each in columns if each not in {"", "time"}}


@pytest.mark.parametrize(
    "payloads", [("1,2,3", "1,2,3,4"), ("T1;1;97;0x6e", "T1;1;98;0x6e"), ("21.5;ok;3", "21.6;ok;4")]
)
def test_other_rows_are_shown_as_unread(payloads: tuple[str, str]) -> None:
    proposal, _ = proposed(*(("x/y", each) for each in payloads))
    assert not proposal.inputs
    assert "x/y" in proposal.unread


def test_a_row_that_begins_with_an_epoch_needs_no_columns() -> None:
    assert inputs(*(("x/y", f"{1764500000 + n},21.5,48") for n in range(3))) == [{"topic": "x/y", "format": "text"}]
