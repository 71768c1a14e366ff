"""The relayer's memory: the one file with SQL.

The cursor and the jobs read up to it are committed together, and a signed transaction is committed before it
is broadcast, so the process may be killed at any point. WAL with synchronous=NORMAL: a killed process loses
nothing; a power cut may lose the last commits, and then the chain tells them again.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from vouch.chain.events import CallbackFailedLog, CallbackRetriedLog, ExpiredLog, RequestedLog, SettledLog
from vouch.chain.transaction import Receipt
from vouch.relayer.errors import ForeignDatabase
from vouch.relayer.job import BlockRef, HubLog, Job, JobStatus, NodeAnswer, OutboxTx, Step, TxKind, TxStatus
from vouch.relayer.rows import fresh_job, job_of, pack, tx_of

VERSION = 1
SCHEMA = """
CREATE TABLE identity (chain_id INTEGER NOT NULL, hub TEXT NOT NULL, genesis BLOB NOT NULL);
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL);
CREATE TABLE jobs (
  id BLOB PRIMARY KEY, terms BLOB NOT NULL, input BLOB NOT NULL, deliver_by INTEGER NOT NULL,
  status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', own INTEGER NOT NULL DEFAULT 0,
  block INTEGER NOT NULL, block_hash BLOB NOT NULL, tx BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  operator TEXT, output BLOB, seal BLOB, node TEXT, node_ns INTEGER,
  end_block INTEGER, end_tx BLOB, callback_failure TEXT
);
CREATE INDEX jobs_status ON jobs (status, deliver_by);
CREATE INDEX jobs_block ON jobs (block);
CREATE INDEX jobs_end ON jobs (end_block) WHERE end_block IS NOT NULL;
CREATE TABLE steps (job BLOB NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX steps_job ON steps (job);
CREATE TABLE transactions (
  hash BLOB PRIMARY KEY, nonce INTEGER NOT NULL, kind TEXT NOT NULL, raw BLOB NOT NULL, status TEXT NOT NULL,
  block INTEGER, gas_used INTEGER
);
CREATE INDEX transactions_status ON transactions (status, nonce);
CREATE INDEX transactions_block ON transactions (block) WHERE block IS NOT NULL;
CREATE TABLE cargo (tx BLOB NOT NULL, job BLOB NOT NULL, PRIMARY KEY (tx, job)) WITHOUT ROWID;
CREATE INDEX cargo_job ON cargo (job);
"""
_FOREVER = (1 << 63) - 1
"""The largest integer that SQLite keeps; terms may hold larger ones."""
_PENDING = f"('{TxStatus.SIGNED}', '{TxStatus.BROADCAST}', '{TxStatus.INCLUDED}')"
_OPEN = f"('{JobStatus.SEEN}', '{JobStatus.DISPATCHED}', '{JobStatus.ANSWERED}')"
_OUT = (JobStatus.SENDING, JobStatus.SENT)
_UNPAID = f"('{JobStatus.REFUSED}', '{JobStatus.FAILED}', '{JobStatus.EXPIRED}')"


class Store:
    """One SQLite database; every method is one transaction."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Raises ForeignDatabase (another version wrote it), sqlite3.Error (no usable file)."""
        self.path = path
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        if not read_only:
            self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        (version,) = self._one("PRAGMA user_version")
        if version == 0 and not read_only:
            self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            self._db.close()
            raise ForeignDatabase(path, f"schema version {version}", f"schema version {VERSION}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def bind(self, chain_id: int, hub: str, genesis: bytes) -> None:
        """Ties a fresh database to a chain and hub; raises ForeignDatabase if it is tied to others."""
        row = self._run("SELECT chain_id, hub, genesis FROM identity").fetchone()
        if row is None:
            self._run("INSERT INTO identity VALUES (?, ?, ?)", chain_id, hub, genesis)
        elif tuple(row) != (chain_id, hub, genesis):
            both = (row, (chain_id, hub, genesis))
            raise ForeignDatabase(
                self.path, *(f"chain {c}, hub {h}, genesis {g.hex()[:16]}" for c, h, g in both)
            )

    # --- what the chain says ---

    def cursor(self) -> BlockRef | None:
        """Last block whose logs were read; None in a fresh database."""
        return next(iter(self.recent_blocks(1)), None)

    def recent_blocks(self, limit: int = -1) -> list[BlockRef]:
        """Remembered blocks, newest first."""
        rows = self._run("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT ?", limit)
        return [BlockRef(*row) for row in rows]

    def advance(self, blocks: Sequence[BlockRef], logs: Iterable[HubLog], keep: int) -> list[Job]:
        """Moves the cursor to the last of `blocks`, takes in the logs up to it, remembers `keep` blocks.

        Returns the jobs that need work now.
        """
        work: list[Job] = []
        with self._transaction():
            for log in logs:
                match log:
                    case RequestedLog():
                        work += self._requested(log)
                    case SettledLog():
                        ours = self._run("SELECT 1 FROM transactions WHERE hash = ?", log.tx_hash).fetchone()
                        how = "settled by us" if ours else f"lost race: settled by {log.operator}"
                        self._end(log.id, JobStatus.DONE, how, log)
                    case ExpiredLog():
                        self._end(log.id, JobStatus.EXPIRED, "fee returned", log)
                    case CallbackFailedLog():
                        self._callback(log.id, f"0x{log.reason.hex()}")
                    case CallbackRetriedLog():
                        self._callback(log.id, None)
            for block in blocks:
                self._run("INSERT OR REPLACE INTO blocks VALUES (?, ?)", block.number, block.hash)
            self._run("DELETE FROM blocks WHERE number < ?", blocks[-1].number - keep)
        return work

    def rewind(self, fork: int) -> list[Job]:
        """Forgets the blocks above `fork`: requests from there wait to be seen again, ends are open again.

        Returns the reopened jobs that need work now. Transactions from there are pending again.
        """
        work: list[bytes] = []
        with self._transaction():
            self._run("DELETE FROM blocks WHERE number > ?", fork)
            self._run(
                "UPDATE transactions SET status = ?, block = NULL WHERE block > ?", TxStatus.BROADCAST, fork
            )
            for row in self._run("SELECT id, block, output FROM jobs WHERE end_block > ?", fork).fetchall():
                job, cleared = row["id"], "end_block = NULL, end_tx = NULL, callback_failure = NULL"
                self._run(f"UPDATE jobs SET {cleared} WHERE id = ?", job)
                status = JobStatus.SENT if self._held(job) else _without_tx(row["output"])
                self._step(job, status, "the block that ended it was reorganised away")
                if status is not JobStatus.SENT and row["block"] <= fork:
                    work.append(job)
            for (job,) in self._run("SELECT id FROM jobs WHERE block > ?", fork).fetchall():
                if not self._held(job):
                    self._step(job, JobStatus.ORPHANED, "the block that asked it was reorganised away")
        return [job for job_id in work if (job := self.get(job_id)) is not None]

    def _requested(self, log: RequestedLog) -> list[Job]:
        row = self._run("SELECT status, output FROM jobs WHERE id = ?", log.id).fetchone()
        place = (log.block_number, log.block_hash, log.tx_hash)
        if row is None:
            job = fresh_job(log, pack(log.request))
            columns = "id, terms, input, deliver_by, status, block, block_hash, tx"
            deadline = min(job.terms.deliver_by, _FOREVER)
            values = (job.id, job.packed, job.input, deadline, job.status, *place)
            self._run(f"INSERT INTO jobs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)
            self._step(log.id, JobStatus.SEEN, "")
            return [job]
        self._run("UPDATE jobs SET block = ?, block_hash = ?, tx = ? WHERE id = ?", *place, log.id)
        if row["status"] != JobStatus.ORPHANED:
            return []
        self._step(log.id, _without_tx(row["output"]), "asked again after a reorganisation")
        return [job_of(self._one("SELECT * FROM jobs WHERE id = ?", log.id))]

    def _end(self, job: bytes, status: JobStatus, reason: str, log: HubLog) -> None:
        sql = "UPDATE jobs SET end_block = ?, end_tx = ? WHERE id = ?"
        if self._run(sql, log.block_number, log.tx_hash, job).rowcount:
            self._step(job, status, reason)

    def _callback(self, job: bytes, failure: str | None) -> None:
        if self._run("UPDATE jobs SET callback_failure = ? WHERE id = ?", failure, job).rowcount:
            what = "callback worked on a retry" if failure is None else f"callback failed: {failure}"
            self._step(job, self.status(job), what)

    def _held(self, job: bytes) -> bool:
        """A pending transaction carries the job."""
        sql = f"SELECT 1 FROM cargo JOIN transactions ON hash = tx WHERE job = ? AND status IN {_PENDING}"
        return self._run(sql, job).fetchone() is not None

    # --- what the relayer does ---

    def move(self, job: bytes, status: JobStatus, reason: str = "", *, own: bool | None = None) -> None:
        """Records a step, or a wait with its reason (the status then stays as it was).

        A job that has ended meanwhile stays as it is: what the chain says counts.
        """
        with self._transaction():
            if (now := self.status(job)).ended and now is not status:
                return
            if own is not None:
                self._run("UPDATE jobs SET own = ? WHERE id = ?", own, job)
            self._step(job, status, reason)

    def answered(self, job: bytes, answer: NodeAnswer) -> None:
        """Keeps a checked answer, for a job that has ended meanwhile too: a fork may open it again."""
        columns = "operator = ?, output = ?, seal = ?, node = ?, node_ns = ?"
        values = (answer.operator, answer.output, answer.seal, answer.node, answer.node_ns)
        with self._transaction():
            self._run(f"UPDATE jobs SET {columns} WHERE id = ?", *values, job)
            if not self.status(job).ended:
                self._step(job, JobStatus.ANSWERED, f"by {answer.node}")

    def sign(self, tx: OutboxTx) -> None:
        """Stores a signed transaction; call before the broadcast. A job that has ended meanwhile stays so."""
        values = (tx.hash, tx.nonce, tx.kind, tx.raw, tx.status)
        with self._transaction():
            self._run("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, NULL, NULL)", *values)
            for job in tx.jobs:
                self._run("INSERT INTO cargo VALUES (?, ?)", tx.hash, job)
                if tx.kind is TxKind.FULFIL and not self.status(job).ended:
                    self._step(job, JobStatus.SENDING, f"transaction 0x{tx.hash.hex()}, nonce {tx.nonce}")

    def unsign(self, tx: bytes, reason: str) -> None:
        """Forgets a transaction that the chain refused to take; its jobs are open again."""
        with self._transaction():
            for (job,) in self._run("SELECT job FROM cargo WHERE tx = ?", tx).fetchall():
                if self.status(job) is JobStatus.SENDING:
                    self._step(job, JobStatus.ANSWERED, reason)
            self._run("DELETE FROM cargo WHERE tx = ?", tx)
            self._run("DELETE FROM transactions WHERE hash = ?", tx)

    def broadcast(self, tx: bytes, jobs: Iterable[bytes]) -> None:
        """Records that the chain's node took a transaction."""
        sql = "UPDATE transactions SET status = ? WHERE hash = ? AND status = ?"
        with self._transaction():
            self._run(sql, TxStatus.BROADCAST, tx, TxStatus.SIGNED)
            for job in jobs:
                # Its block may have been read already.
                if self.status(job) is JobStatus.SENDING:
                    self._step(job, JobStatus.SENT, "")

    def included(self, nonce: int, receipt: Receipt) -> None:
        """Records the block of a transaction before that block is read."""
        sql = f"UPDATE transactions SET status = ?, block = ? WHERE nonce = ? AND status IN {_PENDING}"
        self._run(sql, TxStatus.INCLUDED, receipt.block_number, nonce)

    def close_nonce(self, nonce: int, receipt: Receipt | None, status: TxStatus) -> None:
        """Records how a nonce was used in the end; its other transactions are replaced."""
        replaced = (
            f"UPDATE transactions SET status = ?, block = NULL WHERE nonce = ? AND status IN {_PENDING}"
        )
        with self._transaction():
            self._run(replaced, TxStatus.REPLACED, nonce)
            if receipt is not None:
                values = (status, receipt.block_number, receipt.gas_used, receipt.tx_hash)
                self._run(
                    "UPDATE transactions SET status = ?, block = ?, gas_used = ? WHERE hash = ?", *values
                )

    def reopen(self, jobs: Iterable[bytes], reason: str, attempts: int) -> list[Job]:
        """Opens jobs that a transaction left behind and no other one carries; returns them.

        After `attempts` such transactions a job is given up.
        """
        work = []
        with self._transaction():
            for job in jobs:
                if self.status(job) not in _OUT or self._held(job):
                    continue
                self._run("UPDATE jobs SET attempts = attempts + 1 WHERE id = ?", job)
                if self._one("SELECT attempts FROM jobs WHERE id = ?", job)[0] < attempts:
                    self._step(job, JobStatus.ANSWERED, reason)
                    work.append(job)
                else:
                    self._step(
                        job, JobStatus.FAILED, f"gave up after {attempts} transactions; last: {reason}"
                    )
        return [job_of(self._one("SELECT * FROM jobs WHERE id = ?", job)) for job in work]

    def _step(self, job: bytes, status: JobStatus, reason: str) -> None:
        self._run("UPDATE jobs SET status = ?, reason = ? WHERE id = ?", status, reason, job)
        self._run("INSERT INTO steps VALUES (?, ?, ?, ?)", job, time.time_ns(), status, reason)

    # --- what others read ---

    def get(self, job: bytes) -> Job | None:
        """The job, or None if its request was never seen."""
        row = self._run("SELECT * FROM jobs WHERE id = ?", job).fetchone()
        return job_of(row) if row else None

    def status(self, job: bytes) -> JobStatus:
        """Status of a job that is known to exist."""
        return JobStatus(self._one("SELECT status FROM jobs WHERE id = ?", job)[0])

    def open_jobs(self) -> list[Job]:
        """Jobs that need a node or a transaction, oldest first."""
        return [
            job_of(row) for row in self._run(f"SELECT * FROM jobs WHERE status IN {_OPEN} ORDER BY block")
        ]

    def refundable(self, now: int) -> list[Job]:
        """Jobs that named us, ended unanswered and whose fee can be got back at `now`, unix seconds."""
        unpaid = f"status IN {_UNPAID} AND deliver_by < ? AND own AND end_tx IS NULL"
        rows = self._run(f"SELECT * FROM jobs WHERE {unpaid}", now).fetchall()
        return [job_of(row) for row in rows if not self._held(row["id"])]

    def pending(self) -> list[OutboxTx]:
        """Transactions without an end, by nonce."""
        return self._txs(f"SELECT * FROM transactions WHERE status IN {_PENDING} ORDER BY nonce, rowid")

    def unconfirmed(self) -> int:
        """How many nonces wait for a block."""
        sql = "SELECT count(DISTINCT nonce) FROM transactions WHERE status IN (?, ?)"
        return int(self._one(sql, TxStatus.SIGNED, TxStatus.BROADCAST)[0])

    def transactions(self, job: bytes) -> list[OutboxTx]:
        """Every transaction that was signed for a job, oldest first."""
        return self._txs(
            "SELECT t.* FROM transactions t JOIN cargo ON tx = hash WHERE job = ? ORDER BY nonce, t.rowid",
            job,
        )

    def steps(self, job: bytes) -> list[Step]:
        """A job's history, oldest first."""
        rows = self._run("SELECT at, status, reason FROM steps WHERE job = ? ORDER BY rowid", job)
        return [Step(row["at"], JobStatus(row["status"]), row["reason"]) for row in rows]

    def counts(self) -> dict[JobStatus, int]:
        """Jobs per status."""
        return {JobStatus(s): n for s, n in self._run("SELECT status, count(*) FROM jobs GROUP BY status")}

    def _txs(self, sql: str, *values: Any) -> list[OutboxTx]:
        cargo = "SELECT job FROM cargo WHERE tx = ? ORDER BY job"
        rows = self._run(sql, *values).fetchall()
        return [tx_of(row, tuple(job for (job,) in self._run(cargo, row["hash"]))) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def _run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._db.execute(sql, values)

    def _one(self, sql: str, *values: Any) -> sqlite3.Row:
        row: sqlite3.Row = self._run(sql, *values).fetchone()
        return row


def _without_tx(output: bytes | None) -> JobStatus:
    return JobStatus.SEEN if output is None else JobStatus.ANSWERED
