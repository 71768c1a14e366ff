"""Proofs that are asked for over real HTTP: how often, what of them counts, and when it ends."""

import asyncio
from dataclasses import replace

import pytest

from tests.python.relayer.making import HUB, OPERATOR, UNSEALED
from tests.python.relayer.proving import (
    CIRCUIT,
    MODEL,
    OUTPUT,
    SEAL,
    KnowingModels,
    Service,
    answered,
    job_of,
    prover,
    task_of,
    until,
)
from vouch.chain.contracts import BoundCircuit
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.packing import Packing
from vouch.protocol.zk import ZK, ZkSeal
from vouch.prover.service.client import ProofState
from vouch.relayer.store import Store


async def test_a_proof_is_asked_for_once_and_its_seal_is_kept(store: Store) -> None:
    service = Service()
    async with prover(store, service) as made:
        job = answered(store)
        async with asyncio.TaskGroup() as tasks:
            proving = tasks.create_task(made.prove(job))
            await until(lambda: service.looks >= 3)
            service.state = ProofState.DONE
        assert proving.result().seal == SEAL
        assert (service.submitted, list(service.tasks)) == (1, [task_of(job).id])
        assert made.prover._asked == {}, "nothing is left to cancel"
        kept = job_of(store, job.id)
        assert kept.answer is not None
        assert kept.answer.seal == SEAL
        claim = Claim(job.id, MODEL, job.terms.input_hash, keccak(OUTPUT), OPERATOR)
        assert [(s, t, c.output_hash) for s, t, c in made.seals.tried] == [
            (SEAL, CIRCUIT.id, claim.output_hash)
        ]


async def test_the_deadline_decides_who_is_first(store: Store) -> None:
    service = Service(state=ProofState.DONE)
    async with prover(store, service) as made:
        job = answered(store)
        await made.prove(job)
        await made.prove(replace(job, prove_by=77))
        assert [task.prove_by for task in service.tasks.values()] == [77]
        await made.prove(job)
        assert [task.prove_by for task in service.tasks.values()] == [job.terms.deliver_by]


async def test_a_service_that_is_down_is_waited_for(store: Store) -> None:
    service = Service(down=True, state=ProofState.DONE)
    async with prover(store, service) as made:
        found = made.prover.open(answered(store), patient=False)
        assert found is not None
        told: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            filling = made.prover.fill(found, asyncio.Event(), lambda at: told.append(str(at)))
            tasks.create_task(filling)
            await until(lambda: service.submitted >= 3)
            assert not found.hopeless
            service.down = False
        assert found.seal == SEAL
        first, trouble, last = told  # each said once, however often it was tried
        assert (first, last) == ("the proof is asked for", "the proof is here")
        assert "Stopping" in trouble


@pytest.mark.parametrize("name", ["OutputMismatch", "InputOutOfRange"])
async def test_a_refusal_of_the_claim_is_final(store: Store, name: str) -> None:
    service = Service(refusal=(422, name))
    async with prover(store, service) as made:
        job = answered(store)
        found = await made.prove(job, patient=False)
        assert (found.hopeless, found.seal) == (True, None)
        assert name in str(found)
        patient = made.prover.open(job, patient=True)
        assert patient is not None
        wake = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(made.prover.fill(patient, wake, lambda _: None))
            await until(lambda: patient.hopeless)
            await asyncio.sleep(0.1)
            wake.set()
        assert service.submitted == 2, "nothing changes it, so it is asked once each time"


async def test_a_circuit_may_be_loaded_yet_where_stake_is_locked(store: Store) -> None:
    service = Service(refusal=(404, "UnknownCircuit"), state=ProofState.DONE)
    async with prover(store, service) as made:
        job = answered(store)
        assert (await made.prove(job, patient=False)).hopeless
        async with asyncio.TaskGroup() as tasks:
            proving = tasks.create_task(made.prove(job))
            await until(lambda: service.submitted >= 4)
            service.refusal = None
        assert proving.result().seal == SEAL


@pytest.mark.parametrize("state", [ProofState.FAILED, ProofState.CANCELLED])
async def test_what_failed_or_was_cancelled_is_asked_for_again(store: Store, state: ProofState) -> None:
    service = Service(state=state)
    async with prover(store, service) as made:
        job = answered(store)
        async with asyncio.TaskGroup() as tasks:
            proving = tasks.create_task(made.prove(job, patient=False))
            await until(lambda: service.submitted >= 3)
            service.state = ProofState.DONE
        assert proving.result().seal == SEAL


async def test_a_service_that_lost_its_memory_is_asked_again(store: Store) -> None:
    service = Service()
    async with prover(store, service) as made:
        job = answered(store)
        async with asyncio.TaskGroup() as tasks:
            proving = tasks.create_task(made.prove(job, patient=False))
            await until(lambda: service.looks >= 2)
            service.tasks.clear()
            await until(lambda: service.submitted == 2)
            service.state = ProofState.DONE
        assert proving.result().seal == SEAL


FORGED = ZK + b"\1" * 99


async def test_another_proof_is_asked_for_in_the_place_of_one_that_the_chain_refuses(store: Store) -> None:
    service = Service(state=ProofState.DONE, seal=FORGED, better=SEAL)
    async with prover(store, service) as made:
        made.seals.refusals[FORGED] = "ProofRejected"
        job = answered(store)
        found = await made.prove(job, patient=False)
        assert (found.seal, service.again, service.submitted) == (SEAL, 1, 2)
        assert job_of(store, job.id).sealed
        assert made.prover._repeats == {}


