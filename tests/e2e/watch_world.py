"""A chain where an operator delivers answers of the risk model on the quorum route, and watchers."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.contract import Contract, creation
from tests.support.terms import make_terms
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Hub, ModelRegistry, NodeRegistry, VerifierRouter
from vouch.chain.deploy import deploy
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.claim import Claim
from vouch.protocol.codec import decode_tensors, encode_tensors
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Manifest
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.status import Status
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.onnx import OnnxRuntime
from vouch.watcher.config import Believed, Budget, Models, Patience, WatchConfig
from vouch.watcher.finding import Finding, Kind
from vouch.watcher.service import Watcher

RISK = Path(str(files("vouch").joinpath("models", "risk.onnx")))
ETHER = 10**18
BOND = ETHER // 100
FEATURES = {"x": np.array([[62, 0.31, 1.4, 1, 7]], np.float32)}
QUICK = Patience(poll=0.1, retry_first=0.05, retry_most=0.2, rest=0.2, tidy=0.2, check_up=0.5, ask=2.0)
DAY = 24 * 3600


@dataclass
class Watched:
    """One watcher at work, and what it has said so far."""

    watcher: Watcher
    url: str | None
    findings: list[Finding]

    async def said(self, kind: Kind, request: bytes, text: str = "", seconds: float = 60.0) -> Finding:
        """Waits for a line."""
        end = time.monotonic() + seconds
        while True:
            for finding in self.findings:
                if finding.kind is kind and finding.request == request and text in finding.text:
                    return finding
            assert time.monotonic() < end, f"no {kind} about 0x{request.hex()} with {text!r}: {self.findings}"
            await asyncio.sleep(0.01)

    def kinds(self, request: bytes) -> list[Kind]:
        return [finding.kind for finding in self.findings if finding.request == request]


@dataclass
class World:
    """One chain. Accounts: 0 deploys, 1 is the operator, 4 asks, 5 to 7 are the quorum, 8 and 9 watch."""

    anvil: Anvil
    rpc: Rpc
    deployment: Deployment
    hub: Hub
    nodes: NodeRegistry
    folder: Path
    manifest: Manifest
    honest: bytes
    input: bytes
    salts: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def operator(self) -> LocalKey:
        return self.anvil.accounts[1]

    @property
    def account(self) -> LocalKey:
        """The watcher's."""
        return self.anvil.accounts[8]

    @property
    def policy(self) -> Policy:
        return Policy.of(2, [key.address for key in self.anvil.accounts[5:8]])

    def sender(self, account: int) -> TxSender:
        return TxSender(self.rpc, self.anvil.accounts[account], poll=0.02)

    def id(self, terms: Request) -> bytes:
        return terms.id(self.anvil.chain_id, self.hub.address)

    async def now(self) -> int:
        return int((await self.rpc.call("eth_getBlockByNumber", "latest", False))["timestamp"], 16)

    async def ask(self, **changes: Any) -> Request:
        """The consumer asks about FEATURES, with a window of a day in which a bond demands the proof."""
        terms = await self._terms(**changes)
        await self.sender(4).transact(self.hub.request(terms, self.input))
        return terms

    async def ask_unmined(self) -> Request:
        """The same, for the next block."""
        terms = await self._terms()
        await self.sender(4).send(self.hub.request(terms, self.input))
        return terms

    async def _terms(self, **changes: Any) -> Request:
        plain: dict[str, Any] = {
            "consumer": self.anvil.accounts[4].address,
            "deliver_by": await self.now() + 3600,
            "model_id": self.manifest.model_id,
            "salt": next(self.salts),
            "route": QUORUM,
            "trust": self.policy.trust,
            "window": DAY,
            "prove_within": 3600,
            "exposure": ETHER // 10,
            "bond": BOND,
        }
        return make_terms(self.input, **plain | changes)

    def claim(self, terms: Request, output: bytes) -> Claim:
        return Claim(self.id(terms), terms.model_id, terms.input_hash, keccak(output), self.operator.address)

    def signature(self, terms: Request, output: bytes, key: LocalKey | None = None) -> bytes:
        """Of the operator, or of another account for the operator's claim."""
        signer = key or self.operator
        return signer.sign_claim(self.claim(terms, output), self.anvil.chain_id, self.hub.address).proof

    def delivery(self, terms: Request, output: bytes) -> Call:
        return self.hub.deliver(terms, self.operator.address, output, self.signature(terms, output))

    async def deliver(self, terms: Request, output: bytes) -> bytes:
        """Sent by the operator; gives the request id."""
        await self.sender(1).transact(self.delivery(terms, output))
        return self.id(terms)

    async def prove(self, terms: Request, output: bytes) -> Receipt:
        """The quorum signs whatever it is given."""
        signers = self.anvil.accounts[5:7]
        signed = {key.address: self.signature(terms, output, key) for key in signers}
        seal = bytes(QuorumSeal(self.policy, signed).seal)
        return await self.sender(1).transact(self.hub.settle(terms, self.operator.address, output, seal))

    def moved(self, by: float) -> bytes:
        """The honest output, `by` away from the truth."""
        outputs = decode_tensors(self.manifest.outputs, self.honest)
        return encode_tensors(
            self.manifest.outputs,
            {name: (array.astype(np.float64) + by).astype(np.float32) for name, array in outputs.items()},
        )

    async def publish(self, manifest: Manifest) -> None:
        models = ModelRegistry(self.rpc, self.deployment.models)
        await self.sender(0).transact(models.publish(manifest.name, bytes(manifest)))

    async def later(self, seconds: int) -> None:
        """Time passes, and a block is mined."""
        await self.rpc.call("evm_increaseTime", seconds)
        await self.rpc.call("evm_mine")

    async def kill_route(self, route: bytes) -> None:
        router = VerifierRouter(self.rpc, self.deployment.router)
        await self.sender(0).transact(router.tombstone(route))

    async def token(self, *holders: LocalKey) -> Contract:
        """An ERC-20 token; each holder gets an ether's worth as credit in the hub."""
        made = await self.sender(0).transact(creation("HostileToken"))
        assert made.contract is not None
        token = Contract(self.rpc, "HostileToken", made.contract)
        for holder in holders:
            sender = TxSender(self.rpc, holder, poll=0.02)
            await sender.transact(token.call("mint", holder.address, ETHER))
            await sender.transact(token.call("approve", self.hub.address, ETHER))
            await sender.transact(self.hub.deposit(ETHER, holder.address, token.address))
        return token

    async def has(self, request: bytes, status: Status) -> bool:
        """Whether the request stands there now."""
        return await self.hub.status_of(request) is status

    async def balance(self, key: LocalKey) -> int:
        return int(await self.rpc.call("eth_getBalance", key.address, "latest"), 16)

    async def gas_spent(self, key: LocalKey) -> int:
        """Wei that an account paid for gas in all its transactions."""
        spent = 0
        head = int(await self.rpc.call("eth_blockNumber"), 16)
        for number in range(head + 1):
            for receipt in await self.rpc.call("eth_getBlockReceipts", hex(number)):
                if receipt["from"].lower() == key.address.lower():
                    spent += int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        return spent

    async def sent(self, key: LocalKey) -> int:
        """Transactions of an account in blocks."""
        return int(await self.rpc.call("eth_getTransactionCount", key.address, "latest"), 16)

    def config(self, name: str = "watch", **changes: Any) -> WatchConfig:
        made = WatchConfig(
            rpc_url=self.anvil.http_url,
            hub=self.hub.address,
            database=self.folder / f"{name}.sqlite",
            models=Models(onnx=((None, RISK),)),
            ws_url=self.anvil.ws_url,
            start_block=self.deployment.block,
            budgets={NATIVE: Budget(ETHER // 10, ETHER)},
            believed=Believed(frozenset({self.policy.trust})),
            patience=QUICK,
        )
        return replace(made, **changes)

    @asynccontextmanager
    async def watcher(
        self, config: WatchConfig | None = None, key: LocalKey | None = None
    ) -> AsyncIterator[Watched]:
        """A running watcher, which has read everything up to now."""
        config = config or self.config()
        up: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        findings: list[Finding] = []
        watcher = Watcher(config, None if config.dry_run else key or self.account, findings.append)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watcher.run(up.set_result))
            try:
                yield Watched(watcher, await up, findings)
            finally:
                watcher.stop()


@asynccontextmanager
async def world(folder: Path, endpoint: str = "http://127.0.0.1:9", **anvil: Any) -> AsyncIterator[World]:
    """A fresh chain with a deployment, the published risk model and an operator with ten ether of stake."""
    async with Anvil(**anvil) as chain, Rpc(chain.http_url) as rpc:
        deployment = await deploy(rpc, TxSender(rpc, chain.accounts[0], poll=0.02))
        nodes = NodeRegistry(rpc, deployment.nodes)
        operator = TxSender(rpc, chain.accounts[1], poll=0.02)
        await operator.transact(nodes.register(endpoint))
        await operator.transact(nodes.stake(10 * ETHER))
        manifest = manifest_from_onnx(RISK, "risk")
        given = encode_tensors(manifest.inputs, FEATURES)
        w = World(
            anvil=chain,
            rpc=rpc,
            deployment=deployment,
            hub=Hub(rpc, deployment.hub),
            nodes=nodes,
            folder=folder,
            manifest=manifest,
            honest=await OnnxRuntime(RISK, manifest).run(given),
            input=given,
        )
        await w.publish(manifest)
        yield w


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < end, f"not so after {seconds} s"
        await asyncio.sleep(0.01)
