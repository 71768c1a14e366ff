"""Quorum seals of any kind, and what QuorumVerifier says to them."""

from collections.abc import Sequence

from eth_abi.abi import encode

from tests.support.contract import Contract
from tests.support.world import World
from vouch.chain.account import LocalKey
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM

FIELDS = ("request_id", "model_id", "input_hash", "output_hash", "operator")


def claim_of(world: World) -> Claim:
    request_id, model_id, input_hash, output_hash = (keccak(name.encode()) for name in FIELDS[:4])
    return Claim(request_id, model_id, input_hash, output_hash, world.operator.address)


def signatures(world: World, claim: Claim, keys: Sequence[LocalKey]) -> list[bytes]:
    return [key.sign_claim(claim, world.deployment.chain_id, world.hub.address).proof for key in keys]


def pack(threshold: int, addresses: Sequence[str], bitmap: int, signed: Sequence[bytes]) -> bytes:
    """Any seal at all, however wrong."""
    listed = b"".join(bytes.fromhex(address[2:]) for address in addresses)
    return QUORUM + bytes([threshold, len(addresses)]) + bitmap.to_bytes(8, "big") + listed + b"".join(signed)


def hash_of(threshold: int, addresses: Sequence[str]) -> bytes:
    return keccak(encode(["uint256", "address[]"], [threshold, addresses]))


def addresses_of(keys: Sequence[LocalKey]) -> list[str]:
    return [key.address for key in keys]


async def check(world: World, seal: bytes, trust: bytes, claim: Claim) -> None:
    contract = Contract(world.rpc, "QuorumVerifier", world.deployment.verifiers["QRUM"])
    call = contract.call("verify", seal, trust, tuple(getattr(claim, name) for name in FIELDS))
    assert await world.try_at(await world.now() + 1, call) == b""
