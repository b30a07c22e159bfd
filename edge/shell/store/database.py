"""A connection to a SQLite file, and the interpretation of its errors. No other file imports sqlite3.

The write-ahead log allows any number of concurrent readers, including `sqlite-utils` and Datasette.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from config.store_file import store_problem
from edge.shell.store.base import StoreError
from edge.shell.store.protection.privacy import keep_private
from edge.shell.store.protection.write_ahead_log import lost_commits

BUSY_TIMEOUT_S = 5.0
LOG_PAGES = 1000
"""Number of pages after which the write-ahead log is checkpointed, and its approximate size."""

SMALLEST = 512
"""Size in bytes of the smallest database that isn't empty."""

TEMPORARY = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
}
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_open_here: Counter[Path] = Counter()
"""Files that this process writes to. Only SQLite may open and close them, because closing a file drops SQLite's locks
on it (fcntl(2); SQLite's "How To Corrupt An SQLite Database File", 2.2)."""

NOT_UTF8 = "Could not decode to UTF-8"
"""Start of sqlite3's message about invalid text; it has no error code and quotes the whole text."""


class Database:
    """A connection that raises only `StoreError`.

    Args:
        path: Path of the file, for error messages.
        connection: The connection; by default one to the file, which is created if missing.
    """

    def __init__(self, path: Path, connection: Any = None) -> None:
        self.path = path
        if connection is None:
            _check(path)
            keep_private(path)
        with explained(path):
            self.connection: Any = connection or sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        self._is_counted = connection is None
        _open_here[path.absolute()] += self._is_counted

    def prepare(self, durability: Literal["power", "process"]) -> None:
        """Configure a writing connection.

        `power` syncs each commit to disk (synchronous FULL). `process` may lose the last commits in a power cut
        (NORMAL), but not in a crash of the process.
        """
        self.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self.execute("PRAGMA journal_mode = WAL")
        self.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
        self.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        self.execute(f"PRAGMA journal_size_limit = {4096 * LOG_PAGES}")

    def empty_log(self) -> None:
        """Checkpoint and truncate the write-ahead log, unless there is a reader.

        Remains of an interrupted transaction would otherwise lie behind new ones and look like damage.
        """
        self.execute("PRAGMA busy_timeout = 0")
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; returns all rows."""
        with explained(self.path):
            return list(self.connection.execute(statement, values))

    def execute_each(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each row of values; returns the number of rows that were changed."""
        with explained(self.path):
            return int(self.connection.executemany(statement, rows).rowcount)

    def execute_fully(self, statement: str) -> None:
        """Run a statement without rows to completion, outside of a transaction.

        `execute()` runs only the first step of a statement that needs many, such as `incremental_vacuum`.
        """
        with explained(self.path):
            self.connection.executescript(statement)

    def iterate(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a query; yields its rows."""
        with explained(self.path):
            yield from self.connection.execute(statement, values)

    def define(self, name: str, function: Callable[[Any], Any]) -> None:
        """Register a deterministic function of one value for statements on this connection."""
        with explained(self.path):
            self.connection.create_function(name, 1, function, deterministic=True)

    def number(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """The single value of a query, or None."""
        rows = self.execute(statement, values)
        return rows[0][0] if rows else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: all writes within it take effect, or none."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:  # whatever happened, half a step must not remain
            if self.connection.in_transaction:
                self.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file."""
        _open_here[self.path.absolute()] -= self._is_counted
        self._is_counted = False
        with explained(self.path):
            self.connection.close()


def look_on(path: Path, *, lenient: bool = False) -> Database:
    """Open a read-only connection.

    Args:
        path: The file.
        lenient: Whether to replace invalid UTF-8 instead of raising.

    Raises:
        StoreError: The file doesn't exist, is empty, or isn't readable.
    """
    if not path.exists():
        raise StoreError(f"{path}: no such file; the service creates it when it starts")
    if path.is_file() and not os.access(path, os.R_OK):
        raise StoreError(f"{path}: permission denied; the service's user may read it")
    if _open_here[path.absolute()] <= 0 and (problem := store_problem(path)):
        raise StoreError(problem)
    if path.stat().st_size < SMALLEST:  # SQLite would delete its log
        raise StoreError(f"{path}: an empty file")
    with explained(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
    if lenient:
        connection.text_factory = lambda text: text.decode(errors="replace")
    return Database(path, connection)


def read_beside(path: Path) -> Database:
    """Open a read-only connection to a store that this process has open, for use by the calling thread.

    The file isn't opened in any other way, because closing it would drop the writer's SQLite locks (fcntl(2)).

    Raises:
        StoreError: It can't be opened.
    """
    with explained(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
    return Database(path, connection)


def _check(path: Path) -> None:
    """Raise for conditions that SQLite wouldn't report as damage.

    SQLite would report a directory or an invalid version as an unwritable disk; it would treat a file truncated to
    nothing as a new one and delete its log.
    """
    if path.is_dir():
        raise StoreError(f"{path}: a folder, not a file")
    header = b""
    with suppress(OSError), path.open("rb") as file:
        header = file.read(SMALLEST)
    if not set(header[18:20]) <= {1, 2}:
        raise StoreError(f"{path}: the database is damaged: its header is wrong", damaged=True)
    log = Path(f"{path}-wal")
    if len(header) < SMALLEST and path.exists() and log.exists() and log.stat().st_size:
        raise StoreError(f"{path}: the database is damaged: only its log is left", damaged=True)
    if lost := lost_commits(log):
        raise StoreError(f"{path}: the database is damaged: {lost} commits in its log can't be read", damaged=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Convert SQLite's errors to `StoreError`."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if str(error).startswith(NOT_UTF8):
            raise StoreError(f"{path}: a text isn't UTF-8", damaged=True) from None
        raise StoreError(f"{path}: {error}", temporary=code in TEMPORARY, damaged=code in DAMAGED) from error
    except UnicodeDecodeError as error:
        raise StoreError(f"{path}: a text isn't UTF-8", damaged=True) from error
