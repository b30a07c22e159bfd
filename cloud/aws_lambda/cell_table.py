"""A cell store in DynamoDB: one transaction per write, on the condition that the cell wasn't written by another worker.

The table has the string keys `cell` and `part`. The part `head` contains the nonce, the number of entries, and the
generation, a string that each snapshot renews. The snapshot and its entries are in parts that begin with the
generation, split because an item holds at most 400 KB. Parts of an earlier generation are deleted after the write that
replaces it; leftovers of a crash, after the next one.

Source: DynamoDB Developer Guide, "Amazon DynamoDB Transactions" (4 MB, 100 items) and "Item size".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.fleet.store import Head, StaleHeadError

PIECE = 350_000
MOST = 3_500_000
"""Maximum size of a snapshot or an entry in bytes."""

HEAD = "head"


class TooLargeError(Exception):
    """The state of a cell exceeds the size of a transaction: more cells are needed."""


class CellTable:
    """See `CellStore`.

    Args:
        table: boto3's resource for the table.
        fleet: Name of the fleet; several may share a table.
    """

    def __init__(self, table: Any, fleet: str) -> None:
        self._table = table
        self._fleet = fleet

    def head(self, cell: int) -> Head | None:
        """See `CellStore`."""
        found = self._head(cell)
        return None if found is None else Head(found["nonce"], int(found["entries"]))

    def snapshot(self, cell: int) -> bytes | None:
        """See `CellStore`."""
        found = self._head(cell)
        pieces = [] if found is None else self._parts(cell, f"{found['generation']}/snapshot/")
        return b"".join(bytes(each["content"]) for each in pieces) if pieces else None

    def entries(self, cell: int) -> list[bytes]:
        """See `CellStore`."""
        found = self._head(cell)
        entries: dict[str, bytes] = {}
        for each in [] if found is None else self._parts(cell, f"{found['generation']}/entry/"):
            number = each["part"].split("/")[2]
            entries[number] = entries.get(number, b"") + bytes(each["content"])
        return [*entries.values()]

    def append(self, cell: int, entry: bytes, before: Head | None, nonce: str) -> None:
        """See `CellStore`.

        Raises:
            StaleHeadError: The cell has another head now.
            TooLargeError: The entry is too large.
        """
        found = self._head(cell)
        generation = "0" if found is None else found["generation"]
        entries = 1 if before is None else before.entries + 1
        pieces = self._pieces(cell, f"{generation}/entry/{entries:08d}", entry)
        self._write(cell, before, Head(nonce, entries), generation, pieces)

    def put_snapshot(self, cell: int, snapshot: bytes, before: Head | None, nonce: str) -> None:
        """See `CellStore`; likewise."""
        self._write(cell, before, Head(nonce, 0), nonce, self._pieces(cell, f"{nonce}/snapshot/0", snapshot))
        with self._table.batch_writer() as batch:
            for part in self._names(cell):
                if part != HEAD and not part.startswith(f"{nonce}/"):
                    batch.delete_item(Key={"cell": self._key(cell), "part": part})

    def _key(self, cell: int) -> str:
        return f"{self._fleet}/{cell}"

    def _head(self, cell: int) -> Any:
        return self._table.get_item(Key={"cell": self._key(cell), "part": HEAD}, ConsistentRead=True).get("Item")

    def _parts(self, cell: int, begins: str) -> list[Any]:
        """The parts of a cell with this name prefix, in order."""
        condition = "cell = :cell AND begins_with(part, :begins)"
        return [*self._query(condition, {":cell": self._key(cell), ":begins": begins})]

    def _names(self, cell: int) -> list[str]:
        names = self._query("cell = :cell", {":cell": self._key(cell)}, ProjectionExpression="part")
        return [each["part"] for each in names]

    def _query(self, condition: str, values: dict[str, str], **more: str) -> Iterator[Any]:
        asked: dict[str, Any] = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
            **more,
        }
        while True:
            page = self._table.query(**asked)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _pieces(self, cell: int, name: str, content: bytes) -> list[dict[str, Any]]:
        if len(content) > MOST:
            raise TooLargeError(f"{len(content)} bytes of cell {cell}, more than {MOST}: use more cells")
        starts = range(0, max(1, len(content)), PIECE)
        return [
            {"cell": self._key(cell), "part": f"{name}/{number:04d}", "content": content[start : start + PIECE]}
            for number, start in enumerate(starts)
        ]

    def _write(self, cell: int, before: Head | None, head: Head, generation: str, pieces: list[dict[str, Any]]) -> None:
        client, name = self._table.meta.client, self._table.name
        item = {"cell": self._key(cell), "part": HEAD, "nonce": head.nonce, "entries": head.entries}
        put: dict[str, Any] = {"TableName": name, "Item": {**item, "generation": generation}}
        if before is None:
            put["ConditionExpression"] = "attribute_not_exists(part)"
        else:
            put["ConditionExpression"] = "nonce = :nonce AND entries = :entries"
            put["ExpressionAttributeValues"] = {":nonce": before.nonce, ":entries": before.entries}
        parts = [{"Put": {"TableName": name, "Item": each}} for each in pieces]
        try:
            client.transact_write_items(TransactItems=[{"Put": put}, *parts])
        except client.exceptions.TransactionCanceledException as error:
            reasons = {each.get("Code") for each in error.response.get("CancellationReasons", ())}
            if reasons & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise StaleHeadError(f"cell {cell} was written by another worker") from error
            raise
