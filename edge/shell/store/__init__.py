"""The store: one SQLite file that preserves readings, events and state through outages, crashes and power cuts.

base             what the service needs of a store, and the words for it
database         one connection to SQLite, and what its errors mean; the only file that imports sqlite3
format           the tables, and how they came to be
sqlite           the store on disk: one transaction a step
retention        what is deleted, when a limit is reached
sinks            how far each sink has come, and what is kept for it
sink_reading     a sink's own view of the events, from a thread of its own
write_ahead_log  whether commits are lost from the log, read without SQLite
damage           a file that can't be trusted is moved aside
owner            one process at a time
privacy          file permissions: only its owner may read it
salvage          what can be read of it still
reading          looking on from outside, without ever writing: events and readings
overview         also for readers: open incidents, sensors, refused input, sizes
"""

from edge.shell.store.base import (
    Backlog,
    OutboxRow,
    Recollection,
    SinkPosition,
    Store,
    StoreError,
    StoreLimits,
    Surplus,
)
from edge.shell.store.damage import Damage, StoreFiles
from edge.shell.store.reading.reading import EventFilter, History, read_events, read_history, read_sensor_names
from edge.shell.store.sqlite import SqliteStore

__all__ = [
    "Backlog",
    "Damage",
    "EventFilter",
    "History",
    "OutboxRow",
    "Recollection",
    "SinkPosition",
    "SqliteStore",
    "Store",
    "StoreError",
    "StoreFiles",
    "StoreLimits",
    "Surplus",
    "read_events",
    "read_history",
    "read_sensor_names",
]
