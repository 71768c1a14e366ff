import numpy as np
import pytest

from tests.support.integer_models import model_of
from vouch.circuit.errors import InputOutOfRange
from vouch.circuit.ops import Affine, ArgMax, Combine, Lookup, Relu, Round, Scale
from vouch.circuit.reference import reference_run, reference_values


def test_every_value() -> None:
    layer = Affine(np.array([[1, 2], [-3, 4]]), np.array([10, 0]), np.array([[0, 1], [1, 1]]))
    model = model_of(
        [(layer, 0), (Round(1), 1), (Relu(), 2), (Combine(1, 2, 3), (2, 3)), (ArgMax(), 4)], size=2
    )
    assert reference_values(model, [-20, 5]) == [[-20, 5], [0, 5], [0, 3], [0, 3], [3, 12], [1]]
    assert reference_run(model, [-20, 5]) == [1]


def test_tables_and_ties() -> None:
    rounded = model_of([(Round(1), 0)], bits=8)
    assert [reference_run(rounded, [x])[0] for x in (-3, -2, -1, 1, 3)] == [-1, -1, 0, 1, 2]
    table = model_of([(Scale(1, 2), 0), (Lookup(1, np.array([0, 3, -2])), 1)], bits=2)
    assert [reference_run(table, [x])[0] for x in (-2, -1, 0, 1)] == [0, 2, 3, 1]


def test_inputs_have_their_width() -> None:
    model = model_of([(Relu(), 0)], bits=8)
    assert reference_run(model, [127]) == [127]
    for value in (128, -129, 1 << 70):
        with pytest.raises(InputOutOfRange, match=f"'x', element 0: {value} "):
            reference_run(model, [value])
