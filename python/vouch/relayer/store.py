"""The relayer's memory: jobs, transactions and the blocks read so far. Its SQL is in `sql`.

The cursor and the jobs read up to it are committed together, and a signed transaction is committed before it
is broadcast, so the process may be killed at any point.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from vouch.chain.events import CallbackFailedLog, CallbackRetriedLog, ExpiredLog, RequestedLog, SettledLog
from vouch.chain.transaction import Receipt
from vouch.relayer import sql
from vouch.relayer.database import Database
from vouch.relayer.job import BlockRef, HubLog, Job, JobStatus, NodeAnswer, OutboxTx, Step, TxKind, TxStatus
from vouch.relayer.rows import fresh_job, job_of, tx_of

_OUT = (JobStatus.SENDING, JobStatus.SENT)


class Store(Database):
    """The database by what happens to a request; every method is one transaction."""

    # --- what the chain says ---

    def cursor(self) -> BlockRef | None:
        """Last block whose logs were read; None in a fresh database."""
        return next(iter(self.recent_blocks(1)), None)

    def recent_blocks(self, limit: int = -1) -> list[BlockRef]:
        """Remembered blocks, newest first."""
        rows = self._run(sql.RECENT_BLOCKS, limit)
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
                        ours = self._run(sql.IS_OURS, log.tx_hash).fetchone()
                        how = "settled by us" if ours else f"lost race: settled by {log.operator}"
                        self._end(log.id, JobStatus.DONE, how, log)
                    case ExpiredLog():
                        self._end(log.id, JobStatus.EXPIRED, "fee returned", log)
                    case CallbackFailedLog():
                        self._callback(log.id, f"0x{log.reason.hex()}")
                    case CallbackRetriedLog():
                        self._callback(log.id, None)
            for block in blocks:
                self._run(sql.ADD_BLOCK, block.number, block.hash)
            self._run(sql.FORGET_BLOCKS_BELOW, blocks[-1].number - keep)
        return work

    def rewind(self, fork: int) -> list[Job]:
        """Forgets the blocks above `fork`: requests from there wait to be seen again, ends are open again.

        Returns the reopened jobs that need work now. Transactions from there are pending again.
        """
        work: list[bytes] = []
        with self._transaction():
            self._run(sql.FORGET_BLOCKS_ABOVE, fork)
            self._run(sql.UNMINED_ABOVE, fork)
            for row in self._run(sql.ENDED_ABOVE, fork).fetchall():
                job = row["id"]
                self._run(sql.CLEAR_END, job)
                status = JobStatus.SENT if self._held(job) else _without_tx(row["output"])
                self._step(job, status, "the block that ended it was reorganised away")
                if status is not JobStatus.SENT and row["block"] <= fork:
                    work.append(job)
            for (job,) in self._run(sql.ASKED_ABOVE, fork).fetchall():
                if not self._held(job):
                    self._step(job, JobStatus.ORPHANED, "the block that asked it was reorganised away")
        return [job for job_id in work if (job := self.get(job_id)) is not None]

    def _requested(self, log: RequestedLog) -> list[Job]:
        row = self._run(sql.GET_JOB, log.id).fetchone()
        place = (log.block_number, log.block_hash, log.tx_hash)
        if row is None:
            job = fresh_job(log)
            deadline = min(job.terms.deliver_by, sql.FOREVER)
            self._run(sql.ADD_JOB, job.id, job.packed, job.input, deadline, job.status, *place)
            self._step(log.id, JobStatus.SEEN, "")
            return [job]
        self._run(sql.ASKED_AGAIN, log.input, *place, log.id)
        if row["status"] != JobStatus.ORPHANED:
            return []
        self._step(log.id, _without_tx(row["output"]), "asked again after a reorganisation")
        return [job_of(self._one(sql.GET_JOB, log.id))]

    def _end(self, job: bytes, status: JobStatus, reason: str, log: HubLog) -> None:
        if self._run(sql.SET_END, log.block_number, log.tx_hash, job).rowcount:
            self._step(job, status, reason)

    def _callback(self, job: bytes, failure: str | None) -> None:
        if self._run(sql.SET_CALLBACK_FAILURE, failure, job).rowcount:
            what = "callback worked on a retry" if failure is None else f"callback failed: {failure}"
            self._step(job, self.status(job), what)

    def _held(self, job: bytes) -> bool:
        """A pending transaction carries the job."""
        return self._run(sql.IS_HELD, job).fetchone() is not None

    # --- what the relayer does ---

    def move(self, job: bytes, status: JobStatus, reason: str = "", *, own: bool | None = None) -> None:
        """Records a step, or a wait with its reason (the status then stays as it was).

        A job that has ended meanwhile stays as it is: what the chain says counts.
        """
        with self._transaction():
            if (now := self.status(job)).ended and now is not status:
                return
            if own is not None:
                self._run(sql.SET_OWN, own, job)
            self._step(job, status, reason)

    def answered(self, job: bytes, answer: NodeAnswer) -> None:
        """Keeps a checked answer, for a job that has ended meanwhile too: a fork may open it again."""
        values = (answer.operator, answer.output, answer.seal, answer.node, answer.node_ns)
        with self._transaction():
            self._run(sql.SET_ANSWER, *values, job)
            if not self.status(job).ended:
                self._step(job, JobStatus.ANSWERED, f"by {answer.node}")

    def sign(self, tx: OutboxTx) -> None:
        """Stores a signed transaction; call before the broadcast. A job that has ended meanwhile stays so."""
        values = (tx.hash, tx.nonce, tx.kind, tx.raw, tx.status)
        with self._transaction():
            self._run(sql.ADD_TRANSACTION, *values)
            for job in tx.jobs:
                self._run(sql.ADD_CARGO, tx.hash, job)
                if tx.kind is TxKind.FULFIL and not self.status(job).ended:
                    self._step(job, JobStatus.SENDING, f"transaction 0x{tx.hash.hex()}, nonce {tx.nonce}")

    def unsign(self, tx: bytes, reason: str) -> None:
        """Forgets a transaction that the chain refused to take; its jobs are open again."""
        with self._transaction():
            for (job,) in self._run(sql.CARGO, tx).fetchall():
                if self.status(job) is JobStatus.SENDING:
                    self._step(job, JobStatus.ANSWERED, reason)
            self._run(sql.FORGET_CARGO, tx)
            self._run(sql.FORGET_TRANSACTION, tx)

    def broadcast(self, tx: bytes, jobs: Iterable[bytes]) -> None:
        """Records that the chain's node took a transaction."""
        with self._transaction():
            self._run(sql.TOOK, TxStatus.BROADCAST, tx, TxStatus.SIGNED)
            for job in jobs:
                # Its block may have been read already.
                if self.status(job) is JobStatus.SENDING:
                    self._step(job, JobStatus.SENT, "")

    def included(self, nonce: int, receipt: Receipt) -> None:
        """Records the block of a transaction before that block is read."""
        self._run(sql.INCLUDED, TxStatus.INCLUDED, receipt.block_number, nonce)

    def close_nonce(self, nonce: int, receipt: Receipt | None, status: TxStatus) -> None:
        """Records how a nonce was used in the end; its other transactions are replaced."""
        with self._transaction():
            self._run(sql.REPLACED, nonce)
            if receipt is not None:
                self._run(sql.CLOSED, status, receipt.block_number, receipt.gas_used, receipt.tx_hash)

    def reopen(self, jobs: Iterable[bytes], reason: str, attempts: int) -> list[Job]:
        """Opens jobs that a transaction left behind and no other one carries; returns them.

        After `attempts` such transactions a job is given up.
        """
        work = []
        with self._transaction():
            for job in jobs:
                if self.status(job) not in _OUT or self._held(job):
                    continue
                self._run(sql.ADD_ATTEMPT, job)
                if self._one(sql.GET_JOB, job)["attempts"] < attempts:
                    self._step(job, JobStatus.ANSWERED, reason)
                    work.append(job)
                else:
                    gave_up = f"gave up after {attempts} transactions; last: {reason}"
                    self._step(job, JobStatus.FAILED, gave_up)
        return [job_of(self._one(sql.GET_JOB, job)) for job in work]

    def prune(self, before_ns: int, most: int = 500) -> int:
        """Drops the bytes of jobs whose last step is older than that: inputs, outputs, seals, transactions.

        Terms and history stay. At most `most` jobs at a time, so that nothing else waits long; returns how
        many. Jobs that a fork could still open again are left alone.
        """
        with self._transaction():
            jobs = self._run(sql.FULL_JOBS, before_ns, most).fetchall()
            for job, status in jobs:
                self._run(sql.EMPTY_JOB, job)
                self._run(sql.EMPTY_TRANSACTIONS, job)
                self._run(sql.ADD_STEP, job, time.time_ns(), status, "input and output dropped for their age")
        return len(jobs)

    def _step(self, job: bytes, status: JobStatus, reason: str) -> None:
        self._run(sql.SET_STATUS, status, reason, job)
        self._run(sql.ADD_STEP, job, time.time_ns(), status, reason)

    # --- what others read ---

    def get(self, job: bytes) -> Job | None:
        """The job, or None if its request was never seen."""
        row = self._run(sql.GET_JOB, job).fetchone()
        return job_of(row) if row else None

    def status(self, job: bytes) -> JobStatus:
        """Status of a job that is known to exist."""
        return JobStatus(self._one(sql.GET_STATUS, job)[0])

    def open_jobs(self) -> list[Job]:
        """Jobs that need a node or a transaction, oldest first."""
        return [job_of(row) for row in self._run(sql.OPEN_JOBS)]

    def refundable(self, now: int) -> list[Job]:
        """Jobs that named us, ended unanswered and whose fee can be got back at `now`, unix seconds."""
        rows = self._run(sql.REFUNDABLE, now).fetchall()
        return [job_of(row) for row in rows if not self._held(row["id"])]

    def pending(self) -> list[OutboxTx]:
        """Transactions without an end, by nonce."""
        return self._txs(sql.PENDING)

    def unconfirmed(self) -> int:
        """How many nonces wait for a block."""
        return int(self._one(sql.UNCONFIRMED)[0])

    def transactions(self, job: bytes) -> list[OutboxTx]:
        """Every transaction that was signed for a job, oldest first."""
        return self._txs(sql.TRANSACTIONS_OF, job)

    def steps(self, job: bytes) -> list[Step]:
        """A job's history, oldest first."""
        rows = self._run(sql.STEPS, job)
        return [Step(row["at"], JobStatus(row["status"]), row["reason"]) for row in rows]

    def counts(self) -> dict[JobStatus, int]:
        """Jobs per status."""
        return {JobStatus(s): n for s, n in self._run(sql.COUNTS)}

    def _txs(self, statement: str, *values: Any) -> list[OutboxTx]:
        rows = self._run(statement, *values).fetchall()
        return [tx_of(row, tuple(job for (job,) in self._run(sql.CARGO, row["hash"]))) for row in rows]


def _without_tx(output: bytes | None) -> JobStatus:
    return JobStatus.SEEN if output is None else JobStatus.ANSWERED
