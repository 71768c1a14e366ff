"""What else has to be proven if everybody challenges at once, and whether there is the time for it."""

import asyncio
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.python.relayer.making import (
    KEEP,
    UNSEALED,
    block,
    challenged,
    delivered,
    outbox,
    requested,
    settled,
)
from tests.python.relayer.proving import CIRCUIT, INPUT, NOW, Service, answered, job_of, prover
from vouch.chain.account import LocalKey
from vouch.protocol.quorum import QUORUM
from vouch.protocol.status import Gate
from vouch.protocol.zk import ZK
from vouch.prover.service.client import ProofState
from vouch.relayer.job import Job, TxKind
from vouch.relayer.store import Store

GAP = {"prove_within": 100, "gate": Gate.ON_DELIVERY}
LATE = GAP | {"window": 1_000}
OTHER = LocalKey(b"\7" * 32).address
TX = b"\7" * 32


def slow() -> Service:
    """A proof beside five others takes 60 s, and (60 s) * 1.5 + 10 s is all there is."""
    return Service(eta=10.0, seconds=10.0)


def out(store: Store, salt: int, **changes: Any) -> Job:
    """A result of ours in block 3, under a salt of its own."""
    job = answered(store, **LATE | {"salt": 100 + salt} | changes)
    store.advance([block(3)], [delivered(block(3), job.id, TX)], KEEP)
    return job


async def why(store: Store, service: Service, job: Job, **lane: Any) -> str:
    """Of a relayer that was just started."""
    async with prover(store, service, **lane) as made:
        return await made.prover.why_proof_first(job, UNSEALED)


@pytest.mark.parametrize("terms", [GAP, LATE])
@pytest.mark.parametrize("window", [0, 60])
async def test_all_that_is_out_may_be_challenged_at_once(
    store: Store, terms: dict[str, Any], window: int
) -> None:
    for salt in range(5):
        out(store, salt, window=window)
    job = answered(store, **terms)
    assert await why(store, slow(), job) == ""
    store.advance([block(4)], [challenged(block(4), out(store, 5).id)], KEEP)
    told = await why(store, slow(), job)
    assert told == "the proof may take 115 s beside 6 other answers of ours, proveWithin is 100 s"


async def test_what_is_decided_counts_before_it_is_signed(store: Store) -> None:
    jobs = [answered(store, **LATE | {"salt": salt}) for salt in range(8)]
    async with prover(store, slow()) as made:
        asked = [made.prover.why_proof_first(job, UNSEALED) for job in jobs]
        told = await asyncio.gather(*asked)
        assert sorted(told)[:6] == [""] * 6
        assert all("beside 6 other answers" in each for each in sorted(told)[6:])
        late = jobs[told.index("")]
        assert await made.prover.why_proof_first(late, UNSEALED) == "", "it is not beside itself"
        # Its stake turned out not to be there: it is proven first.
        assert made.prover.open(late, patient=False) is not None
        assert await made.prover.why_proof_first(jobs[told.index(max(told))], UNSEALED) == ""


async def test_what_is_decided_counts_until_it_is_out_or_over(store: Store) -> None:
    first, second = (answered(store, **LATE | {"salt": salt}) for salt in (1, 2))
    service = Service(eta=10.0, seconds=50.0)  # one beside it fits, two do not
    async with prover(store, service) as made:
        for job in (first, second):
            assert await made.prover.why_proof_first(job, UNSEALED) == ""
        last = answered(store, **LATE | {"salt": 3})
        assert "beside 2 other answers" in await made.prover.why_proof_first(last, UNSEALED)
        tx = outbox(0, first.id, kind=TxKind.DELIVER)
        store.sign(tx)
        assert "beside 2 other answers" in await made.prover.why_proof_first(last, UNSEALED), "once only"
        store.advance([block(4)], [settled(block(4), first.id, TX)], KEEP)
        assert await made.prover.why_proof_first(last, UNSEALED) == ""
        await made.prover.drop(second)
        assert "beside 1 other" in await made.prover.why_proof_first(
            answered(store, **LATE | {"salt": 4, "prove_within": 99}), UNSEALED
        )


