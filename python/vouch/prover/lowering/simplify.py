"""Fewer layers that compute the same: scalers, normalisation and moves go into the sums beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vouch.prover.lowering.network import Join, Layer, Linear, Network, Operation, Pick


def simplify(network: Network) -> Network:
    """Merges until nothing changes. Every merge keeps or lowers the number of weights."""
    while True:
        smaller = _pass(_alive(network))
        if len(smaller.layers) == len(network.layers) and not _differs(smaller, network):
            return smaller
        network = smaller


def _differs(left: Network, right: Network) -> bool:
    pairs = zip(left.layers, right.layers, strict=True)
    return any(a.operation is not b.operation or a.sources != b.sources for a, b in pairs)


def _alive(network: Network) -> Network:
    """Without the layers that no output depends on."""
    needed = set(network.outputs)
    for value in range(len(network.layers), 0, -1):
        if value in needed:
            needed.update(network.layers[value - 1].sources)
    made = Network([network.sizes[0]])
    numbers = {0: 0}
    for value, layer in enumerate(network.layers, start=1):
        if value in needed:
            sources = [numbers[source] for source in layer.sources]
            numbers[value] = made.add(layer.operation, sources, layer.name)
    made.outputs = [numbers[output] for output in network.outputs]
    return made


@dataclass(frozen=True, slots=True)
class _Merged:
    """What a layer becomes: another operation on other sources; None is the source itself."""

    operation: Operation | None
    sources: tuple[int, ...]


def _pass(network: Network) -> Network:
    """One merge at each layer where one is possible; layers that lost their readers stay."""
    made = Network([network.sizes[0]])
    single = [len(readers) == 1 for readers in network.readers()]
    numbers, alone = [0], [single[0]]
    for value, layer in enumerate(network.layers, start=1):
        sources = tuple(numbers[source] for source in layer.sources)
        merged = _merge(made, alone, layer.operation, sources) or _Merged(layer.operation, sources)
        if merged.operation is None:
            number = merged.sources[0]
            alone[number] = alone[number] and single[value]
        else:
            number = made.add(merged.operation, merged.sources, layer.name)
            alone.append(single[value])
            if merged.sources != sources:
                # their readers have grown in number
                for source in merged.sources:
                    alone[source] = False
        numbers.append(number)
    made.outputs = [numbers[output] for output in network.outputs]
    return made


def _merge(
    made: Network, alone: Sequence[bool], operation: Operation, sources: tuple[int, ...]
) -> _Merged | None:
    """The layer merged with what it reads; None if it stays as it is."""
    first = made.layers[sources[0] - 1] if sources[0] else None
    size = made.sizes[sources[0]]
    match operation:
        case Pick(index) if np.array_equal(index, np.arange(size)):
            return _Merged(None, sources)
        case Pick(index) if first:
            return _pick(index, first, made, alone[sources[0]])
        case Join() if len(sources) == 1:
            return _Merged(None, sources)
        case Join():
            return _join(made, sources)
        case Linear() if first:
            return _linear(operation, first, made, alone[sources[0]])
        case _:
            return None


def _pick(index: np.ndarray, first: Layer, made: Network, alone: bool) -> _Merged | None:
    match first.operation:
        case Pick(inner):
            return _Merged(Pick(inner[index]), first.sources)
        case Linear(weights, bias, places) if alone and len(index) <= len(weights):
            chosen = None if places is None else places[index]
            return _Merged(Linear(weights[index], bias[index], chosen), first.sources)
        case Join():
            ends = np.cumsum([made.sizes[source] for source in first.sources])
            parts = np.searchsorted(ends, index, side="right")
            if (parts == parts[0]).all():
                part = int(parts[0])
                start = int(ends[part]) - made.sizes[first.sources[part]]
                return _Merged(Pick(index - start), (first.sources[part],))
    return None


def _join(made: Network, sources: tuple[int, ...]) -> _Merged | None:
    """Parts of one value are one choice from it."""
    roots, indices = set(), []
    for source in sources:
        layer = made.layers[source - 1] if source else None
        if layer and isinstance(layer.operation, Pick):
            roots.add(layer.sources[0])
            indices.append(layer.operation.index)
        else:
            roots.add(source)
            indices.append(np.arange(made.sizes[source]))
    return _Merged(Pick(np.concatenate(indices)), (roots.pop(),)) if len(roots) == 1 else None


def _linear(outer: Linear, first: Layer, made: Network, alone: bool) -> _Merged | None:
    source = made.sizes[first.sources[0]]
    match first.operation:
        case Pick(index):
            inner = Linear(np.ones((len(index), 1)), np.zeros(len(index)), index[:, None])
            return _Merged(_through(outer, inner, source), first.sources)
        case Linear() as inner if inner.weights.shape[1] == 1:
            return _Merged(_through(outer, inner, source), first.sources)
        case Linear() as inner if alone and outer.weights.shape[1] == 1:
            if len(outer.weights) <= len(inner.weights):
                return _Merged(_scaled(outer, inner), first.sources)
        case Linear(weights, bias, None) if alone and outer.index is None:
            # two dense layers with nothing between them are one
            if outer.weights.shape[0] * weights.shape[1] <= weights.size + outer.weights.size:
                return _Merged(
                    Linear(outer.weights @ weights, outer.weights @ bias + outer.bias), first.sources
                )
    return None


def _through(outer: Linear, inner: Linear, source: int) -> Linear:
    """outer after inner, which has one weight a row; `source` is the size of what inner reads."""
    places = inner.index[:, 0] if inner.index is not None else np.zeros(len(inner.weights), np.int64)
    weights = outer.weights * _seen(inner.weights[:, 0], outer)
    bias = outer.bias + (outer.weights * _seen(inner.bias, outer)).sum(1)
    if outer.index is not None:
        return Linear(weights, bias, places[outer.index])
    if np.array_equal(np.sort(places), np.arange(source)):
        ordered = np.empty_like(weights)
        ordered[:, places] = weights
        return Linear(ordered, bias)
    return Linear(weights, bias, np.broadcast_to(places, weights.shape))


def _seen(values: np.ndarray, layer: Linear) -> np.ndarray:
    """Numbers of the source's elements as the layer's rows read them."""
    return values[None, :] if layer.index is None else values[layer.index]


def _scaled(outer: Linear, inner: Linear) -> Linear:
    """outer, which has one weight a row, after inner."""
    rows = outer.index[:, 0] if outer.index is not None else np.zeros(len(outer.weights), np.int64)
    return Linear(
        inner.weights[rows] * outer.weights,
        inner.bias[rows] * outer.weights[:, 0] + outer.bias,
        None if inner.index is None else inner.index[rows],
    )
