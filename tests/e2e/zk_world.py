"""The relayer's world with a model that can be proven: on chain, at a node, and at a prover service."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.relayer_world import PRICE, QUICK, World, ended, until, world
from tests.python.runtimes.circuits import small_model
from tests.support.artefacts import ROOT
from vouch.chain.contracts import BoundCircuit, ModelRegistry
from vouch.chain.transaction import Call
from vouch.circuit.codec import run_bytes
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Manifest
from vouch.protocol.request import Request
from vouch.protocol.status import Gate
from vouch.protocol.zk import ZK
from vouch.prover.files import CircuitFiles
from vouch.prover.service.client import Item, ProofState, ProofTask, ProverClient
from vouch.relayer.config import RelayerConfig, ZkConfig
from vouch.relayer.job import Job, JobStatus
from vouch.relayer.store import Store
from vouch.runtimes.base import Runtime
from vouch.runtimes.integer import IntegerRuntime
from vouch.web.ports import free_port

ETHER = 10**18
EXPOSURE, BOND = ETHER, ETHER // 100
MODEL = small_model()
MARGIN = 20.0


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big", signed=True) for value in values)


INPUT = words(5, -7, 900)
OUTPUT = run_bytes(MODEL, INPUT)


async def soon(what: Callable[[], Awaitable[bool]]) -> None:
    """Waits for a condition, and proofs and processes take their time."""
    await until(what, 60.0)


async def reached(store: Store, request: bytes, status: JobStatus = JobStatus.DONE) -> Job:
    """The same for a job that gets a status."""
    return await ended(store, request, status, 60.0)


class Contrary(IntegerRuntime):
    """The model in its manifest, another one in fact."""

    async def run(self, data: bytes, /) -> bytes:
        return words(1, 2)


@dataclass
class Service:
    """A prover service at a port of its own, down outside of `running`; `hold` makes its proofs wait."""

    files: CircuitFiles
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def _hold(self) -> Path:
        return self.folder / "hold"

    def hold(self) -> None:
        self._hold.touch()

    def release(self) -> None:
        self._hold.unlink()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Its process, which a test may kill."""
        arguments = (self.files.folder, self.folder / "prover.sqlite", self.port, self._hold)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("zk_prover_process.py")),
            *map(str, arguments),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'python'}"},
        )
        assert process.stdout is not None
        try:
            assert (await process.stdout.readline()).decode().strip() == self.url
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    def client(self) -> ProverClient:
        return ProverClient(self.url)


@dataclass
class ZkWorld:
    """The operator's node is at `url`; `prover` is its service."""

    w: World
    files: CircuitFiles
    prover: Service
    url: str

    @property
    def circuit_id(self) -> bytes:
        return self.files.of(1).circuit.id

    @property
    def manifest(self) -> Manifest:
        return self.files.manifest

    def config(self, name: str = "relayer", *, prover: str | None = None, **changes: Any) -> RelayerConfig:
        zk = ZkConfig(prover or self.prover.url, margin=MARGIN, poll=0.1, dev=True)
        return self.w.config(self.url, name=name, **{"zk": zk, "patience": QUICK} | changes)

    async def ask(self, input_: bytes = INPUT, /, **changes: Any) -> bytes:
        """A question that is answered before its proof, which is due in any case."""
        return await self.w.ask(input_, **self.gap(**changes))

    def terms(self, **changes: Any) -> Request:
        return self.w.terms(self.w.sender(4).address, INPUT, **self.gap(**changes))

    def gap(self, **changes: Any) -> dict[str, Any]:
        plain = {"route": ZK, "trust": self.circuit_id, "model_id": self.manifest.model_id}
        stake = {"exposure": EXPOSURE, "bond": BOND, "prove_within": 300, "gate": Gate.ON_DELIVERY}
        return plain | stake | changes

    def task(self, job: Job) -> ProofTask:
        """What the service is asked for."""
        assert job.answer is not None
        return ProofTask(
            self.w.anvil.chain_id,
            self.w.hub.address,
            job.answer.operator,
            job.terms.model_id,
            job.terms.trust,
            (Item(job.id, job.input, job.answer.output),),
        )

    async def warm(self) -> None:
        """The prover service learns how long a proof takes."""
        item = Item(keccak(b"warm"), INPUT, OUTPUT)
        where = (self.w.anvil.chain_id, self.w.hub.address, self.w.operator)
        async with self.prover.client() as client:
            await self.prove(client, ProofTask(*where, self.manifest.model_id, self.circuit_id, (item,)))

    @staticmethod
    async def prove(client: ProverClient, task: ProofTask) -> bytes:
        """The seal, once it is there."""

        async def done() -> bool:
            return (await client.submit(task)).state is ProofState.DONE

        await soon(done)
        seal = (await client.get(task.id)).seal
        assert seal is not None
        return seal

    def second_prover(self) -> Service:
        """Somebody else's."""
        (folder := self.w.folder / "second").mkdir()
        return Service(self.files, folder, free_port())

    def node(self, runtime: Runtime, name: str) -> AbstractAsyncContextManager[str]:
        return self.w.node(runtime, name=name)

    async def exposed(self) -> int:
        """What of the operator's stake is locked."""
        return (await self.w.nodes.stake_of(self.w.operator)).exposed

    async def later(self, seconds: int) -> None:
        """So much time passes on the chain."""
        await self.w.rpc.call("evm_increaseTime", seconds)
        await self.w.rpc.call("evm_mine")

    async def challenge(self, job: Job) -> None:
        """Account 5 demands the proof of a delivered job."""
        assert job.answer is not None
        output_hash = keccak(job.answer.output)
        await self.w.sender(5).transact(self.w.hub.challenge(job.terms, self.w.operator, output_hash))


@asynccontextmanager
async def zk_world(folder: Path, files: CircuitFiles, *, stake: int = 10 * ETHER) -> AsyncIterator[ZkWorld]:
    """Published, the circuit bound to its verifier, the operator staked; the prover service is still down."""
    async with world(folder) as w:
        deployer, operator = w.sender(0), w.sender(1)
        receipt = await deployer.transact(Call(None, files.of(1).verifier.creation))
        assert receipt.contract is not None
        models, manifest = ModelRegistry(w.rpc, w.deployment.models), files.manifest
        await deployer.transact(models.publish(manifest.name, bytes(manifest)))
        bound = BoundCircuit.of(files.of(1).circuit, receipt.contract)
        await deployer.transact(models.bind_circuit(bytes(manifest), manifest.zk, bound))
        await operator.transact(w.nodes.set_price(manifest.model_id, PRICE))
        if stake:
            await operator.transact(w.nodes.stake(stake))
        (service := folder / "prover").mkdir()
        async with w.node(IntegerRuntime(files.folder / "model.circuit", manifest)) as url:
            yield ZkWorld(w, files, Service(files, service, free_port()), url)
