"""A chain with Vouch on it, a real node with an echo model, and relayers."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from coincurve import PrivateKey

from tests.support.terms import deadline_in, make_terms
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Hub, NodeRegistry, VerifierRouter
from vouch.chain.deploy import deploy
from vouch.chain.deployment import Deployment
from vouch.chain.events import RequestedLog, SettledLog, receipt_logs
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.node.config import NodeConfig
from vouch.node.enclave import Enclave
from vouch.node.service import serve as serve_node
from vouch.protocol.request import Request
from vouch.protocol.seal import address_of
from vouch.relayer.config import NodeEndpoint, Patience, RelayerConfig
from vouch.relayer.job import Job, JobStatus
from vouch.relayer.service import serve as serve_relayer
from vouch.relayer.store import Store
from vouch.runtimes.base import Runtime
from vouch.runtimes.echo import EchoRuntime

PRICE = 10**14
QUICK = Patience(poll=0.2, retry_first=0.05, retry_most=0.2, margin=1.0, rebroadcast=0.5, nodes=1.0)


@dataclass
class World:
    """One chain. Accounts: 0 deploys, 1 is the operator, 2 and 3 relay, 4 and up ask."""

    anvil: Anvil
    rpc: Rpc
    hub: Hub
    nodes: NodeRegistry
    router: VerifierRouter
    start_block: int
    folder: Path
    operator_key: PrivateKey
    model_id: bytes
    deployment: Deployment
    salts: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def operator(self) -> str:
        return address_of(self.operator_key.public_key)

    def sender(self, account: int) -> TxSender:
        return TxSender(self.rpc, self.anvil.accounts[account], poll=0.02)

    @asynccontextmanager
    async def node(
        self,
        *runtimes: Runtime,
        port: int = 0,
        name: str = "node",
        key: PrivateKey | None = None,
        cosign: bool = False,
        enclave: Enclave | None = None,
    ) -> AsyncIterator[str]:
        """A node of the operator, or of whoever has the key; gives its URL."""
        runtimes = runtimes or (EchoRuntime(),)
        config = NodeConfig(
            models=tuple((runtime.manifest.name, runtime) for runtime in runtimes),
            journal=self.folder / f"{name}.sqlite",
            key=key or self.operator_key,
            port=port,
            cosign=cosign,
            enclave=enclave,
            shutdown_seconds=0.5,
        )
        url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve_node(config, ready=url.set_result, stop=stop))
            try:
                yield await url
            finally:
                stop.set()

    def config(self, *nodes: str, name: str = "relayer", **changes: Any) -> RelayerConfig:
        made = RelayerConfig(
            rpc_url=self.anvil.http_url,
            hub=self.hub.address,
            nodes=tuple(NodeEndpoint(url) for url in nodes),
            database=self.folder / f"{name}.sqlite",
            ws_url=self.anvil.ws_url,
            start_block=self.start_block,
            patience=QUICK,
        )
        return replace(made, **changes)

    @asynccontextmanager
    async def relayer(self, config: RelayerConfig, account: int = 2) -> AsyncIterator[Store]:
        """A running relayer; gives a second view of its database."""
        up: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            key = self.anvil.accounts[account]
            tasks.create_task(serve_relayer(config, key, ready=up.set_result, stop=stop))
            try:
                await up
                with Store(config.database, read_only=True) as store:
                    yield store
            finally:
                stop.set()

    def terms(self, consumer: str, question: bytes, **changes: Any) -> Request:
        plain = {"consumer": consumer, "deliver_by": deadline_in(600), "model_id": self.model_id}
        return make_terms(question, **plain | {"salt": next(self.salts)} | changes)

    async def ask(self, question: bytes = b"how risky?", account: int = 4, **changes: Any) -> bytes:
        """An account asks; returns the request id once it is mined."""
        sender = self.sender(account)
        terms = self.terms(sender.address, question, **changes)
        receipt = await sender.transact(self.hub.request(terms, question))
        return request_ids(receipt_logs(receipt, self.hub.address))[0]

    async def ask_many(self, count: int, account: int = 4) -> list[bytes]:
        """An account asks `count` times in one block; the next ones are mined by hand."""
        sender, ids = self.sender(account), []
        await self.rpc.call("evm_setAutomine", False)
        sent = []
        for i in range(count):
            question = b"question %d" % i
            terms = self.terms(sender.address, question)
            ids.append(terms.id(self.anvil.chain_id, self.hub.address))
            sent.append(await sender.send(self.hub.request(terms, question), gas=150_000, simulate=False))
        await self.rpc.call("evm_mine")
        return ids

    async def fulfilments(self, account: int = 2) -> int:
        """How many transactions an account has in blocks."""
        return int(
            await self.rpc.call("eth_getTransactionCount", self.anvil.accounts[account].address, "latest"), 16
        )

    async def settled_logs(self, request_id: bytes) -> int:
        """How often the hub announced that a request is settled."""
        topics = [SettledLog.topic(), request_id]
        query = {"address": self.hub.address, "topics": topics, "fromBlock": "0x0"}
        return len(await self.rpc.call("eth_getLogs", query))


def request_ids(logs: list[Any]) -> list[bytes]:
    return [log.id for log in logs if isinstance(log, RequestedLog)]


@asynccontextmanager
async def world(folder: Path, **anvil: Any) -> AsyncIterator[World]:
    """A fresh chain with a deployment and a registered operator that offers the echo model."""
    async with Anvil(**anvil) as chain, Rpc(chain.http_url) as rpc:
        deployer = TxSender(rpc, chain.accounts[0], poll=0.02)
        deployment = await deploy(rpc, deployer)
        secret = PrivateKey(bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"))
        operator = TxSender(rpc, chain.accounts[1], poll=0.02)
        nodes = NodeRegistry(rpc, deployment.nodes)
        model = EchoRuntime().manifest
        await operator.transact(nodes.register("http://node.invalid"))
        await operator.transact(nodes.set_price(model.model_id, PRICE))
        yield World(
            anvil=chain,
            rpc=rpc,
            hub=Hub(rpc, deployment.hub),
            nodes=nodes,
            router=VerifierRouter(rpc, deployment.router),
            start_block=deployment.block,
            folder=folder,
            operator_key=secret,
            model_id=model.model_id,
            deployment=deployment,
        )


async def get_json(url: str) -> tuple[int, Any]:
    """HTTP status and body."""
    async with aiohttp.ClientSession() as http, http.get(url) as reply:
        return reply.status, await reply.json()


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < end, f"not so after {seconds} s"
        await asyncio.sleep(0.01)


async def ended(
    store: Store, request_id: bytes, status: JobStatus = JobStatus.DONE, seconds: float = 60.0
) -> Job:
    """The job once it has this status."""
    end = time.monotonic() + seconds
    while True:
        job = store.get(request_id)
        if job is not None and job.status is status:
            return job
        history = [] if job is None else store.steps(request_id)
        assert time.monotonic() < end, f"{job and job.status} instead of {status}: {history}"
        await asyncio.sleep(0.01)
