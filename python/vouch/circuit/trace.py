"""The advice of one run: every number that `vouch.circuit.bounds` says a circuit is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from vouch.circuit.bounds import ArgMaxBounds, Bounds, LookupBounds, ReluBounds, RoundBounds
from vouch.circuit.ops import Affine, Lookup, Op

Advice = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """values[i] is value i, int64 [n]; advice[i] its columns, as `IntegerModel.columns[i]` lists them."""

    values: tuple[np.ndarray, ...]
    advice: tuple[Advice, ...]

    @property
    def flat(self) -> np.ndarray:
        """All advice in the circuit's order, int64; negative numbers stand for field elements."""
        return np.concatenate([column for advice in self.advice for column in advice.values()])


def advice_of(op: Op, made: Bounds | None, sources: Sequence[np.ndarray], result: np.ndarray) -> Advice:
    """Advice of one node with the bounds `made`; sources and result are int64 [n]."""
    x = sources[0]
    match made:
        case None:
            return {"y": result} if isinstance(op, Affine) else {}
        case RoundBounds(shift, _, offset):
            return {"y": result + offset, "r": (x + (1 << (shift - 1))) & _mask(shift)}
        case ReluBounds():
            return _relu(made, x, result)
        case LookupBounds():
            assert isinstance(op, Lookup)
            return _lookup(op, made, x, result)
        case ArgMaxBounds():
            return _argmax(made, x)
        case _:
            assert_never(made)


def _relu(made: ReluBounds, x: np.ndarray, result: np.ndarray) -> Advice:
    # arithmetic on bits: x + half + 2**width itself could leave int64 when b is 1
    moved = x + made.half
    rest = moved & _mask(made.width)
    advice = {"b": (moved >= 0).astype(np.int64), "m": rest >> made.shift}
    if made.shift:
        advice["r"] = rest & _mask(made.shift)
    return {**advice, "y": result}


def _lookup(op: Lookup, made: LookupBounds, x: np.ndarray, result: np.ndarray) -> Advice:
    h = made.step_bits
    i, r = x >> h, x & _mask(h)
    line = (op.knots[i + 1] - op.knots[i]) * r + (1 << (h - 1))
    return {"i": i, "r": r, "y": result + made.offset, "q": line & _mask(h)}


def _argmax(made: ArgMaxBounds, x: np.ndarray) -> Advice:
    grouped = x.reshape(made.groups, -1)
    best = np.maximum.accumulate(grouped, axis=1)
    over = grouped[:, 1:] - best[:, :-1] - 1
    larger = over >= 0
    # the first index of the largest so far is the last one that was larger than all before it
    steps = np.arange(1, grouped.shape[1], dtype=np.int64)
    arg = np.maximum.accumulate(np.where(larger, steps, 0), axis=1)
    advice = {"b": larger.astype(np.int64), "m": over & _mask(made.width), "best": best[:, 1:], "arg": arg}
    return {name: np.ascontiguousarray(column).reshape(-1) for name, column in advice.items()}


def _mask(bits: int) -> int:
    return (1 << bits) - 1
