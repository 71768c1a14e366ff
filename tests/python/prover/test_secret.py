"""The commitment to secret weights."""

from tests.support.integer_models import model_of
from tests.support.noir_programs import every_operation, one_weight
from vouch.circuit.ops import Affine, Relu
from vouch.protocol.zk import FIELD
from vouch.prover.poseidon2 import digest
from vouch.prover.secret import Secret, sections, size

MODEL = every_operation()


def test_the_commitment_is_the_hash_of_salt_and_packed_weights() -> None:
    # weights [[4, 0], [0, 4]] of 4 bits, biases [0, 0] of 1 bit
    packed = sum((value + 8) << (4 * place) for place, value in enumerate([4, 0, 0, 4]))
    assert Secret(one_weight(4), 5).commitment == digest([5, packed, 0b11])


def test_salt_and_every_weight_count() -> None:
    commitment = Secret(MODEL, 1).commitment
    assert commitment == Secret(MODEL, 1).commitment
    assert commitment != Secret(MODEL, 2).commitment
    assert Secret(one_weight(4), 1).commitment != Secret(one_weight(5), 1).commitment


def test_salts_are_random() -> None:
    salts = {Secret.of(MODEL).salt for _ in range(4)}
    assert len(salts) == 4
    assert all(0 <= salt < FIELD for salt in salts)


def test_the_advice_is_salt_then_weights_row_by_row_then_biases() -> None:
    assert Secret(one_weight(-3), 77).advice == [77, -3, 0, 0, -3, 0, 0]
    assert len(Secret(MODEL, 0).advice) == size(MODEL) == 1 + MODEL.parameters


def test_sections_follow_each_other() -> None:
    first, second = sections(MODEL)
    affines = [i for i, node in enumerate(MODEL.nodes) if isinstance(node.op, Affine)]
    assert [first.node, second.node] == affines
    assert first.start == 1
    assert second.start == first.start + first.weights.count + first.bias.count


def test_a_model_without_weights_commits_to_its_salt() -> None:
    model = model_of([(Relu(0), 0)])
    assert Secret(model, 9).advice == [9]
    assert Secret(model, 9).commitment == digest([9])
