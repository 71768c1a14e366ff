"""The bytes that make P384.sol's check cheap: who supplies them is not trusted.

| bytes | content |
| --- | --- |
| 0 | 1 if R's x is r + n, 0 if it is r |
| 1 | position: the weight of the first digits is 2**position |
| 2 | number of steps |
| 3 to 50 | R's y |
| 51 to 146 | the factors of n in the two equations of the scalars: three signed words, see `Scalars` |
| then 2 for each step | doublings before it (6 bits) ‖ table (2) ‖ sign (1) ‖ row (7) |
| then 50 for each doubling and addition | slope: two limbs of 25 bytes |

The table is R's, the key's, G's or that of 2**192·G; a row stands for the odd multiple 2·row + 1. The first
step's row is what the sum starts with, the last step's is what the sum must be the opposite of.
"""

from dataclasses import dataclass
from typing import Self

from vouch.attestation.p384.constants import SLOPE_BITS
from vouch.attestation.p384.errors import Refused
from vouch.attestation.p384.ring import WORD, Pair

HEADER = 147
STEP_SIZE = 2
SLOPE_SIZE = 50
MAX_DOUBLINGS = 63


@dataclass(frozen=True, slots=True)
class Step:
    """So many doublings, then a row of a table, negated or not."""

    doublings: int
    table: int
    negative: bool
    row: int

    @property
    def digit(self) -> int:
        """What the row is multiplied with."""
        return (-1 if self.negative else 1) * (2 * self.row + 1)

    def to_bytes(self) -> bytes:
        word = self.doublings << 10 | self.table << 8 | self.negative << 7 | self.row
        return word.to_bytes(STEP_SIZE, "big")

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        word = int.from_bytes(raw, "big")
        return cls(word >> 10, word >> 8 & 3, bool(word >> 7 & 1), word & 0x7F)


@dataclass(frozen=True, slots=True)
class Hints:
    """The bytes, taken apart. `factors` are of n: of A·s + B·r, and low and high part of g·s + B·digest."""

    carry: int
    position: int
    y: int
    factors: tuple[int, int, int]
    steps: tuple[Step, ...]
    slopes: tuple[Pair, ...]

    def to_bytes(self) -> bytes:
        head = bytes([self.carry, self.position, len(self.steps)]) + self.y.to_bytes(48, "big")
        factors = b"".join((f % WORD).to_bytes(32, "big") for f in self.factors)
        steps = b"".join(step.to_bytes() for step in self.steps)
        return head + factors + steps + b"".join(map(slope_to_bytes, self.slopes))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Raises Refused if there are too few bytes for what the header says, or a slope is cut off."""
        start = HEADER + STEP_SIZE * (raw[2] if len(raw) > 2 else 0)
        if len(raw) < start or (len(raw) - start) % SLOPE_SIZE:
            raise Refused("WrongHintsLength")
        steps = tuple(Step.from_bytes(raw[i : i + STEP_SIZE]) for i in range(HEADER, start, STEP_SIZE))
        return cls(
            raw[0],
            raw[1],
            int.from_bytes(raw[3:51], "big"),
            (_signed(raw[51:83]), _signed(raw[83:115]), _signed(raw[115:147])),
            steps,
            tuple(slope_from_bytes(raw[i : i + SLOPE_SIZE]) for i in range(start, len(raw), SLOPE_SIZE)),
        )


def _signed(word: bytes) -> int:
    return int.from_bytes(word, "big", signed=True)


def slope_to_bytes(slope: Pair) -> bytes:
    return (slope[0] << SLOPE_BITS | slope[1]).to_bytes(SLOPE_SIZE, "big")


def slope_from_bytes(raw: bytes) -> Pair:
    high, low = divmod(int.from_bytes(raw, "big"), 1 << SLOPE_BITS)
    return high, low
