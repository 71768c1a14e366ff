"""A whole Vouch on this machine: chain, deployment, model, operator, node, relayer, and example consumers."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import NodeRegistry
from vouch.chain.deploy import create, deploy
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.cli import devnet_enclave, devnet_zk
from vouch.cli.children import Child
from vouch.cli.crew import Crew, crew
from vouch.cli.sources import onnx_manifest, read_manifest
from vouch.client import Client
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.fixed import DECIMALS
from vouch.protocol.manifest import Manifest
from vouch.protocol.quorum import Policy
from vouch.protocol.seal import SIGNED
from vouch.web.ports import free_port

RISK = "risk"
MAX_RISK = 10**18 // 5
"""Default probability up to which the example gate approves, 18 decimals."""
BASE_PRICE = 10**14
PRICE_PER_CALLBACK_GAS = 2 * 10**9
STAKE = 10**18
BALANCE = 10_000 * 10**18
ACCOUNTS = ("owner", "operator", "relayer", "user")
THRESHOLD = 2
"""Signatures that make a quorum's seal, of the operator's and the co-signers'."""
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Text:
    """A text model to serve: its manifest file and the OpenAI-compatible server behind it."""

    manifest: Path
    url: str


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A further operator's node, which co-signs: its own URL, and the one at which the relayer reaches it."""

    url: str
    reached_at: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a devnet is made of; port 0 takes a free one. `folder` keeps keys, logs and databases.

    enclave: the node is in one that a development authority attests, and RiskGate asks on its route.
    circuits: circuit folders, whose models are served instead of the ONNX file; RiskGate asks the one named
    RISK on the zk route, and a service proves them.
    cosigners: by the names of their accounts; with any of them the relayer brings quorum seals.
    accounts: names of more accounts to make.
    """

    folder: Path
    deployments: Path
    rpc_port: int = 0
    node_port: int = 0
    relayer_port: int = 0
    block_time: float | None = None
    text: Text | None = None
    enclave: bool = False
    circuits: tuple[Path, ...] = ()
    accounts: tuple[str, ...] = ()
    cosigners: Mapping[str, Cosigner] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Devnet:
    """A running devnet. Its accounts are made for it; their keys are in `folder`, as hex files.

    crew: the processes beside the chain: "node", "relayer", "prover" if there are circuits, and the
    co-signers' by their accounts.
    image: id of the image that the node's enclave is said to run, if it is in one.
    prover_url: of the service that proves; None: there are no circuits.
    """

    anvil: Anvil
    accounts: Mapping[str, LocalKey]
    rpc: Rpc
    deployment: Deployment
    models: dict[str, Manifest]
    node_url: str
    relayer_url: str
    relayer_db: Path
    folder: Path
    cosigners: Mapping[str, Cosigner]
    crew: Crew
    image: bytes | None = None
    circuits: tuple[Path, ...] = ()
    prover_url: str | None = None

    @property
    def quorum(self) -> Policy:
        """Whose signatures make a seal of the quorum route."""
        return Policy.of(THRESHOLD, [self.accounts[name].address for name in ("operator", *self.cosigners)])

    def key_file(self, account: str) -> Path:
        """Where the key of one of `accounts` is."""
        return _key_file(self.folder, account)

    async def start_cosigner(self, account: str) -> None:
        """Starts the co-signing node of an account, the first time or again."""
        url = self.cosigners[account].url
        arguments = [*_node_arguments(self, account, url), "--cosign"]
        child = Child(account, arguments, {}, self.folder / f"{account}.log")
        await self.crew.start(child, f"{url}/v2/health/ready")


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
        names = (*ACCOUNTS, *plan.cosigners, *plan.accounts)
        accounts = {name: await _account(rpc, plan.folder, name) for name in names}
        deployment = await deploy(rpc, TxSender(rpc, accounts["owner"]), name="devnet")
        if plan.enclave:
            progress("deploying the enclave route, which trusts a development authority")
            deployment = await devnet_enclave.deploy(rpc, accounts["owner"], deployment, plan.folder)
        progress("publishing the models")
        models = await _publish(rpc, accounts["owner"], deployment, plan, progress)
        net = Devnet(
            anvil=anvil,
            accounts=accounts,
            rpc=rpc,
            deployment=deployment,
            models=models,
            node_url=local_url(plan.node_port),
            relayer_url=local_url(plan.relayer_port),
            relayer_db=plan.folder / "relayer.sqlite",
            folder=plan.folder,
            cosigners=plan.cosigners,
            crew=await stack.enter_async_context(crew()),
            image=devnet_enclave.image() if plan.enclave else None,
            circuits=plan.circuits,
            prover_url=local_url() if plan.circuits else None,
        )
        progress("registering the operator: node address, price, stake")
        await register(net, "operator", net.node_url)
        progress("deploying the example consumers")
        net = replace(net, deployment=await _examples(net))
        net.deployment.save(plan.deployments)
        progress("starting the node" + "".join(f", and that of {name}" for name in plan.cosigners))
        async with asyncio.TaskGroup() as starting:
            if net.prover_url is not None:
                progress("starting the prover, which proves zeros once with each circuit")
                prover = devnet_zk.prover(net.circuits, net.folder, net.prover_url)
                starting.create_task(net.crew.start(prover, f"{net.prover_url}/health/ready"))
            starting.create_task(net.crew.start(_node(net, plan.text), f"{net.node_url}/v2/health/ready"))
            for name in plan.cosigners:
                starting.create_task(net.start_cosigner(name))
        progress("starting the relayer")
        await net.crew.start(_relayer(net, plan.deployments), f"{net.relayer_url}/healthz")
        yield net


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
    rpc: Rpc, owner: LocalKey, deployment: Deployment, plan: Plan, progress: Progress
) -> dict[str, Manifest]:
    if plan.circuits:
        proven = await devnet_zk.publish(rpc, owner, deployment, plan.circuits, progress)
        return {manifest.name: manifest for manifest in proven}
    manifests = [onnx_manifest(risk_model(), RISK)]
    if plan.text is not None:
        manifests.append(read_manifest(plan.text.manifest))
    async with Client(rpc, owner, deployment=deployment) as client:
        for manifest in manifests:
            await client.publish(manifest)
    return {manifest.name: manifest for manifest in manifests}


async def register(net: Devnet, account: str, url: str) -> None:
    """Makes an account an operator: node address, price, stake."""
    nodes, sender = NodeRegistry(net.rpc, net.deployment.nodes), TxSender(net.rpc, net.accounts[account])
    await sender.transact(nodes.register(url))
    for manifest in net.models.values():
        await sender.transact(nodes.set_price(manifest.model_id, BASE_PRICE, PRICE_PER_CALLBACK_GAS))
    await sender.transact(nodes.stake(STAKE))


async def _examples(net: Devnet) -> Deployment:
    sender, hub, anyone = TxSender(net.rpc, net.accounts["owner"]), net.deployment.hub, bytes(32)
    risk = net.models[RISK]
    route = (SIGNED, anyone) if net.image is None else (ENCLAVE, net.image)
    if net.circuits:
        route = devnet_zk.terms_of(risk)
    made = {"RiskGate": await create(sender, "RiskGate", hub, risk.model_id, *route, max_risk(risk))}
    for manifest in net.models.values():
        if manifest.kind == "text":
            made["ChatOracle"] = await create(sender, "ChatOracle", hub, manifest.model_id, SIGNED, anyone)
    addresses = {name: receipt.contract for name, receipt in made.items() if receipt.contract is not None}
    return replace(net.deployment, examples=addresses)


def _node(net: Devnet, text: Text | None) -> Child:
    arguments = _node_arguments(net, "operator", net.node_url)
    if text is not None:
        arguments += ["--text", str(text.manifest), text.url]
    if net.image is not None:
        arguments += ["--enclave", "dev", "--dev-authority", str(devnet_enclave.authority(net.folder))]
    return Child("node", arguments, {}, net.folder / "node.log")


def _node_arguments(net: Devnet, account: str, url: str) -> list[str]:
    journal = "journal" if account == "operator" else f"{account}-journal"
    arguments = ["node", "--port", url.rpartition(":")[2]]
    for folder in net.circuits:
        arguments += ["--circuit", str(folder)]
    if not net.circuits:
        arguments += ["--onnx", f"{RISK}={risk_model()}"]
    arguments += [
        "--key-file",
        str(net.key_file(account)),
        "--journal",
        str(net.folder / f"{journal}.sqlite"),
    ]
    return [*arguments, "--hub", str(net.deployment.chain_id), net.deployment.hub]


def _relayer(net: Devnet, deployments: Path) -> Child:
    arguments = ["relayer", "--rpc", net.anvil.http_url, "--ws", net.anvil.ws_url, "--node", net.node_url]
    arguments += ["--deployments", str(deployments), "--database", str(net.relayer_db)]
    arguments += ["--key-file", str(net.key_file("relayer"))]
    arguments += ["--status-port", net.relayer_url.rpartition(":")[2]]
    if net.prover_url is not None:
        arguments += ["--prover", net.prover_url]
    if net.cosigners:
        arguments += ["--threshold", str(THRESHOLD)]
        for url in (net.node_url, *(cosigner.reached_at for cosigner in net.cosigners.values())):
            arguments += ["--cosigner", url]
    return Child("relayer", arguments, {}, net.folder / "relayer.log")


def clean(folder: Path) -> None:
    """Removes what an earlier devnet left: databases of a chain that is gone would only be refused."""
    for name in ("journal.sqlite", "relayer.sqlite"):
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    for name in ("node.log", "relayer.log"):
        (folder / name).unlink(missing_ok=True)


def max_risk(manifest: Manifest) -> int:
    """MAX_RISK in the decimals of a model's output."""
    return int(MAX_RISK * 10 ** manifest.outputs[0].scale // 10**DECIMALS)


def risk_model() -> Path:
    """The risk model that ships with Vouch."""
    return Path(str(files("vouch").joinpath("models", "risk.onnx")))


def local_url(port: int = 0) -> str:
    """An address on this machine; port 0 takes a free one."""
    return f"http://127.0.0.1:{port or free_port()}"
