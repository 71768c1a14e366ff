"""The store alone: logs in, jobs out, and back again when the chain changes its mind."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.python.relayer.making import (
    ANSWER,
    KEEP,
    OTHER_TX,
    block,
    callback_failed,
    expired,
    outbox,
    receipt,
    requested,
    seen,
    sent,
    settled,
)
from vouch.relayer.job import JobStatus, TxKind, TxStatus
from vouch.relayer.store import Store


def status_of(store: Store, request: bytes) -> JobStatus:
    return store.status(request)


def test_a_job_is_what_the_log_said_also_after_a_restart(store: Store, tmp_path: Path) -> None:
    log = requested(block(2), fee=(1 << 96) - 1, salt=(1 << 256) - 1)
    (job,) = store.advance([block(2)], [log], KEEP)
    with Store(tmp_path / "relayer.sqlite") as again:
        assert again.get(log.id) == job
        assert again.cursor() == block(2)
        assert again.open_jobs() == [job]
    assert job.terms == log.request


def test_terms_of_any_size_are_kept(store: Store) -> None:
    log = requested(
        block(2), **dict.fromkeys(("fee", "exposure", "bond", "deliver_by", "callback_gas"), (1 << 256) - 1)
    )
    (job,) = store.advance([block(2)], [log], KEEP)
    assert store.get(log.id) == job


def test_cursor_and_jobs_are_one_commit(store: Store) -> None:
    bad = replace(requested(block(2)), input=None)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        store.advance([block(2)], [requested(block(2), salt=2), bad], KEEP)
    assert store.cursor() == block(1)
    assert store.open_jobs() == []


def test_a_log_that_is_read_twice_makes_one_job(store: Store) -> None:
    request = seen(store)
    assert store.advance([block(3)], [requested(block(2))], KEEP) == []
    assert len(store.steps(request)) == 1


def test_blocks_are_forgotten_in_time(store: Store) -> None:
    store.advance([block(n) for n in range(2, 30)], [], KEEP)
    assert [ref.number for ref in store.recent_blocks()] == list(range(29, 20, -1))


def test_the_whole_life_of_a_job(store: Store) -> None:
    request = seen(store)
    store.move(request, JobStatus.DISPATCHED, "to a node", own=True)
    tx = sent(store, request)
    assert [each.hash for each in store.pending()] == [tx.hash]
    assert store.unconfirmed() == 1
    store.included(0, receipt(tx, block(3)))
    assert store.unconfirmed() == 0
    store.advance(
        [block(3)], [settled(block(3), request, tx.hash), callback_failed(block(3), request, tx.hash)], KEEP
    )
    store.close_nonce(0, receipt(tx, block(3)), TxStatus.MINED)
    job = store.get(request)
    assert job is not None
    assert (job.status, job.own, job.end_tx, job.end_block) == (JobStatus.DONE, True, tx.hash, 3)
    assert job.callback_failure == "0xabcd"
    assert store.pending() == []
    assert [step.status for step in store.steps(request)] == [
        "seen",
        "dispatched",
        "answered",
        "sending",
        "sent",
        "done",
        "done",
    ]
    times = [step.at for step in store.steps(request)]
    assert times == sorted(times)
    assert store.counts() == {JobStatus.DONE: 1}


def test_what_the_chain_ended_is_not_moved_by_late_news(store: Store) -> None:
    request = seen(store)
    store.advance([block(3)], [settled(block(3), request, OTHER_TX)], KEEP)
    job = store.get(request)
    assert job is not None
    assert job.reason.startswith("lost race")
    store.move(request, JobStatus.FAILED, "too late")
    store.answered(request, ANSWER)
    assert status_of(store, request) is JobStatus.DONE


def test_a_refused_transaction_leaves_no_trace_but_a_reason(store: Store) -> None:
    request = seen(store)
    store.answered(request, ANSWER)
    tx = outbox(0, request)
    store.sign(tx)
    assert status_of(store, request) is JobStatus.SENDING
    store.unsign(tx.hash, "no money")
    assert store.pending() == []
    assert store.transactions(request) == []
    assert status_of(store, request) is JobStatus.ANSWERED


def test_jobs_that_a_transaction_left_behind_are_opened_until_it_is_enough(store: Store) -> None:
    request = seen(store)
    for nonce in range(2):
        tx = sent(store, request, nonce)
        store.close_nonce(nonce, receipt(tx, block(3), succeeded=False), TxStatus.REVERTED)
        assert [job.id for job in store.reopen([request], "reverted", 3)] == [request]
        assert status_of(store, request) is JobStatus.ANSWERED
    tx = sent(store, request, 2)
    store.close_nonce(2, receipt(tx, block(3), succeeded=False), TxStatus.REVERTED)
    assert store.reopen([request], "reverted", 3) == []
    assert status_of(store, request) is JobStatus.FAILED


def test_a_job_that_another_transaction_carries_is_not_opened(store: Store) -> None:
    request = seen(store)
    first = sent(store, request, 0)
    store.sign(outbox(1, request))
    store.close_nonce(0, receipt(first, block(3), succeeded=False), TxStatus.REVERTED)
    assert store.reopen([request], "reverted", 3) == []


def test_a_replacement_closes_its_rivals(store: Store) -> None:
    request = seen(store)
    cheap = sent(store, request)
    dear = outbox(0, request, fee=1)
    store.sign(dear)
    store.close_nonce(0, receipt(dear, block(3)), TxStatus.MINED)
    statuses = {tx.hash: tx.status for tx in store.transactions(request)}
    assert statuses == {cheap.hash: TxStatus.REPLACED, dear.hash: TxStatus.MINED}


def test_a_fork_reopens_what_it_took_back(store: Store) -> None:
    request = seen(store)
    tx = sent(store, request)
    store.advance([block(3)], [settled(block(3), request, tx.hash)], KEEP)
    store.close_nonce(0, receipt(tx, block(3)), TxStatus.MINED)
    assert store.rewind(2) == []  # its transaction carries it still
    assert store.cursor() == block(2)
    assert status_of(store, request) is JobStatus.SENT
    assert [each.hash for each in store.pending()] == [tx.hash]


def test_a_fork_that_undoes_somebody_elses_fulfilment_opens_the_job(store: Store) -> None:
    request = seen(store)
    store.advance([block(3)], [settled(block(3), request, OTHER_TX)], KEEP)
    assert [job.id for job in store.rewind(2)] == [request]
    assert status_of(store, request) is JobStatus.SEEN


def test_a_request_that_a_fork_took_back_is_an_orphan_until_it_returns(store: Store) -> None:
    request = seen(store)
    store.answered(request, ANSWER)
    assert store.rewind(1) == []
    assert status_of(store, request) is JobStatus.ORPHANED
    assert store.open_jobs() == []
    (job,) = store.advance([block(2, "fork")], [requested(block(2, "fork"))], KEEP)
    assert (job.status, job.block_hash, job.answer) == (JobStatus.ANSWERED, block(2, "fork").hash, ANSWER)


def test_refunds_are_for_our_own_unanswered_requests(store: Store) -> None:
    request = seen(store)
    store.move(request, JobStatus.REFUSED, "FeeTooLow", own=True)
    assert store.refundable(1_999_999_999) == []
    (job,) = store.refundable(2_000_000_001)
    tx = outbox(0, job.id, kind=TxKind.EXPIRE)
    store.sign(tx)
    assert status_of(store, request) is JobStatus.REFUSED  # an expiry is no fulfilment
    assert store.refundable(2_000_000_001) == []
    store.advance([block(3)], [expired(block(3), request, tx.hash)], KEEP)
    store.close_nonce(0, receipt(tx, block(3)), TxStatus.MINED)
    assert store.refundable(2_000_000_001) == []
    assert status_of(store, request) is JobStatus.EXPIRED


def test_other_peoples_requests_are_not_refunded(store: Store) -> None:
    store.move(seen(store), JobStatus.REFUSED, "OtherOperator", own=False)
    assert store.refundable(2_000_000_001) == []


def test_a_reader_sees_what_the_writer_committed(store: Store, tmp_path: Path) -> None:
    with Store(tmp_path / "relayer.sqlite", read_only=True) as reader:
        request = seen(store)
        assert reader.status(request) is JobStatus.SEEN
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.move(request, JobStatus.FAILED)
