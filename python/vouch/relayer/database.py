"""The relayer's SQLite file: opened, checked, and changed in transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from vouch.relayer import sql
from vouch.relayer.errors import ForeignDatabase, OldDatabase


class Database:
    """One file in WAL mode with synchronous=NORMAL.

    A killed process loses nothing; a power cut may lose the last commits, which the chain then tells again.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Brings an older file up to date, in place.

        Raises ForeignDatabase (a newer version wrote it), OldDatabase (an older one, and `read_only`),
        sqlite3.Error (no usable file).
        """
        self.path = path
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        if not read_only:
            self._db.executescript(sql.DURABILITY)
        try:
            self._check_version(read_only=read_only)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def _check_version(self, *, read_only: bool) -> None:
        (version,) = self._one(sql.GET_VERSION)
        if version > sql.VERSION or (version == 0 and read_only):
            raise ForeignDatabase(self.path, f"schema version {version}", f"schema version {sql.VERSION}")
        if version == sql.VERSION:
            return
        if read_only:
            raise OldDatabase(self.path, version, sql.VERSION)
        with self._transaction():
            (version,) = self._one(sql.GET_VERSION)  # somebody else may have been faster
            for upgrade in sql.UPGRADES[version:]:
                for statement in upgrade.split(";"):
                    self._run(statement.strip())
            self._run(sql.SET_VERSION)

    def bind(self, chain_id: int, hub: str, genesis: bytes) -> None:
        """Ties a fresh database to a chain and hub; raises ForeignDatabase if it is tied to others."""
        row = self._run(sql.GET_IDENTITY).fetchone()
        if row is None:
            self._run(sql.SET_IDENTITY, chain_id, hub, genesis)
        elif tuple(row) != (chain_id, hub, genesis):
            both = (row, (chain_id, hub, genesis))
            raise ForeignDatabase(
                self.path, *(f"chain {c}, hub {h}, genesis {g.hex()[:16]}" for c, h, g in both)
            )

    def check_writable(self) -> None:
        """Raises sqlite3.Error if nothing can be written now."""
        with self._transaction():
            self._run(sql.SET_VERSION)  # as it is; opening a transaction alone asks for no permission

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run(sql.BEGIN)
        try:
            yield
        except BaseException:
            self._run(sql.ROLLBACK)
            raise
        self._run(sql.COMMIT)

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._db.execute(statement, values)

    def _one(self, statement: str, *values: Any) -> sqlite3.Row:
        row: sqlite3.Row = self._run(statement, *values).fetchone()
        return row
