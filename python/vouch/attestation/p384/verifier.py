"""P384.sol in Python: the same checks in the same order, on exact integers.

It tells a prover what the contract would say, and the tests what the contract should say.
"""

from collections.abc import Sequence, Set
from enum import StrEnum
from typing import Final

from vouch.attestation.p384 import curve, steps
from vouch.attestation.p384.constants import (
    EXPECTED,
    HIGH,
    MAX_POSITION,
    PRIMES,
    ROWS,
)
from vouch.attestation.p384.errors import Refused
from vouch.attestation.p384.hints import HEADER, SLOPE_SIZE, STEP_SIZE, Hints, Step, slope_from_bytes
from vouch.attestation.p384.ring import INVERSE, WORD, Pair, reduce, times
from vouch.attestation.p384.signature import Signed
from vouch.attestation.p384.tables import Row, rows


class Rule(StrEnum):
    """What makes the check sound: each is needed."""

    START = "the first position is at most 200"
    POSITION = "no position is below zero"
    ROW = "rows of a caller's table are below 8"
    APART = "the two points of an addition have different x"
    CHORD = "the slope of an addition is that of the line"
    TANGENT = "the slope of a doubling is that of the tangent"
    COORDINATE = "coordinates are below p"
    CURVE = "R and the key are on the curve"
    SCALAR = "r and s are from 1 to n - 1"
    NONZERO = "R's scalar is not zero"
    LAST = "the sum is the opposite of the last row"
    KEY_SCALAR = "the key's scalar fits r and s"
    FIXED_SCALAR = "the generator's scalar fits the digest and s"


ALL: Final = frozenset(Rule)


class _Exact(steps.Arithmetic):
    """The checks on numbers. A rule that is not in `rules` passes."""

    def __init__(self, rules: Set[Rule]) -> None:
        self._rules = rules

    def word(self, what: str, /, *limbs: int) -> None:
        assert all(0 <= limb < WORD for limb in limbs), f"{what} leaves its bounds"

    def reduced(self, _what: str, c: Pair, /) -> Pair:
        return reduce(c)

    def is_zero(self, what: str, c: Pair, /) -> bool:
        return reduce(c) == EXPECTED or self._passes(what)

    def is_near_zero(self, what: str, e: Pair, near: int, /) -> bool:
        return all((k + near) % WORD < 2 * near for k in times(e, INVERSE)) or self._passes(what)

    def is_apart(self, _what: str, d: Pair, near: int, /) -> bool:
        return (times(d, INVERSE)[0] + near) % WORD >= 2 * near or Rule.APART not in self._rules

    def _passes(self, what: str) -> bool:
        """Each check of points begins its name with one of these."""
        rules = {"tangent": Rule.TANGENT, "chord": Rule.CHORD, "import": Rule.CURVE, "last": Rule.LAST}
        return rules[what.partition(":")[0]] not in self._rules


def verify(signed: Signed, hints: bytes) -> None:
    """Return if P384.sol would.

    Raises:
        Refused: P384.sol would revert; the error's name and values are the same.
    """
    check(signed, hints, ALL)


def check(signed: Signed, hints: bytes, rules: Set[Rule]) -> None:
    """`verify` with some rules only: unsound with less than all, for showing just that."""
    _check_header(hints, rules)
    if Rule.SCALAR in rules and not (0 < signed.r < curve.N and 0 < signed.s < curve.N):
        raise Refused("ScalarOutOfRange")
    _Run(signed, hints, rules).check()


def _check_header(hints: bytes, rules: Set[Rule]) -> None:
    if len(hints) < HEADER:
        raise Refused("WrongHintsLength", len(hints), HEADER)
    carry, position, count = hints[:3]
    if carry > 1:
        raise Refused("WrongCarry", carry)
    if position > MAX_POSITION and Rule.START in rules:
        raise Refused("TooManyDoublings")
    if count < 2:
        raise Refused("TooFewSteps", count)
    if len(hints) < HEADER + STEP_SIZE * count:
        raise Refused("WrongHintsLength", len(hints), HEADER + STEP_SIZE * count)
    if hints[HEADER] >> 2:
        raise Refused("WrongStep", 0)


