"""Nodes that attest whatever a test wants, the contracts that look at it, and a registrar between them."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from tests.support.server import listening
from vouch.attestation.deploy import deploy_enclaves
from vouch.attestation.dev import DevAuthority
from vouch.attestation.dev_machine import DevInstance
from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.chain.enclave import EnclaveKey, EnclaveKeys, NitroAttestation
from vouch.chain.hexes import to_hex
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.node.enclave import DEV_PCRS
from vouch.node.enclave_key import make_key
from vouch.protocol.enclave import Curve, EnclaveIdentity, image_id, user_data
from vouch.protocol.enclave import nonce as nonce_of
from vouch.relayer.config import NodeEndpoint
from vouch.relayer.nodes import NodePool
from vouch.relayer.peers import EnclaveInfo, Node, Reach
from vouch.relayer.registrar import Evidence, Registrar

IMAGE = image_id(*(DEV_PCRS[number] for number in range(3)))
DEPTH = 2


@dataclass
class Source:
    """A node in an enclave that attests what it is asked to, but for what is set here.

    now: its clock; late: seconds by which that is behind. raw: sent instead. spoil: with a wrong signature.
    """

    instance: DevInstance
    operator: str
    now: Callable[[], float]
    key: EnclaveIdentity = field(default_factory=lambda: make_key(Curve.SECP256K1).identity)
    late: int = 0
    raw: bytes | None = None
    spoil: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)

    @property
    def info(self) -> EnclaveInfo:
        return EnclaveInfo("dev", self.key.id, self.key.curve, IMAGE)

    async def attest(self, http: web.Request) -> web.Response:
        self.asked = body = await http.json()
        bound = user_data(body["chainId"], body["keys"], self.operator)
        fresh = nonce_of(body["blockNumber"], bytes.fromhex(body["blockHash"][2:]))
        fields: dict[str, Any] = {"public_key": self.key.spki, "user_data": bound, "nonce": fresh}
        fields |= self.changes
        at_ms = round(1000 * (self.now() - self.late))
        pcrs = fields.pop("pcrs", DEV_PCRS)
        raw = self.raw or self.instance.document(pcrs, **fields, at_ms=at_ms)
        if self.spoil:
            raw = raw[:-1] + bytes([raw[-1] ^ 1])
        return web.json_response({"document": to_hex(raw)})

    async def tell(self, _: web.Request) -> web.Response:
        inside = {"kind": "dev", "key": self.key.id, "imageId": to_hex(IMAGE)}
        inside["curve"] = self.key.curve.name.lower()
        return web.json_response({"operator": self.operator, "models": [], "enclave": inside})


@dataclass
class Bench:
    """One registrar, the nodes it asks (each at the place of its source), and the contracts."""

    sources: list[Source]
    pool: NodePool
    registrar: Registrar
    keys: EnclaveKeys
    sender: TxSender

    @property
    def source(self) -> Source:
        return self.sources[0]

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.pool.nodes

    def now(self) -> int:
        """The next block's time."""
        return int(self.source.now())

    async def evidence(self, index: int = 0) -> Evidence:
        """Of one node."""
        source = self.sources[index]
        known = await self.keys.key_of(source.key.id)
        return await self.registrar.evidence(self.nodes[index], source.info, known, self.now())

    async def send(self, evidence: Evidence) -> None:
        await self.keys.rpc.call("evm_mine")  # the newest block is older than the document
        await self.sender.transact(evidence.call)

    async def register(self, index: int = 0) -> EnclaveKey:
        """Has one node's key let in."""
        await self.send(await self.evidence(index))
        return await self.keys.key_of(self.sources[index].key.id)


@asynccontextmanager
async def bench(
    rpc: Rpc,
    deployment: Deployment,
    accounts: tuple[LocalKey, ...],
    sender_of: Callable[[LocalKey], TxSender],
) -> AsyncIterator[Bench]:
    """Two nodes of account 1, attested by one authority."""
    authority, sender = DevAuthority.create(seed=b"relayer"), sender_of(accounts[0])
    made = await deploy_enclaves(rpc, sender, replace(deployment, name="dev"), root=authority.fingerprint)
    keys = EnclaveKeys(rpc, made.enclaves["EnclaveKeys"])
    nitro = NitroAttestation(rpc, made.enclaves["NitroAttestation"])
    # The chain's clock stood still while earlier tests' blocks were taken back.
    pending = await rpc.call("eth_getBlockByNumber", "pending", False)
    behind = time.time() - int(pending["timestamp"], 16)
    machine = authority.instance(at=int(time.time() - behind))
    sources = [Source(machine, accounts[1].address, lambda: time.time() - behind) for _ in range(2)]
    reach = Reach(made.chain_id, made.hub, timeout=5.0, pause=0.05)
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(_served(source)) for source in sources]
        pool = await stack.enter_async_context(NodePool([NodeEndpoint(url) for url in urls], reach))
        await pool.refresh_all(0.0)
        yield Bench(sources, pool, Registrar(pool, keys, nitro, made.chain_id, DEPTH), keys, sender)


@asynccontextmanager
async def _served(source: Source) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/vouch/v1/info", source.tell)
    app.router.add_post("/vouch/v1/attestations", source.attest)
    async with listening(app) as url:
        yield url
