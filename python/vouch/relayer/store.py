"""The relayer's memory: jobs, transactions and the blocks read so far. Its SQL is in `sql`.

The cursor and the jobs read up to it are committed together, and a signed transaction is committed before it
is broadcast, so the process may be killed at any point.
"""

import time
from collections.abc import Iterable
from typing import Any

from vouch.chain.transaction import Receipt
from vouch.relayer import sql
from vouch.relayer.job import Job, JobStatus, NodeAnswer, OutboxTx, Step, TxStatus
from vouch.relayer.rows import job_of, tx_of
from vouch.relayer.store_proofs import ProofRecords

_OUT = (JobStatus.SENDING, JobStatus.SENT)


class Store(ProofRecords):
    """The database by what happens to a request; every method is one transaction."""

    # --- what the relayer does ---

    def move(self, job: bytes, status: JobStatus, reason: str = "", *, own: bool | None = None) -> None:
        """Records a step, or a wait with its reason (the status then stays as it was).

        A job that was delivered or has ended meanwhile stays as it is: what the chain says counts.
        """
        with self._transaction():
            if _is_fixed(now := self.status(job)) and now is not status:
                return
            if own is not None:
                self._run(sql.SET_OWN, own, job)
            self._step(job, status, reason)

    def note(self, job: bytes, status: JobStatus, reason: str) -> None:
        """Records what a job waits for, unless it has another status by now: a fork may have changed it."""
        with self._transaction():
            if self.status(job) is status:
                self._step(job, status, reason)

    def answered(self, job: bytes, answer: NodeAnswer) -> None:
        """Keeps a checked answer, for a job that has ended meanwhile too: a fork may open it again.

        Of a job that was delivered meanwhile, only what was delivered counts.
        """
        what, source = (answer.operator, answer.output), (answer.node, answer.node_ns)
        with self._transaction():
            if (status := self.status(job)).in_gap:
                self._run(sql.SET_SIGNATURE, answer.signature, *source, job, *what)
                return
            self._run(sql.SET_ANSWER, *what, answer.seal, answer.signature, *source, job)
            if not status.ended:
                self._step(job, JobStatus.ANSWERED, f"by {answer.node}")

    def sign(self, tx: OutboxTx) -> None:
        """Stores a signed transaction; call before the broadcast. A job that has ended meanwhile stays so."""
        values = (tx.hash, tx.nonce, tx.kind, tx.raw, tx.status)
        with self._transaction():
            self._run(sql.ADD_TRANSACTION, *values)
            for job in tx.jobs:
                self._run(sql.ADD_CARGO, tx.hash, job)
                where, status = f"transaction 0x{tx.hash.hex()}, nonce {tx.nonce}", self.status(job)
                if tx.kind.answers and not _is_fixed(status):
                    self._step(job, JobStatus.SENDING, where)
                elif status.in_gap:
                    self._step(job, status, f"{tx.kind}: {where}")

    def unsign(self, tx: bytes, reason: str) -> None:
        """Forgets a transaction that the chain refused to take; its jobs are open again."""
        with self._transaction():
            for (job,) in self._run(sql.CARGO, tx).fetchall():
                if (status := self.status(job)) is JobStatus.SENDING:
                    self._step(job, JobStatus.ANSWERED, reason)
                elif status.in_gap:
                    self._step(job, status, reason)
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

    def unanswer(self, job: bytes, reason: str) -> Job | None:
        """Forgets an answer whose seal does not count any more; the job, or None if it went another way."""
        with self._transaction():
            if self.status(job) is not JobStatus.ANSWERED:
                return None
            self._run(sql.CLEAR_ANSWER, job)
            self._step(job, JobStatus.DISPATCHED, reason)
        return self.get(job)

    def unseal(self, job: bytes) -> None:
        """Forgets a delivered job's seal, which does not count any more."""
        self._run(sql.UNSEAL, job)

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
                self._run(sql.FORGET_COSIGNATURES, job)
                self._run(sql.ADD_STEP, job, time.time_ns(), status, "input and output dropped for their age")
            self._run(sql.EMPTY_REGISTRATIONS)
        return len(jobs)

    # --- what others read ---

    def open_jobs(self) -> list[Job]:
        """Jobs that need a node, a proof or a transaction, oldest first."""
        return [job_of(row) for row in self._run(sql.OPEN_JOBS)]

    def in_gap(self) -> list[Job]:
        """Jobs whose result is out and whose proof is not, oldest first."""
        return [job_of(row) for row in self._run(sql.JOBS_IN_GAP)]

    def deliveries_under_way(self) -> list[Job]:
        """Jobs that a pending transaction delivers, as far as the chain was read."""
        return [job_of(row) for row in self._run(sql.DELIVERIES_UNDER_WAY)]

    def is_held(self, job: bytes) -> bool:
        """True if a pending transaction carries the job."""
        return self._held(job)

    def is_being_settled(self, job: bytes) -> bool:
        """True if a pending transaction closes the job's trust gap."""
        return self._run(sql.IS_BEING_SETTLED, job).fetchone() is not None

    def is_registering(self) -> bool:
        """True if a pending transaction lets an enclave's key in."""
        return self._run(sql.IS_REGISTERING).fetchone() is not None

    def refundable(self, now: int) -> list[Job]:
        """Jobs that named us, ended unanswered and whose fee can be got back at `now`, unix seconds."""
        rows = self._run(sql.REFUNDABLE, now).fetchall()
        return [job_of(row) for row in rows if not self._held(row["id"])]

    def pending(self) -> list[OutboxTx]:
        """Transactions without an end, by nonce."""
        return self._txs(sql.PENDING)

    def unconfirmed(self, *, alone: bool = False) -> int:
        """How many nonces wait for a block: those that requests share, or those that one has `alone`."""
        return int(self._one(sql.UNCONFIRMED_ALONE if alone else sql.UNCONFIRMED)[0])

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


def _is_fixed(status: JobStatus) -> bool:
    """The chain said so, and only the chain changes it."""
    return status.in_gap or status.ended
