"""What the store knows of registrations, and answers whose seals do not count any more."""

import time
from dataclasses import replace
from pathlib import Path

from tests.python.relayer.making import (
    ANSWER,
    KEEP,
    OTHER_TX,
    block,
    delivered,
    outbox,
    receipt,
    seen,
    sent,
    settled,
)
from vouch.relayer.job import JobStatus, TxKind, TxStatus
from vouch.relayer.store import Store


def test_a_registration_survives_a_restart(store: Store, tmp_path: Path) -> None:
    assert not store.is_registering()
    tx = outbox(0, kind=TxKind.REGISTER)
    store.sign(tx)
    with Store(tmp_path / "relayer.sqlite") as again:
        assert again.is_registering()
        assert again.pending() == [tx]
    store.broadcast(tx.hash, ())
    store.included(0, receipt(tx, block(2)))
    assert store.is_registering(), "its block was not read yet"
    store.close_nonce(0, receipt(tx, block(2)), TxStatus.MINED)
    assert not store.is_registering()
    store.rewind(1)
    assert store.is_registering(), "a fork took it back"


def test_other_transactions_register_nothing(store: Store) -> None:
    sent(store, seen(store))
    assert not store.is_registering()


def test_documents_are_forgotten_once_no_fork_can_want_them_again(store: Store) -> None:
    done, open_tx = outbox(0, kind=TxKind.REGISTER), outbox(1, kind=TxKind.REGISTER)
    for tx in (done, open_tx):
        store.sign(tx)
    store.close_nonce(0, receipt(done, block(2)), TxStatus.MINED)
    store.prune(time.time_ns())
    assert raws(store) == [done.raw, open_tx.raw], "the block can still be reorganised away"
    store.advance([block(n) for n in range(2, 30)], [], KEEP)
    store.prune(time.time_ns())
    assert raws(store) == [b"", open_tx.raw]


def raws(store: Store) -> list[bytes]:
    return [row[0] for row in store._db.execute("SELECT raw FROM transactions ORDER BY nonce")]


def test_an_answer_whose_seal_ended_is_asked_for_again(store: Store) -> None:
    request = seen(store)
    store.answered(request, ANSWER)
    job = store.unanswer(request, "EnclaveKeyExpired")
    assert job is not None
    assert (job.answer, job.status, job.reason) == (None, JobStatus.DISPATCHED, "EnclaveKeyExpired")
    assert store.open_jobs() == [job], "a restart goes on with it"


def test_an_answer_that_is_on_its_way_stays(store: Store) -> None:
    request = seen(store)
    sent(store, request)
    assert store.unanswer(request, "EnclaveKeyExpired") is None
    assert store.status(request) is JobStatus.SENT
    store.advance([block(3)], [settled(block(3), request, OTHER_TX)], KEEP)
    assert store.unanswer(request, "EnclaveKeyExpired") is None
    found = store.get(request)
    assert found is not None
    assert found.answer is not None


def test_the_seal_of_a_delivered_answer_is_dropped_alone(store: Store) -> None:
    request = seen(store)
    store.answered(request, ANSWER)
    store.advance([block(3)], [delivered(block(3), request, OTHER_TX)], KEEP)
    store.unseal(request)
    found = store.get(request)
    assert found is not None
    assert found.status is JobStatus.DELIVERED
    assert found.answer == replace(ANSWER, seal=None)
