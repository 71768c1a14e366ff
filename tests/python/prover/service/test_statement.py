from dataclasses import replace

import pytest

from tests.python.prover.service.asking import (
    BATCH,
    CHAIN_ID,
    HUB,
    MODEL,
    OPERATOR,
    SINGLE,
    item,
    task,
    words,
)
from vouch.protocol.batch import root_claim
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.merkle import MerkleTree
from vouch.protocol.packing import ValueOutOfRange
from vouch.protocol.seal import Seal
from vouch.protocol.zk import ZkSeal, context, parse_batch
from vouch.prover.service.errors import BadTask
from vouch.prover.service.statement import statement


def claim(number: int, value: int) -> Claim:
    return Claim(item(number).request_id, MODEL, keccak(words(value)), keccak(words(value)), OPERATOR)


def test_one_claim() -> None:
    made = statement(task(7, value=5), SINGLE)
    assert made.rows == ((words(5), words(5)),)
    assert made.context == context(claim(7, 5).digest(CHAIN_ID, HUB))
    seal = ZkSeal.parse(Seal.parse(made.seal(b"proof")), SINGLE)
    assert (seal.row, seal.proof) == (SINGLE.row(words(5), words(5)), b"proof")


@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_batch(count: int) -> None:
    items = tuple(item(n, 10 + n) for n in range(1, count + 1))
    made = statement(replace(task(circuit=BATCH), items=items), BATCH)
    model, inside, proof = parse_batch(Seal.parse(made.seal(b"proof")), BATCH)
    assert (model, proof, len(made.rows)) == (MODEL, b"proof", 4)
    numbers = [int.from_bytes(i.request_id, "big") for i in inside]
    assert set(numbers) == set(range(1, count + 1))
    # The rows that are proven are the seal's, in its order, and the context is the digest of their root.
    assert [BATCH.row(*row) for row in made.rows] == [i.row for i in inside]
    assert [row[0] for row in made.rows] == [words(10 + n) for n in numbers]
    root = MerkleTree.of(claim(n, 10 + n).digest(CHAIN_ID, HUB) for n in numbers).root
    assert made.context == context(root_claim(root, OPERATOR).digest(CHAIN_ID, HUB))


def test_more_than_a_circuit_proves() -> None:
    items = tuple(item(n) for n in range(5))
    with pytest.raises(BadTask, match="at most 4"):
        statement(replace(task(circuit=BATCH), items=items), BATCH)
    with pytest.raises(BadTask, match="at most 1"):
        statement(replace(task(), items=items[:2]), SINGLE)


def test_values_without_room() -> None:
    with pytest.raises(ValueOutOfRange):
        statement(task(value=1 << 23), SINGLE)
