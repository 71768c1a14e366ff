import numpy as np
import pytest

from vouch.circuit.evaluate import apply
from vouch.circuit.ops import Affine, ArgMax, Combine, Concat, Gather, Lookup, Op, Relu, Round, Scale


@pytest.mark.parametrize(
    ("op", "sources", "expected"),
    [
        (Affine(np.array([[1, 2], [3, 4], [0, -1]]), np.array([5, 0, 1])), [[10, 20]], [55, 110, -19]),
        (
            Affine(np.array([[1, 2], [3, 4]]), np.array([5, 0]), np.array([[0, 1], [1, 2]])),
            [[10, 20, 30]],
            [55, 180],
        ),
        (Combine(2, -3, 1), [[1, 2], [10, 20]], [-27, -55]),
        (Scale(-2, 7), [[1, 2]], [5, 3]),
        (Gather(np.array([2, 0, 2])), [[1, 2, 3]], [3, 1, 3]),
        (Concat(), [[1, 2], [3], [4]], [1, 2, 3, 4]),
        # ties go up, also below zero
        (Round(1), [[-3, -2, -1, 0, 1, 2, 3]], [-1, -1, 0, 0, 1, 1, 2]),
        (Round(2), [[-7, -6, -5, 5, 6]], [-2, -1, -1, 1, 2]),
        (Relu(0), [[-1, 0, 3]], [0, 0, 3]),
        (Relu(2), [[-7, 1, 2, 6]], [0, 0, 1, 2]),
        # steps of 10 and -7 in four parts, each rounded with ties up
        (Lookup(2, np.array([0, 10, 3])), [[0, 1, 2, 3, 4, 5, 6, 7]], [0, 3, 5, 8, 10, 8, 7, 5]),
        (ArgMax(1), [[1, 5, 5, 2]], [1]),
        (ArgMax(2), [[1, 5, 9, 7, 7, 7]], [2, 0]),
    ],
)
def test_results(op: Op, sources: list[list[int]], expected: list[int]) -> None:
    rows = [np.array([source, source[::-1]], np.int64) for source in sources]
    made = apply(op, rows)
    assert made.dtype == np.int64
    assert made[0].tolist() == expected
    # each row by itself
    alone = apply(op, [row[1:] for row in rows])
    assert made[1].tolist() == alone[0].tolist()
