"""A multilayer perceptron in Circom: whole-number weights, ReLUs from bits, the logit as output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SCALE = 12
"""Bits after the point of weights and activations."""
WIDTH = 36
"""Every sum before a ReLU is below 2^WIDTH in size."""
INPUT_BITS = 20

_HEAD = """pragma circom 2.0.0;

template Bits(n) {
    signal input x;
    signal output bits[n];
    var sum = 0;
    for (var i = 0; i < n; i++) {
        bits[i] <-- (x >> i) & 1;
        bits[i] * (bits[i] - 1) === 0;
        sum += bits[i] * 2**i;
    }
    sum === x;
}

// max(0, x / 2^scale, rounded), |x| < 2^width
template Relu(width, scale) {
    signal input x;
    signal output y;
    component split = Bits(width + 1);
    split.x <== x + 2**(scale - 1) + 2**width;
    var high = 0;
    for (var i = scale; i < width; i++) { high += split.bits[i] * 2**(i - scale); }
    y <== split.bits[width] * high;
}
"""


Layers = Sequence[tuple[np.ndarray, np.ndarray]]


def quantised(layers: Layers) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and biases as whole numbers int64."""
    return [
        (np.rint(w * 2.0**SCALE).astype(np.int64), np.rint(b * 2.0 ** (2 * SCALE)).astype(np.int64))
        for w, b in layers
    ]


def run(layers: Layers, x: np.ndarray) -> int:
    """The logit (scale 2^(2 · SCALE)) of whole-number inputs; layers as `quantised` gives them."""
    for i, (weights, bias) in enumerate(layers):
        sums = weights @ x + bias
        if int(np.abs(sums).max()) >= 2**WIDTH - 2**SCALE:
            raise ValueError(f"layer {i}: a sum of {int(np.abs(sums).max())} needs more than {WIDTH} bits")
        x = np.maximum(0, (sums + 2 ** (SCALE - 1)) >> SCALE) if i + 1 < len(layers) else sums
    return int(x[0])


def source(layers: Layers) -> str:
    """The program; inputs "x" and "context" are public, the output is the logit."""
    size = layers[0][0].shape[1]
    lines = [
        _HEAD,
        "template Main() {",
        f"    signal input x[{size}];",
        "    signal input context;",
        "    signal output y;",
        "    signal bound <== context * context;",
        f"    component range[{size}];",
        f"    for (var i = 0; i < {size}; i++) {{",
        f"        range[i] = Bits({INPUT_BITS});",
        f"        range[i].x <== x[i] + 2**{INPUT_BITS - 1};",
        "    }",
    ]
    last = "x"
    for i, (weights, bias) in enumerate(layers):
        n, k = weights.shape
        lines += [
            f"    var w{i}[{n}][{k}] = [{', '.join(_list(row) for row in weights)}];",
            f"    var b{i}[{n}] = {_list(bias)};",
            f"    signal s{i}[{n}];",
        ]
        sums = f"var sum = b{i}[i]; for (var j = 0; j < {k}; j++) {{ sum += w{i}[i][j] * {last}[j]; }}"
        if i + 1 == len(layers):
            lines.append(f"    for (var i = 0; i < {n}; i++) {{ {sums} s{i}[i] <== sum; }}")
            last = f"s{i}"
            continue
        relu = f"r{i}[i] = Relu({WIDTH}, {SCALE}); r{i}[i].x <== sum; s{i}[i] <== r{i}[i].y;"
        lines += [f"    component r{i}[{n}];", f"    for (var i = 0; i < {n}; i++) {{ {sums} {relu} }}"]
        last = f"s{i}"
    return "\n".join(
        [*lines, f"    y <== {last}[0];", "}", "component main {public [x, context]} = Main();", ""]
    )


def _list(values: np.ndarray) -> str:
    return f"[{', '.join(str(int(value)) for value in values)}]"
