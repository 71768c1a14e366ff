"""A whole Vouch on this machine: chain, deployment, model, operator, node, relayer, and example consumers."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from socket import create_server

from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import NodeRegistry
from vouch.chain.deploy import create, deploy
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.cli.children import Child
from vouch.cli.sources import onnx_manifest, read_manifest
from vouch.client import Client
from vouch.protocol.manifest import Manifest
from vouch.protocol.seal import SIGNED

RISK = "risk"
MAX_RISK = 10**18 // 5
"""Default probability up to which the example gate approves, 18 decimals."""
BASE_PRICE = 10**14
PRICE_PER_CALLBACK_GAS = 2 * 10**9
STAKE = 10**18
BALANCE = 10_000 * 10**18
ACCOUNTS = ("owner", "operator", "relayer", "user")
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Text:
    """A text model to serve: its manifest file and the OpenAI-compatible server behind it."""

    manifest: Path
    url: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a devnet is made of; port 0 takes a free one. `folder` keeps keys, logs and databases."""

    folder: Path
    deployments: Path
    rpc_port: int = 0
    node_port: int = 0
    relayer_port: int = 0
    block_time: float | None = None
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Devnet:
    """A running devnet. Its four accounts are made for it; their keys are in `folder`, as hex files."""

    anvil: Anvil
    accounts: Mapping[str, LocalKey]
    rpc: Rpc
    deployment: Deployment
    models: dict[str, Manifest]
    node_url: str
    relayer_url: str
    relayer_db: Path
    folder: Path

    def key_file(self, account: str) -> Path:
        """Where the key of one of `accounts` is."""
        return _key_file(self.folder, account)


@asynccontextmanager
async def devnet(plan: Plan, progress: Progress) -> AsyncIterator[Devnet]:
    """Starts everything, in order, and stops it in reverse.

    A part that ends on its own cancels the body, and ChildDied comes out in an exception group.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        progress("starting a local chain (Anvil)")
        anvil = await stack.enter_async_context(Anvil(plan.rpc_port, block_time=plan.block_time))
        rpc = await stack.enter_async_context(Rpc(anvil.http_url))
        progress("deploying hub, registries, router and verifiers")
        accounts = {name: await _account(rpc, plan.folder, name) for name in ACCOUNTS}
        deployment = await deploy(rpc, TxSender(rpc, accounts["owner"]), name="devnet")
        progress("publishing the models")
        models = await _publish(rpc, accounts["owner"], deployment, plan.text)
        node_port, relayer_port = _free(plan.node_port), _free(plan.relayer_port)
        net = Devnet(
            anvil=anvil,
            accounts=accounts,
            rpc=rpc,
            deployment=deployment,
            models=models,
            node_url=f"http://127.0.0.1:{node_port}",
            relayer_url=f"http://127.0.0.1:{relayer_port}",
            relayer_db=plan.folder / "relayer.sqlite",
            folder=plan.folder,
        )
        progress("registering the operator: node address, price, stake")
        await _register(net)
        progress("deploying the example consumers")
        net = replace(net, deployment=await _examples(net))
        net.deployment.save(plan.deployments)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        progress("starting the node")
        node = await stack.enter_async_context(_node(net, node_port, plan.text))
        await node.ready(f"{net.node_url}/v2/health/ready")
        progress("starting the relayer")
        relayer = await stack.enter_async_context(_relayer(net, relayer_port, plan.deployments))
        await relayer.ready(f"{net.relayer_url}/healthz")
        watching = [tasks.create_task(child.watch(), name=f"watch {child.name}") for child in (node, relayer)]
        try:
            yield net
        finally:
            for task in watching:
                task.cancel()


async def _account(rpc: Rpc, folder: Path, name: str) -> LocalKey:
    secret = secrets.token_bytes(32)
    file = os.open(_key_file(folder, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as writer:
        writer.write(secret.hex() + "\n")
    key = LocalKey(secret)
    await rpc.call("anvil_setBalance", key.address, hex(BALANCE))
    return key


def _key_file(folder: Path, account: str) -> Path:
    return folder / f"{account}.key"


async def _publish(
    rpc: Rpc, owner: LocalKey, deployment: Deployment, text: Text | None
) -> dict[str, Manifest]:
    manifests = [onnx_manifest(risk_model(), RISK)]
    if text is not None:
        manifests.append(read_manifest(text.manifest))
    async with Client(rpc, owner, deployment=deployment) as client:
        for manifest in manifests:
            await client.publish(manifest)
    return {manifest.name: manifest for manifest in manifests}


async def _register(net: Devnet) -> None:
    nodes, sender = NodeRegistry(net.rpc, net.deployment.nodes), TxSender(net.rpc, net.accounts["operator"])
    await sender.transact(nodes.register(net.node_url))
    for manifest in net.models.values():
        await sender.transact(nodes.set_price(manifest.model_id, BASE_PRICE, PRICE_PER_CALLBACK_GAS))
    await sender.transact(nodes.stake(STAKE))


async def _examples(net: Devnet) -> Deployment:
    sender, hub, anyone = TxSender(net.rpc, net.accounts["owner"]), net.deployment.hub, bytes(32)
    risk = net.models[RISK].model_id
    made = {"RiskGate": await create(sender, "RiskGate", hub, risk, SIGNED, anyone, MAX_RISK)}
    for manifest in net.models.values():
        if manifest.kind == "text":
            made["ChatOracle"] = await create(sender, "ChatOracle", hub, manifest.model_id, SIGNED, anyone)
    addresses = {name: receipt.contract for name, receipt in made.items() if receipt.contract is not None}
    return replace(net.deployment, examples=addresses)


def _node(net: Devnet, port: int, text: Text | None) -> Child:
    arguments = ["node", "--onnx", f"{RISK}={risk_model()}", "--port", str(port)]
    arguments += ["--key-file", str(net.key_file("operator"))]
    arguments += ["--journal", str(net.folder / "journal.sqlite")]
    arguments += ["--hub", str(net.deployment.chain_id), net.deployment.hub]
    if text is not None:
        arguments += ["--text", str(text.manifest), text.url]
    return Child("node", arguments, {}, net.folder / "node.log")


def _relayer(net: Devnet, port: int, deployments: Path) -> Child:
    arguments = ["relayer", "--rpc", net.anvil.http_url, "--ws", net.anvil.ws_url, "--node", net.node_url]
    arguments += ["--deployments", str(deployments), "--database", str(net.relayer_db)]
    arguments += ["--key-file", str(net.key_file("relayer")), "--status-port", str(port)]
    return Child("relayer", arguments, {}, net.folder / "relayer.log")


def clean(folder: Path) -> None:
    """Removes what an earlier devnet left: databases of a chain that is gone would only be refused."""
    for name in ("journal.sqlite", "relayer.sqlite"):
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    for name in ("node.log", "relayer.log"):
        (folder / name).unlink(missing_ok=True)


def risk_model() -> Path:
    """The risk model that ships with Vouch."""
    return Path(str(files("vouch").joinpath("models", "risk.onnx")))


def _free(port: int) -> int:
    if port:
        return port
    with create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
