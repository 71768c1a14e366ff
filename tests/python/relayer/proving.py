"""A prover service that answers what a test tells it to, over real HTTP and with the real words."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from tests.python.relayer.making import CHAIN_ID, HUB, KEEP, OPERATOR, UNSEALED, block, make_job, requested
from tests.support.server import listening
from vouch.chain.abi import ContractError
from vouch.chain.contracts import BoundCircuit, ModelRegistry
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.protocol.claim import Claim
from vouch.protocol.packing import Packing
from vouch.protocol.zk import ZK, Circuit
from vouch.prover.service.client import Item, ProofState, ProofStatus, ProofTask, ProverClient, ProverInfo
from vouch.prover.service.wire import again_of, info_json, status_json
from vouch.prover.service.wire import task_of as posted
from vouch.relayer.config import Patience, ZkConfig
from vouch.relayer.job import Job
from vouch.relayer.seal_check import SealCheck
from vouch.relayer.store import Store
from vouch.relayer.zk import Circuits
from vouch.relayer.zk_prover import ZkProof, ZkProver

NOWHERE = "http://127.0.0.1:1"
MODEL = make_job().terms.model_id
CIRCUIT = Circuit(b"\5" * 32, 0, 1, Packing(2, 16), Packing(1, 16))
INPUT = b"".join(value.to_bytes(32, "big", signed=True) for value in (-3, 5))
SEAL = ZK + bytes(99)
NOW = 1_000
QUICK = Patience(retry_first=0.01, retry_most=0.03)
OUTPUT = UNSEALED.output


@dataclass
class Service:
    """One that was told of `models`; `refusal` (status, name) is answered to whoever submits or validates.

    seconds: of one proof by itself. better: its seal once it was asked for another one.
    """

    models: dict[bytes, dict[bytes, int]] = field(default_factory=lambda: {MODEL: {CIRCUIT.id: 1}})
    eta: float | None = 2.0
    seconds: float | None = 1.0
    queued: int = 0
    down: bool = False
    refusal: tuple[int, str] | None = None
    state: ProofState = ProofState.PROVING
    seal: bytes = SEAL
    better: bytes | None = None
    tasks: dict[str, ProofTask] = field(default_factory=dict)
    submitted: int = 0
    again: int = 0
    validated: int = 0
    looks: int = 0
    cancelled: list[str] = field(default_factory=list)

    async def info(self, _: web.Request) -> web.Response:
        eta = {} if self.eta is None else {CIRCUIT.id: self.eta}
        seconds = {} if self.seconds is None else {CIRCUIT.id: self.seconds}
        return self._reply(info_json(ProverInfo(self.models, "dev-srs", self.queued, eta, seconds)))

    async def submit(self, http: web.Request) -> web.Response:
        self.submitted += 1
        if self.refusal is not None:
            return _refusal(*self.refusal)
        task = posted(body := await http.json())
        if not self.down:
            self.tasks[task.id] = task
            if again_of(body) and self.state is ProofState.DONE:
                self.again += 1
                self.seal = self.better or self.seal
        return self._reply(self._status(task.id))

    async def validate(self, http: web.Request) -> web.Response:
        self.validated += 1
        if self.refusal is not None:
            return _refusal(*self.refusal)
        return self._reply({"valid": posted(await http.json()).id})

    async def look(self, http: web.Request) -> web.Response:
        self.looks += 1
        if (proof := http.match_info["id"]) not in self.tasks:
            return _refusal(404, "UnknownProof")
        return self._reply(self._status(proof))

    async def cancel(self, http: web.Request) -> web.Response:
        self.cancelled.append(proof := http.match_info["id"])
        if proof not in self.tasks and not self.down:
            return _refusal(404, "UnknownProof")
        return self._reply(self._status(proof))

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/vouch/v1/info", self.info)
        app.router.add_post("/vouch/v1/proofs", self.submit)
        app.router.add_post("/vouch/v1/validate", self.validate)
        app.router.add_get("/vouch/v1/proofs/{id}", self.look)
        app.router.add_delete("/vouch/v1/proofs/{id}", self.cancel)
        async with listening(app) as url:
            yield url

    def _status(self, proof: str) -> dict[str, Any]:
        seal = self.seal if self.state is ProofState.DONE else None
        eta = None if self.state.ended else self.eta
        return status_json(ProofStatus(proof, self.state, 0, eta, seal, "it broke"))

    def _reply(self, body: dict[str, Any]) -> web.Response:
        return _refusal(503, "Stopping") if self.down else web.json_response(body)


def _refusal(status: int, name: str) -> web.Response:
    return web.json_response({"error": {"name": name, "message": "no"}}, status=status)


class KnowingModels(ModelRegistry):
    """A registry that knows of the circuits a test tells it of; nothing else of it is asked."""

    def __init__(self) -> None:
        super().__init__(Rpc(NOWHERE), HUB)
        self.circuits = {CIRCUIT.id: BoundCircuit.of(CIRCUIT, HUB)}
        self.asked = 0

    async def circuit_of(self, model_id: bytes, circuit_id: bytes) -> BoundCircuit:
        self.asked += 1
        if circuit_id not in self.circuits:
            raise Reverted(ContractError("UnknownCircuit", {}, "bind it", b""))
        return self.circuits[circuit_id]


class KnowingSeals(SealCheck):
    """A verifier that refuses what a test tells it to."""

    def __init__(self) -> None:
        super().__init__(Rpc(NOWHERE), HUB)
        self.refusals: dict[bytes, str] = {}
        self.tried: list[tuple[bytes, bytes, Claim]] = []

    async def why_refused(self, seal: bytes, trust: bytes, claim: Claim) -> str:
        self.tried.append((seal, trust, claim))
        return self.refusals.get(seal, "")


async def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end, "not so after 30 s"
        await asyncio.sleep(0.01)


@dataclass
class Made:
    """A prover, and what a test has to say about it."""

    prover: ZkProver
    service: Service
    seals: KnowingSeals
    circuits: Circuits

    async def prove(self, job: Job, *, patient: bool = True) -> ZkProof:
        found = await self._prove(job, patient)
        assert found is not None
        return found

    async def _prove(self, job: Job, patient: bool) -> ZkProof | None:
        async with asyncio.timeout(30):
            return await self.prover.prove(job, asyncio.Event(), lambda _: None, patient=patient)


def at_once(_: int) -> float:
    """A lane without blocks to wait for."""
    return 0.0


@asynccontextmanager
async def prover(
    store: Store, service: Service, lane: Callable[[int], float] = at_once
) -> AsyncIterator[Made]:
    async with service.serve() as url, ProverClient(url, timeout=2.0) as client:
        circuits = Circuits(
            ZkConfig(url, slack=1.5, margin=10.0, poll=0.02, dev=True), client, KnowingModels()
        )
        seals = KnowingSeals()
        made = ZkProver(CHAIN_ID, HUB, store, circuits, client, seals, lambda: NOW, lane, QUICK)
        yield Made(made, service, seals, circuits)


def answered(store: Store, **changes: Any) -> Job:
    log = requested(block(2), **{"route": ZK, "trust": CIRCUIT.id} | changes)
    store.advance([block(2)], [replace(log, input=INPUT)], KEEP)
    store.answered(log.id, UNSEALED)
    return job_of(store, log.id)


def job_of(store: Store, request: bytes) -> Job:
    job = store.get(request)
    assert job is not None
    return job


def task_of(job: Job) -> ProofTask:
    item = Item(job.id, INPUT, OUTPUT)
    return ProofTask(CHAIN_ID, HUB, OPERATOR, MODEL, CIRCUIT.id, (item,))
