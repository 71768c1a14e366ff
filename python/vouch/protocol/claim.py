"""The one digest that every seal proves (`contracts/types/Claim.sol`, EIP-712)."""

from dataclasses import dataclass
from functools import lru_cache

from eth_utils.address import to_canonical_address

from vouch.protocol.keccak import keccak

_TYPEHASH = keccak(
    b"Claim(bytes32 requestId,bytes32 modelId,bytes32 inputHash,bytes32 outputHash,address operator)"
)
_DOMAIN_TYPEHASH = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """That an operator ran a model on an input for a request and got an output.

    Hashes are 32 bytes, the operator is checksummed hex.
    """

    request_id: bytes
    model_id: bytes
    input_hash: bytes
    output_hash: bytes
    operator: str

    def digest(self, chain_id: int, hub: str) -> bytes:
        """EIP-712 digest under the domain ("Vouch", "1", chain id, hub)."""
        struct_hash = keccak(
            _TYPEHASH
            + self.request_id
            + self.model_id
            + self.input_hash
            + self.output_hash
            + to_canonical_address(self.operator).rjust(32, b"\0")
        )
        return keccak(b"\x19\x01" + domain_separator(chain_id, hub) + struct_hash)


@lru_cache(maxsize=64)
def domain_separator(chain_id: int, hub: str) -> bytes:
    """EIP-712 domain separator of a hub."""
    return keccak(
        _DOMAIN_TYPEHASH
        + keccak(b"Vouch")
        + keccak(b"1")
        + chain_id.to_bytes(32, "big")
        + to_canonical_address(hub).rjust(32, b"\0")
    )