async def test_what_is_signed_or_sent_counts_after_a_restart_too(store: Store) -> None:
    for salt in range(6):
        job = answered(store, **LATE | {"salt": 100 + salt})
        store.sign(outbox(salt, job.id, kind=TxKind.DELIVER))
    told = await why(store, slow(), answered(store, **LATE))
    assert "beside 6 other answers of ours" in told


async def test_what_comes_with_its_seal_or_is_only_answered_does_not_count(store: Store) -> None:
    for salt in range(6):
        job = answered(store, **LATE | {"salt": 100 + salt})
        if salt % 2:
            store.sign(outbox(salt, job.id, kind=TxKind.FULFIL))
    assert await why(store, Service(eta=60.0), answered(store, **LATE)) == ""


async def test_only_ours_counts_and_all_of_it(store: Store, tmp_path: Path) -> None:
    log = requested(block(2), route=ZK, trust=CIRCUIT.id, salt=77, **LATE)
    theirs = replace(delivered(block(3), log.id, TX), operator=OTHER)
    store.advance([block(2), block(3)], [replace(log, input=INPUT), theirs], KEEP)
    assert await why(store, Service(eta=60.0), answered(store, **LATE)) == ""
    # The chain tells a new database of it, without our signature.
    with Store(tmp_path / "fresh.sqlite") as fresh:
        fresh.advance([block(2)], [log], KEEP)
        fresh.advance([block(3)], [delivered(block(3), log.id, TX)], KEEP)
        assert "beside 1 other" in await why(fresh, Service(eta=60.0), answered(fresh, **LATE))


async def test_what_no_proof_helps_any_more_does_not_count(store: Store) -> None:
    late, unchallenged = out(store, 1, window=0), out(store, 2)
    service, job = Service(eta=60.0), answered(store, **LATE)
    store.set_deadline(late.id, None, NOW)
    store.set_deadline(unchallenged.id, NOW, None)
    assert "beside 2 other answers" in await why(store, service, job), "in their last second they do"
    store.set_deadline(late.id, None, NOW - 1)
    store.set_deadline(unchallenged.id, NOW - 1, None)
    assert await why(store, service, job) == ""


async def test_what_the_service_has_in_its_queue_is_in_its_estimate(store: Store) -> None:
    service = Service(eta=30.0, seconds=30.0)
    first, second = (answered(store, **GAP | {"salt": salt}) for salt in (1, 2))
    async with prover(store, service) as made:
        assert await made.prover.why_proof_first(first, UNSEALED) == ""
        service.eta = 60.0
        assert await made.prover.why_proof_first(second, UNSEALED) == ""
        service.state, service.refusal = ProofState.FAILED, (404, "UnknownCircuit")
        found = made.prover.open(first, patient=True)
        assert found is not None
        await made.prover._look(found)  # it lost it
        service.state, service.refusal = ProofState.QUEUED, None
        assert "beside 1 other" in await made.prover.why_proof_first(second, UNSEALED)


async def test_a_seal_that_is_here_takes_a_place_in_the_lane_and_no_proof(store: Store) -> None:
    job = answered(store, **LATE)
    for salt, terms in enumerate(({}, {}, {"route": QUORUM})):
        each = out(store, salt, **terms)
        if not terms:
            store.sealed(job_of(store, each.id), b"seal")
    counted: list[int] = []

    def lane(count: int) -> float:
        counted.append(count)
        return math.ceil(count / 2) * 12.5

    told = await why(store, Service(eta=40.0, seconds=99.0), job, lane=lane)
    assert counted == [4]
    assert told == "", "70 s for the proof, 25 s for two blocks"
    told = await why(store, Service(eta=44.0, seconds=99.0), job, lane=lane)
    assert told == "the proof may take 101 s beside 3 other answers of ours, proveWithin is 100 s"


async def test_another_proof_that_nobody_knows_the_time_of(store: Store) -> None:
    out(store, 1, trust=b"\6" * 32)
    told = await why(store, Service(), answered(store, **LATE))
    assert told == "nobody knows how long the proof of another answer of ours takes"
