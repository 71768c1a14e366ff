"""scikit-learn's handwritten digits, 16 × 16 pixels: some to learn from, some held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits

SIDE = 16
BRIGHTEST = 16
"""Pixels run from 0 to this."""
HELD_OUT = 397
"""Images that no training sees (of 1,797)."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Images float32 [rows, 1, 16, 16] with pixels 0 to 16, and the digits int64 [rows] they show."""

    images: np.ndarray
    labels: np.ndarray


def load() -> tuple[Digits, Digits]:
    """Digits to learn from and digits held out; the same split every time."""
    bundled = load_digits()
    images = enlarge(bundled.images, SIDE)[:, None].astype(np.float32)
    order = np.random.default_rng(16).permutation(len(images))
    learnt, held_out = order[HELD_OUT:], order[:HELD_OUT]
    labels = bundled.target.astype(np.int64)
    return Digits(images[learnt], labels[learnt]), Digits(images[held_out], labels[held_out])


def enlarge(images: np.ndarray, side: int) -> np.ndarray:
    """Square images float [rows, n, n] → [rows, side, side], bilinear, pixel centres kept."""
    step = _interpolation(images.shape[1], side)
    return np.asarray(step @ images @ step.T)


def _interpolation(small: int, large: int) -> np.ndarray:
    """Matrix [large, small] that interpolates linearly along one axis."""
    at = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    left = np.minimum(at.astype(np.int64), small - 2)
    matrix = np.zeros((large, small))
    matrix[np.arange(large), left] = 1 - (at - left)
    matrix[np.arange(large), left + 1] = at - left
    return matrix
