"""Cell stores, each with a function that opens it as another process would; the contract suite runs on all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path

from edge.fleet.folder_store import FolderStore
from edge.fleet.keyed_store import KeyedStore
from edge.fleet.memory_store import MemoryStore
from edge.fleet.store import CellStore

Opener = Callable[[], CellStore]


@contextmanager
def _in_memory(folder: Path) -> Iterator[Opener]:
    store = MemoryStore()
    yield lambda: store


@contextmanager
def _in_a_folder(folder: Path) -> Iterator[Opener]:
    yield lambda: FolderStore(folder / "cells")


class Names(dict[str, bytes]):
    """The state of an engine for a key."""

    put = dict.__setitem__

    def remove(self, name: str) -> None:
        self.pop(name, None)


@contextmanager
def _in_an_engine(folder: Path) -> Iterator[Opener]:
    states: defaultdict[int, Names] = defaultdict(Names)
    yield lambda: KeyedStore(states.__getitem__)


@contextmanager
def in_dynamodb(folder: Path) -> Iterator[Opener]:
    """A table of moto's; available after `make verify` has installed it."""
    import boto3
    from moto import mock_aws

    from cloud.aws_lambda.cell_table import CellTable

    with mock_aws():
        table = boto3.resource("dynamodb", "eu-central-1").create_table(
            TableName="cells",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("cell", "part")],
            KeySchema=[
                {"AttributeName": "cell", "KeyType": "HASH"},
                {"AttributeName": "part", "KeyType": "RANGE"},
            ],
        )
        yield lambda: CellTable(table, "fleet")


CELL_STORES: dict[str, Callable[[Path], AbstractContextManager[Opener]]] = {
    "memory": _in_memory,
    "folder": _in_a_folder,
    "engine": _in_an_engine,
}
if find_spec("moto") is not None:
    CELL_STORES["dynamodb"] = in_dynamodb
