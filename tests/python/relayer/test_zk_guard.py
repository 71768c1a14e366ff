"""A proof from the first question to its end, as the guard has it made: when it is due, and no longer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.python.relayer.guarding import Parts, guarded
from tests.python.relayer.making import (
    CHAIN_ID,
    HUB,
    KEEP,
    UNSEALED,
    block,
    challenged,
    expired,
    requested,
    settled,
    unchallenged,
)
from tests.python.relayer.proving import (
    CIRCUIT,
    INPUT,
    SEAL,
    KnowingModels,
    KnowingSeals,
    Service,
    at_once,
    until,
)
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.zk import ZK
from vouch.prover.service.client import ProofState, ProverClient
from vouch.relayer.config import Patience, ZkConfig
from vouch.relayer.job import Job, JobStatus, TxKind
from vouch.relayer.store import Store
from vouch.relayer.zk import Circuits
from vouch.relayer.zk_prover import ZkProver

QUICK = Patience(retry_first=0.01, retry_most=0.03)
TERMS: dict[str, Any] = {"route": ZK, "trust": CIRCUIT.id, "prove_within": 100}


@dataclass
class Guarded:
    """A guard at work, with a prover service."""

    parts: Parts
    service: Service

    def take(self, job: Job) -> None:
        self.parts.guard.take([self.parts.job(job.id)])

    def status(self, job: Job) -> JobStatus:
        return self.parts.job(job.id).status

    def settling(self) -> list[bytes]:
        return [job.id for job in self.parts.sender.queued(TxKind.SETTLE)]


@asynccontextmanager
async def guard(store: Store, service: Service) -> AsyncIterator[Guarded]:
    async with service.serve() as url, ProverClient(url, timeout=2.0) as client:
        circuits = Circuits(ZkConfig(url, margin=10.0, poll=0.02, dev=True), client, KnowingModels())
        prover = ZkProver(
            CHAIN_ID, HUB, store, circuits, client, KnowingSeals(), lambda: 1_000, at_once, QUICK
        )
        async with guarded(store, {ZK: prover}) as parts, asyncio.TaskGroup() as tasks:
            running = tasks.create_task(parts.guard.run())
            await asyncio.sleep(0)
            yield Guarded(parts, service)
            running.cancel()


def delivered(g: Guarded, **terms: Any) -> Job:
    """With a deadline that was asked for already."""
    job = g.parts.delivered(**TERMS | terms)
    if terms.get("window"):
        g.parts.store.set_deadline(job.id, 1_100, None)
    else:
        g.parts.store.set_deadline(job.id, None, 1_100)
    return g.parts.job(job.id)


def answered(g: Guarded, **terms: Any) -> Job:
    log = requested(block(2), **TERMS | terms)
    g.parts.store.advance([block(2)], [replace(log, input=INPUT)], KEEP)
    g.parts.store.answered(log.id, UNSEALED)
    return g.parts.job(log.id)


async def test_a_due_proof_is_made_and_settles(store: Store) -> None:
    async with guard(store, Service()) as g:
        g.take(job := delivered(g))
        await until(lambda: g.service.looks >= 2)
        assert g.settling() == []
        assert g.parts.job(job.id).reason == "proof is due: the proof is being made, about 2 s"
        g.service.state = ProofState.DONE
        await until(lambda: g.settling() == [job.id])
        answer = g.parts.job(job.id).answer
        assert answer is not None
        assert answer.seal == SEAL
        assert next(iter(g.service.tasks.values())).prove_by == 1_100
        assert not g.parts.desk.risks


async def test_a_proof_that_nobody_demands_is_not_made(store: Store) -> None:
    async with guard(store, Service()) as g:
        g.take(job := delivered(g, window=100))
        await until(lambda: "the end of the window" in g.parts.job(job.id).reason)
        g.parts.clock.observe(1_101)
        g.parts.guard.tick()
        await until(lambda: g.settling() == [job.id])
        assert g.service.submitted == 0


async def test_a_challenge_has_it_made(store: Store) -> None:
    async with guard(store, Service()) as g:
        g.take(job := delivered(g, window=100))
        await until(lambda: "the end of the window" in g.parts.job(job.id).reason)
        store.advance([block(4)], [challenged(block(4), job.id)], KEEP)
        store.set_deadline(job.id, None, 1_100)
        g.take(job)
        await until(lambda: g.service.looks >= 1)
        assert g.status(job) is JobStatus.CHALLENGED


async def test_whoever_settles_first_ends_the_proof(store: Store) -> None:
    async with guard(store, Service()) as g:
        g.take(job := delivered(g))
        await until(lambda: g.service.looks >= 1)
        store.advance([block(4)], [settled(block(4), job.id, b"\7" * 32)], KEEP)
        g.take(job)
        await until(lambda: len(g.service.cancelled) == 1)
        assert g.service.cancelled == list(g.service.tasks)


async def test_a_rival_who_answers_first_ends_the_proof_of_what_was_not_delivered(store: Store) -> None:
    async with guard(store, Service()) as g:
        g.take(job := answered(g, prove_within=0))
        await until(lambda: g.service.looks >= 1)
        (ended,) = store.advance([block(3)], [settled(block(3), job.id, b"\7" * 32)], KEEP)
        g.parts.guard.take([ended])
        await until(lambda: g.service.cancelled == list(g.service.tasks))
        assert g.status(job) is JobStatus.DONE


async def test_what_expired_before_its_proof_came_ends_it_too(store: Store) -> None:
    async with guard(store, Service()) as g:
        g.take(job := answered(g, prove_within=0))
        await until(lambda: g.service.looks >= 1)
        assert g.parts.job(job.id).reason.startswith("proof first (the terms allow no gap): the proof is ")
        g.parts.clock.observe(job.terms.deliver_by + 1)
        g.parts.guard.tick()
        await until(lambda: len(g.service.cancelled) == 1)
        assert g.status(job) is JobStatus.EXPIRED


async def test_what_ended_while_we_were_away_is_cancelled(store: Store) -> None:
    service = Service()
    async with guard(store, service) as g:
        g.take(job := answered(g, prove_within=0))
        await until(lambda: service.looks >= 1)
    async with guard(store, service) as g:
        store.advance([block(3)], [expired(block(3), job.id, b"\7" * 32)], KEEP)
        g.take(job)
        await until(lambda: service.cancelled == list(service.tasks))


async def test_after_an_unchallenged_window_nothing_is_left(store: Store) -> None:
    """Somebody demanded the proof on a block that is gone now; the window passes in the new ones."""
    async with guard(store, Service()) as g:
        job = delivered(g, window=100)
        store.advance([block(4)], [challenged(block(4), job.id)], KEEP)
        store.set_deadline(job.id, None, 1_100)
        g.take(job)
        await until(lambda: g.service.looks >= 1)
        store.rewind(3)
        store.set_deadline(job.id, 1_100, None)
        g.take(job)
        await until(lambda: "the end of the window" in g.parts.job(job.id).reason)
        fork = block(4, "fork")
        tx = b"\7" * 32
        store.advance([fork], [settled(fork, job.id, tx), unchallenged(fork, job.id, tx)], KEEP)
        g.take(job)
        await until(lambda: g.service.cancelled == list(g.service.tasks))
        assert g.status(job) is JobStatus.DONE


async def test_a_proof_that_counted_is_not_cancelled(store: Store) -> None:
    async with guard(store, Service(state=ProofState.DONE)) as g:
        g.take(job := delivered(g))
        await until(lambda: g.settling() == [job.id])
        store.advance([block(4)], [settled(block(4), job.id, b"\7" * 32)], KEEP)
        g.take(job)
        await until(lambda: g.status(job) is JobStatus.DONE)
        await asyncio.sleep(0.05)
        assert g.service.cancelled == []


async def test_no_proof_of_this_output_is_a_failure_with_its_reason(store: Store) -> None:
    async with guard(store, Service(refusal=(422, "OutputMismatch"))) as g:
        g.take(job := answered(g, prove_within=0))
        await until(lambda: g.status(job) is JobStatus.FAILED)
        assert g.parts.job(job.id).reason.startswith("no proof: prover http://127.0.0.1:")
        assert "OutputMismatch" in g.parts.job(job.id).reason


async def test_a_due_proof_that_nobody_can_make_is_a_risk_at_once(store: Store) -> None:
    async with guard(store, Service(refusal=(422, "OutputMismatch"))) as g:
        g.take(job := delivered(g))
        await until(lambda: job.id in g.parts.guard.risks)
        assert "OutputMismatch" in g.parts.guard.risks[job.id]


async def test_an_answer_that_lacks_its_seal_where_nobody_else_makes_one(store: Store) -> None:
    async with guard(store, Service()) as g:
        g.take(job := answered(g, route=ENCLAVE))
        await until(lambda: g.status(job) is JobStatus.FAILED)
        why = "the seals of its route come with the answers, and this one has none"
        assert g.parts.job(job.id).reason == why
        assert g.service.submitted == 0