async def test_proofs_that_the_chain_refuses_are_not_asked_for_for_ever(store: Store) -> None:
    service = Service(state=ProofState.DONE, seal=FORGED)
    async with prover(store, service) as made:
        made.seals.refusals[FORGED] = "ProofRejected"
        job = answered(store)
        found = await made.prove(job, patient=False)
        assert (found.hopeless, found.seal, service.again) == (True, None, 2)
        assert "the chain refuses the proof of http://127.0.0.1" in str(found)
        assert "start it and this relayer again" in str(found)
        assert not job_of(store, job.id).sealed
        assert (await made.prove(job, patient=False)).hopeless
        assert service.again == 2, "not even if the job is taken up again"


async def test_where_stake_is_locked_a_refused_seal_is_tried_as_long_as_there_is_time(store: Store) -> None:
    service = Service(state=ProofState.DONE, seal=FORGED)
    async with prover(store, service) as made:
        made.seals.refusals[FORGED] = "ProofRejected"
        job = answered(store)
        async with asyncio.TaskGroup() as tasks:
            proving = tasks.create_task(made.prove(job))
            await until(lambda: len(made.seals.tried) >= 7)
            assert service.again == 2
            service.seal = SEAL
        assert proving.result().seal == SEAL
        assert job_of(store, job.id).sealed


async def test_a_service_that_gives_up_what_the_chain_refused_is_believed(store: Store) -> None:
    service = Service(state=ProofState.DONE, seal=FORGED)
    async with prover(store, service) as made:
        made.seals.refusals[FORGED] = "ProofRejected"
        job = answered(store)
        async with asyncio.TaskGroup() as tasks:
            proving = tasks.create_task(made.prove(job, patient=False))
            await until(lambda: len(made.seals.tried) == 1)
            service.state = ProofState.FAILED
        assert str(proving.result()) == "the proof failed: it broke"
        assert proving.result().hopeless


async def test_a_seal_is_no_longer_than_it_was_said_to_be(store: Store) -> None:
    async with prover(store, Service()) as made:
        job = answered(store)
        wide = replace(CIRCUIT, input=Packing(784, 8), output=Packing(10, 16))
        models = made.circuits._models
        assert isinstance(models, KnowingModels)
        models.circuits[CIRCUIT.id] = BoundCircuit.of(wide, HUB)
        job = replace(job, input=bytes(784 * 32))
        await made.prover.check(job, 0)
        row = wide.row(job.input, bytes(10 * 32))
        for proof in (6_720, 7_072, 9_184):  # 2**13, 2**14 and 2**20 gates
            assert len(bytes(ZkSeal(row, bytes(proof)).seal)) <= made.prover.seal_size(job.terms) < 11_000


async def test_it_ends_when_it_is_told_to(store: Store) -> None:
    service = Service()
    async with prover(store, service) as made:
        found, wake = made.prover.open(answered(store), patient=True), asyncio.Event()
        assert found is not None
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            tasks.create_task(made.prover.fill(found, wake, lambda _: None))
            await until(lambda: service.looks >= 1)
            wake.set()
        assert found.seal is None
        looks = service.looks
        await asyncio.sleep(0.1)
        assert service.looks == looks


async def test_each_state_is_said_once(store: Store) -> None:
    service, told = Service(state=ProofState.QUEUED, eta=9.0), []
    async with prover(store, service) as made:
        found = made.prover.open(answered(store), patient=True)
        assert found is not None
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(made.prover.fill(found, asyncio.Event(), lambda at: told.append(str(at))))
            await until(lambda: service.looks >= 2)
            service.eta = 4.0
            await until(lambda: service.looks >= 4)
            service.state = ProofState.PROVING
            await until(lambda: service.looks >= 6)
            service.state = ProofState.DONE
    assert told == [
        "the proof is asked for",
        "the proof is queued, about 9 s",
        "the proof is being made, about 4 s",
        "the proof is here",
    ]


async def test_a_proof_that_nobody_needs_is_cancelled(store: Store) -> None:
    service = Service()
    job = answered(store)
    async with prover(store, service) as made:
        found, wake = made.prover.open(job, patient=True), asyncio.Event()
        assert found is not None
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(made.prover.fill(found, wake, lambda _: None))
            await until(lambda: service.looks >= 1)
            wake.set()
        # Somebody else's answer counts by now.
        await made.prover.drop(replace(job, answer=replace(UNSEALED, output=b"other")))
        assert service.cancelled == [task_of(job).id]
    async with prover(store, service) as made:
        await made.prover.drop(job)
        assert service.cancelled == [task_of(job).id] * 2, "after a restart too"
        service.tasks.clear()
        await made.prover.drop(job)
        service.down = True
        await made.prover.drop(job)
        await made.prover.drop(replace(job, answer=None))
        assert len(service.cancelled) == 4


async def test_without_an_answer_there_is_nothing_to_prove(store: Store) -> None:
    async with prover(store, Service()) as made:
        job = replace(answered(store), answer=None)
        assert made.prover.open(job, patient=True) is None
        assert made.prover.why_foreign(job.terms) == "there is no answer to prove"
