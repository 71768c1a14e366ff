"""`vouch prover start` as people start it, with bb, and what a chain says to its seals."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from tests.support import zk
from tests.support.honk import Honk
from tests.support.integer_models import model_of
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.circuit.codec import run_bytes
from vouch.circuit.ops import Affine, Relu
from vouch.cli.children import Child, ChildDied
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import Seal
from vouch.protocol.zk import BatchItem, ZkBatch, ZkSeal, context
from vouch.prover.build import build
from vouch.prover.files import CircuitFiles
from vouch.prover.service.client import (
    Item,
    ProofState,
    ProofStatus,
    ProofTask,
    ProverClient,
    ProverRefused,
    ProverUnavailable,
)
from vouch.prover.service.store import Store
from vouch.web.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CHAIN_ID = 31337
HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OPERATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BATCH = 3


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def files(tmp_path_factory: pytest.TempPathFactory) -> CircuitFiles:
    random = np.random.default_rng(7)
    first = Affine(random.integers(-99, 99, (8, 4)), random.integers(-99, 99, 8), None)
    second = Affine(random.integers(-99, 99, (2, 8)), random.integers(-99, 99, 2), None)
    model = model_of([(first, 0), (Relu(4), 1), (second, 2)], size=4, outputs=2)
    folder = tmp_path_factory.mktemp("prover") / "circuit"
    string, toolchain = zk.string(), zk.toolchain()
    return await build(model, folder, name="small", srs=string, toolchain=toolchain, batches=(1, BATCH))


@asynccontextmanager
async def prover(
    files: CircuitFiles, folder: Path, *options: str
) -> AsyncIterator[tuple[Child, ProverClient]]:
    port = str(free_port())
    database = str(folder / "prover.sqlite")
    words = [
        "prover",
        "start",
        "--circuit",
        str(files.folder),
        "--port",
        port,
        "--database",
        database,
        *options,
    ]
    environment = {"VOUCH_ZK_HOME": str(zk.HOME), "VOUCH_PROVER_TOKEN": "secret"}
    async with Child("prover", words, environment, folder / "log") as child:
        url = f"http://127.0.0.1:{port}"
        await child.ready(f"{url}/health/ready")
        async with ProverClient(url, "secret") as client:
            yield child, client


def task(files: CircuitFiles, batch: int, *numbers: int) -> ProofTask:
    items = []
    for number in numbers:
        given = b"".join(value.to_bytes(32, "big", signed=True) for value in (number, -number, 3, -32768))
        items.append(Item(number.to_bytes(32, "big"), given, run_bytes(files.model, given)))
    circuit_id = files.of(batch).circuit.id
    return ProofTask(CHAIN_ID, HUB, OPERATOR, files.model_id, circuit_id, tuple(items))


async def ended(client: ProverClient, proof: str) -> ProofStatus:
    async with asyncio.timeout(120):
        while not (status := await client.get(proof)).state.ended:  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.05)
    return status


async def proven(client: ProverClient, asked: ProofTask) -> Seal:
    status = await ended(client, (await client.submit(asked)).id)
    assert status.state is ProofState.DONE, status
    assert status.cpu_seconds > 0
    assert status.peak_bytes > 1 << 20
    return Seal.parse(status.seal or b"")


async def test_proofs_that_the_chain_accepts(
    files: CircuitFiles, tmp_path: Path, sender: TxSender, rpc: Rpc
) -> None:
    single, several = task(files, 1, 5), task(files, BATCH, 7, 6)
    async with prover(files, tmp_path) as (_, client):
        info = await client.info()
        await client.validate(single)
        one = await proven(client, single)
        root = await proven(client, several)
    assert info.srs == "dev-srs"
    assert info.models[files.model_id] == {files.of(1).circuit.id: 1, files.of(BATCH).circuit.id: BATCH}
    # What proofs take is known before the first one is asked for.
    assert info.eta.keys() == info.seconds.keys() == info.models[files.model_id].keys()

    (item,), circuit = single.items, files.of(1).circuit
    seal = ZkSeal.parse(one, circuit)
    claim = Claim(item.request_id, files.model_id, keccak(item.input), keccak(item.output), OPERATOR)
    digest = claim.digest(CHAIN_ID, HUB)
    verifier = await Honk.deploy(sender, rpc, files.of(1).verifier)
    row = circuit.row(item.input, item.output)
    assert await verifier.accepts(seal.proof, circuit.public_inputs([row], context(digest)))
    other = replace(claim, operator=HUB).digest(CHAIN_ID, HUB)
    assert not await verifier.accepts(seal.proof, circuit.public_inputs([row], context(other)))

    circuit = files.of(BATCH).circuit
    rows = [BatchItem(i.request_id, circuit.row(i.input, i.output)) for i in several.items]
    batch = ZkBatch.of(circuit, files.model_id, OPERATOR, rows, CHAIN_ID, HUB)
    proof = root.proof[len(batch.seal(b"").proof) :]
    assert root == batch.seal(proof)
    verifier = await Honk.deploy(sender, rpc, files.of(BATCH).verifier)
    digest = batch.claim.digest(CHAIN_ID, HUB)
    assert await verifier.accepts(proof, circuit.public_inputs(batch.rows, context(digest)))


async def test_nothing_false_is_queued(files: CircuitFiles, tmp_path: Path) -> None:
    asked = task(files, 1, 5)
    (item,) = asked.items
    false = replace(asked, items=(replace(item, output=item.output[:-1] + b"\xee"),))
    wide = (1 << 15).to_bytes(32, "big")
    outside = replace(asked, items=(replace(item, input=wide + item.input[32:]),))
    async with prover(files, tmp_path) as (_, client):
        for wrong, name in ((false, "OutputMismatch"), (outside, "InputOutOfRange")):
            for ask in (client.submit, client.validate):
                with pytest.raises(ProverRefused) as refused:
                    await ask(wrong)
                assert refused.value.name == name
        assert (await client.info()).queued == 0
        async with ProverClient(client.url) as stranger:
            with pytest.raises(ProverUnavailable, match="NotAuthorised"):
                await stranger.info()


async def test_a_circuit_that_cannot_be_proven(files: CircuitFiles, tmp_path: Path) -> None:
    """Its memory is not even enough for bb, whatever was promised."""
    with pytest.raises(ChildDied, match="cannot be proven here"):
        async with prover(files, tmp_path, "--max-memory", "10MB"):
            pass


async def test_killed_with_proofs_waiting(files: CircuitFiles, tmp_path: Path) -> None:
    tasks = [task(files, 1, number) for number in range(8)]
    async with prover(files, tmp_path, "--workers", "2") as (child, client):
        for asked in tasks:
            await client.submit(asked)
        await ended(client, tasks[0].id)
        os.kill(child.pid, 9)
    with Store(tmp_path / "prover.sqlite") as store:
        assert store.counts()[ProofState.DONE] < len(tasks)
    async with prover(files, tmp_path, "--workers", "2") as (_, client):
        made = [await ended(client, asked.id) for asked in tasks]
        # Without zero knowledge a proof is a function of its statement.
        again = await proven(client, replace(tasks[-1], operator=HUB))
    assert [status.state for status in made] == [ProofState.DONE] * len(tasks)
    assert len({status.seal for status in made} | {bytes(again)}) == len(tasks) + 1
