"""How the store's file came to its present format: one plain function a step, applied in order.

    events        every event, by its sequence; `payload` is the JSON as published; `confirmed` is the time of the
                  PUBACK, seconds since the epoch, or null. What is null is the outbox.
    dead_letter   what was refused: when, from which topic, why, and how the payload began. Bounded by rows.

    journal       the readings, one row a commit, packed by `edge.core.journal`. What comes after the newest snapshot
                  is gone through again at the start; what comes before is history. Bounded by bytes and age.
    snapshot      all that the core knew after a row of the journal, packed by `edge.core.snapshot`. One row.
    last          the last event sequence that was given out.

`PRAGMA user_version` says how many steps a file has seen, so that this module, and sqlite-utils with it, is imported
only for a file that is new or old. A step that has been released is never changed.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("edgewarden")


@migrations()
def first_format(database: Database) -> None:
    """Format 1."""
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
