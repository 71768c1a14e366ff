"""Weights that stay secret: what the circuit is given of them, and the commitment that is on chain instead.

The commitment is the Poseidon2 hash of a random salt and of all weights as `vouch.protocol.zk.Packing` packs
them: Affine by Affine the weights row by row, then the biases, each part as narrow as its widest number.
All other constants of a model are public, so secret models are lowered for it (`quantise(secret=True)`).
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import numpy as np

from vouch.circuit.artefact import SALT
from vouch.circuit.bounds import Bounds, LookupBounds, RoundBounds, bounds
from vouch.circuit.intervals import Interval
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, Lookup, Op
from vouch.protocol.packing import Packing
from vouch.protocol.zk import FIELD
from vouch.prover.errors import ProverError
from vouch.prover.poseidon2 import digest

_LIMB: Final = 14


class NothingSecret(ProverError):
    """A model without weights: its commitment would hide nothing."""

    def __init__(self) -> None:
        super().__init__("the model has no weights that could be secret: compile it without --secret")


class WeightsInTheClear(ProverError):
    """The model was made for a circuit that everybody may read."""

    def __init__(self) -> None:
        super().__init__(
            "this integer model was not made for secret weights, some would be readable in the circuit: "
            "make it with quantise(..., secret=True)"
        )


class WouldLoseSecret(ProverError):
    """Another circuit folder with secret weights is in the way; its salt is nowhere else."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        super().__init__(
            f"{folder} is a circuit with secret weights, and its salt is nowhere else: without it, answers "
            "that were delivered under this circuit could never be proven. Choose another folder, or give "
            "--force if the circuit was never published"
        )


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
        """With a new salt. Keep it: without it the same weights have another commitment.

        Raises NothingSecret.
        """
        if not sections(model):
            raise NothingSecret
        return cls(model, secrets.randbelow(FIELD))

    @property
    def head(self) -> bytes:
        """The salt as it stands in front of the weights in the model's file."""
        return self.salt.to_bytes(SALT, "big")

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


def veiled(model: IntegerModel) -> tuple[Bounds | None, ...]:
    """The model's bounds, made wide enough to say nothing of its weights but how many bits their sums have.

    An offset that is just large enough would be the least sum itself, from which a guess can be confirmed.
    """
    return tuple(
        _veiled(node.op, made, interval)
        for node, made, interval in zip(model.nodes, model.bounds, model.intervals[1:], strict=True)
    )


def _veiled(op: Op, made: Bounds | None, interval: Interval) -> Bounds | None:
    match op, made:
        case _, RoundBounds(shift):
            bits = _signed_bits(interval.low, interval.high)
            # whole limbs where there is room for them, as in vouch.circuit.bounds
            width = -(-bits // _LIMB) * _LIMB if _LIMB < bits <= 4 * _LIMB else bits
            return RoundBounds(shift, width, 1 << (width - 1))
        case Lookup(), LookupBounds():
            # the whole table, and not only the pieces that can be reached
            everywhere = Interval(np.array([0]), np.array([op.domain - 1]))
            return bounds(op, [everywhere])
    return made


def _affines(model: IntegerModel) -> Iterator[tuple[Section, Affine]]:
    start = 1
    for index, node in enumerate(model.nodes):
        if isinstance(node.op, Affine):
            op = node.op
            yield Section(index, start, _packing(op.weights), _packing(op.bias)), op
            start += op.weights.size + op.bias.size


def _packing(values: np.ndarray) -> Packing:
    return Packing(values.size, _signed_bits(int(values.min()), int(values.max())))


def _signed_bits(low: int, high: int) -> int:
    """The least b with both in [-2**(b-1), 2**(b-1))."""
    return max((-low - 1 if low < 0 else 0).bit_length(), max(high, 0).bit_length()) + 1
