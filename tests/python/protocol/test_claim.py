"""Against eth_account's EIP-712; Solidity is compared in tests/parity."""

from dataclasses import replace

from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import addresses, claims
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak

FIELDS = [
    ("requestId", "bytes32"),
    ("modelId", "bytes32"),
    ("inputHash", "bytes32"),
    ("outputHash", "bytes32"),
    ("operator", "address"),
]


@given(claim=claims, chain_id=st.integers(1, 2**64), hub=addresses)
def test_digest_is_eip_712(claim: Claim, chain_id: int, hub: str) -> None:
    message = encode_typed_data(
        {"name": "Vouch", "version": "1", "chainId": chain_id, "verifyingContract": hub},
        {"Claim": [{"name": name, "type": kind} for name, kind in FIELDS]},
        {
            "requestId": claim.request_id,
            "modelId": claim.model_id,
            "inputHash": claim.input_hash,
            "outputHash": claim.output_hash,
            "operator": claim.operator,
        },
    )
    expected = keccak(b"\x19" + message.version + message.header + message.body)
    assert claim.digest(chain_id, hub) == expected


@given(claim=claims, hub=addresses, other=addresses)
def test_everything_counts_for_the_digest(claim: Claim, hub: str, other: str) -> None:
    def flip(word: bytes) -> bytes:
        return bytes([word[0] ^ 1]) + word[1:]

    digests = {
        claim.digest(1, hub),
        claim.digest(2, hub),
        replace(claim, request_id=flip(claim.request_id)).digest(1, hub),
        replace(claim, model_id=flip(claim.model_id)).digest(1, hub),
        replace(claim, input_hash=flip(claim.input_hash)).digest(1, hub),
        replace(claim, output_hash=flip(claim.output_hash)).digest(1, hub),
    }
    assert len(digests) == 6
    if other not in (hub, claim.operator):
        assert claim.digest(1, other) not in digests
        assert replace(claim, operator=other).digest(1, hub) not in digests
