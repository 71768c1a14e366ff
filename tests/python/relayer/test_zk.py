"""What can be proven, and what is refused before a node is asked."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.python.relayer.making import HUB
from tests.python.relayer.making import make_job as plain_job
from tests.python.relayer.proving import CIRCUIT, INPUT, MODEL, NOWHERE, KnowingModels, Service
from vouch.chain.contracts import BoundCircuit
from vouch.protocol.zk import ZK
from vouch.prover.service.client import ProverClient
from vouch.relayer.config import ZkConfig
from vouch.relayer.errors import NotYet, Refused
from vouch.relayer.job import Job
from vouch.relayer.prover import Provers
from vouch.relayer.zk import Circuits

NOW = 1_000
FOREVER = {"deliver_by": NOW + 100_000}


def make_job(input_: bytes = INPUT, /, **changes: Any) -> Job:
    terms = {"route": ZK, "trust": CIRCUIT.id, **FOREVER}
    return replace(plain_job(**terms | changes), input=input_)


@asynccontextmanager
async def circuits(
    url: str, models: KnowingModels | None = None, *, dev: bool = True
) -> AsyncIterator[Circuits]:
    async with ProverClient(url, timeout=2.0) as client:
        yield Circuits(ZkConfig(url, slack=1.5, margin=10.0, dev=dev), client, models or KnowingModels())


async def refused(made: Circuits, job: Job, name: str) -> str:
    with pytest.raises(Refused) as caught:
        await made.check(job, NOW)
    assert caught.value.name == name, str(caught.value)
    return caught.value.detail


async def test_a_circuit_of_ours() -> None:
    async with Service().serve() as url, circuits(url) as made:
        await made.check(make_job(), NOW)
        named = f"model 0x{MODEL.hex()}, trust 0x{CIRCUIT.id.hex()}"
        assert made.line == f"prover {url} (dev-srs): {named}"


async def test_a_service_without_circuits_for_single_answers() -> None:
    service = Service(models={MODEL: {CIRCUIT.id: 16}})
    async with service.serve() as url, circuits(url) as made:
        await made.refresh(0.0)
        assert made.line == f"prover {url} (dev-srs): nothing to prove"


async def test_a_development_string_is_said_loudly_once(caplog: pytest.LogCaptureFixture) -> None:
    async with Service().serve() as url, circuits(url) as made:
        for _ in range(2):
            await made.refresh(0.0)
    assert [record.message for record in caplog.records if "anyone can forge" in record.message] == [
        f"prover {url} proves with a development string: anyone can forge these"
    ]


async def test_a_development_string_is_refused_on_a_deployment_for_real(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Service().serve() as url, circuits(url, dev=False) as made:
        detail = await refused(made, make_job(), "InsecureCircuit")
        assert "compile the model without --dev-srs" in detail
        assert "none of its proofs is asked for here" in caplog.text
        assert made.line == f"prover {url} (dev-srs): nothing, since this deployment's name does not say dev"


async def test_other_circuits_and_models_are_refused_with_the_names_of_ours() -> None:
    async with Service().serve() as url, circuits(url) as made:
        detail = await refused(made, make_job(trust=b"\7" * 32), "UnknownCircuit")
        assert detail == (f"the terms trust the circuit 0x{'07' * 32}, our prover has 0x{CIRCUIT.id.hex()}")
        detail = await refused(made, make_job(model_id=b"\7" * 32), "UnknownCircuit")
        assert detail.endswith("our prover has none of this model")


async def test_a_circuit_that_the_service_has_learned_since() -> None:
    service = Service(models={})
    async with service.serve() as url, circuits(url) as made:
        await refused(made, make_job(), "UnknownCircuit")
        service.models = Service().models
        made._asked -= 1.0  # a second passes
        await made.check(make_job(), NOW)


async def test_a_service_that_was_never_reached_is_waited_for() -> None:
    async with circuits(NOWHERE) as made:
        with pytest.raises(NotYet, match=r"what can be proven is not known: prover http://127\.0\.0\.1:1: "):
            await made.check(make_job(), NOW)
        assert made.line.startswith(f"prover {NOWHERE}: prover {NOWHERE}: ClientConnectorError")


async def test_what_was_learned_stays_known_while_the_service_is_down() -> None:
    service = Service()
    async with service.serve() as url, circuits(url) as made:
        await made.check(make_job(), NOW)
        service.down = True
        await made.refresh(0.0)
        assert "Stopping" in made.trouble
        await made.check(make_job(), NOW)
        made._asked = -1e9
        with pytest.raises(NotYet, match="Stopping"):
            await made.check(make_job(trust=b"\7" * 32), NOW)


async def test_a_wrong_token_can_be_put_right() -> None:
    """Whatever the service refuses here is no reason to stop."""
    async with Service().serve() as url, circuits(url + "/elsewhere") as made:
        await made.refresh(0.0)
        assert made.trouble
        assert made.info is None


async def test_the_service_is_asked_as_often_as_said() -> None:
    async with Service().serve() as url, circuits(url) as made:
        await made.refresh(60.0)
        asked = made._asked
        await made.refresh(60.0)
        assert made._asked == asked
        await made.refresh(0.0)
        assert asked < made._asked <= time.monotonic()


async def test_the_chain_has_to_know_the_circuit_and_is_asked_once() -> None:
    models = KnowingModels()
    async with Service().serve() as url, circuits(url, models) as made:
        for _ in range(2):
            await made.check(make_job(), NOW)
        assert models.asked == 1
    models.circuits.clear()
    async with Service().serve() as url, circuits(url, models) as made:
        detail = await refused(made, make_job(), "UnboundCircuit")
        assert detail == f"no proof of circuit 0x{CIRCUIT.id.hex()} would count: UnknownCircuit: bind it"


async def test_a_circuit_for_batches_seals_no_single_answer() -> None:
    models = KnowingModels()
    many = replace(CIRCUIT, batch=16)
    models.circuits[many.id] = BoundCircuit.of(many, HUB)
    service = Service(models={MODEL: {many.id: 16}})
    async with service.serve() as url, circuits(url, models) as made:
        detail = await refused(made, make_job(trust=many.id), "WrongBatch")
        assert "proves 16 inferences at once, not one" in detail


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((1 << 15, 0), "value 0 is 32768, the circuit proves -32768 to 32767"),
        ((0, -(1 << 15) - 1), "value 1 is -32769"),
        ((1,), "1 values, the circuit has 2"),
    ],
)
async def test_an_input_that_no_proof_is_about(values: tuple[int, ...], says: str) -> None:
    data = b"".join(value.to_bytes(32, "big", signed=True) for value in values)
    async with Service().serve() as url, circuits(url) as made:
        assert says in await refused(made, make_job(data), "InputOutOfRange")


async def test_the_least_and_the_largest_input() -> None:
    data = b"".join(value.to_bytes(32, "big", signed=True) for value in (-(1 << 15), (1 << 15) - 1))
    async with Service().serve() as url, circuits(url) as made:
        await made.check(make_job(data), NOW)


NEEDED = 40
"""Seconds for a proof that takes 20."""
STAKE = {"exposure": 1}
SHORT, LONG = {"deliver_by": NOW + NEEDED - 1}, {"deliver_by": NOW + NEEDED}


@pytest.mark.parametrize(
    ("terms", "takes"),
    [
        (LONG, True),
        (SHORT, False),
        (SHORT | {"prove_within": NEEDED}, True),
        (SHORT | {"prove_within": NEEDED - 1}, False),
        (LONG | {"prove_within": NEEDED - 1}, True),
        (LONG | {"prove_within": NEEDED - 1} | STAKE, False),
        (LONG | {"prove_within": NEEDED - 1, "bond": 1}, False),
        (SHORT | {"prove_within": NEEDED} | STAKE, True),
        (LONG | {"window": 60} | STAKE, False),
        (LONG | STAKE, True),
    ],
)
async def test_the_time_for_a_proof(terms: dict[str, Any], takes: bool) -> None:
    async with Service(eta=20.0, seconds=20.0).serve() as url, circuits(url) as made:
        assert made.needed(20.0) == NEEDED
        if takes:
            await made.check(make_job(**terms), NOW)
        else:
            assert f"we need {NEEDED} s" in await refused(made, make_job(**terms), "ProofTooSlow")


@pytest.mark.parametrize(
    ("terms", "eta", "seconds"),
    [
        (SHORT | {"prove_within": NEEDED} | STAKE, 200.0, 20.0),
        (LONG, 100.0, 1.0),
        (LONG | {"prove_within": NEEDED}, 20.7, 20.0),
    ],
)
async def test_a_busy_prover_is_waited_for(terms: dict[str, Any], eta: float, seconds: float) -> None:
    """However many tasks it has, and however long the one takes that is being proven."""
    service = Service(eta=eta, seconds=seconds)
    async with service.serve() as url, circuits(url) as made:
        with pytest.raises(NotYet, match=r"the prover is busy: .*we need "):
            await made.check(make_job(**terms), NOW)
        service.eta = seconds
        made._asked -= 1.0  # a second passes
        await made.check(make_job(**terms), NOW)


async def test_a_proof_that_takes_too_long_by_itself_is_refused_however_busy_the_prover_is() -> None:
    for service in (Service(eta=60.0, queued=99, seconds=60.0), Service(eta=None, seconds=60.0)):
        async with service.serve() as url, circuits(url) as made:
            assert "we need 100 s" in await refused(made, make_job(**LONG), "ProofTooSlow")


async def test_a_prover_that_got_faster_is_asked_before_anything_is_refused() -> None:
    service = Service(eta=60.0, seconds=60.0)
    async with service.serve() as url, circuits(url) as made:
        await made.refresh(0.0)
        service.eta = service.seconds = 20.0
        made._asked -= 1.0  # a second passes
        await made.check(make_job(**LONG), NOW)


async def test_an_unknown_time_is_no_reason_to_refuse() -> None:
    async with Service(eta=None, seconds=None).serve() as url, circuits(url) as made:
        await made.check(make_job(**SHORT | {"prove_within": NEEDED} | STAKE), NOW)


async def test_the_relayer_refuses_what_it_has_no_prover_for() -> None:
    with pytest.raises(Refused, match=r"NoProver: this relayer has no prover service \(--prover\)"):
        await Provers({}).check(make_job(), NOW)
