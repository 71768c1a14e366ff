"""Proven answers from the question to the chain's own check: real node, real proofs, real verifier."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.relayer_quorum import kinds, says
from tests.e2e.relayer_world import QUICK, get_json
from tests.e2e.zk_world import BOND, EXPOSURE, OUTPUT, Contrary, ZkWorld, reached, soon, words, zk_world
from tests.support.terms import FEE, deadline_in
from vouch.protocol.status import Gate, Status
from vouch.protocol.zk import ZK
from vouch.prover.files import CircuitFiles
from vouch.prover.service.client import ProofState, ProverRefused
from vouch.relayer.job import JobStatus, TxKind
from vouch.relayer.store import Store
from vouch.web.ports import free_port

pytestmark = pytest.mark.slow


async def gas(z: ZkWorld, store: Store, asked: bytes) -> list[tuple[int, int]]:
    """What the transactions of a request used, and their limits."""
    made = []
    for tx in store.transactions(asked):
        sent = await z.w.rpc.call("eth_getTransactionByHash", tx.hash)
        receipt = await z.w.rpc.call("eth_getTransactionReceipt", tx.hash)
        made.append((int(receipt["gasUsed"], 16), int(sent["gas"], 16)))
    return made


async def test_delivered_first_and_settled_when_the_proof_is_there(
    tmp_path: Path, circuit: CircuitFiles
) -> None:
    port = free_port()
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        await z.warm()
        async with z.w.relayer(z.config(status_port=port)) as store:
            z.prover.hold()
            asked = await z.ask()
            await reached(store, asked, JobStatus.DELIVERED)
            await soon(lambda: says(store, asked, "proof is due: the proof is being made"))
            assert await z.exposed() == EXPOSURE + BOND
            told = (await get_json(f"http://127.0.0.1:{port}/healthz"))[1]
            assert (told["ok"], told["atRisk"]) == (True, {})
            assert told["delivered"][f"0x{asked.hex()}"].startswith("delivered, proof due by ")
            assert told["prover"]["circuits"] == {
                f"0x{z.manifest.model_id.hex()}": [f"0x{z.circuit_id.hex()}"]
            }
            assert (told["prover"]["srs"], told["prover"]["trouble"]) == ("dev-srs", "")
            assert not (await z.w.hub.assurance_of(asked)).proven
            z.prover.release()
            job = await reached(store, asked)
            assert job.reason == "settled by us"
            assert job.answer is not None
            assert job.answer.output == OUTPUT
            assert job.answer.seal is not None
            assert job.answer.seal[:4] == ZK
            assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
            assurance = await z.w.hub.assurance_of(asked)
            assert (assurance.status, assurance.proven) == (Status.SETTLED, True)
            assert await z.exposed() == 0
            assert await z.w.hub.credit_of(z.w.operator) == FEE
            assert [0.4 < used / limit < 0.9 for used, limit in await gas(z, store, asked)] == [True, True]


async def test_terms_without_a_gap_are_settled_in_one_step(tmp_path: Path, circuit: CircuitFiles) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running(), z.w.relayer(z.config()) as store:
        asked = await z.ask(prove_within=0, exposure=0, bond=0)
        await reached(store, asked)
        assert await says(store, asked, "proof first (the terms allow no gap)")
        assert kinds(store, asked) == [TxKind.FULFIL]
        assert (await z.w.hub.assurance_of(asked)).proven
        ((used, limit),) = await gas(z, store, asked)
        assert 0.4 < used / limit < 0.9


async def test_the_first_proof_of_all_may_come_later_too(tmp_path: Path, circuit: CircuitFiles) -> None:
    """The service made one of zeros before it took anything, and says how long that took."""
    async with zk_world(tmp_path, circuit) as z, z.prover.running(), z.w.relayer(z.config()) as store:
        asked = await z.ask()
        await reached(store, asked)
        assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]


async def test_whoever_is_called_only_with_the_proof_waits_for_it(
    tmp_path: Path, circuit: CircuitFiles
) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        await z.warm()
        async with z.w.relayer(z.config()) as store:
            asked = await z.ask(gate=Gate.ON_SETTLEMENT)
            await reached(store, asked)
            assert kinds(store, asked) == [TxKind.FULFIL]
            assert await says(store, asked, "proof first (the consumer is called only with the proof)")


async def test_a_proof_that_nobody_demands_is_never_made(tmp_path: Path, circuit: CircuitFiles) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running(), z.prover.client() as client:
        await z.warm()
        async with z.w.relayer(z.config()) as store:
            quiet, loud = await z.ask(window=1_000), await z.ask(window=1_000)
            for asked in (quiet, loud):
                await reached(store, asked, JobStatus.DELIVERED)
                await soon(partial(says, store, asked, "the end of the window"))
            job = await reached(store, loud, JobStatus.DELIVERED)
            with pytest.raises(ProverRefused, match="UnknownProof"):
                await client.get(z.task(job).id)
            await z.challenge(job)
            await reached(store, loud)
            assert (await z.w.hub.assurance_of(loud)).proven
            assert (await client.get(z.task(job).id)).state is ProofState.DONE
            await z.later(1_001)
            job = await reached(store, quiet)
            assert job.reason == "settled by us: nobody challenged"
            assert not (await z.w.hub.assurance_of(quiet)).proven
            with pytest.raises(ProverRefused, match="UnknownProof"):
                await client.get(z.task(job).id)
            assert await z.exposed() == 0


async def test_what_cannot_be_proven_is_refused_with_the_reason(
    tmp_path: Path, circuit: CircuitFiles
) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        await z.warm()
        async with z.w.relayer(z.config()) as store:
            refusals = {
                await z.ask(trust=b"\7" * 32): "UnknownCircuit: the terms trust the circuit 0x0707",
                await z.ask(words(0, 1 << 15, 0)): "InputOutOfRange: value 1 is 32768, the circuit proves ",
                await z.ask(prove_within=15): "GapTooShort: ",
                await z.ask(prove_within=0, deliver_by=deadline_in(12)): "ProofTooSlow: we need ",
            }
            for asked, reason in refusals.items():
                job = await reached(store, asked, JobStatus.REFUSED)
                assert job.reason.startswith(reason)
                assert store.transactions(asked) == []
        async with z.w.relayer(z.config("other", zk=None)) as store:
            job = await reached(store, await z.ask(), JobStatus.REFUSED)
            assert job.reason == "NoProver: this relayer has no prover service (--prover)"


async def test_a_lie_is_not_delivered(tmp_path: Path, circuit: CircuitFiles) -> None:
    """The node's model is another one: that no proof exists is known before stake is at risk."""
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        lying = Contrary(circuit.folder / "model.circuit", circuit.manifest)
        async with z.node(lying, "liar") as url:
            config = replace(z.config(), nodes=z.w.config(url).nodes, patience=QUICK)
            async with z.w.relayer(config) as store:
                asked = await z.ask()
                job = await reached(store, asked, JobStatus.FAILED)
                assert job.reason.startswith("no proof: prover http://127.0.0.1:")
                assert "OutputMismatch" in job.reason
                assert store.transactions(asked) == []
                assert await z.exposed() == 0
