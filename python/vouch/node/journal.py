"""The claims a node has signed: one per request, ever. All SQL of the node is here.

Two different outputs under one operator's signature for one request are an equivocation that anyone can
prove. So the output and its seal are stored before they are shown, and the stored ones are repeated to
whoever asks again. Nothing is ever deleted: a request may be shown to the node again years later, and a node
that has forgotten its answer could sign another one.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from eth_utils.address import to_canonical_address

from vouch.node.errors import JournalTooNew, JournalUnavailable
from vouch.protocol.claim import Claim

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    operator BLOB NOT NULL,
    request_id BLOB NOT NULL,
    chain_id TEXT NOT NULL,
    hub TEXT NOT NULL,
    model_id BLOB NOT NULL,
    input_hash BLOB NOT NULL,
    output_hash BLOB NOT NULL,
    output BLOB NOT NULL,
    seal BLOB NOT NULL,
    signed_at_ns INTEGER NOT NULL,
    PRIMARY KEY (operator, request_id)
) STRICT
"""
_FIND = """
SELECT model_id, input_hash, output_hash, output, seal FROM claims WHERE operator = ? AND request_id = ?
"""
_RECORD = "INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """A claim with what it is about and what proves it."""

    claim: Claim
    output: bytes
    seal: bytes


class Journal:
    """SQLite file in WAL mode, used from one thread of its own.

    Raises JournalTooNew on entry and JournalUnavailable whenever SQLite fails (locked, full, read-only,
    damaged).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._db: sqlite3.Connection | None = None

    async def __aenter__(self) -> Self:
        try:
            self._db = await self._do(self._open)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._do(self._connection.close)
        self._thread.shutdown()

    async def find(self, operator: str, request_id: bytes) -> SignedAnswer | None:
        """The answer that was signed for a request, if one was."""
        return await self._do(lambda: self._find(operator, request_id))

    async def record(
        self, answer: SignedAnswer, chain_id: int, hub: str, *, repeatable: bool
    ) -> SignedAnswer:
        """Stores an answer, unless the request has one; returns the one that counts.

        A commit survives the death of the process. It waits for the disk, and so survives a power cut too,
        when the answer is not `repeatable` (the model would not give the same output again).
        """
        return await self._do(lambda: self._record(answer, chain_id, hub, repeatable))

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise JournalUnavailable(str(self._path), "it is not open")
        return self._db

    async def _do(self, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            raise JournalUnavailable(str(self._path), str(error)) from error

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > _SCHEMA_VERSION:
                raise JournalTooNew(str(self._path), version, _SCHEMA_VERSION)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute(_SCHEMA)
            db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        except BaseException:
            db.close()
            raise
        return db

    def _find(self, operator: str, request_id: bytes) -> SignedAnswer | None:
        row = self._connection.execute(_FIND, (to_canonical_address(operator), request_id)).fetchone()
        if row is None:
            return None
        model_id, input_hash, output_hash, output, seal = row
        return SignedAnswer(Claim(request_id, model_id, input_hash, output_hash, operator), output, seal)

    def _record(self, answer: SignedAnswer, chain_id: int, hub: str, repeatable: bool) -> SignedAnswer:
        claim, db = answer.claim, self._connection
        operator = to_canonical_address(claim.operator)
        # Chain ids have up to 256 bits, SQLite's integers 64.
        row = (
            operator,
            claim.request_id,
            str(chain_id),
            hub,
            claim.model_id,
            claim.input_hash,
            claim.output_hash,
        )
        db.execute(f"PRAGMA synchronous = {'NORMAL' if repeatable else 'FULL'}")
        stored = db.execute(_RECORD, (*row, answer.output, answer.seal, time.time_ns())).rowcount
        if stored:
            return answer
        earlier = self._find(claim.operator, claim.request_id)
        if earlier is None:
            raise JournalUnavailable(str(self._path), "a claim was neither stored nor found")
        return earlier
