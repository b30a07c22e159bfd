"""Migrations of the store's file to its present format: one function per step, applied in order.

    events        every event, by its sequence; `payload` is the JSON as published, `size` its bytes and `checksum` its
                  CRC-32; `stored` is the time when it was stored, `confirmed` that of the PUBACK, seconds since the
                  epoch, or null. The rows where it is null are the outbox. A gap is an event without a sensor, with the
                  transition `gap`; events about sensors have the transition `discovered` or `forgotten`.
    dead_letter   refused input: when, from which topic, why, and the beginning of the payload. Bounded by rows.

    journal       the readings, one row per commit, packed by `edge.core.persistence.journal`. Rows after the newest
                  snapshot are replayed at the start; earlier ones are history. Bounded by bytes and age.
    snapshot      the whole state of the core after a row of the journal, packed by `edge.core.persistence.snapshot`.
                  One row. If it was written in steps, its parts are in separate rows, and `journal` is the row of the
                  first.
    snapshot_part parts of snapshots, as of rows of the journal, by `edge.shell.store.snapshots`; each `state` is a zlib
                  stream. Parts of a snapshot that isn't in `snapshot` belong to one being written, or are garbage.
    last          the last sequence that was assigned to an event.
    pruned        the time that ages were last measured by, which may be far behind the stamps in the other tables,
                  since it counts time awake. One row; created when needed, as earlier versions work without it.

    sink          the progress of each sink: `passed` is the last sequence that it no longer needs, `skipped` the last
                  one that a limit has dropped for it. Also created when the first sink appears.

    position      the offset of the last message read from each log, such as a partition of a Kafka topic. Also created
                  when the first one is stored.

`PRAGMA user_version` is the number of migration steps of a file, so that this module, and sqlite-utils with it, is
imported only for a new or old file. A step that has been released is never changed.
"""

from __future__ import annotations

import zlib

import sqlite_utils
from sqlite_utils import Migrations

from edge.shell.store.database import Database, explained

migrations = Migrations("edgewarden")


@migrations()
def first_format(database: sqlite_utils.Database) -> None:
    """Format 1: events, dead letters, journal, snapshot."""
    database.table("events").create(
        {
            "sequence": int,
            "id": str,
            "sensor": str,
            "topic": str,
            "time": float,
            "incident": str,
            "transition": str,
            "kind": str,
            "severity": int,
            "message": str,
            "payload": str,
            "confirmed": float,
        },
        pk="sequence",
        not_null={"id", "sensor", "topic", "time", "incident", "transition", "kind", "severity", "payload"},
    )
    database.table("events").create_index(["id"], unique=True)
    database.table("events").create_index(["sensor", "time"])
    database.execute("CREATE INDEX outbox ON events (sequence) WHERE confirmed IS NULL")
    database.table("dead_letter").create(
        {
            "number": int,
            "arrived": float,
            "topic": str,
            "reason": str,
            "path": str,
            "detail": str,
            "beginning": bytes,
            "size": int,
        },
        pk="number",
        not_null={"arrived", "topic", "reason", "beginning", "size"},
    )
    database.table("journal").create({"number": int, "arrived": float, "entry": bytes}, pk="number", not_null={"entry"})
    database.table("snapshot").create(
        {"number": int, "journal": int, "taken": float, "digest": str, "state": bytes}, pk="number", not_null={"state"}
    )
    database.table("last").create({"name": str, "number": int}, pk="name")
    database.table("last").insert({"name": "sequence", "number": 0})
    database.execute("PRAGMA user_version = 1")


@migrations()
def second_format(database: sqlite_utils.Database) -> None:
    """Format 2: storage time, size and checksum of events, which limits use."""
    for name, kind in (("stored", float), ("size", int), ("checksum", int)):
        database.table("events").add_column(name, kind)
    database.conn.create_function("checksum_of", 1, zlib.crc32, deterministic=True)
    database.execute(
        "UPDATE events SET stored = coalesce(confirmed, time), size = length(CAST(payload AS BLOB)),"
        " checksum = checksum_of(CAST(payload AS BLOB))"
    )
    database.execute("DROP INDEX outbox")
    database.execute("CREATE INDEX outbox ON events (sequence, transition, severity, size) WHERE confirmed IS NULL")
    database.table("events").create_index(["incident", "transition"])
    database.execute("PRAGMA user_version = 2")


@migrations()
def third_format(database: sqlite_utils.Database) -> None:
    """Format 3: snapshots written in steps."""
    database.table("snapshot_part").create(
        {
            "number": int,
            "snapshot": int,
            "journal": int,
            "component": str,
            "version": int,
            "first": int,
            "state": bytes,
        },
        pk="number",
        not_null={"snapshot", "journal", "component", "version", "first", "state"},
    )
    database.execute("PRAGMA user_version = 3")


def migrate(database: Database) -> None:
    """Migrate a file to the present format, with one transaction per step.

    Raises:
        StoreError: It can't be written.
    """
    with explained(database.path):
        migrations.apply(sqlite_utils.Database(database.connection))
