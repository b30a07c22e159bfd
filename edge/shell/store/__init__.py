"""The store: one SQLite file that preserves readings, events and state through outages, crashes and power cuts.

base        the interface of a store, and its data types
database    one connection to SQLite, and the meaning of its errors; the only file that imports sqlite3
format      the tables, and their migrations
sqlite      the store on disk: one transaction per step
snapshots   snapshots of the core, whole or in parts
positions   the read position of each log
retention   deletes data when a limit is reached
sinks       the progress of each sink, and the events kept for it
protection  one owner at a time, file permissions, lost commits of the write-ahead log
damage      moves a damaged file aside
salvage     reads the intact rows of a damaged file
reading     read-only access from outside: events, readings, incidents, sizes, and the events of a sink
"""

from edge.shell.store.base import (
    Backlog,
    OutboxRow,
    Overflow,
    SinkPosition,
    Store,
    StoredState,
    StoreError,
    StoreLimits,
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
    "Overflow",
    "SinkPosition",
    "SqliteStore",
    "Store",
    "StoreError",
    "StoreFiles",
    "StoreLimits",
    "StoredState",
    "read_events",
    "read_history",
    "read_sensor_names",
]
