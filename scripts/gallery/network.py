"""A small convolutional network in NumPy: what it computes, and how it learns.

    images [N, 16, 16, 1] in 0..1
    → convolution 3 × 3, stride 2, padded by 1 → ReLU → largest of 2 × 2 → [N, 4, 4, c1]
    → convolution 3 × 3 → ReLU → largest of 2 × 2 → [N, 1, 1, c2]
    → linear → logits [N, 10]

Channels come last here and first in ONNX; weights are laid out as ONNX wants them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

CHANNELS = (8, 24)
KERNEL = 3
CLASSES = 10
BATCH = 50
EPOCHS = 40
RATE = 4e-3
DECAY = 1e-4
"""Part of each weight that a step takes away at full rate: small weights lose less to rounding."""


Slope = tuple[np.ndarray, np.ndarray]
"""Inputs [..., k] of a layer, and the gradient [..., n] at its outputs."""


@dataclass(slots=True)
class Layer:
    """Weights [n, k] and bias [n] of one linear map, with Adam's moments of their gradients."""

    weights: np.ndarray
    bias: np.ndarray
    moments: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """[..., k] → [..., n]"""
        return np.asarray(x @ self.weights.T + self.bias)

    def gradients(self, x: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of weights and bias, for inputs [..., k] and the gradient [..., n] at the outputs."""
        flat = slope.reshape(-1, slope.shape[-1])
        return flat.T @ x.reshape(-1, x.shape[-1]), flat.sum(axis=0)

    def learn(self, x: np.ndarray, slope: np.ndarray, step: int, rate: float) -> None:
        """One step of Adam."""
        weights, bias = self.gradients(x, slope)
        self.weights *= 1 - DECAY * rate / RATE
        self.weights -= self._adam("weights", weights, step, rate)
        self.bias -= self._adam("bias", bias, step, rate)

    def _adam(self, name: str, gradient: np.ndarray, step: int, rate: float) -> np.ndarray:
        mean, square = self.moments.get(name, (np.zeros_like(gradient), np.zeros_like(gradient)))
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        self.moments[name] = mean, square
        return np.asarray(rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8))


@dataclass(frozen=True, slots=True)
class Network:
    """The three linear maps; a convolution's weights are [out, in · 3 · 3]."""

    first: Layer
    second: Layer
    last: Layer

    @classmethod
    def new(cls, seed: int) -> Network:
        """Random weights (He)."""
        rng = np.random.default_rng(seed)
        area = KERNEL * KERNEL

        def layer(n: int, k: int) -> Layer:
            return Layer(rng.normal(0, np.sqrt(2 / k), (n, k)), np.zeros(n))

        few, many = CHANNELS
        return cls(layer(few, area), layer(many, few * area), layer(CLASSES, many))

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Float [N, 10] of images [N, 16, 16, 1]."""
        small, _ = _largest(np.maximum(self.first(_patches(_padded(images), 2)), 0))
        tiny, _ = _largest(np.maximum(self.second(_patches(small, 1)), 0))
        return self.last(tiny[:, 0, 0])

    def slopes(self, images: np.ndarray, labels: np.ndarray) -> tuple[Slope, Slope, Slope]:
        """How the mean cross entropy of a batch changes with the outputs of each layer."""
        seen = _patches(_padded(images), 2)
        wide = np.maximum(self.first(seen), 0)
        small, kept = _largest(wide)
        near = _patches(small, 1)
        deep = np.maximum(self.second(near), 0)
        tiny, best = _largest(deep)
        logits = self.last(tiny[:, 0, 0])

        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        at_logits = odds / odds.sum(axis=1, keepdims=True)
        at_logits[np.arange(len(labels)), labels] -= 1
        at_logits /= len(labels)
        at_deep = _spread((at_logits @ self.last.weights)[:, None, None], best) * (deep > 0)
        at_wide = _spread(_unpatched(at_deep @ self.second.weights, small.shape), kept) * (wide > 0)
        return (seen, at_wide), (near, at_deep), (tiny[:, 0, 0], at_logits)

    def learn(self, images: np.ndarray, labels: np.ndarray, step: int, rate: float) -> None:
        """One step down the mean cross entropy of a batch."""
        slopes = self.slopes(images, labels)  # all of them before any weight moves
        for layer, slope in zip((self.first, self.second, self.last), slopes, strict=True):
            layer.learn(*slope, step, rate)


def train(images: np.ndarray, labels: np.ndarray, seed: int) -> Network:
    """A network that has seen images [N, 16, 16, 1] in 0..1 a fixed number of times."""
    network, rng, step = Network.new(seed), np.random.default_rng(seed + 1), 0
    for epoch in range(EPOCHS):
        rate = RATE * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS))
        order = rng.permutation(len(images))
        for start in range(0, len(images) - BATCH + 1, BATCH):
            step += 1
            rows = order[start : start + BATCH]
            network.learn(images[rows], labels[rows], step, float(rate))
    return network


def _padded(images: np.ndarray) -> np.ndarray:
    return np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))


def _patches(x: np.ndarray, stride: int) -> np.ndarray:
    """[N, h, w, c] → [N, h', w', c · 3 · 3]"""
    windows = np.lib.stride_tricks.sliding_window_view(x, (KERNEL, KERNEL), axis=(1, 2))
    chosen = windows[:, ::stride, ::stride]
    return chosen.reshape(*chosen.shape[:3], -1)


def _unpatched(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Gradient of `_patches(x, 1)` [N, h', w', c · 3 · 3] → gradient of x."""
    rows, height, width = gradient.shape[:3]
    parts = gradient.reshape(rows, height, width, shape[3], KERNEL, KERNEL)
    total = np.zeros(shape)
    for i in range(KERNEL):
        for j in range(KERNEL):
            total[:, i : i + height, j : j + width] += parts[..., i, j]
    return total


def _largest(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[N, h, w, c] → largest of each 2 × 2 [N, h/2, w/2, c], and which of the four it was."""
    rows, height, width, channels = x.shape
    fours = x.reshape(rows, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 5, 2, 4)
    fours = fours.reshape(rows, height // 2, width // 2, channels, 4)
    return fours.max(axis=-1), fours.argmax(axis=-1)


def _spread(gradient: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Gradient of `_largest(x)` → gradient of x."""
    rows, height, width, channels = gradient.shape
    fours = np.zeros((rows, height, width, channels, 4))
    np.put_along_axis(fours, which[..., None], gradient[..., None], axis=-1)
    fours = fours.reshape(rows, height, width, channels, 2, 2).transpose(0, 1, 4, 2, 5, 3)
    return fours.reshape(rows, 2 * height, 2 * width, channels)
