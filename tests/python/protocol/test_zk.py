import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import hashes
from vouch.protocol.batch import BATCH
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.merkle import MerkleTree, leaf_of
from vouch.protocol.packing import Packing
from vouch.protocol.seal import Seal
from vouch.protocol.zk import (
    FIELD,
    BatchItem,
    Circuit,
    NotAZkSeal,
    WrongBatch,
    ZkBatch,
    ZkSeal,
    context,
    parse_batch,
)

HUB = "0x00000000000000000000000000000000000000AA"
OPERATOR = "0x0000000000000000000000000000000000000bbb"
CODE = keccak(b"code")
SMALL = Circuit(CODE, 0, 1, Packing(3, 8), Packing(1, 20))
packings = st.builds(Packing, st.integers(1, 70), st.integers(1, 64))


def words(values: list[int]) -> bytes:
    return encode(["int256"] * len(values), values)


@given(code=hashes, commitment=st.integers(0, FIELD - 1), batch=st.integers(1, 255), a=packings, b=packings)
def test_ids(code: bytes, commitment: int, batch: int, a: Packing, b: Packing) -> None:
    circuit = Circuit(code, commitment, batch, a, b)
    types = ["bytes32", "uint256", "uint256", "uint256", "uint256", "uint256", "uint256"]
    parts = [code, commitment, batch, a.count, a.bits, b.count, b.bits]
    assert circuit.id == keccak(encode(types, parts))


def test_public_inputs() -> None:
    row = SMALL.row(words([1, 2, -3]), words([70_000]))
    assert SMALL.public_inputs([row], 5) == (0x7D8281, 70_000 + (1 << 19), 5)
    secret = Circuit(CODE, 9, 2, SMALL.input, SMALL.output)
    packed = (*row.input, *row.output)
    assert secret.public_inputs([row, row], 5) == (*packed, *packed, 9, 5)
    for rows in ([], [row], [row] * 3):
        with pytest.raises(WrongBatch) as caught:
            secret.public_inputs(rows, 5)
        assert (caught.value.received, caught.value.expected) == (len(rows), 2)


def test_contexts() -> None:
    assert context(FIELD.to_bytes(32, "big")) == 0
    assert context((FIELD + 7).to_bytes(32, "big")) == 7
    assert context(bytes(31) + b"\5") == 5


@given(proof=st.binary(max_size=100))
def test_seals(proof: bytes) -> None:
    row = SMALL.row(words([1, 2, -3]), words([7]))
    seal = ZkSeal(row, proof).seal
    assert bytes(seal) == b"ZKUH" + words([*row.input, *row.output]) + proof
    assert ZkSeal.parse(Seal.parse(bytes(seal)), SMALL) == ZkSeal(row, proof)


@pytest.mark.parametrize("data", [b"ZKUH", b"ZKUH" + bytes(63), b"SIGN" + bytes(64)])
def test_what_is_no_zk_seal(data: bytes) -> None:
    with pytest.raises(NotAZkSeal) as caught:
        ZkSeal.parse(Seal.parse(data), SMALL)
    assert (caught.value.route, caught.value.length, caught.value.least) == (data[:4], len(data), 68)


def batch_circuit(size: int) -> Circuit:
    return Circuit(CODE, 0, size, SMALL.input, SMALL.output)


def item(circuit: Circuit, number: int) -> BatchItem:
    return BatchItem(keccak(b"%d" % number), circuit.row(words([number, 0, 0]), words([number])))


@pytest.mark.parametrize(("size", "given_"), [(2, 2), (4, 3), (5, 5), (16, 1)])
def test_batches(size: int, given_: int) -> None:
    circuit, model = batch_circuit(size), keccak(b"model")
    items = [item(circuit, i) for i in range(given_)]
    batch = ZkBatch.of(circuit, model, OPERATOR, items, 1, HUB)
    claims = {
        Claim(each.request_id, model, keccak(words([i, 0, 0])), keccak(words([i])), OPERATOR)
        for i, each in enumerate(items)
    }
    assert set(batch.claims) == claims
    assert len(batch.items) == size
    digests = [claim.digest(1, HUB) for claim in batch.claims]
    assert batch.root == MerkleTree.of(digests).root
    leaves = [leaf_of(digest) for digest in digests]
    assert leaves == sorted(leaves, reverse=True)
    assert batch.claim == Claim(bytes(32), BATCH, bytes(32), batch.root, OPERATOR)
    seal = batch.seal(b"proof")
    assert parse_batch(Seal.parse(bytes(seal)), circuit) == (model, batch.items, b"proof")
    with pytest.raises(NotAZkSeal):
        parse_batch(Seal(seal.route, seal.proof[: 32 * (1 + size + 2 * size) - 1]), circuit)


@pytest.mark.parametrize("count", [0, 3])
def test_batch_sizes(count: int) -> None:
    circuit = batch_circuit(2)
    with pytest.raises(WrongBatch) as caught:
        ZkBatch.of(circuit, keccak(b"model"), OPERATOR, [item(circuit, i) for i in range(count)], 1, HUB)
    assert (caught.value.received, caught.value.expected) == (count, 2)
