"""What the chain says about requests, taken in block by block, and back when it changes its mind."""

import time
from collections.abc import Iterable, Sequence

from vouch.chain.blocks import BlockRef
from vouch.chain.events import (
    CallbackFailedLog,
    CallbackRetriedLog,
    ChallengedLog,
    DeliveredLog,
    EquivocatedLog,
    ExpiredLog,
    HubLog,
    RejectedLog,
    RequestedLog,
    SettledLog,
    UnchallengedLog,
)
from vouch.relayer import sql
from vouch.relayer.database import Database
from vouch.relayer.job import CHAIN, Job, JobStatus
from vouch.relayer.rows import fresh_job, job_of


class ChainRecords(Database):
    """The cursor and the jobs read up to it, committed together."""

    def cursor(self) -> BlockRef | None:
        """Last block whose logs were read; None in a fresh database."""
        return next(iter(self.recent_blocks(1)), None)

    def recent_blocks(self, limit: int = -1) -> list[BlockRef]:
        """Remembered blocks, newest first."""
        rows = self._run(sql.RECENT_BLOCKS, limit)
        return [BlockRef(*row) for row in rows]

    def advance(self, blocks: Sequence[BlockRef], logs: Iterable[HubLog], keep: int) -> list[Job]:
        """Moves the cursor to the last of `blocks`, takes in the logs up to it, remembers `keep` blocks.

        Returns the jobs that need work now, and those whose trust gap opened, changed or closed.
        """
        work: dict[bytes, Job] = {}
        with self._transaction():
            for log in logs:
                self._take(log, work)
            for block in blocks:
                self._run(sql.ADD_BLOCK, block.number, block.hash)
            self._run(sql.FORGET_BLOCKS_BELOW, blocks[-1].number - keep)
        return list(work.values())

    def rewind(self, fork: int) -> list[Job]:
        """Forgets the blocks above `fork`: requests from there wait to be seen again, the rest is undone.

        Returns the reopened jobs that need work now. Transactions from there are pending again.
        """
        work: list[bytes] = []
        with self._transaction():
            self._run(sql.FORGET_BLOCKS_ABOVE, fork)
            self._run(sql.UNMINED_ABOVE, fork)
            for (job,) in self._run(sql.CHANGED_ABOVE, fork).fetchall():
                if self._undo(job, fork) is not JobStatus.SENT:
                    work.append(job)
            for (job,) in self._run(sql.ASKED_ABOVE, fork).fetchall():
                if not self._held(job):
                    self._step(job, JobStatus.ORPHANED, "the block that asked it was reorganised away")
        jobs = [self.get(job_id) for job_id in work]
        return [job for job in jobs if job is not None and job.block <= fork]

    def get(self, job: bytes) -> Job | None:
        """The job, or None if its request was never seen."""
        row = self._run(sql.GET_JOB, job).fetchone()
        return job_of(row) if row else None

    def status(self, job: bytes) -> JobStatus:
        """Status of a job that is known to exist."""
        return JobStatus(self._one(sql.GET_STATUS, job)[0])

    def _take(self, log: HubLog, work: dict[bytes, Job]) -> None:
        match log:
            case RequestedLog():
                self._requested(log, work)
            case DeliveredLog():
                self._delivered(log, work)
            case ChallengedLog():
                self._challenged(log, work)
            case SettledLog():
                ours = self._is_ours(log)
                how = "settled by us" if ours else f"lost race: settled by {log.operator}"
                self._end(log, JobStatus.DONE, how, work)
            case UnchallengedLog():
                self._note(log.id, "{}: nobody challenged")
            case RejectedLog():
                self._rejected(log, work)
            case EquivocatedLog():
                told = f"{log.operator} signed two outputs: slashed {log.slashed} token units"
                self._note(log.id, f"{{}}; {told}" if self._has_ended(log.id) else told)
            case ExpiredLog():
                self._end(log, JobStatus.EXPIRED, "fee returned", work)
            case CallbackFailedLog():
                self._callback(log.id, f"0x{log.reason.hex()}")
            case CallbackRetriedLog():
                self._callback(log.id, None)

    def _requested(self, log: RequestedLog, work: dict[bytes, Job]) -> None:
        row = self._run(sql.GET_JOB, log.id).fetchone()
        place = (log.block_number, log.block_hash, log.tx_hash)
        if row is None:
            job = work[log.id] = fresh_job(log)
            deadline = min(job.terms.deliver_by, sql.FOREVER)
            self._run(sql.ADD_JOB, job.id, job.packed, job.input, deadline, job.status, *place)
            self._step(log.id, JobStatus.SEEN, "")
            return
        self._run(sql.ASKED_AGAIN, log.input, *place, log.id)
        if row["status"] == JobStatus.ORPHANED:
            self._step(log.id, _without_tx(row["output"]), "asked again after a reorganisation")
            work[log.id] = job_of(self._one(sql.GET_JOB, log.id))

    def _delivered(self, log: DeliveredLog, work: dict[bytes, Job]) -> None:
        row = self._run(sql.GET_JOB, log.id).fetchone()
        if row is None:
            return
        if (row["operator"], row["output"]) != (log.operator, log.output):
            # Somebody else's, or one that this database has forgotten: this is what a proof has to be about.
            self._run(sql.SET_ANSWER, log.operator, log.output, None, None, CHAIN, 0, log.id)
        self._run(sql.SET_DELIVERED, log.block_number, log.id)
        who = "us" if self._is_ours(log) else log.operator
        self._step(log.id, JobStatus.DELIVERED, f"delivered by {who}")
        work[log.id] = job_of(self._one(sql.GET_JOB, log.id))

    def _challenged(self, log: ChallengedLog, work: dict[bytes, Job]) -> None:
        if self._run(sql.SET_CHALLENGED, log.block_number, log.challenger, log.id).rowcount:
            self._step(log.id, JobStatus.CHALLENGED, f"challenged by {log.challenger}")
            work[log.id] = job_of(self._one(sql.GET_JOB, log.id))

    def _rejected(self, log: RejectedLog, work: dict[bytes, Job]) -> None:
        job = self.get(log.id)
        if job is not None:
            told = (
                f"rejected: {log.operator} slashed, {job.at_stake} token units; its bond has {log.rewarded}"
            )
            self._end(log, JobStatus.FAILED, told, work)

    def _end(
        self,
        log: SettledLog | RejectedLog | ExpiredLog,
        status: JobStatus,
        reason: str,
        work: dict[bytes, Job],
    ) -> None:
        work.pop(log.id, None)
        row = self._run(sql.SET_END, log.block_number, log.tx_hash, log.id).fetchone()
        if row is not None:
            self._step(log.id, status, reason)
            if row["guarded"]:
                work[log.id] = job_of(self._one(sql.GET_JOB, log.id))

    def _callback(self, job: bytes, failure: str | None) -> None:
        if self._run(sql.SET_CALLBACK_FAILURE, failure, job).rowcount:
            what = "callback worked on a retry" if failure is None else f"callback failed: {failure}"
            self._step(job, self.status(job), what)

    def _note(self, job: bytes, text: str) -> None:
        """Another step at the same status; {} stands for the reason so far."""
        row = self._run(sql.GET_JOB, job).fetchone()
        if row is not None:
            self._step(job, JobStatus(row["status"]), text.replace("{}", row["reason"]))

    def _has_ended(self, job: bytes) -> bool:
        row = self._run(sql.GET_STATUS, job).fetchone()
        return row is not None and JobStatus(row[0]).ended

    def _undo(self, job: bytes, fork: int) -> JobStatus:
        """Takes back what happened to a job above `fork`; the last of it gives the reason."""
        before, what = self._one(sql.GET_JOB, job), ""
        if (before["end_block"] or 0) > fork:
            self._run(sql.CLEAR_END, job)
            what = "ended"
        if (before["challenged_block"] or 0) > fork:
            self._run(sql.CLEAR_CHALLENGE, job)
            what = "challenged"
        if (before["delivered_block"] or 0) > fork:
            self._run(sql.CLEAR_DELIVERY, job)
            what = "delivered"
            if before["node"] == CHAIN:
                self._run(sql.CLEAR_ANSWER, job)
        row = self._one(sql.GET_JOB, job)
        if row["challenged_block"] is not None:
            status = JobStatus.CHALLENGED
        elif row["delivered_block"] is not None:
            status = JobStatus.DELIVERED
        elif self._run(sql.IS_BEING_ANSWERED, job).fetchone() is not None:
            status = JobStatus.SENT
        else:
            status = _without_tx(row["output"])
        self._step(job, status, f"the block that {what} it was reorganised away")
        return status

    def _is_ours(self, log: HubLog) -> bool:
        return self._run(sql.IS_OURS, log.tx_hash).fetchone() is not None

    def _held(self, job: bytes) -> bool:
        """A pending transaction carries the job."""
        return self._run(sql.IS_HELD, job).fetchone() is not None

    def _step(self, job: bytes, status: JobStatus, reason: str) -> None:
        self._run(sql.SET_STATUS, status, reason, job)
        self._run(sql.ADD_STEP, job, time.time_ns(), status, reason)


def _without_tx(output: bytes | None) -> JobStatus:
    return JobStatus.SEEN if output is None else JobStatus.ANSWERED
