"""Exact fixed-point numbers, the same as `contracts/libraries/FixedPoint.sol`.

A number is an int256 that counts units of 10**-decimals. Every conversion is integer arithmetic: exact,
rounded half to even where a digit must go, or a named error; nothing wraps or saturates.
"""

import math
from fractions import Fraction

import numpy as np

from vouch.protocol.errors import VouchError

INT256_MIN = -(1 << 255)
INT256_MAX = (1 << 255) - 1
UINT256_MAX = (1 << 256) - 1
DECIMALS = 18
"""Of a fixed-point number when nothing else is said, as for ether."""
MAX_DECIMALS = 36
"""With more, 10**decimals times a float's mantissa would leave 256 bits on the Solidity side."""


def _where(tensor: str | None, index: int | None) -> str:
    return "" if tensor is None else f"tensor {tensor!r}, element {index}: "


class OutOfRange(VouchError):
    """A value does not fit its type; the bounds are inclusive. The codec sets `tensor` and flat `index`."""

    def __init__(
        self,
        value: int | float,
        minimum: int | float,
        maximum: int | float,
        *,
        tensor: str | None = None,
        index: int | None = None,
    ) -> None:
        self.value, self.minimum, self.maximum = value, minimum, maximum
        self.tensor, self.index = tensor, index
        super().__init__(f"{_where(tensor, index)}{value} is not in [{minimum}, {maximum}]; clip it first")


class OutOfInt256(OutOfRange):
    """A value is no int256."""

    def __init__(self, value: int) -> None:
        super().__init__(value, INT256_MIN, INT256_MAX)


class NotFinite(VouchError):
    """NaN or infinity has no fixed-point form. The codec sets `tensor` and flat `index`."""

    def __init__(self, value: float, *, tensor: str | None = None, index: int | None = None) -> None:
        self.value, self.tensor, self.index = value, tensor, index
        super().__init__(f"{_where(tensor, index)}{value} has no fixed-point form; give a finite number")


class Inexact(VouchError):
    """A conversion that must be exact would drop digits."""

    def __init__(
        self,
        value: int | float | Fraction,
        from_decimals: int,
        to_decimals: int,
        *,
        tensor: str | None = None,
        index: int | None = None,
    ) -> None:
        self.value, self.from_decimals, self.to_decimals = value, from_decimals, to_decimals
        self.tensor, self.index = tensor, index
        super().__init__(
            f"{_where(tensor, index)}{value} with {from_decimals} decimals cannot be written exactly with "
            f"{to_decimals}; round it first"
        )


class TooManyDecimals(VouchError):
    """Scales go up to MAX_DECIMALS."""

    def __init__(self, received: int, maximum: int = MAX_DECIMALS) -> None:
        self.received, self.maximum = received, maximum
        super().__init__(f"{received} decimals are not in [0, {maximum}]; 18 is usual")


def unit(decimals: int) -> int:
    """10**decimals, the fixed-point form of one. Raises TooManyDecimals."""
    if not 0 <= decimals <= MAX_DECIMALS:
        raise TooManyDecimals(decimals)
    return int(10**decimals)


