"""The watcher's SQLite file: what the chain cannot tell again. All else is read anew after a restart."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from vouch.chain.contracts import SignedOutput
from vouch.watcher import sql
from vouch.watcher.errors import ForeignDatabase
from vouch.watcher.finding import Kind
from vouch.watcher.signed import Statement


@dataclass(frozen=True, slots=True)
class Sent:
    """One of our transactions, stored before it is broadcast so that a restart repeats the same bytes.

    kind: what it does; what: to which answer (its output hash, or two of them); bond: token units it puts up.
    """

    hash: bytes
    nonce: int
    kind: Kind
    request: bytes
    what: bytes
    token: str
    bond: int
    raw: bytes
    mined: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """A bond that went to an operator, in token units."""

    request: bytes
    model: bytes
    token: str
    bond: int


class Store:
    """One file in WAL mode with synchronous=NORMAL: a killed process loses nothing.

    Raises ForeignDatabase (another version wrote it), sqlite3.Error (no usable file).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(sql.DURABILITY)
        (version,) = self._run(sql.GET_VERSION).fetchone()
        if version == 0:
            self._db.executescript(sql.SCHEMA)
        elif version != sql.VERSION:
            self._db.close()
            raise ForeignDatabase(path, f"schema version {version}", f"schema version {sql.VERSION}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def bind(self, chain_id: int, hub: str, genesis: bytes) -> None:
        """Ties a fresh database to a chain and hub; raises ForeignDatabase if it is tied to others."""
        row = self._run(sql.GET_IDENTITY).fetchone()
        if row is None:
            self._run(sql.SET_IDENTITY, chain_id, hub, genesis)
        elif tuple(row) != (chain_id, hub, genesis):
            both = (row, (chain_id, hub, genesis))
            raise ForeignDatabase(
                self.path, *(f"chain {c}, hub {h}, genesis {g.hex()[:16]}" for c, h, g in both)
            )

    def bind_account(self, address: str) -> None:
        """Ties it to who sends and puts up bonds; raises ForeignDatabase if that was another account."""
        row = self._run(sql.GET_ACCOUNT).fetchone()
        if row is None:
            self._run(sql.SET_ACCOUNT, address)
        elif row["address"] != address:
            raise ForeignDatabase(self.path, f"account {row['address']}", f"account {address}")

    def resume(self) -> int | None:
        """The first block to read; None in a fresh database."""
        row = self._run(sql.GET_RESUME).fetchone()
        return None if row is None else int(row["block"])

    def set_resume(self, block: int) -> None:
        """Every request that may still matter was asked in this block or later."""
        self._run(sql.SET_RESUME, block)

    def add(self, statement: Statement) -> bool:
        """Keeps a signed output; False if it is known."""
        signed = statement.signed
        values = (
            statement.request,
            statement.operator,
            signed.output_hash,
            signed.signature,
            statement.source,
        )
        return self._run(sql.ADD_STATEMENT, *values).rowcount == 1

    def statements(self, request: bytes, operator: str) -> list[Statement]:
        """Everything that an operator is known to have signed for a request; one for each output."""
        return [
            Statement(
                row["request"],
                row["operator"],
                SignedOutput(row["output_hash"], row["signature"]),
                row["source"],
            )
            for row in self._run(sql.STATEMENTS, request, operator)
        ]

    def signers(self, request: bytes) -> list[str]:
        """Operators that are known to have signed something for a request."""
        return [row["operator"] for row in self._run(sql.SIGNERS, request)]

    def requests(self) -> list[bytes]:
        """Requests that signed outputs or transactions are kept of."""
        return [row["request"] for row in self._run(sql.REQUESTS)]

    def forget(self, request: bytes) -> None:
        """The request is over for good."""
        self._run(sql.FORGET_STATEMENTS, request)
        self._run(sql.FORGET_SENT, request)

    def sign(self, sent: Sent) -> None:
        """The outbox: to be called before the broadcast."""
        values = (sent.hash, sent.nonce, sent.kind.value, sent.request, sent.what, sent.token)
        self._run(sql.ADD_SENT, *values, str(sent.bond), sent.raw)

    def sent(self) -> list[Sent]:
        """All transactions that are still of interest, in the order of their nonces."""
        return [
            Sent(
                row["hash"],
                row["nonce"],
                Kind(row["kind"]),
                row["request"],
                row["what"],
                row["token"],
                int(row["bond"]),
                row["raw"],
                bool(row["mined"]),
            )
            for row in self._run(sql.SENT)
        ]

    def mined(self, nonce: int) -> None:
        """A block has it; it stays, for a fork that throws the block away."""
        self._run(sql.MINED, nonce)

    def drop(self, nonce: int) -> None:
        """It reverted, or the nonce went to something else."""
        self._run(sql.FORGET_NONCE, nonce)

    def lose(self, lost: Lost) -> None:
        self._run(sql.ADD_LOST, lost.request, lost.model, lost.token, str(lost.bond))

    def find(self, request: bytes) -> None:
        """A bond was not lost after all: a fork took that back."""
        self._run(sql.FORGET_LOST, request)

    def lost(self) -> list[Lost]:
        return [
            Lost(row["request"], row["model"], row["token"], int(row["bond"])) for row in self._run(sql.LOST)
        ]

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._db.execute(statement, values)
