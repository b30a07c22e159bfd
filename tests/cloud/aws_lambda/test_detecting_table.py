"""A Lambda function that detects anomalies, configured by its environment, with its state in DynamoDB.

`make verify` installs what these tests need; without it they are skipped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cell_stores import Opener, in_dynamodb
from lambda_readings import SHARDS, TEXT, kinesis, undisturbed

from cloud.aws_lambda import detecting
from cloud.aws_lambda.handler import MisconfiguredError, configured_function, configured_memory
from edge.fleet.store import Head

for needed in ("boto3", "cfnlint", "moto"):
    pytest.importorskip(needed)

from cloud.aws_lambda.cell_table import MOST, PIECE, CellTable, TooLargeError  # noqa: E402 - there from here on

TEMPLATE = Path(__file__).parents[3] / "cloud" / "aws_lambda" / "detecting.yaml"
APP = """
ids = []
def on_event(event):
    ids.append(event.id)
"""


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Opener]:
    with in_dynamodb(tmp_path) as opener:
        yield opener


@pytest.fixture
def environment(opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Sets the function's environment; returns the module with the user's function."""
    (tmp_path / "fleet.toml").write_text(TEXT)
    (tmp_path / "app_that_is_told.py").write_text(APP)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("EDGEWARDEN_CONFIG", str(tmp_path / "fleet.toml"))
    monkeypatch.setenv("EDGEWARDEN_CELLS", "3")
    monkeypatch.setenv("EDGEWARDEN_CELL_TABLE", "cells")
    monkeypatch.setenv("EDGEWARDEN_FUNCTION", "app_that_is_told:on_event")
    caches = (detecting.configured_detection, configured_function, configured_memory)
    for each in caches:
        each.cache_clear()
    import app_that_is_told  # type: ignore[import-not-found]

    yield app_that_is_told
    for each in caches:
        each.cache_clear()


@pytest.mark.long
def test_every_invocation_in_a_new_environment_detects_the_same_as_one_process(environment: Any) -> None:
    for shard in SHARDS:
        for first in range(0, 240, 80):
            detecting.configured_detection.cache_clear()
            invocation = kinesis(shard, max(0, first - 20), first + 80)
            assert detecting.lambda_handler(invocation, None) == {"batchItemFailures": []}
    assert sorted(environment.ids) == undisturbed()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("EDGEWARDEN_CELLS", "0"), ("EDGEWARDEN_CELLS", "x"), ("EDGEWARDEN_CELL_TABLE", ""), ("EDGEWARDEN_CONFIG", "")],
)
def test_a_wrong_variable_is_named(
    environment: Any, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(MisconfiguredError, match=variable):
        detecting.lambda_handler(kinesis(SHARDS[0], 0, 10), None)


def test_a_state_of_several_items_is_reassembled(opener: Opener) -> None:
    store, large = opener(), bytes(range(256)) * (3 * PIECE // 256)
    store.put_snapshot(3, large, None, "a")
    store.append(3, large[1:], Head("a", 0), "b")
    store.append(3, b"small", Head("b", 1), "c")
    assert opener().snapshot(3) == large
    assert opener().entries(3) == [large[1:], b"small"]


def test_a_state_that_is_too_large_asks_for_more_cells(opener: Opener) -> None:
    store = opener()
    with pytest.raises(TooLargeError, match="more cells"):
        store.put_snapshot(3, bytes(MOST + 1), None, "a")
    assert store.head(3) is None


def test_a_snapshot_leaves_nothing_of_earlier_ones_behind(opener: Opener) -> None:
    store = opener()
    assert isinstance(store, CellTable)
    store.append(3, b"one", None, "a")
    store.put_snapshot(3, b"first", Head("a", 1), "b")
    store.append(3, b"two", Head("b", 0), "c")
    store.put_snapshot(3, b"second", Head("c", 1), "d")
    assert store._names(3) == ["d/snapshot/0/0000", "head"]


def test_shards_and_fleets_share_a_table(opener: Opener) -> None:
    store = opener()
    assert isinstance(store, CellTable)
    other = CellTable(store._table, "fleet/shard")
    store.append(3, b"one", None, "a")
    other.append(3, b"two", None, "a")
    assert (store.entries(3), other.entries(3)) == ([b"one"], [b"two"])


def test_the_template_is_valid() -> None:
    from cfnlint import lint_file

    logging.getLogger("cfnlint").setLevel(logging.ERROR)
    assert [str(each) for each in lint_file(TEMPLATE)] == []
