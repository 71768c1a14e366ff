"""The store through a trust gap: what the chain says of it, and back again when it changes its mind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.python.relayer.making import (
    CHALLENGER,
    KEEP,
    OPERATOR,
    OTHER_TX,
    UNSEALED,
    block,
    callback_failed,
    challenged,
    delivered,
    equivocated,
    expired,
    outbox,
    receipt,
    rejected,
    requested,
    seen,
    sent,
    settled,
    unchallenged,
)
from vouch.chain.blocks import BlockRef
from vouch.chain.events import TypedLog
from vouch.relayer.job import CHAIN, Job, JobStatus, OutboxTx, TxKind, TxStatus
from vouch.relayer.store import Store

SEAL = b"QRUM" + bytes(99)
SLASHED = f"rejected: {OPERATOR} slashed, 77 token units; its bond has {CHALLENGER}"


def job_of(store: Store, request: bytes) -> Job:
    job = store.get(request)
    assert job is not None
    return job


def reasons(store: Store, request: bytes) -> list[str]:
    return [step.reason for step in store.steps(request)]


def deliver(store: Store, request: bytes) -> OutboxTx:
    """By our own transaction, in block 3."""
    tx = sent(store, request, kind=TxKind.DELIVER, answer=UNSEALED)
    (job,) = store.advance([block(3)], [delivered(block(3), request, tx.hash)], KEEP)
    assert (job.id, job.status) == (request, JobStatus.DELIVERED)
    store.close_nonce(0, receipt(tx, block(3)), TxStatus.MINED)
    return tx


def test_a_delivery_of_ours(store: Store, tmp_path: Path) -> None:
    request = seen(store)
    deliver(store, request)
    job = job_of(store, request)
    assert (job.status, job.reason, job.delivered_block) == (JobStatus.DELIVERED, "delivered by us", 3)
    assert job.answer == UNSEALED
    with Store(tmp_path / "relayer.sqlite", read_only=True) as again:
        assert again.open_jobs() == again.in_gap() == [job]


def test_what_others_delivered_is_what_a_proof_is_about(store: Store) -> None:
    request = seen(store)
    store.answered(request, UNSEALED)
    (job,) = store.advance([block(3)], [delivered(block(3), request, OTHER_TX, b"other")], KEEP)
    assert job.reason == f"delivered by {OPERATOR}"
    assert job.answer is not None
    assert (job.answer.output, job.answer.signature, job.answer.node) == (b"other", None, CHAIN)


def test_a_delivery_of_a_request_that_was_never_seen_is_passed_over(store: Store) -> None:
    logs = [delivered(block(3), b"\1" * 32, OTHER_TX), challenged(block(3), b"\1" * 32)]
    logs += [
        rejected(block(3), b"\1" * 32),
        equivocated(block(3), b"\1" * 32),
        unchallenged(block(3), b"\1" * 32, OTHER_TX),
    ]
    assert store.advance([block(3)], logs, KEEP) == []
    assert store.counts() == {}


def test_a_challenge_asks_for_another_deadline(store: Store) -> None:
    request = seen(store)
    deliver(store, request)
    store.set_deadline(request, 1_000, None)
    assert job_of(store, request).challenge_by == 1_000
    (job,) = store.advance([block(4)], [challenged(block(4), request)], KEEP)
    assert (job.status, job.challenger, job.challenged_block) == (JobStatus.CHALLENGED, CHALLENGER, 4)
    assert (job.challenge_by, job.prove_by) == (None, None)


End = tuple[Callable[[BlockRef, bytes, bytes], list[TypedLog]], JobStatus, str]


@pytest.mark.parametrize(
    ("logs", "status", "reason"),
    [
        (lambda at, r, tx: [settled(at, r, tx)], JobStatus.DONE, "settled by us"),
        (
            lambda at, r, tx: [settled(at, r, tx), unchallenged(at, r, tx)],
            JobStatus.DONE,
            "settled by us: nobody challenged",
        ),
        (lambda at, r, _: [settled(at, r, OTHER_TX)], JobStatus.DONE, f"lost race: settled by {OPERATOR}"),
        (
            lambda at, r, _: [rejected(at, r)],
            JobStatus.FAILED,
            SLASHED,
        ),
        (lambda at, r, _: [expired(at, r, OTHER_TX)], JobStatus.EXPIRED, "fee returned"),
        (
            lambda at, r, _: [rejected(at, r), equivocated(at, r)],
            JobStatus.FAILED,
            f"{SLASHED}; {OPERATOR} signed two outputs: slashed 7 token units",
        ),
    ],
)
def test_ends(
    store: Store,
    logs: Callable[[BlockRef, bytes, bytes], list[TypedLog]],
    status: JobStatus,
    reason: str,
) -> None:
    log = requested(block(2), exposure=70, bond=7)
    store.advance([block(2)], [log], KEEP)
    deliver(store, log.id)
    tx = outbox(1, log.id, kind=TxKind.SETTLE)
    store.sign(tx)
    (job,) = store.advance([block(4)], logs(block(4), log.id, tx.hash), KEEP)
    assert job.id == log.id, "its gap is closed, which those who guard it have to know"
    job = job_of(store, log.id)
    assert (job.status, job.reason, job.end_block) == (status, reason, 4)
    assert store.refundable(1 << 40) == []
    assert store.open_jobs() == store.in_gap() == []


def test_an_equivocation_beside_the_answer_goes_on(store: Store) -> None:
    request = seen(store)
    deliver(store, request)
    store.advance([block(4)], [equivocated(block(4), request)], KEEP)
    job = job_of(store, request)
    assert job.status is JobStatus.DELIVERED
    assert job.reason == f"{OPERATOR} signed two outputs: slashed 7 token units"


def test_a_callback_that_failed_is_repeated_at_the_end(store: Store) -> None:
    request = seen(store)
    deliver(store, request)
    store.advance([block(4)], [callback_failed(block(4), request, OTHER_TX)], KEEP)
    assert job_of(store, request).callback_failure == "0xabcd"
    store.advance([block(5)], [settled(block(5), request, OTHER_TX)], KEEP)
    assert job_of(store, request).callback_failure is None


def test_everything_at_once(store: Store) -> None:
    """Blocks that were missed are read together; what is over by then needs no node."""
    log = requested(block(2))
    logs = [log, delivered(block(2), log.id, OTHER_TX), settled(block(3), log.id, OTHER_TX)]
    (job,) = store.advance([block(2), block(3)], logs, KEEP)
    assert job.status is JobStatus.DONE
    other = requested(block(4), salt=2)
    assert store.advance([block(4)], [other, settled(block(4), other.id, OTHER_TX)], KEEP) == []


@pytest.mark.parametrize("depth", ["settled", "challenged", "delivered"])
def test_a_fork_brings_the_state_back_that_is_left(store: Store, depth: str) -> None:
    request = seen(store)
    tx = deliver(store, request)
    store.set_deadline(request, 1_000, None)
    store.advance([block(4)], [challenged(block(4), request)], KEEP)
    store.set_deadline(request, None, 2_000)
    settle = outbox(1, request, kind=TxKind.SETTLE)
    store.sign(settle)
    store.broadcast(settle.hash, settle.jobs)
    store.advance([block(5)], [settled(block(5), request, settle.hash)], KEEP)
    store.close_nonce(1, receipt(settle, block(5)), TxStatus.MINED)
    fork = {"settled": 4, "challenged": 3, "delivered": 2}[depth]
    work = store.rewind(fork)
    job = job_of(store, request)
    assert job.reason == f"the block that {depth if depth != 'settled' else 'ended'} it was reorganised away"
    assert (job.end_block, job.end_tx) == (None, None)
    if depth == "settled":
        assert (job.status, job.challenger, job.prove_by) == (JobStatus.CHALLENGED, CHALLENGER, 2_000)
        assert work == [job]
    elif depth == "challenged":
        assert (job.status, job.delivered_block) == (JobStatus.DELIVERED, 3)
        assert (job.challenger, job.challenged_block, job.prove_by) == (None, None, None)
        assert work == [job]
    else:
        assert (job.status, job.delivered_block) == (JobStatus.SENT, None)
        assert (job.challenge_by, job.prove_by) == (None, None)
        assert work == [], "its transaction brings it again"
        assert [each.hash for each in store.pending()] == [tx.hash, settle.hash]
    assert job.answer == UNSEALED


def test_a_fork_without_somebody_elses_delivery_asks_the_node_again(store: Store) -> None:
    request = seen(store)
    store.advance([block(3)], [delivered(block(3), request, OTHER_TX, b"other")], KEEP)
    (job,) = store.rewind(2)
    assert (job.status, job.answer, job.delivered_block) == (JobStatus.SEEN, None, None)


def test_a_fork_without_the_same_delivery_by_somebody_else_delivers_ours(store: Store) -> None:
    request = seen(store)
    store.answered(request, UNSEALED)
    store.advance([block(3)], [delivered(block(3), request, OTHER_TX)], KEEP)
    (job,) = store.rewind(2)
    assert (job.status, job.answer) == (JobStatus.ANSWERED, UNSEALED)


def test_only_the_chain_moves_what_was_delivered(store: Store) -> None:
    request = seen(store)
    deliver(store, request)
    store.move(request, JobStatus.DISPATCHED, "too late")
    store.move(request, JobStatus.EXPIRED, "too late")
    store.sign(outbox(1, request, kind=TxKind.FULFIL))
    assert store.reopen([request], "reverted", 5) == []
    job = job_of(store, request)
    assert job.status is JobStatus.DELIVERED
    store.move(request, JobStatus.DELIVERED, "waits")
    assert job_of(store, request).reason == "waits"


def test_a_seal_belongs_to_one_answer(store: Store) -> None:
    request = seen(store)
    store.answered(request, UNSEALED)
    job = job_of(store, request)
    store.advance([block(3)], [delivered(block(3), request, OTHER_TX, b"other")], KEEP)
    store.sealed(job, SEAL)
    assert not job_of(store, request).sealed
    store.sealed(job_of(store, request), SEAL)
    assert job_of(store, request).sealed


def test_what_a_gap_waits_for_is_noted_only_while_it_is_open(store: Store) -> None:
    request = seen(store)
    deliver(store, request)
    store.note(request, JobStatus.DELIVERED, "waits")
    assert reasons(store, request)[-1] == "waits"
    store.rewind(2)
    store.note(request, JobStatus.DELIVERED, "waits for nothing any more")
    job = job_of(store, request)
    assert (job.status, job.reason) == (JobStatus.SENT, "the block that delivered it was reorganised away")


def test_an_answer_after_the_delivery_only_adds_the_signature(store: Store) -> None:
    request = seen(store)
    store.advance([block(3)], [delivered(block(3), request, OTHER_TX)], KEEP)
    store.sealed(job_of(store, request), SEAL)
    store.answered(request, replace(UNSEALED, output=b"another"))
    job = job_of(store, request)
    assert job.answer is not None
    assert (job.answer.output, job.answer.signature) == (b"output", None)
    store.answered(request, UNSEALED)
    job = job_of(store, request)
    assert job.answer == replace(UNSEALED, seal=SEAL)
    assert job.status is JobStatus.DELIVERED


def test_transactions_of_a_gap_leave_its_status_alone(store: Store) -> None:
    request = seen(store)
    deliver(store, request)
    assert not store.is_being_settled(request)
    tx = outbox(1, request, kind=TxKind.SETTLE)
    store.sign(tx)
    job = job_of(store, request)
    assert job.status is JobStatus.DELIVERED
    assert job.reason == f"settle: transaction 0x{tx.hash.hex()}, nonce 1"
    assert store.is_being_settled(request)
    assert (store.unconfirmed(), store.unconfirmed(alone=True)) == (0, 1)
    store.broadcast(tx.hash, tx.jobs)
    assert job_of(store, request).status is JobStatus.DELIVERED
    store.close_nonce(1, receipt(tx, block(4), succeeded=False), TxStatus.REVERTED)
    assert not store.is_being_settled(request)
    again = outbox(2, request, kind=TxKind.SETTLE)
    store.sign(again)
    store.unsign(again.hash, "the chain did not take it")
    job = job_of(store, request)
    assert (job.status, job.reason) == (JobStatus.DELIVERED, "the chain did not take it")


def test_deliveries_under_way_are_those_that_the_chain_did_not_show_yet(store: Store) -> None:
    request = seen(store)
    assert store.deliveries_under_way() == []
    tx = sent(store, request, kind=TxKind.DELIVER, answer=UNSEALED)
    assert [job.id for job in store.deliveries_under_way()] == [request]
    store.sign(outbox(0, request, kind=TxKind.DELIVER, fee=1))  # a replacement is no second delivery
    assert [job.id for job in store.deliveries_under_way()] == [request]
    store.included(0, receipt(tx, block(3)))
    assert [job.id for job in store.deliveries_under_way()] == [request]
    store.advance([block(3)], [delivered(block(3), request, tx.hash)], KEEP)
    assert store.deliveries_under_way() == []


def test_bytes_of_a_gap_are_kept_until_it_is_closed(store: Store) -> None:
    request = seen(store)
    deliver(store, request)
    store.cosigned(b"\1" * 32, OPERATOR, request, b"\2" * 65)
    store.advance([block(n) for n in range(4, 30)], [], KEEP)
    assert store.prune(1 << 62) == 0
    store.advance([block(30)], [settled(block(30), request, OTHER_TX)], KEEP)
    store.advance([block(n) for n in range(31, 60)], [], KEEP)
    assert store.prune(1 << 62) == 1
    job = job_of(store, request)
    assert (job.answer, job.input) == (None, b"")
    assert store.cosignatures(b"\1" * 32).signed == {}
