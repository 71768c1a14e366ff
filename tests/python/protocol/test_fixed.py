"""Against Fraction and numpy, which get there another way; Solidity is compared in tests/parity."""

import math
import struct
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouch.protocol import fixed
from vouch.protocol.fixed import INT256_MAX, INT256_MIN

decimals = st.integers(0, 36)
int256 = st.one_of(st.integers(INT256_MIN, INT256_MAX), st.integers(-(10**30), 10**30))


def half_even(value: Fraction) -> int:
    with localcontext() as context:
        context.prec = 1500  # all digits of the smallest float
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return int(exact.to_integral_value(rounding=ROUND_HALF_EVEN))


@given(value=st.floats(-(2.0**100), 2.0**100), places=decimals)
def test_from_real_rounds_half_to_even(value: float, places: int) -> None:
    assert fixed.from_real(value, places) == half_even(Fraction(value) * 10**places)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (-2.5, -2), (2.75, 3), (-0.0, 0)],
)
def test_ties_go_to_even(value: float, expected: int) -> None:
    assert fixed.from_real(value, 0) == expected


def test_fractions() -> None:
    assert fixed.from_real(Fraction(1, 10)) == 10**17
    assert fixed.from_real(0.1) == 100_000_000_000_000_006  # the float nearest to 0.1 is a little more
    assert fixed.from_real(float(np.float32(0.1))) == 100_000_001_490_116_119
    assert fixed.from_real(Fraction(1, 3), 6) == 333_333


@given(value=int256, places=decimals)
def test_to_float64_is_the_nearest(value: int, places: int) -> None:
    made = fixed.to_float64(value, places)
    exact = Fraction(value, 10**places)
    error = abs(Fraction(made) - exact)
    for other in (math.nextafter(made, math.inf), math.nextafter(made, -math.inf)):
        assert error <= abs(Fraction(other) - exact)


@given(value=int256, places=decimals)
def test_to_float32_is_the_nearest(value: int, places: int) -> None:
    exact = Fraction(value, 10**places)
    if abs(exact) >= Fraction(2) ** 128 - Fraction(2) ** 103:
        with pytest.raises(fixed.OutOfRange):
            fixed.to_float32(value, places)
        return
    made = fixed.to_float32(value, places)
    with np.errstate(over="ignore"):
        others = [np.nextafter(made, np.float32(end)) for end in (np.inf, -np.inf)]
    for other in others:
        if np.isfinite(other):
            distances = abs(Fraction(float(made)) - exact), abs(Fraction(float(other)) - exact)
            assert distances[0] < distances[1] or (
                distances[0] == distances[1] and int(made.view(np.uint32)) % 2 == 0
            )


def test_to_float32_does_not_round_twice() -> None:
    tie = 2**24 + 1  # between two float32; one unit more must round up, though its float64 is the tie
    assert fixed.to_float32(tie * 10**18) == 2**24
    assert fixed.to_float32(tie * 10**18 + 1) == 2**24 + 2
    assert np.float32((tie * 10**18 + 1) / 10**18) == 2**24  # what a plain cast would give
    assert fixed.to_float32(-(tie * 10**18 + 1)) == -(2**24 + 2)


@pytest.mark.parametrize("sign", [1, -1])
def test_to_float32_ends_half_a_step_above_the_largest(sign: int) -> None:
    first = (2**128 - 2**103) * 10**18
    assert fixed.to_float32(sign * (first - 1)) == np.float32(sign) * np.finfo(np.float32).max
    with pytest.raises(fixed.OutOfRange) as caught:
        fixed.to_float32(sign * first)
    largest = (2**128 - 2**104) * 10**18
    assert (caught.value.minimum, caught.value.maximum) == (-largest, largest)


def test_is_tie_sees_subnormals() -> None:
    step = float(np.finfo(np.float32).smallest_subnormal)
    wide = np.array([1.5 * step, 2 * step, 2.25 * step, -2.5 * step])
    assert fixed.is_tie(wide, np.dtype(np.float32)).tolist() == [True, False, False, True]


@given(bits=st.integers(0, 2**32 - 1))
def test_float32_survives_where_18_decimals_suffice(bits: int) -> None:
    (value,) = struct.unpack(">f", bits.to_bytes(4, "big"))
    if not math.isfinite(value):
        with pytest.raises(fixed.NotFinite) as caught:
            fixed.float32_bits_to_fixed(bits)
        assert math.isnan(value) or caught.value.value == value
    elif abs(value) >= 2.0**-34:  # below, less than half of a float32's last place is left for 18 decimals
        assert fixed.fixed_to_float32_bits(fixed.float32_bits_to_fixed(bits)) == bits


@given(value=int256, start=decimals, end=decimals)
def test_rescale_is_exact_or_refuses(value: int, start: int, end: int) -> None:
    exact = Fraction(value) * Fraction(10) ** (end - start)
    if exact.denominator != 1:
        with pytest.raises(fixed.Inexact) as caught:
            fixed.rescale(value, start, end)
        assert (caught.value.value, caught.value.from_decimals, caught.value.to_decimals) == (
            value,
            start,
            end,
        )
    elif not INT256_MIN <= exact <= INT256_MAX:
        with pytest.raises(fixed.OutOfInt256) as out:
            fixed.rescale(value, start, end)
        assert out.value.value == exact
    else:
        assert fixed.rescale(value, start, end) == exact
        assert fixed.rescale_half_even(value, start, end) == exact


@pytest.mark.parametrize(("value", "expected"), [(25, 2), (35, 4), (-25, -2), (-35, -4), (26, 3), (-24, -2)])
def test_rescale_half_even(value: int, expected: int) -> None:
    assert fixed.rescale_half_even(value, 1, 0) == expected


@pytest.mark.parametrize("bad", [-1, 37, 255])
def test_too_many_decimals(bad: int) -> None:
    with pytest.raises(fixed.TooManyDecimals) as caught:
        fixed.unit(bad)
    assert (caught.value.received, caught.value.maximum) == (bad, 36)


def test_ranges() -> None:
    assert fixed.to_uint(5, 5) == 5
    assert fixed.to_int(INT256_MAX) == INT256_MAX
    with pytest.raises(fixed.OutOfRange, match=r"6 is not in \[0, 5\]"):
        fixed.to_uint(6, 5)
    with pytest.raises(fixed.OutOfRange):
        fixed.to_uint(-1)
    with pytest.raises(fixed.OutOfInt256):
        fixed.to_int(INT256_MAX + 1)
    with pytest.raises(fixed.OutOfRange):
        fixed.to_int(-1)
    with pytest.raises(fixed.OutOfInt256):
        fixed.from_real(2.0**255, 0)
    assert fixed.from_real(-(2.0**255), 0) == INT256_MIN


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_finite(value: float) -> None:
    with pytest.raises(fixed.NotFinite):
        fixed.from_real(value)
