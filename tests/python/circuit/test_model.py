from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.integer_models import inputs_of, model_of, models, port
from vouch.circuit.errors import BadIntegerModel, InputOutOfRange, WrongVector
from vouch.circuit.model import MAX_ELEMENTS, IntegerModel
from vouch.circuit.ops import Affine, ArgMax, Combine, Concat, Gather, Op, Relu, Round, Scale
from vouch.circuit.parts import Node
from vouch.circuit.reference import reference_run

DENSE = Affine(np.array([[1, -2]]), np.array([3]))
TWO = IntegerModel(
    (port("a", 2), port("b", 3)),
    8,
    (Node(Affine(np.ones((1, 5), np.int64), np.array([0])), (0,)),),
    1,
    (port("y", 1),),
)


@settings(deadline=None)
@given(data=st.data(), model=models())
def test_runs_are_exact(data: st.DataObject, model: IntegerModel) -> None:
    x = data.draw(inputs_of(model))
    made = model.run(np.array(x))
    assert made.dtype == np.int64
    assert made.tolist() == reference_run(model, x)


@settings(deadline=None)
@given(data=st.data(), model=models())
def test_many_rows_are_one_row_each(data: st.DataObject, model: IntegerModel) -> None:
    rows = data.draw(st.lists(inputs_of(model), min_size=1, max_size=4))
    made = model.run_many(np.array(rows, np.int64))
    assert made.tolist() == [reference_run(model, row) for row in rows]


def test_many_rows_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vouch.circuit.model._BLOCK", 5)
    rows = np.arange(14).reshape(7, 2)
    model = model_of([(DENSE, 0)], size=2)
    assert model.run_many(rows).tolist() == [[3 + a - 2 * b] for a, b in rows.tolist()]


def test_no_rows() -> None:
    assert TWO.run_many(np.empty((0, 5), np.int64)).shape == (0, 1)


def test_a_model_of_no_nodes_answers_its_input() -> None:
    model = IntegerModel((port("x", 2),), 8, (), 0, (port("y", 2),))
    assert model.run([-128, 127]).tolist() == [-128, 127]


@pytest.mark.parametrize("value", [-129, 128, 1 << 62, -(1 << 63), 1 << 63])
@pytest.mark.parametrize(("index", "name", "inside"), [(1, "a", 1), (2, "b", 0), (4, "b", 2)])
def test_inputs_have_their_width(value: int, index: int, name: str, inside: int) -> None:
    x: list[int] = [0] * 5
    x[index] = value
    array = np.array(x, np.uint64 if value > 1 << 62 else np.int64)
    with pytest.raises(InputOutOfRange) as caught:
        TWO.run(array)
    it = caught.value
    assert (it.index, it.name, it.value, it.bits) == (inside, name, value, 8)
    with pytest.raises(InputOutOfRange) as many:
        TWO.run_many(np.stack([np.zeros_like(array), array]))
    assert str(many.value) == str(it)
    assert f"{name!r}, element {inside}: {value} is not in [-128, 127]" in str(it)
    with pytest.raises(InputOutOfRange):
        TWO.trace(array)


def test_the_widest_inputs() -> None:
    assert TWO.run([-128, 127, 0, 0, 0]).tolist() == [-1]
    assert TWO.run(np.array([200, 0, 0, 0, 0], np.uint8) // 2).tolist() == [100]


@pytest.mark.parametrize(
    "x", [[0] * 4, [0] * 6, [[0] * 5], [0.0] * 5, [True] * 5, [10**30, 0, 0, 0, 0], 3, [None] * 5]
)
def test_other_vectors_are_refused(x: Any) -> None:
    with pytest.raises(WrongVector, match=r"this model takes integers of the shape \(5\)"):
        TWO.run(x)


def test_rows_are_no_vector() -> None:
    with pytest.raises(WrongVector, match=r"\(rows, 5\)"):
        TWO.run_many([0] * 5)


def test_sizes_and_parameters() -> None:
    assert (TWO.input_size, TWO.output_size, TWO.parameters) == (5, 1, 6)
    window = Affine(np.ones((4, 2), np.int64), np.zeros(4, np.int64), np.zeros((4, 2), np.int64))
    assert model_of([(window, 0)], outputs=4).parameters == 12


@pytest.mark.parametrize(
    ("a", "constant", "bits"),
    [(0, 0, 1), (0, -1, 1), (0, 1, 2), (1, 0, 8), (1, 1, 9), (-1, -1, 8), (-1, 0, 9), (2, 0, 9)],
)
def test_output_bits_are_the_fewest(a: int, constant: int, bits: int) -> None:
    assert model_of([(Scale(a, constant), 0)], bits=8).output_bits == bits


@pytest.mark.parametrize(
    ("nodes", "path"),
    [
        ([(DENSE, 0), (Scale(1), 2)], "nodes[1].sources"),
        ([(DENSE, -1)], "nodes[0].sources"),
        ([(Relu(), (0, 0))], "nodes[0].sources"),
        ([(Concat(), ())], "nodes[0].sources"),
        ([(Relu(), 0), (Combine(1, 1), (0, 2))], "nodes[1].sources"),
        ([(DENSE, 0), (DENSE, 1)], "nodes[1].weights"),
        ([(Gather(np.array([2])), 0)], "nodes[0].index"),
        ([(ArgMax(2), 0)], "nodes[0].groups"),
        ([(Relu(), 0)], "outputs"),
    ],
)
def test_the_graph_is_checked(nodes: list[tuple[Op, int | tuple[int, ...]]], path: str) -> None:
    with pytest.raises(BadIntegerModel) as caught:
        model_of(nodes, size=2)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"input_bits": 1}, "input_bits"),
        ({"input_bits": 63}, "input_bits"),
        ({"input_bits": 8.0}, "input_bits"),
        ({"inputs": ()}, "inputs"),
        ({"inputs": (port("x", 2), port("x", 3))}, "inputs"),
        ({"outputs": ()}, "outputs"),
        ({"outputs": (port("y", 2),)}, "outputs"),
        ({"output": 2}, "output"),
        ({"output": -1}, "output"),
        ({"output": True}, "output"),
        ({"nodes": (Node(Relu(), (True,)),)}, "nodes[0].sources"),
        ({"nodes": (Node(Relu(), [0]),)}, "nodes[0].sources"),  # type: ignore[arg-type]
    ],
)
def test_the_fields_are_checked(changed: dict[str, Any], path: str) -> None:
    given = {name: getattr(TWO, name) for name in ("inputs", "input_bits", "nodes", "output", "outputs")}
    IntegerModel(**given)
    with pytest.raises(BadIntegerModel) as caught:
        IntegerModel(**{**given, **changed})
    assert caught.value.path == path


def test_a_short_file_cannot_ask_for_much_memory() -> None:
    # each node doubles the one before
    nodes: list[tuple[Op, int | tuple[int, ...]]] = [(Concat(), (i, i)) for i in range(50)]
    with pytest.raises(BadIntegerModel, match=f"at most {MAX_ELEMENTS} elements"):
        model_of(nodes)


def test_no_sum_wraps() -> None:
    # 62-bit inputs, the widest there are: the largest sums of each form are exact
    half = 1 << 61
    model = model_of([(Round(1), 0), (Relu(1), 0), (Combine(1, 1), (1, 2))], size=2, bits=62, outputs=2)
    assert model.run([-half, half - 1]).tolist() == [-(half >> 1), half]
