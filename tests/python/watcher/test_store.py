"""What survives a restart."""

from pathlib import Path

import pytest

from tests.python.watcher.making import HUB, OPERATOR, RIVAL, WE
from vouch.chain.contracts import SignedOutput
from vouch.protocol.request import NATIVE
from vouch.watcher.errors import ForeignDatabase
from vouch.watcher.finding import Kind
from vouch.watcher.signed import Statement
from vouch.watcher.store import Lost, Sent, Store

BIG = 10**30
"""Wei; more than SQLite's integers hold."""


def statement(output: int, operator: str = OPERATOR, request: bytes = b"r") -> Statement:
    return Statement(request, operator, SignedOutput(bytes([output]) * 32, bytes(65)), "somewhere")


def sent(nonce: int, *, request: bytes = b"r", hash: bytes | None = None) -> Sent:  # noqa: A002 - the field's name
    made = hash or bytes([nonce]) * 32
    return Sent(made, nonce, Kind.CHALLENGE, request, b"answer", NATIVE, BIG, b"raw")


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    lost = Lost(b"l", b"model", HUB, BIG)
    with Store(tmp_path / "a") as store:
        assert store.resume() is None
        store.bind(1, HUB, b"genesis")
        store.bind_account(WE)
        store.set_resume(7)
        store.set_resume(8)
        assert store.add(statement(1))
        assert not store.add(statement(1))
        store.sign(sent(3))
        store.lose(lost)
    with Store(tmp_path / "a") as store:
        store.bind(1, HUB, b"genesis")
        store.bind_account(WE)
        assert store.resume() == 8
        assert store.statements(b"r", OPERATOR) == [statement(1)]
        assert store.sent() == [sent(3)]
        assert store.lost() == [lost]


def test_the_file_belongs_to_one_chain_hub_and_account(tmp_path: Path) -> None:
    with Store(tmp_path / "a") as store:
        store.bind(1, HUB, b"genesis")
        store.bind_account(WE)
        for chain, hub, genesis in ((2, HUB, b"genesis"), (1, WE, b"genesis"), (1, HUB, b"other")):
            with pytest.raises(ForeignDatabase, match="name another database"):
                store.bind(chain, hub, genesis)
        with pytest.raises(ForeignDatabase, match=f"account {WE}"):
            store.bind_account(RIVAL)


def test_a_file_of_another_version(tmp_path: Path) -> None:
    with Store(tmp_path / "a") as store:
        store._run("PRAGMA user_version = 9")
    with pytest.raises(ForeignDatabase, match="schema version 9"):
        Store(tmp_path / "a")


def test_statements_are_kept_by_request_and_operator(tmp_path: Path) -> None:
    with Store(tmp_path / "a") as store:
        for made in (statement(2), statement(1), statement(1, RIVAL), statement(1, request=b"s")):
            store.add(made)
        assert store.statements(b"r", OPERATOR) == [statement(1), statement(2)]
        assert sorted(store.signers(b"r")) == sorted([OPERATOR, RIVAL])
        assert store.requests() == [b"r", b"s"]
        store.forget(b"r")
        assert store.requests() == [b"s"]
        assert store.signers(b"r") == []


def test_transactions_by_nonce_with_their_replacements(tmp_path: Path) -> None:
    with Store(tmp_path / "a") as store:
        store.sign(sent(2, request=b"s"))
        store.sign(sent(1))
        store.sign(sent(1, hash=b"replacement"))
        assert [s.hash for s in store.sent()] == [b"\1" * 32, b"replacement", b"\2" * 32]
        store.mined(1)
        assert [s.mined for s in store.sent()] == [True, True, False]
        store.forget(b"s")  # on its way, so it stays
        store.forget(b"r")
        assert [s.nonce for s in store.sent()] == [2]
        store.drop(2)
        assert store.sent() == []


def test_a_fork_can_take_a_loss_back(tmp_path: Path) -> None:
    with Store(tmp_path / "a") as store:
        store.lose(Lost(b"r", b"m", NATIVE, 5))
        store.lose(Lost(b"r", b"m", NATIVE, 5))
        assert len(store.lost()) == 1
        store.find(b"r")
        assert store.lost() == []
