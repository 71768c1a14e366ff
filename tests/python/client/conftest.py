"""A real node and a real relayer in this process, on the shared chain."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import pytest_asyncio
from coincurve import PrivateKey

from tests.python.client.gaps import Gaps
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import ModelRegistry, NodeRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.client import Client
from vouch.node.config import NodeConfig
from vouch.node.service import serve as serve_node
from vouch.protocol.manifest import Manifest
from vouch.relayer.config import CosignerEndpoint, NodeEndpoint, Patience, QuorumConfig, RelayerConfig
from vouch.relayer.service import serve as serve_relayer
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.echo import EchoRuntime
from vouch.runtimes.onnx import OnnxRuntime

RISK_FILE = Path(str(files("vouch").joinpath("models", "risk.onnx")))
PRICE = 10**14
QUICK = Patience(poll=0.2, retry_first=0.05, margin=0.5, nodes=1.0)


@dataclass(frozen=True)
class World:
    """Models published by account 0, an operator that offers them, and its node's `url` while one runs."""

    rpc: Rpc
    deployment: Deployment
    operator: LocalKey
    secret: bytes
    risk: Manifest
    echo: Manifest
    folder: Path
    anvil: Anvil
    url: str | None = None

    def client(self, account: int = 4) -> Client:
        return Client(self.rpc, self.anvil.accounts[account], deployment=self.deployment, poll=0.05)


@pytest_asyncio.fixture(loop_scope="session")
async def world(
    anvil: Anvil,
    rpc: Rpc,
    deployment: Deployment,
    sender: TxSender,
    sender_of: Callable[[LocalKey], TxSender],
    models: ModelRegistry,
    nodes: NodeRegistry,
    tmp_path: Path,
) -> World:
    """Everything but running services: what is asked stays unanswered."""
    secret = secrets.token_bytes(32)
    operator = LocalKey(secret)
    risk, echo = manifest_from_onnx(RISK_FILE, "risk"), EchoRuntime().manifest
    await rpc.call("anvil_setBalance", operator.address, hex(10**21))
    own = sender_of(operator)
    await own.transact(nodes.register("http://127.0.0.1:9"))
    for manifest in (risk, echo):
        await sender.transact(models.publish(manifest.name, bytes(manifest)))
        await own.transact(nodes.set_price(manifest.model_id, PRICE))
    return World(rpc, deployment, operator, secret, risk, echo, tmp_path, anvil)


@pytest_asyncio.fixture(loop_scope="session")
async def live(world: World) -> AsyncIterator[World]:
    """The same with a running node and relayer; the operator is a quorum of one."""
    loop = asyncio.get_running_loop()
    node_up: asyncio.Future[str] = loop.create_future()
    relayer_up: asyncio.Future[str | None] = loop.create_future()
    stop = asyncio.Event()
    node = NodeConfig(
        models=(("risk", OnnxRuntime(RISK_FILE, world.risk)), ("echo", EchoRuntime())),
        journal=world.folder / "journal.sqlite",
        key=PrivateKey(world.secret),
        port=0,
        cosign=True,
        shutdown_seconds=0.5,
    )
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        stack.callback(stop.set)
        tasks.create_task(serve_node(node, ready=node_up.set_result, stop=stop))
        url = await node_up
        relayer = RelayerConfig(
            rpc_url=world.anvil.http_url,
            hub=world.deployment.hub,
            nodes=(NodeEndpoint(url),),
            database=world.folder / "relayer.sqlite",
            ws_url=world.anvil.ws_url,
            start_block=world.deployment.block,
            patience=QUICK,
            quorum=QuorumConfig(1, (CosignerEndpoint(url),)),
        )
        tasks.create_task(
            serve_relayer(relayer, world.anvil.accounts[2], ready=relayer_up.set_result, stop=stop)
        )
        await relayer_up
        yield replace(world, url=url)


@pytest_asyncio.fixture(loop_scope="session")
async def gaps(world: World) -> Gaps:
    """For answers that come before their proof."""
    return await Gaps.open(world.rpc, world.deployment, world.operator, world.anvil.accounts)
