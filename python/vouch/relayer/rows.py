"""Rows of the store as values."""

import sqlite3

from vouch.chain.events import RequestedLog
from vouch.protocol.request import Request
from vouch.relayer.job import Job, JobStatus, NodeAnswer, OutboxTx, TxKind, TxStatus


def job_of(row: sqlite3.Row) -> Job:
    """A row of the table jobs."""
    answer = None
    if row["output"] is not None:
        seal, signature = row["seal"], row["signature"]
        answer = NodeAnswer(row["operator"], row["output"], seal, signature, row["node"], row["node_ns"])
    return Job(
        id=row["id"],
        terms=Request.from_bytes(row["terms"]),
        packed=row["terms"],
        input=row["input"],
        status=JobStatus(row["status"]),
        reason=row["reason"],
        own=bool(row["own"]),
        block=row["block"],
        block_hash=row["block_hash"],
        tx=row["tx"],
        attempts=row["attempts"],
        answer=answer,
        end_block=row["end_block"],
        end_tx=row["end_tx"],
        callback_failure=row["callback_failure"],
        delivered_block=row["delivered_block"],
        challenged_block=row["challenged_block"],
        challenger=row["challenger"],
        challenge_by=row["challenge_by"],
        prove_by=row["prove_by"],
    )


def fresh_job(log: RequestedLog) -> Job:
    """The job of a request that was just seen."""
    return Job(
        id=log.id,
        terms=log.request,
        packed=bytes(log.request),
        input=log.input,
        status=JobStatus.SEEN,
        reason="",
        own=False,
        block=log.block_number,
        block_hash=log.block_hash,
        tx=log.tx_hash,
        attempts=0,
        answer=None,
        end_block=None,
        end_tx=None,
        callback_failure=None,
    )


def tx_of(row: sqlite3.Row, jobs: tuple[bytes, ...]) -> OutboxTx:
    """A row of the table transactions, with the requests it carries."""
    return OutboxTx(
        hash=row["hash"],
        nonce=row["nonce"],
        kind=TxKind(row["kind"]),
        raw=row["raw"],
        status=TxStatus(row["status"]),
        jobs=jobs,
        block=row["block"],
        gas_used=row["gas_used"],
    )
