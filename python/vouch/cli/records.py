"""The relayer's record of one request, read beside the running relayer."""

import asyncio
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from vouch.protocol.errors import VouchError
from vouch.relayer.job import Job, Step
from vouch.relayer.store import Store

SECONDS = 5.0


class UnreadableRecord(VouchError):
    """The relayer's database cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"relayer database {path} cannot be read: {reason}")


class NoRecord(VouchError):
    """The relayer has not seen the request, or not its end."""

    def __init__(self, path: Path, request_id: bytes, what: str) -> None:
        self.path, self.request_id = path, request_id
        super().__init__(f"relayer database {path} has {what} of request 0x{request_id.hex()}")


@dataclass(frozen=True, slots=True)
class Record:
    """Job and history of one request."""

    job: Job
    steps: tuple[Step, ...]


def read_record(path: Path, request_id: bytes) -> Record | None:
    """None if the relayer never saw the request. Raises UnreadableRecord, ForeignDatabase."""
    try:
        with Store(path, read_only=True) as store:
            job = store.get(request_id)
            if job is None:
                return None
            return Record(job, tuple(store.steps(request_id)))
    except sqlite3.Error as error:
        raise UnreadableRecord(path, str(error)) from error


async def finished_record(path: Path, request_id: bytes) -> Record:
    """The record once it is complete: the relayer notes an end a moment after the chain has it.

    Raises NoRecord, and as `read_record`.
    """
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                record = read_record(path, request_id)
                if record is not None and record.job.status.ended:
                    return record
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise NoRecord(path, request_id, f"no end after {SECONDS:.0f} s") from None
