"""The commitment to secret weights."""

import numpy as np
import pytest

from tests.support.integer_models import model_of
from tests.support.noir_programs import every_operation, one_weight
from vouch.circuit.bounds import LookupBounds, RoundBounds
from vouch.circuit.ops import Affine, Lookup, Relu, Round, Scale
from vouch.protocol.zk import FIELD
from vouch.prover.poseidon2 import digest
from vouch.prover.secret import NothingSecret, Secret, sections, size, veiled

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


def test_a_model_without_weights_has_nothing_to_keep_secret() -> None:
    with pytest.raises(NothingSecret, match="compile it without --secret"):
        Secret.of(model_of([(Scale(3, 5), 0), (Relu(0), 1)]))


@pytest.mark.parametrize(("bits", "width"), [(3, 3), (14, 14), (15, 28), (28, 28), (56, 56), (57, 57)])
def test_a_rounded_sum_tells_only_how_many_bits_it_has(bits: int, width: int) -> None:
    """What is added to a sum before its bits are counted would else be its least value."""
    half, usual = 1 << (bits - 1), set()
    # of x from -2 to 1: sums from -half, from -half + 1, up to half - 1
    for weight, bias in ((half // 2, 0), (half // 2, 1), (1, half - 2)):
        affine = Affine(np.array([[2 * weight]]), np.array([2 * bias]))
        made = model_of([(affine, 0), (Round(1), 1)], bits=2)
        usual.add(made.bounds[1])
        assert veiled(made)[1] == RoundBounds(1, width, 1 << (width - 1))
    assert len(usual) == 3


def test_a_table_tells_nothing_of_what_is_looked_up() -> None:
    knots = np.array([-70, 3, 9, 800, 5])
    whole = Affine(np.array([[1]]), np.array([8])), Affine(np.array([[0]]), np.array([5]))
    found = []
    for reach in whole:
        made = model_of([(reach, 0), (Lookup(2, knots), 1)], size=1, bits=4, outputs=1)
        found.append((made.bounds[1], veiled(made)[1]))
    (first, one), (second, other) = found
    assert first != second
    assert one == other == LookupBounds(2, 2, 10, 70)


def test_all_other_bounds_are_the_models() -> None:
    for node, usual, hidden in zip(MODEL.nodes, MODEL.bounds, veiled(MODEL), strict=True):
        assert isinstance(node.op, Round | Lookup) or hidden == usual
