import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.integer_models import inputs_of, model_of, models
from vouch.circuit.errors import IntervalTooWide, LookupOutOfTable
from vouch.circuit.intervals import Interval, input_interval, interval_of
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import LIMIT, Affine, ArgMax, Combine, Concat, Gather, Lookup, Op, Relu, Round, Scale
from vouch.circuit.reference import reference_values

TOP = LIMIT - 1


def span(*ends: tuple[int, int]) -> Interval:
    return Interval(*(np.array(side, np.int64) for side in zip(*ends, strict=True)))


def ends(interval: Interval) -> list[tuple[int, int]]:
    return list(zip(interval.lo.tolist(), interval.hi.tolist(), strict=True))


def test_input_interval() -> None:
    assert ends(input_interval(2, 8)) == [(-128, 127)] * 2


@pytest.mark.parametrize(
    ("op", "sources", "expected"),
    [
        (Affine(np.array([[2, -3]]), np.array([5])), [span((-1, 4), (0, 10))], [(-27, 13)]),
        (Affine(np.array([[2], [-1]]), np.array([0, 0]), np.array([[1], [0]])),
         [span((-1, 4), (0, 10))], [(0, 20), (-4, 1)]),
        (Combine(2, -1, 3), [span((0, 4)), span((-5, 1))], [(2, 16)]),
        (Combine(0, 0, -3), [span((0, 4)), span((-5, 1))], [(-3, -3)]),
        (Scale(-2, 1), [span((-1, 4))], [(-7, 3)]),
        (Gather(np.array([1, 0, 1])), [span((0, 1), (2, 3))], [(2, 3), (0, 1), (2, 3)]),
        (Concat(), [span((0, 1)), span((2, 3))], [(0, 1), (2, 3)]),
        (Round(2), [span((-7, 6))], [(-2, 2)]),
        (Relu(2), [span((-7, 6))], [(0, 2)]),
        (Relu(0), [span((-7, -1), (2, 3))], [(0, 0), (2, 3)]),
        (Lookup(1, np.array([5, -1, 9])), [span((0, 1), (2, 3), (1, 2))], [(-1, 5), (-1, 9), (-1, 9)]),
        (ArgMax(2), [span(*[(-5, 5)] * 6)], [(0, 2), (0, 2)]),
    ],
)  # fmt: skip
def test_bounds_of_each_operation(op: Op, sources: list[Interval], expected: list[tuple[int, int]]) -> None:
    assert ends(interval_of(op, sources, 0)) == expected


@pytest.mark.parametrize(
    ("op", "fits", "leaves"),
    [
        # the sum itself is small; what wraps is what is added up on the way
        (Affine(np.array([[1, -1]]), np.array([1])),
         [span((TOP - 5, TOP - 5), (4, 4))], [span((TOP - 5, TOP - 5), (5, 5))]),
        (Affine(np.array([[1]]), np.array([-1])), [span((TOP - 1, TOP - 1))], [span((TOP, TOP))]),
        (Affine(np.array([[1]]), np.array([-1]), np.array([[0]])),
         [span((0, TOP - 1))], [span((0, TOP))]),
        (Combine(1, -1, 1), [span((0, TOP - 3)), span((0, 2))], [span((0, TOP - 2)), span((0, 2))]),
        (Scale(-4, 2), [span((0, LIMIT // 4 - 1))], [span((0, LIMIT // 4))]),
        (Round(1), [span((0, TOP - 1))], [span((0, TOP))]),
        (Round(1), [span((2 - LIMIT, 0))], [span((1 - LIMIT, 0))]),
        (Relu(1), [span((0, TOP - 1))], [span((0, TOP))]),
        (ArgMax(), [span((0, 0), (0, TOP - 1))], [span((-1, 0), (0, TOP - 1))]),
    ],
)  # fmt: skip
def test_accumulators_stay_below_the_limit(op: Op, fits: list[Interval], leaves: list[Interval]) -> None:
    interval_of(op, fits, 3)
    with pytest.raises(IntervalTooWide) as caught:
        interval_of(op, leaves, 3)
    assert (caught.value.node, caught.value.op) == (3, type(op).__name__)
    assert LIMIT <= caught.value.bound < LIMIT + 8


def test_lines_of_a_table_stay_below_the_limit() -> None:
    x = [span((0, 3))]
    # 2**h - 1 = 3 times the step, plus a half = 2
    step = (LIMIT - 3) // 3
    interval_of(Lookup(2, np.array([0, step, 0])), x, 0)
    with pytest.raises(IntervalTooWide):
        interval_of(Lookup(2, np.array([0, step + 1, 0])), x, 0)


def test_no_bound_is_computed_in_int64() -> None:
    # 2**61 * 8 is 0 modulo 2**64
    with pytest.raises(IntervalTooWide) as caught:
        interval_of(Affine(np.array([[1 << 61]]), np.array([0])), [span((8, 8))], 0)
    assert caught.value.bound == 1 << 64
    assert "2**64" in str(caught.value)


@pytest.mark.parametrize("ends_", [(-1, 0), (0, 8)])
def test_a_table_takes_only_what_is_in_it(ends_: tuple[int, int]) -> None:
    op = Lookup(2, np.array([0, 1, 2]))
    interval_of(op, [span((0, 7))], 0)
    with pytest.raises(LookupOutOfTable) as caught:
        interval_of(op, [span((3, 3), ends_)], 5)
    it = caught.value
    assert (it.node, it.low, it.high, it.size) == (5, min(ends_[0], 3), max(ends_[1], 3), 8)


def test_a_model_names_the_node() -> None:
    with pytest.raises(IntervalTooWide) as caught:
        model_of([(Scale(1 << 30), 0), (Scale(1 << 30), 1)])
    assert caught.value.node == 1
    with pytest.raises(LookupOutOfTable) as out:
        model_of([(Scale(1), 0), (Lookup(2, np.arange(3)), 1)])
    assert out.value.node == 1


@settings(deadline=None)
@given(data=st.data(), model=models())
def test_no_input_leaves_the_intervals(data: st.DataObject, model: IntegerModel) -> None:
    values = reference_values(model, data.draw(inputs_of(model)))
    for value, interval in zip(values, model.intervals, strict=True):
        assert all(low <= it <= high for it, (low, high) in zip(value, ends(interval), strict=True))
        assert max(map(abs, value)) < LIMIT


@settings(deadline=None)
@given(x=st.lists(st.integers(-4, 3), min_size=2, max_size=2), shift=st.integers(1, 4))
def test_monotone_operations_have_tight_intervals(x: list[int], shift: int) -> None:
    op = Round(shift)
    lo, hi = min(x), max(x)
    reached = [(value + (1 << shift - 1)) >> shift for value in range(lo, hi + 1)]
    assert ends(interval_of(op, [span((lo, hi))], 0)) == [(min(reached), max(reached))]
