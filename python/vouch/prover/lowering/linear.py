"""Sums with constant weights, in whole numbers."""

import math

import numpy as np

from vouch.circuit.ops import Affine, Gather
from vouch.prover.lowering.network import Linear
from vouch.prover.lowering.scales import Scales
from vouch.prover.lowering.wire import ROOM, Circuit, Wire, excess, steps, whole

_FEW = 256
"""Weights that are whole multiples of the smallest one, up to this, are kept exactly."""


def weigh(circuit: Circuit, wire: Wire, layer: Linear, scales: Scales, goal: float | None) -> Wire:
    """The layer's sums. With a goal their factor is goal * 2**t for a t >= 0, as small as the weights allow.

    Raises IntervalTooWide.
    """
    if goal is not None and _fits(wire, layer, goal):
        return _put(circuit, wire, layer, goal)
    exact = _exact_factor(wire, layer, scales)
    if circuit.secret and exact != wire.one:
        # the factor is public in the tables that follow, and would tell the smallest weight
        exact = None
    if exact is not None and (goal is None or steps(exact, goal) is not None):
        return _put(circuit, wire, layer, exact)
    # weights of about 1 get 2**weight, for numbers of about 1
    fine = wire.grain * 2.0**scales.weight
    while True:
        if goal is not None:
            factor = goal * 2.0 ** max(0, math.ceil(math.log2(fine / goal)))
        else:
            factor = 2.0 ** math.ceil(math.log2(fine))
        least = goal or 1.0
        largest = _largest(wire, layer)
        while factor > least and largest * factor >= ROOM:
            factor /= 2
        if factor >= fine or np.ndim(wire.factor) or not excess(wire, scales.activation):
            # whatever is too wide now has no other way out, and says so
            return _put(circuit, wire, layer, max(factor, least))
        wire = circuit.rounded(wire, scales.activation)
        fine = wire.grain * 2.0**scales.weight


def _fits(wire: Wire, layer: Linear, factor: float) -> bool:
    """Are all weights and biases integers at this factor?"""
    weights = layer.weights * factor / _per_weight(layer, wire.factor)
    return whole(weights, 0.0) and whole(layer.bias * factor, 0.0) and _largest(wire, layer) * factor < ROOM


def _exact_factor(wire: Wire, layer: Linear, scales: Scales) -> float | None:
    """The factor at which all weights are small integers, as those of a mean are; None if there is none."""
    sizes = np.abs(layer.weights)
    if np.ndim(wire.factor) or not sizes.any():
        return None
    unit = float(sizes[sizes > 0].min())
    factor = wire.one / unit
    few = float(sizes.max()) <= _FEW * unit and whole(sizes / unit, 2.0 ** -(scales.weight + 4))
    bias = factor >= 2.0**scales.activation or whole(layer.bias * factor, 0.0)
    return factor if few and bias and _largest(wire, layer) * factor < ROOM else None


def _per_weight(layer: Linear, numbers: float | np.ndarray) -> float | np.ndarray:
    """Numbers of the source's elements, as the weights see them."""
    if not isinstance(numbers, np.ndarray):
        return numbers
    return numbers[None, :] if layer.index is None else numbers[layer.index]


def _largest(wire: Wire, layer: Linear) -> float:
    """No sum, nor a part of one, is larger in size; as real numbers."""
    reach = wire.interval.reach.astype(float) / wire.factor
    sums = (np.abs(layer.weights) * _per_weight(layer, reach)).sum(1) + np.abs(layer.bias)
    return float(sums.max())


def _put(circuit: Circuit, wire: Wire, layer: Linear, factor: float) -> Wire:
    weights = np.rint(layer.weights * factor / _per_weight(layer, wire.factor)).astype(np.int64)
    bias = np.rint(layer.bias * factor).astype(np.int64)
    single = weights.shape[1] == 1 and (weights == weights[0]).all() and (bias == bias[0]).all()
    if circuit.secret or not single:
        return circuit.wire(circuit.put(Affine(weights, bias, layer.index), wire.value), factor)
    # the same for all elements: no sums of their own are needed
    size = len(wire.interval.lo)
    places = np.zeros(1, np.int64) if layer.index is None else layer.index[:, 0]
    if not np.array_equal(places, np.arange(size)):
        wire = circuit.wire(circuit.put(Gather(places), wire.value), factor)
    return circuit.scaled(wire, int(weights[0, 0]), int(bias[0]), factor)
