"""The relayer's world with the enclave route: a development authority, nodes that it attests, later times."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.relayer_world import World, get_json, world
from tests.support.terms import deadline_in
from vouch.attestation.deploy import deploy_enclaves
from vouch.attestation.dev import DevAuthority
from vouch.attestation.dev_attester import DevAttester
from vouch.attestation.document import parse
from vouch.attestation.evidence import hints
from vouch.chain.enclave import EnclaveKey, EnclaveKeys
from vouch.node.enclave import DEV_PCRS, Enclave
from vouch.node.enclave_key import EnclaveKind
from vouch.protocol.enclave import ENCLAVE, Curve, image_id
from vouch.protocol.keccak import keccak
from vouch.relayer.config import EnclaveConfig, RelayerConfig
from vouch.relayer.store import Store
from vouch.runtimes.base import Runtime
from vouch.runtimes.echo import EchoRuntime

IMAGE = image_id(*(DEV_PCRS[number] for number in range(3)))
_REGISTERED = keccak(b"KeyRegistered(address,address,bytes32,uint8,uint40,bytes,bytes32[])")
SOON = {"retry_first": 0.2, "retry_most": 1.0}
"""Pauses of registrations that fail."""


class Counted:
    """An attester that counts its documents."""

    def __init__(self, inner: DevAttester) -> None:
        self._inner, self.documents = inner, 0

    async def attest(self, *, public_key: bytes, user_data: bytes, nonce: bytes) -> bytes:
        self.documents += 1
        return await self._inner.attest(public_key=public_key, user_data=user_data, nonce=nonce)


@dataclass
class EnclaveNode:
    """A node that runs, the id of its enclave's key, and the enclave."""

    url: str
    enclave: Enclave
    source: Counted

    @property
    def key(self) -> str:
        return self.enclave.key.identity.id


@dataclass
class EnclaveWorld:
    """`keys` lets in what the authority in `folder` attests. Its clock and the chain's go on together."""

    w: World
    keys: EnclaveKeys
    folder: Path
    ahead: int = 0
    """Seconds by which the clocks are ahead of ours."""

    def clock(self) -> float:
        return time.time() + self.ahead

    @asynccontextmanager
    async def node(
        self,
        curve: Curve = Curve.SECP256K1,
        *,
        port: int = 0,
        pcr0: bytes = DEV_PCRS[0],
        authority: Path | None = None,
        runtime: Runtime | None = None,
    ) -> AsyncIterator[EnclaveNode]:
        """A node with a new key, and with the operator's one journal."""
        measured = DEV_PCRS | {0: pcr0}
        source = Counted(DevAttester(authority or self.folder, measured, clock=self.clock))
        enclave = await Enclave.start(EnclaveKind.DEV, curve, source)
        async with self.w.node(runtime or EchoRuntime(), port=port, enclave=enclave) as url:
            yield EnclaveNode(url, enclave, source)

    def config(self, *nodes: EnclaveNode, enclaves: Any = None, **changes: Any) -> RelayerConfig:
        asked = EnclaveConfig(self.keys.address, **SOON | (enclaves or {}))
        return self.w.config(*(node.url for node in nodes), **{"enclaves": asked} | changes)

    async def ask(self, question: bytes = b"how risky?", **changes: Any) -> bytes:
        """A question on the enclave route, by default to the development image."""
        plain: dict[str, Any] = {
            "route": ENCLAVE,
            "trust": IMAGE,
            "deliver_by": deadline_in(600 + max(self.ahead, 0)),
        }
        return await self.w.ask(question, **plain | changes)

    async def later(self, seconds: int) -> None:
        """So much time passes, on the chain and for the authority."""
        self.ahead += seconds
        await self.w.rpc.call("evm_increaseTime", seconds)
        await self.w.rpc.call("evm_mine")

    async def register(self, node: EnclaveNode) -> None:
        """Account 0 has the node's key let in, without a relayer."""
        head = int(await self.w.rpc.call("eth_blockNumber"), 16)
        block = await self.w.rpc.call("eth_getBlockByNumber", hex(head - 1), False)
        about = {"chainId": self.w.anvil.chain_id, "keys": self.keys.address}
        about |= {"blockNumber": int(block["number"], 16), "blockHash": block["hash"]}
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{node.url}/vouch/v1/attestations", json=about) as reply:
                document = parse(bytes.fromhex((await reply.json())["document"][2:]))
        await self.w.sender(0).transact(self.keys.register(document.raw, hints(document)))

    async def revoke(self, node: EnclaveNode) -> None:
        """The operator ends the node's key."""
        await self.w.sender(1).transact(self.keys.revoke(node.key))

    async def key(self, node: EnclaveNode) -> EnclaveKey:
        """What the chain says of the node's key."""
        return await self.keys.key_of(node.key)

    async def is_in(self, node: EnclaveNode) -> bool:
        # Anvil tells the state after a block before the block is there, and then the state before it again.
        return bool(await self.registrations()) and (await self.key(node)).known

    async def registrations(self) -> list[int]:
        """Gas of the transactions that let a key in or prolonged one, in order."""
        query = {"address": self.keys.address, "fromBlock": "0x0", "topics": [[_REGISTERED]]}
        used = []
        for log in await self.w.rpc.call("eth_getLogs", query):
            receipt = await self.w.rpc.call("eth_getTransactionReceipt", log["transactionHash"])
            used.append(int(receipt["gasUsed"], 16))
        return used


async def health(port: int) -> Any:
    """What the relayer's status server says."""
    return (await get_json(f"http://127.0.0.1:{port}/healthz"))[1]


def says(store: Store, request: bytes, text: str) -> bool:
    """A step of the request's history says so."""
    return any(text in step.reason for step in store.steps(request))


@asynccontextmanager
async def enclave_world(folder: Path, **anvil: Any) -> AsyncIterator[EnclaveWorld]:
    """A fresh chain that trusts a fresh authority."""
    async with world(folder, **anvil) as w:
        authority = DevAuthority.create(folder=folder / "authority")
        named = replace(w.deployment, name="vouch-dev")
        w.deployment = await deploy_enclaves(w.rpc, w.sender(0), named, root=authority.fingerprint)
        keys = EnclaveKeys(w.rpc, w.deployment.enclaves["EnclaveKeys"])
        yield EnclaveWorld(w, keys, folder / "authority")
