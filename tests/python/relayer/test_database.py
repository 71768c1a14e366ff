"""The file: which one it is, and who may write it."""

import sqlite3
from pathlib import Path

import pytest

from tests.python.relayer.making import CHAIN_ID, HUB
from vouch.relayer.database import Database
from vouch.relayer.errors import ForeignDatabase


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relayer.sqlite"


def test_a_database_belongs_to_one_chain(path: Path) -> None:
    for _ in range(2):
        with Database(path) as db:
            db.bind(CHAIN_ID, HUB, b"\1" * 32)
    with Database(path) as db:
        with pytest.raises(ForeignDatabase, match="chain 1,"):
            db.bind(1, HUB, b"\1" * 32)
        with pytest.raises(ForeignDatabase):
            db.bind(CHAIN_ID, HUB, b"\2" * 32)


def test_a_database_of_another_version_is_refused(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ForeignDatabase, match="schema version 99"):
        Database(path)


def test_a_reader_needs_a_database_that_is_there(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        Database(path, read_only=True)
    path.touch()
    with pytest.raises(ForeignDatabase, match="schema version 0"):
        Database(path, read_only=True)


def test_whether_it_can_be_written(path: Path) -> None:
    with Database(path) as db:
        db.check_writable()
        with Database(path, read_only=True) as reader:
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader.check_writable()