def _signed(value: int) -> int:
    """A word as two's complement."""
    return (value + WORD // 2) % WORD - WORD // 2


class _Run:
    """One call."""

    def __init__(self, signed: Signed, hints: bytes, rules: Set[Rule]) -> None:
        self.signed, self.raw, self.rules = signed, hints, rules
        self.exact = _Exact(rules)
        start = HEADER + STEP_SIZE * hints[2]
        self.head = Hints.from_bytes(hints[:HEADER].ljust(start, b"\0"))
        self.next_slope = start
        self.scalars = [0, 0, 0, 0]

    def check(self) -> None:
        signed, head = self.signed, self.head
        points = [(signed.r + head.carry * curve.N, head.y), signed.key]
        first = [self._imported(point, which) for which, point in enumerate(points)]
        self._sum([*map(self._table, first), rows(0), rows(1)])
        self._relations()

    def _imported(self, point: curve.Affine, which: int) -> Row:
        """A point of the caller's, checked."""
        if any(not 0 <= c < curve.P for c in point) and Rule.COORDINATE in self.rules:
            raise Refused("CoordinateOutOfRange", which)
        x, y = (divmod(c, WORD) for c in point)
        made = steps.imported(self.exact, x, y)
        if made is None:
            raise Refused("NotOnCurve", which)
        return made

    def _table(self, first: Row) -> Sequence[Row]:
        """Its odd multiples."""
        made = [first]
        twice = self._doubled(first)
        for _ in range(ROWS - 1):
            made.append(self._added(made[-1], twice))
        return made

    def _sum(self, tables: Sequence[Sequence[Row]]) -> None:
        position, count = self.head.position, self.raw[2]
        point: Row | None = None
        for index in range(count):
            at = HEADER + STEP_SIZE * index
            step = Step.from_bytes(self.raw[at : at + STEP_SIZE])
            position -= step.doublings
            if point is not None:
                for _ in range(step.doublings):
                    point = self._doubled(point)
            row = self._row(tables, step, index)
            if step.negative:
                row = row[0], steps.negated(self.exact, row[1])
            # The contract shifts by a word: below zero that is so much that nothing is left.
            weighted = step.digit << position if position >= 0 else 0
            self.scalars[step.table] = _signed(self.scalars[step.table] + weighted)
            if point is None:
                point = row
            elif index < count - 1:
                point = self._added(point, row)
            elif not steps.opposite(self.exact, *point, row):
                raise Refused("WrongSum")
        if position < 0 and Rule.POSITION in self.rules:
            raise Refused("TooManyDoublings")
        if self.next_slope != len(self.raw):
            raise Refused("WrongHintsLength", len(self.raw), self.next_slope)

    def _row(self, tables: Sequence[Sequence[Row]], step: Step, index: int) -> Row:
        if step.table < 2 and step.row >= ROWS:
            if Rule.ROW in self.rules:
                raise Refused("WrongStep", index)
            # Beyond R's table lies the key's, beyond that are zeros.
            at = ROWS * step.table + step.row
            return tables[1][at - ROWS] if at < 2 * ROWS else ((0, 0), (0, 0))
        return tables[step.table][step.row]

    def _relations(self) -> None:
        """A·s + B·r = k·n and g·s + B·h = k'·n, as integers mod four primes."""
        signed, (k, low, high) = self.signed, self.head.factors
        b, a, g_low, g_high = self.scalars
        if b == 0 and Rule.NONZERO in self.rules:
            raise Refused("WrongScalars")
        key = a * signed.s + b * signed.r - k * curve.N
        generator = (
            (g_low + (g_high << HIGH)) * signed.s + b * signed.digest - (low + (high << HIGH)) * curve.N
        )
        for gap in PRIMES:
            if (key % (WORD - gap) and Rule.KEY_SCALAR in self.rules) or (
                generator % (WORD - gap) and Rule.FIXED_SCALAR in self.rules
            ):
                raise Refused("WrongScalars")

    def _slope(self) -> Pair:
        raw = self.raw[self.next_slope : self.next_slope + SLOPE_SIZE].ljust(SLOPE_SIZE, b"\0")
        self.next_slope += SLOPE_SIZE
        return slope_from_bytes(raw)

    def _doubled(self, point: Row) -> Row:
        made = steps.doubled(self.exact, self._slope(), *point)
        if made is None:
            raise Refused("WrongSlope", self.next_slope - SLOPE_SIZE)
        return made

    def _added(self, point: Row, row: Row) -> Row:
        made = steps.added(self.exact, self._slope(), *point, row)
        if made == "same":
            raise Refused("SamePoint", self.next_slope - SLOPE_SIZE)
        if isinstance(made, str):
            raise Refused("WrongSlope", self.next_slope - SLOPE_SIZE)
        return made
