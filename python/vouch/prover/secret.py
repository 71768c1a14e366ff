"""Weights that stay secret: what the circuit is given of them, and the commitment that is on chain instead.

The commitment is the Poseidon2 hash of a random salt and of all weights as `vouch.protocol.zk.Packing` packs
them: Affine by Affine the weights row by row, then the biases, each part as narrow as its widest number.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine
from vouch.protocol.packing import Packing
from vouch.protocol.zk import FIELD
from vouch.prover.poseidon2 import digest


@dataclass(frozen=True, slots=True)
class Section:
    """One Affine's numbers: `start` counts private inputs, the salt is number 0."""

    node: int
    start: int
    weights: Packing
    bias: Packing


@dataclass(frozen=True)
class Secret:
    """A model's weights with the salt that hides them, a random field element."""

    model: IntegerModel
    salt: int

    @classmethod
    def of(cls, model: IntegerModel) -> Self:
        """With a new salt. Keep it: without it the same weights have another commitment."""
        return cls(model, secrets.randbelow(FIELD))

    @cached_property
    def commitment(self) -> int:
        """A field element; that it is 0 (which on chain says "no secret") has a chance of 2**-254."""
        fields = [self.salt]
        for section, op in _affines(self.model):
            fields += section.weights.pack(op.weights.reshape(-1).tolist())
            fields += section.bias.pack(op.bias.tolist())
        return digest(fields)

    @cached_property
    def advice(self) -> list[int]:
        """The circuit's first private inputs: the salt, then the numbers."""
        values = [self.salt]
        for _, op in _affines(self.model):
            values += [*op.weights.reshape(-1).tolist(), *op.bias.tolist()]
        return values


def sections(model: IntegerModel) -> list[Section]:
    """Where each Affine's numbers are."""
    return [section for section, _ in _affines(model)]


def size(model: IntegerModel) -> int:
    """Private inputs for the salt and all numbers."""
    return 1 + model.parameters


def _affines(model: IntegerModel) -> Iterator[tuple[Section, Affine]]:
    start = 1
    for index, node in enumerate(model.nodes):
        if isinstance(node.op, Affine):
            op = node.op
            yield Section(index, start, _packing(op.weights), _packing(op.bias)), op
            start += op.weights.size + op.bias.size


def _packing(values: np.ndarray) -> Packing:
    low, high = int(values.min()), int(values.max())
    bits = max((-low - 1 if low < 0 else 0).bit_length(), max(high, 0).bit_length()) + 1
    return Packing(values.size, bits)
