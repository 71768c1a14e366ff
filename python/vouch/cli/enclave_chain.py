"""The enclave route of a deployment: what `vouch attest` asks it, and what it would say to a document."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vouch.attestation.document import Document
from vouch.attestation.verify import Attestation, verify
from vouch.chain.broadcast import unfunded
from vouch.chain.deployment import Deployment, load
from vouch.chain.enclave import EnclaveKey, EnclaveKeys, NitroAttestation
from vouch.chain.errors import RpcError
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.reverts import reverted
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import MAX_TX_GAS, Call
from vouch.protocol.enclave import EnclaveIdentity, Freshness, parse_nonce, parse_user_data
from vouch.protocol.errors import VouchError

DEPTH: Final = 2
"""Blocks on top of the one that a document names: a small fork leaves it where it is."""
MARGIN: Final = 120
"""Percent of an estimate that a transaction gets."""
REMEMBERED: Final = 8191
"""Blocks whose hashes a chain keeps at the most (EIP-2935)."""


class NoEnclaveRoute(VouchError):
    """The deployment takes no attestation documents."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(
            f"the deployment {deployment.name!r} on chain {deployment.chain_id} has no enclave route: deploy "
            "one with `vouch deploy` (without --no-enclaves), or point --deployments to its folder"
        )


class NotAccepted(VouchError):
    """EnclaveKeys would refuse the document; `name` is that of its error."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        super().__init__(f"{name}: {why}")


@dataclass(frozen=True, slots=True)
class Checked:
    """A document that the chain would take now; `known` is what the chain knows of its key already."""

    attestation: Attestation
    key: EnclaveIdentity
    known: EnclaveKey

    @property
    def changes(self) -> bool:
        """Whether registering it does anything."""
        return self.attestation.expiry > self.known.expiry


@dataclass(frozen=True, slots=True)
class EnclaveChain:
    """A chain with the enclave route."""

    rpc: Rpc
    deployment: Deployment
    keys: EnclaveKeys
    attestation: NitroAttestation

    async def now(self) -> int:
        """Unix seconds of the next block, or a little less."""
        pending = await self.rpc.call("eth_getBlockByNumber", "pending", False)
        block = pending or await self.rpc.call("eth_getBlockByNumber", "latest", False)
        return int(block["timestamp"], 16)

    async def gas(self, call: Call, sender: str) -> int:
        """Gas to send the call with, as estimated in the next block: its certificates may be younger than the
        newest one, in which they do not count yet.

        Raises Reverted, Unfunded, RpcError, RpcUnavailable.
        """
        try:
            estimate = await self.rpc.call("eth_estimateGas", call.to_rpc(sender), "pending")
        except RpcError as refused:
            if (named := reverted(refused) or unfunded(sender, refused)) is not None:
                raise named from refused
            # Not every node has a next block to look at.
            estimate = await self.rpc.call("eth_estimateGas", call.to_rpc(sender), "latest")
        return max(int(estimate, 16), min(int(estimate, 16) * MARGIN // 100, MAX_TX_GAS))

    async def recent_block(self) -> Freshness:
        """A block that a document may name."""
        head = int(await self.rpc.call("eth_blockNumber"), 16)
        block = await self.rpc.call("eth_getBlockByNumber", hex(max(head - DEPTH, 0)), False)
        return Freshness(int(block["number"], 16), to_bytes(block["hash"]))

    async def verified(self, certificates: Sequence[bytes]) -> int:
        """How many certificates after the root were verified on chain before."""
        for length in range(len(certificates), 1, -1):
            if await self.attestation.is_verified(certificates[:length]):
                return length - 1
        return 0

    async def check(self, document: Document) -> Checked:
        """What `EnclaveKeys.register` would say, hints apart, at no cost.

        Raises:
            NotTrusted, NotACertificate: the document does not follow from the root that the chain pins.
            NotAccepted, NotAKey, WrongUserData, WrongNonce: its content is not what lets a key in.
        """
        root, now = await self.attestation.root_fingerprint(), await self.now()
        attestation = verify(document, root_fingerprint=root, at=now)
        for index, certificate in enumerate(attestation.certificates):
            if await self.attestation.revoked_at(certificate):
                raise NotAccepted(
                    "CertificateIsRevoked", f"the guard revoked certificate {index}, {to_hex(certificate)}"
                )
        age, most = now - document.timestamp_ms // 1000, await self.keys.max_age()
        if age > most:
            raise NotAccepted("NotFresh", f"it is {age} s old, and {most} s are the most: fetch a new one")
        if document.debug:
            raise NotAccepted("DebugImage", "its PCRs are zero: run the enclave without --debug-mode")
        if document.image_id is None:
            raise NotAccepted("PcrMissing", "PCRs 0, 1 and 2 have 48 bytes each in a document of an image")
        key = EnclaveIdentity.from_spki(document.public_key or b"")
        operator = self._check_binding(document)
        await self._check_block(parse_nonce(document.nonce or b""))
        known = await self.keys.key_of(key.id)
        if known.revoked:
            raise NotAccepted(
                "KeyIsRevoked", f"{key.id} never counts again: start the enclave anew, which makes a new key"
            )
        if known.known and (known.operator, known.image_id) != (operator, document.image_id):
            raise NotAccepted(
                "KeyTaken", f"{key.id} is {known.operator}'s, of the image {to_hex(known.image_id)}"
            )
        return Checked(attestation, key, known)

    def _check_binding(self, document: Document) -> str:
        """The operator."""
        bound = parse_user_data(document.user_data or b"")
        if bound.chain_id != self.deployment.chain_id:
            raise NotAccepted(
                "WrongChain", f"it is for chain {bound.chain_id}, and this is {self.deployment.chain_id}"
            )
        if bound.keys != self.keys.address:
            raise NotAccepted(
                "WrongContract", f"it is for EnclaveKeys {bound.keys}, and here it is {self.keys.address}"
            )
        return bound.operator

    async def _check_block(self, named: Freshness) -> None:
        block = await self.rpc.call("eth_getBlockByNumber", hex(named.block_number), False)
        if block is None or to_bytes(block["hash"]) != named.block_hash:
            there = "is not there" if block is None else f"is {block['hash']}"
            raise NotAccepted(
                "UnknownBlock",
                f"it names block {named.block_number} as {to_hex(named.block_hash)}, which {there} on this "
                "chain: fetch a new document",
            )
        behind = int(await self.rpc.call("eth_blockNumber"), 16) + 1 - named.block_number
        if behind > REMEMBERED:
            raise NotAccepted(
                "UnknownBlock",
                f"its block is {behind} blocks back, which no chain remembers: fetch a new one",
            )


def enclaves_of(rpc: Rpc, deployment: Deployment) -> EnclaveChain:
    """Raises NoEnclaveRoute."""
    try:
        keys, attestation = (deployment.enclaves[name] for name in ("EnclaveKeys", "NitroAttestation"))
    except KeyError:
        raise NoEnclaveRoute(deployment) from None
    return EnclaveChain(rpc, deployment, EnclaveKeys(rpc, keys), NitroAttestation(rpc, attestation))


@asynccontextmanager
async def enclave_chain(rpc: str, deployments: Path) -> AsyncIterator[EnclaveChain]:
    """The chain behind an address. Raises NoEnclaveRoute, and as `load`."""
    async with Rpc(rpc) as chain:
        yield enclaves_of(chain, await load(chain, deployments))
