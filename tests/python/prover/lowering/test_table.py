from typing import Literal

import numpy as np
import pytest

from vouch.prover.lowering.table import best_table, curve


@pytest.mark.parametrize("kind", ["sigmoid", "tanh"])
@pytest.mark.parametrize("pieces", [3, 6, 9])
@pytest.mark.parametrize(("factor", "unit"), [(2.0**6, 2.0**6), (2.0**12, 1e6), (1234.5, 2.0**10)])
def test_the_stated_error_holds_for_every_input(
    kind: Literal["sigmoid", "tanh"], pieces: int, factor: float, unit: float
) -> None:
    table = best_table(kind, pieces, factor, unit)
    v = np.arange(table.domain)
    x = (table.domain / 2 - 1 - v) / factor
    inside = np.abs(table.at(v) / unit - curve(kind, x))
    # numbers beyond the ends are clamped to them
    beyond = np.array([x.max() + 0.1, x.max() * 3, x.min() - 0.1, x.min() * 3])
    ends = np.array([table.at(np.array([0]))[0]] * 2 + [table.at(v[-1:])[0]] * 2) / unit
    outside = np.abs(ends - curve(kind, beyond))
    assert max(inside.max(), outside.max()) <= table.error
    # stated tightly: some number is that far off, or one a little further out
    limits = np.abs(ends[[0, 2]] - ([1, -1] if kind == "tanh" else [1, 0]))
    assert np.isclose(max(inside.max(), limits.max()), table.error)


def test_more_pieces_are_more_accurate() -> None:
    errors = [best_table("tanh", pieces, 2.0**14, 2.0**20).error for pieces in (4, 6, 8, 10)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-4


def test_coarse_numbers_get_a_small_table() -> None:
    table = best_table("sigmoid", 8, 2.0, 2.0**8)
    assert len(table.knots) - 1 < table.domain <= 2**7


def test_curve() -> None:
    assert curve("sigmoid", np.array([0.0, 800, -800])).tolist() == [0.5, 1.0, 0.0]
    assert np.allclose(curve("sigmoid", np.array([1.5])), 1 / (1 + np.exp(-1.5)))
    assert curve("tanh", np.array([0.5]))[0] == np.tanh(0.5)
