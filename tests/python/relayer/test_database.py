"""The file: which one it is, and who may write it."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.python.relayer.making import CHAIN_ID, HUB
from vouch.relayer import sql
from vouch.relayer.database import Database
from vouch.relayer.errors import ForeignDatabase, OldDatabase
from vouch.relayer.job import JobStatus
from vouch.relayer.store import Store

VERSION_1 = Path(__file__).with_name("relayer_v1.sql")
"""A database as the first version left it: five requests, one of each kind, and two transactions."""


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


def contents(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, by column."""
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {table: [dict(row) for row in db.execute(f"SELECT * FROM {table}")] for table in tables}
    db.close()
    return found


def schema(path: Path) -> tuple[list[Any], list[Any]]:
    """The columns of every table, and the indexes."""
    db = sqlite3.connect(path)
    columns = db.execute(
        "SELECT m.name, c.* FROM sqlite_master m, pragma_table_info(m.name) c "
        "WHERE m.type = 'table' ORDER BY m.name, c.cid"
    ).fetchall()
    indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name").fetchall()
    db.close()
    return columns, indexes


@pytest.fixture
def old(path: Path) -> Path:
    db = sqlite3.connect(path)
    db.executescript(VERSION_1.read_text())
    db.close()
    return path


def test_an_older_database_is_brought_up_to_date_without_loss(old: Path, tmp_path: Path) -> None:
    before = contents(old)
    with Store(old) as store:
        statuses = ["answered", "done", "refused", "seen", "sent"]
        assert sorted(status.value for status in store.counts()) == statuses
        open_jobs = {job.status: job for job in store.open_jobs()}
        assert set(open_jobs) == {JobStatus.SEEN, JobStatus.ANSWERED}
        assert [tx.nonce for tx in store.pending()] == [0]
        assert store.in_gap() == []
        answered = open_jobs[JobStatus.ANSWERED]
        assert answered.answer is not None
        assert (answered.answer.signature, answered.sealed) == (None, True)
    after = contents(old)
    assert {"cosignatures", "policies", "cosigners"} == set(after) - set(before)
    for table, rows in before.items():
        assert [{name: row[name] for name in rows[0]} for row in after[table]] == rows
    with Database(tmp_path / "fresh.sqlite"):
        assert schema(old) == schema(tmp_path / "fresh.sqlite")
    with Store(old) as again:
        assert again.counts()


def test_an_upgrade_that_fails_leaves_everything_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(old), schema(old)
    monkeypatch.setattr(sql, "UPGRADES", (*sql.UPGRADES[:1], f"{sql.UPGRADES[1]}; CREATE TABLE jobs (n)"))
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        Database(old)
    assert (contents(old), schema(old)) == before
    monkeypatch.undo()
    with Store(old) as store:
        assert len(store.open_jobs()) == 2


def test_a_reader_of_an_older_database_says_who_upgrades_it(old: Path) -> None:
    with pytest.raises(OldDatabase, match="schema version 1, not 3: start `vouch relayer` on it once"):
        Store(old, read_only=True)
    with Store(old), Store(old, read_only=True) as reader:
        assert reader.counts()
