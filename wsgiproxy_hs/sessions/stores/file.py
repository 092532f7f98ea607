"""A store that the processes of one host share: an SQLite database in a directory that is ours alone.

Write-ahead logging lets readers and the one writer pass each other. The database is made with room to spare, so that a
disk that fills up later does not stand in the way of a renewal; what is in it is of no use without the session secret,
and losing it costs nothing but the grace of old cookies.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Final

from .protocol import DEFAULT_KEEP_SECONDS, Entry, Row, StoreUnavailable
from .rows import RowStore

DATABASE_NAME: Final = "renewals.sqlite3"
BUSY_SECONDS: Final = 2.0
"""Longest wait for another process that writes; a write takes a fraction of a millisecond."""
SPARE_BYTES: Final = 1_048_576
_RETRY_SECONDS: Final = 0.01

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS renewals (
    key TEXT PRIMARY KEY, version INTEGER NOT NULL, owner TEXT NOT NULL, until REAL NOT NULL,
    unsure INTEGER NOT NULL, is_refused INTEGER NOT NULL, successor TEXT, kept_until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS renewals_kept_until ON renewals (kept_until);
"""
_READ: Final = (
    "SELECT version, owner, until, unsure, is_refused, successor FROM renewals WHERE key = ? AND kept_until > ?"
)
_WRITE: Final = "INSERT OR REPLACE INTO renewals VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

# Connections of a parent process: a child must neither use nor close them, as that would drop the parent's locks.
_inherited: list[sqlite3.Connection] = []


class FileStore(RowStore):
    """All processes of one host that name the same directory agree through it.

    Nothing is opened before it is first asked, and a forked child opens its own.

    :param directory: made when it is not there, for this user alone; :func:`runtime_directory` when not given.
    :param keep_seconds: how long an entry is kept after its last change.
    :param clock: seconds since the epoch, by which leases run; the same for all processes.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        keep_seconds: float = DEFAULT_KEEP_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = os.fspath(directory) if directory is not None else runtime_directory()
        self._keep = keep_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    def look(self, key: str) -> Entry:
        now = self._clock()
        with self._lock:
            try:
                return self._row(self._opened(), key, now).entry(now)
            except (sqlite3.Error, OSError) as error:
                raise self._failed(error) from error

    def close(self) -> None:
        """Close this process's connection; the next question opens another."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        if getattr(self, "_lock", None) is not None:
            self.close()

    def _change(self, key: str, change: Callable[[Row, float], Row | None]) -> tuple[Entry, bool]:
        """The entry afterwards, and whether it changed, in one transaction that no other process can enter."""
        with self._lock:
            try:
                database = self._opened()
                database.execute("BEGIN IMMEDIATE")
                with database:
                    now = self._clock()
                    before = self._row(database, key, now)
                    after = change(before, now)
                    if after is not None:
                        self._write(database, key, after, now)
                return (after or before).entry(now), after is not None
            except (sqlite3.Error, OSError) as error:
                raise self._failed(error) from error

    def _row(self, database: sqlite3.Connection, key: str, now: float) -> Row:
        found = database.execute(_READ, (key, now)).fetchone()
        if found is None:
            return Row()
        version, owner, until, unsure, is_refused, successor = found
        return Row(version, owner, until, unsure, bool(is_refused), successor)

    def _write(self, database: sqlite3.Connection, key: str, row: Row, now: float) -> None:
        database.execute("DELETE FROM renewals WHERE kept_until <= ?", (now,))
        values = (key, row.version, row.owner, row.until, row.unsure, row.is_refused, row.successor, now + self._keep)
        database.execute(_WRITE, values)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and self._pid != os.getpid():
            _inherited.append(self._connection)
            self._connection = None
        if self._connection is None:
            self._connection, self._pid = open_database(self._directory), os.getpid()
        return self._connection

    def _failed(self, error: Exception) -> StoreUnavailable:
        """Begin anew with the next question, whatever state this connection is in."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        return StoreUnavailable(f"{self._directory}: {error}")


def runtime_directory() -> str:
    """This user's own directory among the temporary files; what is in it need not outlive the host."""
    return os.path.join(tempfile.gettempdir(), f"wsgiproxy_hs-{os.getuid()}")


def open_database(directory: str) -> sqlite3.Connection:
    """The database in a directory that only we can enter.

    :raises OSError: when somebody else could: the directory of a stranger, a symbolic link, or one open to others.
    :raises sqlite3.Error: when it cannot be made.
    """
    os.makedirs(directory, mode=0o700, exist_ok=True)
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError("the directory must belong to this user and be open to nobody else (mode 0700)")
    path, deadline = os.path.join(directory, DATABASE_NAME), time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return _connected(path)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)


def _connected(path: str) -> sqlite3.Connection:
    """A connection; when processes make the database at the same moment, SQLite refuses some of them at once."""
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")  # what a process wrote outlives it; a power cut may lose it
        database.execute("PRAGMA wal_autocheckpoint = 64")
        if database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'renewals'").fetchone()[0] == 0:
            _prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    """The table, and free pages in the database and its log that later writes will use (a full disk)."""
    database.executescript(_SCHEMA)
    database.execute("BEGIN IMMEDIATE")
    database.execute("CREATE TABLE IF NOT EXISTS spare (room BLOB)")
    database.execute("INSERT INTO spare VALUES (zeroblob(?))", (SPARE_BYTES,))
    database.execute("COMMIT")
    database.execute("DROP TABLE IF EXISTS spare")
