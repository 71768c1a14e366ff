"""The equations of `vouch.circuit.bounds`, modulo the field's order, with every witness tried."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.equations import sides
from tests.support.integer_models import model_of
from vouch.circuit.bounds import (
    ArgMaxBounds,
    Bounds,
    Column,
    InputBounds,
    LookupBounds,
    ReluBounds,
    RoundBounds,
    bounds,
    columns,
)
from vouch.circuit.errors import IntervalTooWide
from vouch.circuit.intervals import Interval, interval_of
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import LIMIT, MAX_SHIFT, Affine, ArgMax, Combine, Lookup, Op, Relu, Round
from vouch.circuit.trace import advice_of
from vouch.protocol.packing import Packing
from vouch.protocol.zk import FIELD

small = st.tuples(st.integers(-40, 40), st.integers(-40, 40)).map(lambda it: (min(it), max(it)))
anything = st.tuples(st.integers(-(LIMIT >> 2), LIMIT >> 2), st.integers(-(LIMIT >> 2), LIMIT >> 2)).map(
    lambda it: (min(it), max(it))
)


def span(lo: int, hi: int, size: int = 1) -> Interval:
    return Interval(np.full(size, lo, np.int64), np.full(size, hi, np.int64))


def fixed_by(made: Bounds) -> list[Column]:
    """Columns with a range check: the numbers that a division fixes; the others are products of them."""
    return [column for column in made.columns(2) if column.bits is not None]


def witnesses(op: Op, made: Bounds, x: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """All advice within the widths that a circuit accepts."""
    for advice in product(*(range(1 << (column.bits or 0)) for column in fixed_by(made))):
        if all((left - right) % FIELD == 0 for left, right in sides(op, made, x, advice)):
            yield advice


def honest(op: Op, made: Bounds, x: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """The advice of the trace, and its result."""
    vector = np.array(x if isinstance(op, ArgMax) else x[:1], np.int64)
    result = one(op, vector)
    advice = advice_of(op, made, [vector], result)
    return tuple(int(advice[column.name][0]) for column in fixed_by(made)), int(result[0])


def one(op: Op, x: np.ndarray) -> np.ndarray:
    return (
        model_of([(op, 0)], size=len(x), bits=20).run(x) if not isinstance(op, Lookup) else _looked_up(op, x)
    )


def _looked_up(op: Lookup, x: np.ndarray) -> np.ndarray:
    i, r = divmod(int(x[0]), 1 << op.step_bits)
    step = int(op.knots[i + 1] - op.knots[i])
    return np.array([op.knots[i] + ((step * r + (1 << op.step_bits - 1)) >> op.step_bits)])


def check_unique(op: Op, source: Interval) -> None:
    made = bounds(op, [source])
    assert made is not None
    lo, hi = int(source.lo[0]), int(source.hi[0])
    pairs = product(range(lo, hi + 1), repeat=2) if isinstance(op, ArgMax) else product(range(lo, hi + 1))
    for x in pairs:
        expected, result = honest(op, made, x)
        assert list(witnesses(op, made, x)) == [expected]
        if isinstance(made, RoundBounds):
            assert expected[0] - made.offset == result
        elif isinstance(made, LookupBounds):
            assert expected[2] - made.offset == result
        elif isinstance(made, ReluBounds):
            assert expected[0] * expected[1] == result
        else:
            assert expected[0] == result == (x[1] > x[0])


@settings(deadline=None)
@given(ends=small, shift=st.integers(1, 4))
def test_round_has_one_witness(ends: tuple[int, int], shift: int) -> None:
    check_unique(Round(shift), span(*ends))


@settings(deadline=None)
@given(ends=small, shift=st.integers(0, 4))
def test_relu_has_one_witness(ends: tuple[int, int], shift: int) -> None:
    check_unique(Relu(shift), span(*ends))


@settings(deadline=None)
@given(data=st.data(), h=st.integers(1, 2), log=st.integers(1, 2))
def test_lookup_has_one_witness(data: st.DataObject, h: int, log: int) -> None:
    pieces = 1 << log
    knots = data.draw(st.lists(st.integers(-9, 9), min_size=pieces + 1, max_size=pieces + 1))
    top = (pieces << h) - 1
    lo = data.draw(st.integers(0, top))
    check_unique(Lookup(h, np.array(knots)), span(lo, data.draw(st.integers(lo, top))))


@settings(deadline=None)
@given(lo=st.integers(-6, 6), more=st.integers(0, 6))
def test_argmax_has_one_witness(lo: int, more: int) -> None:
    check_unique(ArgMax(), span(lo, lo + more, 2))


@settings(deadline=None)
@given(
    ends=anything,
    op=st.one_of(
        st.builds(Round, st.integers(1, MAX_SHIFT)),
        st.builds(Relu, st.integers(0, MAX_SHIFT)),
        st.just(ArgMax()),
        st.builds(
            lambda h, a, b: Lookup(h, np.array([a, b, a])),
            st.integers(1, 60),
            st.integers(1 - LIMIT, LIMIT - 1),
            st.integers(1 - LIMIT, LIMIT - 1),
        ),
    ),
)
def test_both_sides_are_too_small_to_wrap_in_the_field(ends: tuple[int, int], op: Op) -> None:
    source = span(0, op.domain - 1) if isinstance(op, Lookup) else span(*ends, 2)
    try:
        made = bounds(op, [source])
        interval_of(op, [source], 0)
    except IntervalTooWide:
        assume(False)
    assert made is not None
    ends = (int(source.lo[0]), int(source.hi[0]))
    spare = 1 << 127
    assert spare < FIELD
    highest = tuple((1 << (column.bits or 0)) - 1 for column in fixed_by(made))
    if isinstance(op, Lookup):
        # the last piece is the highest index; any of them, with r at either end, is a corner of the line
        corners = [(i, r, *highest[2:]) for i in (0, 1) for r in (0, highest[1])]
    else:
        corners = [highest]
    for x in product(ends, repeat=2):
        for advice in corners:
            assert all(0 <= left < spare and 0 <= right < spare for left, right in sides(op, made, x, advice))


@pytest.mark.parametrize(
    ("op", "source", "expected"),
    [
        (Round(4), span(-100, 100), RoundBounds(4, 4, 6)),
        (Round(4), span(0, 7), RoundBounds(4, 1, 0)),
        (Round(4), span(100, 200), RoundBounds(4, 3, -6)),
        (Relu(0), span(-128, 127), ReluBounds(0, 7)),
        (Relu(0), span(-129, 0), ReluBounds(0, 8)),
        (Relu(0), span(0, 128), ReluBounds(0, 8)),
        (Relu(4), span(-128, 119), ReluBounds(4, 7)),
        (Relu(4), span(-128, 120), ReluBounds(4, 8)),
        (Relu(4), span(-1, 1), ReluBounds(4, 5)),
        (Lookup(3, np.array([-5, 0, 9, 1, 2])), span(0, 31), LookupBounds(3, 2, 4, 5)),
        (ArgMax(), span(-8, 7, 3), ArgMaxBounds(1, 4)),
        (ArgMax(), span(5, 5, 3), ArgMaxBounds(1, 1)),
        (Affine(np.array([[1]]), np.array([0])), span(0, 1), None),
    ],
)
def test_widths(op: Op, source: Interval, expected: Bounds | None) -> None:
    assert bounds(op, [source]) == expected


def test_relu_with_a_wide_shift_leaves_a_bit_for_the_quotient() -> None:
    made = bounds(Relu(10), [span(-3, 3)])
    assert isinstance(made, ReluBounds)
    assert (made.m_width, made.half) == (1, 512)


def test_columns() -> None:
    x = span(-128, 127, 6)
    assert columns(Relu(0), [x]) == (Column("b", 6, 1), Column("m", 6, 7), Column("y", 6))
    assert [column.name for column in columns(Relu(2), [x])] == ["b", "m", "r", "y"]
    assert [(column.name, column.count) for column in columns(ArgMax(2), [x])] == [
        ("b", 4),
        ("m", 4),
        ("best", 4),
        ("arg", 4),
    ]
    assert columns(Affine(np.ones((3, 6), np.int64), np.zeros(3, np.int64)), [x]) == (Column("y", 3),)
    assert columns(Combine(1, 1), [x, x]) == ()


@settings(deadline=None)
@given(data=st.data(), bits=st.integers(2, 62))
def test_input_columns_are_what_the_chain_packs(data: st.DataObject, bits: int) -> None:
    (column,) = InputBounds(bits).columns(9)
    limit = 1 << (bits - 1)
    values = data.draw(st.lists(st.integers(-limit, limit - 1), min_size=9, max_size=9))
    digits = [value + column.offset for value in values]
    assert all(0 <= digit < 1 << (column.bits or 0) for digit in digits)
    packing = Packing(9, bits)
    each = packing.per_field
    fields = [digits[i : i + each] for i in range(0, 9, each)]
    assert packing.pack(values) == tuple(
        sum(digit << (bits * j) for j, digit in enumerate(field)) for field in fields
    )


def test_a_model_has_the_bounds_of_its_nodes() -> None:
    model: IntegerModel = model_of([(Round(2), 0), (Relu(1), 1)], bits=8)
    assert model.bounds == (RoundBounds(2, 7, 32), ReluBounds(1, 6))
    assert [column.name for value in model.columns for column in value] == ["value", "y", "r", *"bmry"]
