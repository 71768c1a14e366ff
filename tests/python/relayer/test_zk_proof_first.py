"""When an answer is delivered before its proof, and when stake is not put at risk for it."""

from typing import Any

import pytest
from aiohttp import web

from tests.python.relayer.making import ANSWER, UNSEALED
from tests.python.relayer.proving import NOW, Service, answered, prover, task_of
from vouch.protocol.status import Gate
from vouch.prover.service.client import ProofState
from vouch.relayer.store import Store

GAP = {"prove_within": 100, "gate": Gate.ON_DELIVERY}


@pytest.mark.parametrize(
    ("terms", "eta", "says"),
    [
        (GAP, 2.0, ""),
        (GAP, 60.0, ""),
        (GAP, 60.1, "the proof may take 101 s, proveWithin is 100 s"),
        (GAP, None, "nobody knows yet how long a proof takes"),
        (GAP | {"gate": Gate.ON_SETTLEMENT}, 2.0, "the consumer is called only with the proof"),
        (GAP | {"gate": Gate.ON_SETTLEMENT, "deliver_by": NOW + 12}, 2.0, ""),
    ],
)
async def test_a_proof_that_is_due_is_asked_for_before_stake_is_put_at_risk(
    store: Store, terms: dict[str, Any], eta: float | None, says: str
) -> None:
    service = Service(eta=eta)
    async with prover(store, service) as made:
        job = answered(store, **terms)
        assert job.answer is not None
        assert await made.prover.why_proof_first(job, job.answer) == says
        assert (service.submitted, list(service.tasks)) == (1, [task_of(job).id])


async def test_a_proof_that_is_there_saves_a_transaction(store: Store) -> None:
    async with prover(store, Service(state=ProofState.DONE)) as made:
        job = answered(store, **GAP)
        assert await made.prover.why_proof_first(job, ANSWER) == "the proof is here already"


async def test_no_stake_is_put_at_risk_without_a_service(store: Store) -> None:
    service = Service(down=True)
    async with prover(store, service) as made:
        for terms in (GAP, GAP | {"window": 60}):
            job = answered(store, **terms)
            assert "Stopping" in await made.prover.why_proof_first(job, UNSEALED)
        service.down, service.refusal = False, (422, "OutputMismatch")
        assert "OutputMismatch" in await made.prover.why_proof_first(answered(store, **GAP), UNSEALED)


@pytest.mark.parametrize(("eta", "slow"), [(60.0, False), (60.1, True), (None, True)])
async def test_a_proof_that_may_never_be_due_is_not_asked_for(
    store: Store, eta: float | None, slow: bool
) -> None:
    """Proven only if somebody challenges: nothing is submitted, and the service's estimate is a fresh one."""
    service = Service(eta=1.0)
    async with prover(store, service) as made:
        await made.circuits.refresh(0.0)
        service.eta = eta
        made.circuits._asked -= 2.0  # two seconds pass
        job = answered(store, **GAP | {"window": 60})
        why = await made.prover.why_proof_first(job, UNSEALED)
        assert (why != "") is slow
        assert (service.submitted, service.validated) == (0, 1)


async def test_no_stake_is_locked_for_an_output_that_no_proof_is_about(store: Store) -> None:
    async with prover(store, Service(refusal=(422, "OutputMismatch"))) as made:
        job = answered(store, **GAP | {"window": 60})
        assert "OutputMismatch" in await made.prover.why_proof_first(job, UNSEALED)


async def test_a_service_whose_proofs_fail_gets_no_stake_even_if_it_still_says_when(store: Store) -> None:
    class Broken(Service):
        """Its tasks have a time, its circuits have none."""

        async def info(self, http: web.Request) -> web.Response:
            self.eta, eta = None, self.eta
            reply = await super().info(http)
            self.eta = eta
            return reply

    async with prover(store, Broken()) as made:
        why = await made.prover.why_proof_first(answered(store, **GAP), UNSEALED)
        assert why == "nobody knows yet how long a proof takes"
