"""From a node's enclave to the transaction that lets its key in: a fresh document, checked here first."""

import asyncio
from dataclasses import dataclass

from vouch.attestation.document import Document, parse
from vouch.attestation.errors import Refused
from vouch.attestation.evidence import hints
from vouch.attestation.verify import Attestation, verify
from vouch.chain.enclave import EnclaveKey, EnclaveKeys, NitroAttestation
from vouch.chain.errors import RpcUnavailable
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.rpc import redact
from vouch.chain.transaction import Call
from vouch.protocol.enclave import EnclaveIdentity, nonce, user_data
from vouch.protocol.errors import VouchError
from vouch.relayer.errors import NothingNew, UselessDocument, WrongNodeAnswer
from vouch.relayer.nodes import NodePool
from vouch.relayer.peers import EnclaveInfo, Node


@dataclass(frozen=True, slots=True)
class Evidence:
    """What lets a key in. expiry: unix seconds until which; life: seconds that its certificates live."""

    call: Call
    expiry: int
    life: int


class Registrar:
    """depth: blocks on top of the one that a document names."""

    def __init__(
        self, pool: NodePool, keys: EnclaveKeys, attestation: NitroAttestation, chain_id: int, depth: int
    ) -> None:
        self._pool, self._keys, self._attestation = pool, keys, attestation
        self._chain_id, self._depth = chain_id, depth

    async def evidence(self, node: Node, info: EnclaveInfo, known: EnclaveKey, now: int) -> Evidence:
        """Asks the node's enclave for a document; `known` is the key on chain, `now` the next block's time.

        Raises NodeUnavailable, NodeRefused, WrongNodeAnswer, UselessDocument, NothingNew, RpcError,
        RpcUnavailable.
        """
        number, block_hash = await self._block()
        raw = await self._pool.attest(node, self._keys.address, number, block_hash)
        fresh = nonce(number, block_hash)
        try:
            document = parse(raw)
            self._check_content(node, info, document, fresh)
            await self._check_age(node, document, now)
            root = await self._attestation.root_fingerprint()
            attestation = await asyncio.to_thread(verify, document, root_fingerprint=root, at=now)
            life = attestation.expiry - attestation.chain[-1].not_before
            if known.known and attestation.expiry <= known.expiry:
                raise NothingNew(node.url, known.expiry, life)
            skip = await self._verified(attestation)
            # Seconds of arithmetic, and meanwhile requests are answered.
            made = await asyncio.to_thread(hints, document, skip=skip)
        except Refused as refused:
            raise UselessDocument(node.url, str(refused)) from refused
        return Evidence(self._keys.register(raw, made), attestation.expiry, life)

    async def _block(self) -> tuple[int, bytes]:
        """Number and hash of a block that a small fork leaves where it is."""
        head = int(await self._keys.rpc.call("eth_blockNumber"), 16)
        number = max(head - self._depth, 0)
        block = await self._keys.rpc.call("eth_getBlockByNumber", hex(number), False)
        if block is None:
            raise RpcUnavailable(
                redact(self._keys.rpc.url), "eth_getBlockByNumber", f"block {number} is not there"
            )
        return number, to_bytes(block["hash"])

    def _check_content(self, node: Node, info: EnclaveInfo, document: Document, fresh: bytes) -> None:
        """Raises WrongNodeAnswer, UselessDocument."""
        try:
            key = EnclaveIdentity.from_spki(document.public_key or b"")
        except VouchError as bad:
            raise UselessDocument(node.url, f"NotAKey: {bad}") from bad
        if key.id != info.key:
            # It was started anew since it was asked what it is.
            raise WrongNodeAnswer(node.url, "the document's key", key.id, info.key)
        bound = user_data(self._chain_id, self._keys.address, node.operator)
        if not (document.user_data or b"").startswith(bound):
            told = to_hex(document.user_data or b"")
            raise WrongNodeAnswer(node.url, "the document's user data", told, to_hex(bound))
        if document.nonce != fresh:
            told = to_hex(document.nonce or b"")
            raise WrongNodeAnswer(node.url, "the document's nonce", told, to_hex(fresh))
        if document.debug:
            why = "DebugImage: its PCRs are zero, so start the enclave without --debug-mode"
            raise UselessDocument(node.url, why)
        if document.image_id != info.image_id:
            told = to_hex(document.image_id or b"")
            raise WrongNodeAnswer(node.url, "the document's image id", told, to_hex(info.image_id))

    async def _check_age(self, node: Node, document: Document, now: int) -> None:
        """Raises UselessDocument, RpcError, RpcUnavailable."""
        age, most = now - document.timestamp_ms // 1000, await self._keys.max_age()
        if age > most:
            raise UselessDocument(
                node.url,
                f"NotFresh: it is {age} s old, at most {most} s are accepted: is the enclave's clock right?",
            )

    async def _verified(self, attestation: Attestation) -> int:
        """How many certificates after the root are verified on chain already: they take no hints."""
        hashes = attestation.certificates
        for length in range(len(hashes), 1, -1):
            if await self._attestation.is_verified(hashes[:length]):
                return length - 1
        return 0
