"""The two tables of the generator's multiples that P384.sol reads: contracts whose code is data.

The code is a zero byte (STOP: a call does nothing) and 128 rows of four words x0 ‖ x1 ‖ y0 ‖ y1: row i is
(2i + 1)·G, or (2i + 1)·2**192·G, in the form in which P384.sol keeps points. P384.sol knows the hashes of
both.
"""

from functools import cache
from typing import Final

from vouch.attestation.p384 import curve
from vouch.attestation.p384.constants import FIXED_ROWS, HIGH
from vouch.attestation.p384.ring import Pair, montgomery
from vouch.attestation.p384.steps import lifted
from vouch.protocol.keccak import keccak

LOW_TABLE: Final = 0
HIGH_TABLE: Final = 1

Row = tuple[Pair, Pair]


@cache
def rows(table: int) -> tuple[Row, ...]:
    """The rows of table 0 (of G) or 1 (of 2**192·G)."""
    base = curve.multiply(1 if table == LOW_TABLE else 2**HIGH, curve.G)
    twice = curve.add(base, base)
    made, point = [], base
    for _ in range(FIXED_ROWS):
        assert point is not None, "small multiples of a point of prime order are not infinity"
        made.append(row(point))
        point = curve.add(point, twice)
    return tuple(made)


def row(point: curve.Affine) -> Row:
    """A point as P384.sol keeps it."""
    return lifted(montgomery(point[0]), montgomery(point[1]))


@cache
def code(table: int) -> bytes:
    """The code of a table's contract, 16,385 bytes."""
    words = (limb for x, y in rows(table) for limb in (*x, *y))
    return b"\0" + b"".join(word.to_bytes(32, "big") for word in words)


def code_hash(table: int) -> bytes:
    """What EXTCODEHASH says of it."""
    return keccak(code(table))


def creation_code(table: int) -> bytes:
    """The data of the transaction that creates it: copies what follows its 10 bytes, and returns that."""
    # PUSH2 size DUP1 PUSH1 10 PUSH0 CODECOPY PUSH0 RETURN
    prefix = bytes.fromhex(f"61{len(code(table)):04x}80600a5f395ff3")
    return prefix + code(table)
