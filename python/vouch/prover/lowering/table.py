"""Tables of straight pieces for the curves, and how far they are from the curve."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np

MAX_DOMAIN_BITS: Final = 20
"""Of the numbers a table takes; each is looked at for the stated error."""

# Where each curve is flat to within 1e-8, and where it certainly is not: what a table may end at.
_REACH: Final = {"sigmoid": (1.0, 19.0), "tanh": (0.5, 10.0)}


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """For v in [0, domain) the curve at x = (domain/2 - 1 - v) / factor; v falls as x grows.

    knots: int64 [n + 1], at out_factor. error: the largest distance of a real output from the curve, over all
    v and over every x that is clamped to either end.
    """

    step_bits: int
    knots: np.ndarray
    error: float

    @property
    def domain(self) -> int:
        return (len(self.knots) - 1) << self.step_bits

    def at(self, v: np.ndarray) -> np.ndarray:
        """Exactly what the circuit's Lookup gives."""
        i, r = v >> self.step_bits, v & ((1 << self.step_bits) - 1)
        rise = (self.knots[i + 1] - self.knots[i]) * r + (1 << (self.step_bits - 1))
        made: np.ndarray = self.knots[i] + (rise >> self.step_bits)
        return made


def curve(kind: Literal["sigmoid", "tanh"], x: np.ndarray) -> np.ndarray:
    """The exact function, float64."""
    made: np.ndarray = np.tanh(x) if kind == "tanh" else 0.5 * (1.0 + np.tanh(0.5 * x))
    return made


@lru_cache(maxsize=256)
def best_table(kind: Literal["sigmoid", "tanh"], piece_bits: int, factor: float, out_factor: float) -> Table:
    """The most accurate table of at most 2**piece_bits pieces, over where it ends.

    factor, out_factor: integers per one, of what goes in and of what comes out.
    """
    low, high = _REACH[kind]
    sizes = [bits for bits in range(2, MAX_DOMAIN_BITS + 1) if low <= (1 << bits) / (2 * factor) <= 2 * high]
    tried = [
        _table(kind, min(piece_bits, bits - 1), bits, factor, out_factor)
        for bits in sizes or [2 if factor < 1 else MAX_DOMAIN_BITS]
    ]
    return min(tried, key=lambda table: table.error)


def _table(
    kind: Literal["sigmoid", "tanh"], piece_bits: int, bits: int, factor: float, out_factor: float
) -> Table:
    domain, step = 1 << bits, 1 << (bits - piece_bits)
    at_knots = curve(kind, (domain / 2 - 1 - np.arange(0, domain + 1, step)) / factor)
    made = Table(bits - piece_bits, np.rint(at_knots * out_factor).astype(np.int64), 0.0)
    v = np.arange(domain)
    got = made.at(v) / out_factor
    inside = np.abs(got - curve(kind, (domain / 2 - 1 - v) / factor)).max()
    # beyond the ends the curve only goes on to its limits
    lowest, highest = (-1.0, 1.0) if kind == "tanh" else (0.0, 1.0)
    tails = max(abs(got[-1] - lowest), abs(got[0] - highest))
    return Table(made.step_bits, made.knots, float(max(inside, tails)))
