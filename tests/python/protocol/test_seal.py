from dataclasses import replace

import pytest
from coincurve import PrivateKey
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import addresses, claims
from vouch.protocol.claim import Claim
from vouch.protocol.seal import BadSeal, Seal, address_of, recover_signer, sign_claim

KEY = PrivateKey(b"\x07" * 32)
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@given(claim=claims, chain_id=st.integers(1, 2**64), hub=addresses)
def test_the_signer_is_recovered(claim: Claim, chain_id: int, hub: str) -> None:
    seal = sign_claim(KEY, claim, chain_id, hub)
    data = bytes(seal)
    assert len(data) == 69
    assert data[:4] == b"SIGN"
    assert data[68] in (27, 28)
    assert int.from_bytes(data[36:68], "big") <= HALF_ORDER
    assert Seal.parse(data) == seal
    assert recover_signer(seal, claim, chain_id, hub) == address_of(KEY.public_key)
    assert recover_signer(seal, claim, chain_id + 1, hub) != address_of(KEY.public_key)


def test_address_is_that_of_the_account() -> None:
    assert address_of(KEY.public_key) == Account.from_key(KEY.secret).address


@given(claim=claims, hub=addresses)
def test_another_claim_has_another_signer(claim: Claim, hub: str) -> None:
    seal = sign_claim(KEY, claim, 1, hub)
    other = replace(claim, output_hash=bytes([claim.output_hash[0] ^ 1]) + claim.output_hash[1:])
    assert recover_signer(seal, other, 1, hub) != address_of(KEY.public_key)


def test_bad_sizes() -> None:
    with pytest.raises(BadSeal) as caught:
        Seal.parse(b"SIG")
    assert (caught.value.received, caught.value.expected) == (3, 69)
    word = b"\1" * 32
    claim = Claim(word, word, word, word, "0x0000000000000000000000000000000000000001")
    with pytest.raises(BadSeal) as caught:
        recover_signer(Seal(b"SIGN", b"\0" * 64), claim, 1, claim.operator)
    assert (caught.value.received, caught.value.expected) == (68, 69)
