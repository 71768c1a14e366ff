from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vouch.circuit.errors import BadIntegerModel
from vouch.circuit.ops import (
    LIMIT,
    MAX_SHIFT,
    Affine,
    ArgMax,
    Combine,
    Concat,
    Gather,
    Lookup,
    Op,
    Relu,
    Round,
    Scale,
)

DENSE = Affine(np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8]))
WINDOW = Affine(np.array([[1, 2]]), np.array([0]), np.array([[0, 4]]))


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: Affine(np.array([1, 2]), np.array([0])), "weights"),
        (lambda: Affine(np.array([[1.0]]), np.array([0])), "weights"),
        (lambda: Affine(np.empty((0, 2), np.int64), np.empty(0, np.int64)), "weights"),
        (lambda: Affine(np.array([[LIMIT]]), np.array([0])), "weights"),
        (lambda: Affine(np.array([[-LIMIT]]), np.array([0])), "weights"),
        (lambda: Affine(np.array([[1 << 63]], np.uint64), np.array([0])), "weights"),
        (lambda: Affine(np.array([[1]]), np.array([0, 0])), "bias"),
        (lambda: Affine(np.array([[1]]), np.array([LIMIT])), "bias"),
        (lambda: Affine(np.array([[1, 2]]), np.array([0]), np.array([[0]])), "index"),
        (lambda: Affine(np.array([[1]]), np.array([0]), np.array([[-1]])), "index"),
        (lambda: Affine(np.array([[1]]), np.array([0]), np.array([[1 << 31]])), "index"),
        (lambda: Combine(LIMIT, 0), "a"),
        (lambda: Combine(0, -LIMIT), "b"),
        (lambda: Combine(0, 0, LIMIT), "constant"),
        (lambda: Scale(1.0), "a"),  # type: ignore[arg-type]
        (lambda: Scale(True), "a"),
        (lambda: Scale(0, LIMIT), "constant"),
        (lambda: Gather(np.array([], np.int64)), "index"),
        (lambda: Gather(np.array([-1])), "index"),
        (lambda: Round(0), "shift"),
        (lambda: Round(MAX_SHIFT + 1), "shift"),
        (lambda: Relu(-1), "shift"),
        (lambda: Relu(MAX_SHIFT + 1), "shift"),
        (lambda: Lookup(0, np.arange(3)), "step_bits"),
        (lambda: Lookup(MAX_SHIFT + 1, np.arange(3)), "step_bits"),
        (lambda: Lookup(4, np.arange(2)), "knots"),
        (lambda: Lookup(4, np.arange(4)), "knots"),
        (lambda: Lookup(4, np.array([0, LIMIT, 0])), "knots"),
        (lambda: ArgMax(0), "groups"),
    ],
)
def test_constants_are_checked(make: Callable[[], Op], path: str) -> None:
    with pytest.raises(BadIntegerModel) as caught:
        make()
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("op", "sources", "size"),
    [
        (DENSE, [3], 2),
        (WINDOW, [5], 1),
        (Combine(1, 2), [4, 4], 4),
        (Scale(3), [4], 4),
        (Gather(np.array([1, 1, 0])), [2], 3),
        (Concat(), [2, 3, 4], 9),
        (Round(3), [6], 6),
        (Relu(), [6], 6),
        (Lookup(3, np.arange(5)), [6], 6),
        (ArgMax(2), [6], 2),
    ],
)
def test_size(op: Op, sources: list[int], size: int) -> None:
    assert op.size(sources) == size


@pytest.mark.parametrize(
    ("op", "sources", "path"),
    [
        (DENSE, [4], "weights"),
        (DENSE, [3, 3], "sources"),
        (WINDOW, [4], "index"),
        (Combine(1, 2), [4], "sources"),
        (Combine(1, 2), [4, 5], "sources"),
        (Scale(3), [], "sources"),
        (Gather(np.array([2])), [2], "index"),
        (Concat(), [], "sources"),
        (Round(3), [1, 1], "sources"),
        (Relu(), [1, 1], "sources"),
        (Lookup(3, np.arange(5)), [1, 1], "sources"),
        (ArgMax(2), [5], "groups"),
        (ArgMax(2), [2], "groups"),
    ],
)
def test_sources_are_checked(op: Op, sources: list[int], path: str) -> None:
    with pytest.raises(BadIntegerModel) as caught:
        op.size(sources)
    assert caught.value.path == path


def test_arrays_are_own_copies_that_nobody_changes() -> None:
    weights = np.array([[1, 2]], np.int8)
    op = Affine(weights, np.array([0]), np.array([[0, 1]]))
    weights[0, 0] = 9
    assert op.weights.tolist() == [[1, 2]]
    assert op.weights.dtype == np.int64
    assert op.index is not None
    assert op.index.dtype == np.int32
    for array in (op.weights, op.bias, op.index):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 3


def test_the_widest_constants() -> None:
    assert Combine(LIMIT - 1, 1 - LIMIT).a == LIMIT - 1
    assert Lookup(MAX_SHIFT, np.array([1 - LIMIT, 0, LIMIT - 1])).domain == 2 << MAX_SHIFT


def test_the_message_says_what_to_do() -> None:
    with pytest.raises(BadIntegerModel) as caught:
        Round(0)
    assert str(caught.value) == "integer model, shift: expected 1 to 60 bits, received 0"


def test_operations_have_no_other_types() -> None:
    # arrays of objects or floats would compute with something else than int64
    for value in ([[1.5]], [["1"]], [[None]], [[10**30]]):
        bad: Any = np.array(value)
        with pytest.raises(BadIntegerModel):
            Affine(bad, np.array([0]))
