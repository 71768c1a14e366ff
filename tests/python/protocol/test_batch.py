from dataclasses import replace

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import claims, hashes
from vouch.protocol.batch import (
    BATCH,
    BATCHED,
    Batch,
    BatchSeal,
    MixedOperators,
    NotABatchSeal,
    root_claim,
    trust_in,
)
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.merkle import EmptyTree, NotInTree
from vouch.protocol.seal import SIGNED, Seal

HUB = "0x00000000000000000000000000000000000000AA"
OPERATOR = "0x0000000000000000000000000000000000000bbb"
RIVAL = "0x0000000000000000000000000000000000000ccc"
routes = st.binary(min_size=4, max_size=4)


def claim(number: int, operator: str = OPERATOR) -> Claim:
    return Claim(keccak(b"%d" % number), bytes(32), bytes(32), keccak(b"output"), operator)


@given(route=routes, trust=hashes)
def test_trust(route: bytes, trust: bytes) -> None:
    assert trust_in(route, trust) == route + keccak(encode(["bytes4", "bytes32"], [route, trust]))[:28]


@given(route=routes, trust=hashes, proof=st.lists(hashes, max_size=20), made=claims)
def test_seals(route: bytes, trust: bytes, proof: list[bytes], made: Claim) -> None:
    seal = BatchSeal(route, trust, tuple(proof))
    data = bytes(seal.seal)
    assert data == b"BTCH" + route + trust + b"".join(proof)
    assert BatchSeal.parse(Seal.parse(data)) == seal
    assert seal.trust == trust_in(route, trust)
    assert seal.root(made, 1, HUB) != seal.root(made, 2, HUB)


@pytest.mark.parametrize("data", [b"BTCH", b"BTCH" + bytes(35), b"BTCH" + bytes(37), b"SIGN" + bytes(36)])
def test_what_is_no_batch_seal(data: bytes) -> None:
    with pytest.raises(NotABatchSeal) as caught:
        BatchSeal.parse(Seal.parse(data))
    assert (caught.value.route, caught.value.length) == (data[:4], len(data))


@pytest.mark.parametrize("size", [1, 2, 7])
def test_batches(size: int) -> None:
    made = [claim(i) for i in range(size)]
    batch = Batch.of(made, 1, HUB)
    assert batch.claim == root_claim(batch.tree.root, OPERATOR)
    assert batch.claim == Claim(bytes(32), BATCH, bytes(32), batch.tree.root, OPERATOR)
    for one in made:
        seal = batch.seal(one, SIGNED, bytes(32))
        assert seal.route == BATCHED
        assert BatchSeal.parse(seal).root(one, 1, HUB) == batch.tree.root
        assert BatchSeal.parse(seal).root(replace(one, operator=RIVAL), 1, HUB) != batch.tree.root
    with pytest.raises(NotInTree):
        batch.seal(claim(size), SIGNED, bytes(32))


def test_batches_that_cannot_be() -> None:
    with pytest.raises(EmptyTree):
        Batch.of([], 1, HUB)
    with pytest.raises(MixedOperators) as caught:
        Batch.of([claim(1), claim(2), claim(3, RIVAL)], 1, HUB)
    assert (caught.value.received, caught.value.expected) == (RIVAL, OPERATOR)