def div_half_even(numerator: int, denominator: int) -> int:
    """numerator / denominator (positive), rounded half to even."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return quotient + (twice > denominator or (twice == denominator and quotient & 1 == 1))


def checked(value: int) -> int:
    """The value if it is an int256. Raises OutOfInt256."""
    if not INT256_MIN <= value <= INT256_MAX:
        raise OutOfInt256(value)
    return value


def rescale(value: int, from_decimals: int, to_decimals: int) -> int:
    """The same number in units of 10**-to_decimals. Raises Inexact, OutOfRange, TooManyDecimals."""
    denominator, numerator = unit(from_decimals), value * unit(to_decimals)
    if numerator % denominator:
        raise Inexact(value, from_decimals, to_decimals)
    return checked(numerator // denominator)


def rescale_half_even(value: int, from_decimals: int, to_decimals: int) -> int:
    """The nearest number in units of 10**-to_decimals, ties to even. Raises OutOfRange, TooManyDecimals."""
    denominator, numerator = unit(from_decimals), value * unit(to_decimals)
    return checked(div_half_even(numerator, denominator))


def to_uint(value: int, maximum: int = INT256_MAX) -> int:
    """The value if 0 <= value <= maximum. Raises OutOfRange."""
    if not 0 <= value <= maximum:
        raise OutOfRange(value, 0, min(maximum, INT256_MAX))
    return value


def to_int(value: int) -> int:
    """A uint256 as int256. Raises OutOfRange if it is negative, OutOfInt256 if it is too large."""
    if value < 0:
        raise OutOfRange(value, 0, INT256_MAX)
    return checked(value)


def from_real(value: float | Fraction, decimals: int = DECIMALS) -> int:
    """Nearest fixed-point form of a number, ties to even. Raises NotFinite, OutOfRange, TooManyDecimals."""
    one = unit(decimals)
    if isinstance(value, float) and not math.isfinite(value):
        raise NotFinite(value)
    numerator, denominator = value.as_integer_ratio()
    return checked(div_half_even(numerator * one, denominator))


def to_float64(value: int, decimals: int = DECIMALS) -> float:
    """Nearest IEEE 754 binary64, ties to even (as Python divides integers). Raises TooManyDecimals."""
    return value / unit(decimals)


def to_float32(value: int, decimals: int = DECIMALS) -> np.float32:
    """Nearest IEEE 754 binary32, ties to even. Raises OutOfRange if that is infinite, TooManyDecimals."""
    limit = (1 << 128) - (1 << 103)  # the tie between the largest finite number and infinity; it rounds away
    if abs(value) >= limit * unit(decimals):
        largest = ((1 << 128) - (1 << 104)) * unit(decimals)
        raise OutOfRange(value, -largest, largest)
    return np.float32(narrowable(value, unit(decimals), to_float64(value, decimals), np.dtype(np.float32)))


def narrowable(numerator: int, denominator: int, wide: float, narrow: np.dtype[np.floating]) -> float:
    """A float64 that a cast to `narrow` rounds as the exact numerator / denominator; `wide` is their float64.

    Rounding twice goes wrong only where the first rounding hits a tie of the second; one step back towards
    the exact number breaks that tie the right way.
    """
    if not is_tie(np.array([wide]), narrow)[0]:
        return wide
    n, d = wide.as_integer_ratio()
    exact, rounded = numerator * d, n * denominator
    if exact == rounded:
        return wide
    return math.nextafter(wide, math.inf if exact > rounded else -math.inf)


def is_tie(wide: np.ndarray, narrow: np.dtype[np.floating]) -> np.ndarray:
    """Where a float64 lies exactly between two neighbours of the type `narrow`; bool, same shape."""
    info = np.finfo(narrow)
    dropped = 52 - int(info.nmant)
    low = wide.view(np.uint64) & np.uint64((1 << dropped) - 1)
    normal = low == np.uint64(1 << (dropped - 1))
    tiny = np.abs(wide) < float(info.smallest_normal)
    steps = np.where(tiny, wide, 0.0) / float(info.smallest_subnormal)
    return np.asarray(np.where(tiny, np.abs(np.modf(steps)[0]) == 0.5, normal))


def float32_bits_to_fixed(bits: int, decimals: int = DECIMALS) -> int:
    """From the 32 bits of an IEEE 754 binary32. Raises NotFinite, OutOfRange."""
    return from_real(float(np.array(bits, np.uint32).view(np.float32)), decimals)


def float64_bits_to_fixed(bits: int, decimals: int = DECIMALS) -> int:
    """From the 64 bits of an IEEE 754 binary64. Raises NotFinite, OutOfRange."""
    return from_real(float(np.array(bits, np.uint64).view(np.float64)), decimals)


def fixed_to_float32_bits(value: int, decimals: int = DECIMALS) -> int:
    """Bits of the nearest binary32. Raises OutOfRange."""
    return int(to_float32(value, decimals).view(np.uint32))


def fixed_to_float64_bits(value: int, decimals: int = DECIMALS) -> int:
    """Bits of the nearest binary64."""
    return int(np.float64(to_float64(value, decimals)).view(np.uint64))
