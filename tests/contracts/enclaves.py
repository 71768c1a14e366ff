"""Enclaves of a development authority, and what EnclaveKeys and EnclaveVerifier say to them."""

from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256, sha384
from itertools import pairwise
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.contracts.quorums import FIELDS
from tests.support.contract import Contract
from tests.support.world import World
from vouch.attestation.dev import DevAuthority
from vouch.attestation.dev_machine import DevInstance
from vouch.attestation.document import Document, parse
from vouch.attestation.p384 import Signed, prove
from vouch.attestation.p384.errors import NoSuchPoint
from vouch.attestation.verify import parse as parse_certificate
from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.chain.enclave import EnclaveKey, EnclaveKeys, NitroAttestation
from vouch.chain.hexes import to_bytes
from vouch.chain.transaction import Receipt
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import (
    ENCLAVE,
    Curve,
    EnclaveIdentity,
    image_id,
    nonce,
    p256_seal,
    user_data,
)

SEED = b"an authority of the tests"
PCRS: Mapping[int, bytes] = {number: bytes([number + 1]) * 48 for number in range(3)}
IMAGE = image_id(PCRS[0], PCRS[1], PCRS[2])
N256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@cache
def hint(digest: bytes, key: bytes, signature: bytes) -> bytes:
    """Something of the right length where the signature is none."""
    try:
        return prove(Signed.from_bytes(digest, key, signature))
    except NoSuchPoint:
        return b"no hint"


def hints(document: Document) -> list[bytes]:
    """As vouch.attestation.evidence makes them, also for chains with signatures that are none."""
    chain = [parse_certificate(der, index) for index, der in enumerate(document.certificates)]
    made = [
        hint(sha384(child.tbs).digest(), parent.key, child.signature) for parent, child in pairwise(chain)
    ]
    return [*made, hint(sha384(document.to_be_signed).digest(), chain[-1].key, document.signature)]


class Enclave:
    """A program with a key of its own, on either curve."""

    def __init__(self, curve: Curve = Curve.SECP256K1, secret: int = 0x5EC2E7) -> None:
        self.curve = curve
        self.local = LocalKey(secret.to_bytes(32, "big"))
        self.p256 = ec.derive_private_key(secret, ec.SECP256R1())
        k1 = ec.derive_private_key(secret, ec.SECP256K1()).public_key().public_numbers()
        point = k1 if curve == Curve.SECP256K1 else self.p256.public_key().public_numbers()
        self.identity = EnclaveIdentity(curve, point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big"))

    @property
    def id(self) -> str:
        return self.identity.id

    def seal(self, world: World, claim: Claim) -> bytes:
        """The route's whole seal over a claim."""
        chain_id, hub = world.deployment.chain_id, world.deployment.hub
        if self.curve == Curve.SECP256K1:
            return ENCLAVE + self.local.sign_claim(claim, chain_id, hub).proof
        der = self.p256.sign(
            claim.digest(chain_id, hub), ec.ECDSA(Prehashed(SHA256()), deterministic_signing=True)
        )
        r, s = decode_dss_signature(der)
        return bytes(
            p256_seal(self.identity.x, self.identity.y, r.to_bytes(32, "big"), s.to_bytes(32, "big"))
        )


class Enclaves:
    """A deployment with the enclave route, and one machine whose documents it accepts."""

    def __init__(self, world: World, deployment: Deployment) -> None:
        self.world, self.deployment = world, deployment
        self.keys = EnclaveKeys(world.rpc, deployment.enclaves["EnclaveKeys"])
        self.attestation = NitroAttestation(world.rpc, deployment.enclaves["NitroAttestation"])
        self.authority = DevAuthority.create(seed=SEED)
        self.machine: DevInstance | None = None

    async def binding(self, **changes: Any) -> dict[str, bytes]:
        """user_data and nonce as they should be."""
        return {
            "user_data": user_data(
                changes.get("chain_id", self.deployment.chain_id),
                changes.get("keys", self.keys.address),
                changes.get("operator", self.world.operator.address),
                changes.get("extra", b""),
            ),
            "nonce": await self.nonce(changes.get("behind", 1)),
        }

    async def nonce(self, behind: int = 1) -> bytes:
        """Of the block that is so many behind the last one, as which eth_call runs."""
        number = int(await self.world.rpc.call("eth_blockNumber"), 16) - behind
        block = await self.world.rpc.call("eth_getBlockByNumber", hex(number), False)
        return nonce(number, to_bytes(block["hash"]))

    async def document(
        self, enclave: Enclave, *, at: int | None = None, pcrs: Mapping[int, bytes] = PCRS, **changes: Any
    ) -> Document:
        """Of now, as it should be; `changes` are of `binding`, or whole fields of the document."""
        at = await self.world.now() if at is None else at
        if self.machine is None:
            self.machine = self.authority.instance(at=at)
        fields = await self.binding(**changes) | {"public_key": enclave.identity.spki}
        fields |= {
            name: value for name, value in changes.items() if name in ("user_data", "nonce", "public_key")
        }
        return parse(self.machine.document(pcrs, **fields, at_ms=1000 * at))

    async def register(self, enclave: Enclave, *, by: LocalKey | None = None, **changes: Any) -> Receipt:
        document = await self.document(enclave, **changes)
        return await self.world.send(self.keys.register(document.raw, hints(document)), by)

    async def attempt(self, document: Document, *, at: int | None = None) -> str:
        """What `register` returns, without being sent."""
        call = self.keys.register(document.raw, hints(document))
        answer = await self.world.try_at(await self.world.now() + 1 if at is None else at, call)
        return "0x" + answer[-20:].hex()

    async def key(self, enclave: Enclave) -> EnclaveKey:
        return await self.keys.key_of(enclave.id)

    async def verify(self, seal: bytes, claim: Claim, *, trust: bytes = IMAGE, at: int | None = None) -> None:
        """Raises Reverted unless the verifier accepts the seal."""
        contract = Contract(self.world.rpc, "EnclaveVerifier", self.deployment.verifiers["ENCL"])
        call = contract.call("verify", seal, trust, claim_tuple(claim))
        at = await self.world.now() + 1 if at is None else at
        assert await self.world.try_at(at, call) == b""


def claim_tuple(claim: Claim) -> tuple[Any, ...]:
    return tuple(getattr(claim, name) for name in FIELDS)


def fingerprint(certificates: Sequence[bytes]) -> bytes:
    """What pins the chain's root."""
    return sha256(certificates[0]).digest()
