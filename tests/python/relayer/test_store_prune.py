"""What the store forgets with the years, and what it may not."""

import time
from dataclasses import replace

from tests.python.relayer.making import (
    ANSWER,
    KEEP,
    OTHER_TX,
    block,
    outbox,
    receipt,
    requested,
    seen,
    sent,
    settled,
)
from vouch.relayer.job import JobStatus, TxStatus
from vouch.relayer.store import Store


def old(store: Store) -> bytes:
    """A settled request, its transaction, and so many blocks on top that no fork can reach it."""
    request = seen(store)
    tx = sent(store, request)
    store.advance([block(3)], [settled(block(3), request, tx.hash)], KEEP)
    store.close_nonce(0, receipt(tx, block(3)), TxStatus.MINED)
    store.advance([block(n) for n in range(4, 30)], [], KEEP)
    return request


def test_old_finished_jobs_keep_their_history_but_not_their_bytes(store: Store) -> None:
    request = old(store)
    before = store.get(request)
    assert before is not None
    assert store.prune(before_ns=store.steps(request)[-1].at) == 0, "its last step is not older than that"
    assert store.prune(before_ns=time.time_ns()) == 1
    after = store.get(request)
    assert after == replace(before, input=b"", answer=None)
    assert [tx.raw for tx in store.transactions(request)] == [b""]
    assert [step.status for step in store.steps(request)][-2:] == [JobStatus.DONE, JobStatus.DONE]
    assert store.steps(request)[-1].reason == "input and output dropped for their age"
    assert store.prune(before_ns=time.time_ns()) == 0, "there is nothing left to drop"


def test_bytes_of_a_request_without_input_are_dropped_too(store: Store) -> None:
    (job,) = store.advance([block(2)], [replace(requested(block(2)), input=b"")], KEEP)
    store.answered(job.id, ANSWER)
    store.advance([block(3)], [settled(block(3), job.id, OTHER_TX)], KEEP)
    store.advance([block(n) for n in range(4, 30)], [], KEEP)
    assert [store.prune(time.time_ns()) for _ in range(2)] == [1, 0]
    pruned = store.get(job.id)
    assert pruned is not None
    assert pruned.answer is None


def test_only_so_many_are_pruned_at_once(store: Store) -> None:
    logs = [requested(block(2), salt=salt) for salt in range(5)]
    for job in store.advance([block(2)], logs, KEEP):
        store.move(job.id, JobStatus.REFUSED, "FeeTooLow")
    store.advance([block(n) for n in range(3, 30)], [], KEEP)
    assert [store.prune(time.time_ns(), most=2) for _ in range(4)] == [2, 2, 1, 0]


def test_open_jobs_are_not_pruned(store: Store) -> None:
    request = seen(store)
    store.advance([block(n) for n in range(3, 30)], [], KEEP)
    assert store.prune(time.time_ns()) == 0
    store.answered(request, ANSWER)
    assert store.prune(time.time_ns()) == 0
    store.sign(outbox(0, request))
    store.advance([block(30)], [settled(block(30), request, OTHER_TX)], KEEP)
    store.advance([block(n) for n in range(31, 60)], [], KEEP)
    assert store.prune(time.time_ns()) == 0, "its transaction may still have to be offered again"


def test_what_a_fork_can_reach_is_not_pruned(store: Store) -> None:
    request = seen(store)
    store.advance([block(n) for n in range(3, 20)], [], KEEP)
    store.advance([block(20)], [settled(block(20), request, OTHER_TX)], KEEP)
    assert store.prune(time.time_ns()) == 0
    (job,) = store.rewind(19)
    assert job.input == requested(block(2)).input


def test_a_request_that_a_fork_can_ask_again_is_not_pruned(store: Store) -> None:
    store.move(seen(store), JobStatus.REFUSED, "FeeTooLow")
    assert store.prune(time.time_ns()) == 0


def test_a_transaction_that_a_fork_can_unmine_is_not_pruned(store: Store) -> None:
    request = seen(store)
    tx = sent(store, request)
    store.advance([block(3)], [settled(block(3), request, OTHER_TX)], KEEP)
    store.advance([block(n) for n in range(4, 30)], [], KEEP)
    store.close_nonce(0, receipt(tx, block(25), succeeded=False), TxStatus.REVERTED)
    assert store.prune(time.time_ns()) == 0
    store.advance([block(n) for n in range(30, 40)], [], KEEP)
    assert store.prune(time.time_ns()) == 1


def test_a_pruned_orphan_that_returns_has_its_input_again(store: Store) -> None:
    request = seen(store)
    store.answered(request, ANSWER)
    store.rewind(1)
    store.advance([block(n, "fork") for n in range(2, 30)], [], KEEP)
    assert store.prune(time.time_ns()) == 1
    (job,) = store.advance([block(30)], [requested(block(30))], KEEP)
    assert (job.id, job.status, job.answer) == (request, JobStatus.SEEN, None)
    assert job.input == requested(block(2)).input
