"""The claims a node has signed: one per request and named operator, ever. All SQL of the node is here.

Two different outputs under one operator's signature for one request are an equivocation that anyone can
prove. So the output and its signature are stored before they are shown, and the stored ones are repeated to
whoever asks again; the same goes for co-signatures under another operator's claim, and for the seals of an
enclave's key, of which each start has another. Nothing is ever deleted: a request may be shown to the node
again years later, and a node that has forgotten its answer could sign another one.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

from eth_utils.address import to_canonical_address, to_checksum_address

from vouch.node.enclave_key import EnclaveKind, EnclaveSeal
from vouch.node.errors import JournalTooNew, JournalUnavailable
from vouch.protocol.claim import Claim
from vouch.protocol.seal import SIGNED, Seal

# What each version of the schema added. A journal holds promises: it is never made anew, only added to.
_VERSIONS = (
    (
        # The first version did not write its number in the same transaction.
        """
        CREATE TABLE IF NOT EXISTS claims (
            operator BLOB NOT NULL,
            request_id BLOB NOT NULL,
            chain_id TEXT NOT NULL,
            hub TEXT NOT NULL,
            model_id BLOB NOT NULL,
            input_hash BLOB NOT NULL,
            output_hash BLOB NOT NULL,
            output BLOB NOT NULL,
            seal BLOB NOT NULL, -- route SIGN and the signature, whatever route the terms name
            signed_at_ns INTEGER NOT NULL,
            PRIMARY KEY (operator, request_id)
        ) STRICT
        """,
    ),
    (
        """
        CREATE TABLE runs (
            request_id BLOB NOT NULL PRIMARY KEY,
            output BLOB NOT NULL,
            ran_at_ns INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE cosignatures (
            signer BLOB NOT NULL,
            operator BLOB NOT NULL,
            request_id BLOB NOT NULL,
            chain_id TEXT NOT NULL,
            hub TEXT NOT NULL,
            model_id BLOB NOT NULL,
            input_hash BLOB NOT NULL,
            output_hash BLOB NOT NULL,
            signature BLOB NOT NULL,
            signed_at_ns INTEGER NOT NULL,
            PRIMARY KEY (signer, operator, request_id)
        ) STRICT
        """,
    ),
    (
        """
        CREATE TABLE enclave_seals (
            operator BLOB NOT NULL,
            request_id BLOB NOT NULL,
            key BLOB NOT NULL, -- id of the enclave's key
            kind TEXT NOT NULL, -- of the enclave
            seal BLOB NOT NULL, -- of the claim that the operator has for the request
            sealed_at_ns INTEGER NOT NULL,
            PRIMARY KEY (operator, request_id, key)
        ) STRICT
        """,
    ),
)
_FIND = """
SELECT model_id, input_hash, output_hash, output, seal FROM claims WHERE operator = ? AND request_id = ?
"""
_RECORD = "INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_FIND_OUTPUT = """
SELECT output FROM claims WHERE operator = ? AND request_id = ?
UNION ALL SELECT output FROM runs WHERE request_id = ? LIMIT 1
"""
_RECORD_RUN = "INSERT INTO runs VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_FIND_RUN = "SELECT output FROM runs WHERE request_id = ?"
_FIND_COSIGNATURE = """
SELECT model_id, input_hash, output_hash, signature FROM cosignatures
WHERE signer = ? AND operator = ? AND request_id = ?
"""
_RECORD_COSIGNATURE = "INSERT INTO cosignatures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_FIND_SEALS = """
SELECT key, kind, seal FROM enclave_seals WHERE operator = ? AND request_id = ? ORDER BY sealed_at_ns, rowid
"""
_RECORD_SEAL = "INSERT INTO enclave_seals VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """A claim with what it is about, and its operator's signature (65 bytes r ‖ s ‖ v).

    sealed: the enclave's seal of it, where the terms ask for one; `Journal.find` leaves it out.
    """

    claim: Claim
    output: bytes
    signature: bytes
    sealed: EnclaveSeal | None = None


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A claim that names another operator, and this signer's signature of it (65 bytes r ‖ s ‖ v)."""

    signer: str
    claim: Claim
    signature: bytes


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

        A seal of the claim that counts is stored too, one per key; of another claim none is stored.
        A commit survives the death of the process. It waits for the disk, and so survives a power cut too,
        when the answer is not `repeatable` (the model would not give the same output again).
        """
        return await self._do(lambda: self._record(answer, chain_id, hub, repeatable))

    async def find_seals(self, operator: str, request_id: bytes) -> tuple[EnclaveSeal, ...]:
        """The enclave seals of the operator's answer to a request, one per key, oldest first."""
        return await self._do(lambda: self._find_seals(operator, request_id))

    async def find_output(self, operator: str, request_id: bytes) -> bytes | None:
        """What the model gave for a request: the operator's answer, or the run that was kept."""
        keys = (to_canonical_address(operator), request_id, request_id)
        return await self._do(lambda: self._output(_FIND_OUTPUT, keys))

    async def record_run(self, request_id: bytes, output: bytes) -> bytes:
        """Keeps what the model gave for a request, unless something is kept; returns the one that counts."""
        return await self._do(lambda: self._record_run(request_id, output))

    async def find_cosignature(self, signer: str, operator: str, request_id: bytes) -> Cosignature | None:
        """What a signer has co-signed as an operator's answer to a request."""
        return await self._do(lambda: self._find_cosignature(signer, operator, request_id))

    async def record_cosignature(
        self, given: Cosignature, chain_id: int, hub: str, *, repeatable: bool
    ) -> Cosignature:
        """Stores a co-signature, unless the signer has one for the same operator and request; returns the
        one that counts. `repeatable` as for `record`.
        """
        return await self._do(lambda: self._record_cosignature(given, chain_id, hub, repeatable))

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
            version = self._version(db)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if version < len(_VERSIONS):
                self._upgrade(db)
        except BaseException:
            db.close()
            raise
        return db

    def _version(self, db: sqlite3.Connection) -> int:
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_VERSIONS):
            raise JournalTooNew(str(self._path), version, len(_VERSIONS))
        return version

    def _upgrade(self, db: sqlite3.Connection) -> None:
        # All or nothing, and asked again inside, since another process may open the same file just now.
        db.execute("BEGIN IMMEDIATE")
        for statements in _VERSIONS[self._version(db) :]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(_VERSIONS)}")
        db.execute("COMMIT")

    def _find(self, operator: str, request_id: bytes) -> SignedAnswer | None:
        row = self._connection.execute(_FIND, (to_canonical_address(operator), request_id)).fetchone()
        if row is None:
            return None
        model_id, input_hash, output_hash, output, seal = row
        claim = Claim(request_id, model_id, input_hash, output_hash, operator)
        return SignedAnswer(claim, output, Seal.parse(seal).proof)

    def _record(self, answer: SignedAnswer, chain_id: int, hub: str, repeatable: bool) -> SignedAnswer:
        claim, sealed = answer.claim, answer.sealed
        seal = bytes(Seal(SIGNED, answer.signature))
        row = (*_about(claim, chain_id, hub), answer.output, seal, time.time_ns())
        if sealed is None:
            stored = self._store(_RECORD, row, repeatable)
            return answer if stored else self._earlier(self._find(claim.operator, claim.request_id))
        # Both or neither: an answer that no other run gives would never get its seal.
        with self._at_once(repeatable) as db:
            db.execute(_RECORD, row)
            counts = self._earlier(self._find(claim.operator, claim.request_id))
            if counts.claim != claim:
                return counts
            owner = (to_canonical_address(claim.operator), claim.request_id, to_canonical_address(sealed.key))
            db.execute(_RECORD_SEAL, (*owner, sealed.kind, sealed.seal, time.time_ns()))
            return replace(counts, sealed=sealed)

    def _find_seals(self, operator: str, request_id: bytes) -> tuple[EnclaveSeal, ...]:
        keys = (to_canonical_address(operator), request_id)
        found = self._connection.execute(_FIND_SEALS, keys).fetchall()
        return tuple(
            EnclaveSeal(to_checksum_address(key), EnclaveKind(kind), seal) for key, kind, seal in found
        )

    def _output(self, query: str, keys: tuple[bytes, ...]) -> bytes | None:
        row = self._connection.execute(query, keys).fetchone()
        return None if row is None else row[0]

    def _record_run(self, request_id: bytes, output: bytes) -> bytes:
        # Nothing is promised yet: a run that a power cut takes away is made again.
        if self._store(_RECORD_RUN, (request_id, output, time.time_ns()), repeatable=True):
            return output
        return self._earlier(self._output(_FIND_RUN, (request_id,)))

    def _find_cosignature(self, signer: str, operator: str, request_id: bytes) -> Cosignature | None:
        keys = (to_canonical_address(signer), to_canonical_address(operator), request_id)
        row = self._connection.execute(_FIND_COSIGNATURE, keys).fetchone()
        if row is None:
            return None
        model_id, input_hash, output_hash, signature = row
        return Cosignature(signer, Claim(request_id, model_id, input_hash, output_hash, operator), signature)

    def _record_cosignature(
        self, given: Cosignature, chain_id: int, hub: str, repeatable: bool
    ) -> Cosignature:
        claim = given.claim
        signer = to_canonical_address(given.signer)
        row = (signer, *_about(claim, chain_id, hub), given.signature, time.time_ns())
        if self._store(_RECORD_COSIGNATURE, row, repeatable):
            return given
        return self._earlier(self._find_cosignature(given.signer, claim.operator, claim.request_id))

    def _store(self, statement: str, row: tuple[bytes | str | int, ...], repeatable: bool) -> bool:
        self._wait_for_disk(repeatable)
        return self._connection.execute(statement, row).rowcount == 1

    @contextmanager
    def _at_once(self, repeatable: bool) -> Iterator[sqlite3.Connection]:
        db = self._connection
        self._wait_for_disk(repeatable)
        db.execute("BEGIN IMMEDIATE")
        # Commits, or takes everything back.
        with db:
            yield db

    def _wait_for_disk(self, repeatable: bool) -> None:
        self._connection.execute(f"PRAGMA synchronous = {'NORMAL' if repeatable else 'FULL'}")

    def _earlier(self, found: _T | None) -> _T:
        if found is None:
            raise JournalUnavailable(str(self._path), "a row was neither stored nor found")
        return found


def _about(claim: Claim, chain_id: int, hub: str) -> tuple[bytes | str, ...]:
    # Chain ids have up to 256 bits, SQLite's integers 64.
    hashes = (claim.model_id, claim.input_hash, claim.output_hash)
    return to_canonical_address(claim.operator), claim.request_id, str(chain_id), hub, *hashes
