"""For each rule of P384.sol a proof of something false that breaks this rule and no other.

A forgery is a statement that is no valid signature, and hints that pass all checks but one. The key of such
a statement is made after the run, so that the run's sum is infinity: its scalars then say something else
than what is tracked. Where a slope is free, λ² = 3x makes of T + T or 2T the point -T, and λ² = 2x + x' makes
-T of T + T'.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from vouch.attestation.p384 import Signed, curve
from vouch.attestation.p384.constants import HIGH, ROWS
from vouch.attestation.p384.errors import NoSuchPoint
from vouch.attestation.p384.hints import Hints, Step
from vouch.attestation.p384.proof import HIGH_TABLE, KEY_TABLE, LOW_TABLE, R_TABLE, Scalars, factors, steps_of
from vouch.attestation.p384.proof import candidates as fitting
from vouch.attestation.p384.ring import WORD, Pair, montgomery
from vouch.attestation.p384.verifier import Rule

N = curve.N


@dataclass(frozen=True)
class Forgery:
    """A false statement, hints for it, the rule they break and the error that says so."""

    signed: Signed
    hints: bytes
    rule: Rule
    error: str


@dataclass
class Run:
    """The steps of a run on points; at `free` (index of the step, whether doubling) the slope is chosen."""

    point: curve.Affine
    key: curve.Affine
    steps: Sequence[Step]
    position: int
    free: dict[tuple[int, bool], int] = field(default_factory=dict)
    slopes: list[Pair] = field(default_factory=list)

    def run(self) -> None:
        r_table, key_table = self._table(self.point), self._table(self.key)
        g_high = curve.multiply(1 << HIGH, curve.G)
        total: curve.Point = None
        for index, step in enumerate(self.steps):
            for i in range(step.doublings):
                assert total is not None
                total = self._line(total, total, self.free.get((index, True)) if i == 0 else None)
            table: Sequence[curve.Affine] | None = (r_table + key_table, key_table, None, None)[step.table]
            if table is not None:
                row: curve.Point = table[step.row]
            else:
                row = curve.multiply(2 * step.row + 1, curve.G if step.table == LOW_TABLE else g_high)
            row = curve.negate(row) if step.negative else row
            assert row is not None
            if total is None:
                total = row
            elif index < len(self.steps) - 1:
                total = self._line(total, row, self.free.get((index, False)))

    def hints(self, signed: Signed, carry: int = 0) -> bytes:
        self.run()
        counted = tracked(self.steps, self.position)
        made = Hints(
            carry,
            self.position,
            self.point[1],
            factors(signed, counted),
            tuple(self.steps),
            tuple(self.slopes),
        )
        return made.to_bytes()

    def _table(self, point: curve.Affine) -> list[curve.Affine]:
        made, twice = [point], self._line(point, point)
        for _ in range(ROWS - 1):
            made.append(self._line(made[-1], twice))
        return made

    def _line(self, first: curve.Affine, second: curve.Affine, slope: int | None = None) -> curve.Affine:
        if slope is None:
            slope = curve.tangent(first) if first == second else curve.chord(first, second)
        self.slopes.append(montgomery(slope))
        return curve.along(slope, first, second)


def tracked(steps: Sequence[Step], position: int) -> Scalars:
    """What the contract counts, as its words do: mod 2**256, and nothing below position zero."""
    counted = [0, 0, 0, 0]
    for step in steps:
        position -= step.doublings
        counted[step.table] += step.digit << position if position >= 0 else 0
    words = ((c + WORD // 2) % WORD - WORD // 2 for c in counted)
    return Scalars(*words)


def true_sum(steps: Sequence[Step], k: int, free: dict[tuple[int, bool], int]) -> tuple[int, int]:
    """The run's sum as multiples of G and of the key, R being k·G; where a slope is free, T becomes -T."""
    total: tuple[int, int] | None = None
    for index, step in enumerate(steps):
        for i in range(step.doublings):
            assert total is not None
            factor = -1 if i == 0 and (index, True) in free else 2
            total = factor * total[0], factor * total[1]
        of_key = step.table == KEY_TABLE or (step.table == R_TABLE and step.row >= ROWS)
        row = (2 * (step.row % ROWS) + 1 if of_key else 2 * step.row + 1) * (-1 if step.negative else 1)
        unit = {R_TABLE: k, LOW_TABLE: 1, HIGH_TABLE: 1 << HIGH}.get(step.table, 1)
        part = (0, row) if of_key else (row * unit, 0)
        if total is None:
            total = part
        elif (index, False) in free:
            total = -total[0], -total[1]
        else:
            total = total[0] + part[0], total[1] + part[1]
    assert total is not None
    return total


def multiple(k: int, point: curve.Point = curve.G) -> curve.Affine:
    made = curve.multiply(k % N, point)
    assert made is not None
    return made


def root(square: int) -> int | None:
    found = pow(square, (curve.P + 1) // 4, curve.P)
    return found if found * found % curve.P == square % curve.P else None


def forge(
    rule: Rule,
    error: str,
    steps: Sequence[Step],
    position: int,
    free: dict[tuple[int, bool], int] | None = None,
) -> Forgery:
    """A statement for which what is counted fits, and a key for which what is done is infinity."""
    k = 0xC0FFEE
    point = multiple(k)
    of_g, of_key = true_sum(steps, k, free or {})
    key = multiple(-of_g * pow(of_key, -1, N))
    counted = tracked(steps, position)
    r = point[0] % N
    s = -counted.b * r * pow(counted.a, -1, N) % N
    g = counted.low + (counted.high << HIGH)
    signed = Signed(-g * s * pow(counted.b, -1, N) % N, key, r, s)
    return Forgery(signed, Run(point, key, steps, position, free or {}).hints(signed), rule, error)


def start() -> Forgery:
    """Twice the key with weight 2**255: 2**256, which a word does not hold."""
    steps = [Step(0, KEY_TABLE, False, 1), Step(0, KEY_TABLE, True, 0)]
    steps += [Step(63, LOW_TABLE, False, i) for i in range(4)]
    steps += [Step(3, R_TABLE, False, 0), Step(0, KEY_TABLE, False, 2), Step(0, LOW_TABLE, False, 9)]
    return forge(Rule.START, "TooManyDoublings", steps, 255)


def position() -> Forgery:
    """The key once more after a doubling too many: it weighs nothing there."""
    steps = [
        Step(0, R_TABLE, False, 0),
        Step(0, KEY_TABLE, False, 2),
        Step(0, LOW_TABLE, False, 1),
        Step(1, KEY_TABLE, False, 0),
    ]
    return forge(Rule.POSITION, "TooManyDoublings", steps, 0)


def row() -> Forgery:
    """Row 9 of R is where row 1 of the key lies."""
    steps = [
        Step(0, R_TABLE, False, 0),
        Step(1, KEY_TABLE, False, 2),
        Step(0, R_TABLE, False, 9),
        Step(2, LOW_TABLE, False, 1),
    ]
    return forge(Rule.ROW, "WrongStep", steps, 3)


def _rest() -> list[Step]:
    return [Step(0, R_TABLE, False, 0), Step(1, KEY_TABLE, False, 2), Step(0, HIGH_TABLE, True, 7)]


def apart() -> Forgery:
    """A point added to itself: every slope is a line's through it."""
    for i in range(1, 128):
        slope = root(3 * multiple(2 * i + 1)[0])
        if slope is not None:
            steps = [Step(0, LOW_TABLE, False, i), Step(0, LOW_TABLE, False, i), *_rest()]
            return forge(Rule.APART, "SamePoint", steps, 1, {(1, False): slope})
    raise AssertionError("half of all numbers are squares")


def chord() -> Forgery:
    for i in range(1, 128):
        slope = root(2 * multiple(2 * i + 1)[0] + curve.G[0])
        if slope is not None:
            steps = [Step(0, LOW_TABLE, False, i), Step(0, LOW_TABLE, False, 0), *_rest()]
            return forge(Rule.CHORD, "WrongSlope", steps, 1, {(1, False): slope})
    raise AssertionError("half of all numbers are squares")


def tangent() -> Forgery:
    for i in range(128):
        slope = root(3 * multiple(2 * i + 1)[0])
        if slope is not None:
            steps = [Step(0, LOW_TABLE, False, i), Step(1, LOW_TABLE, False, 5), *_rest()]
            return forge(Rule.TANGENT, "WrongSlope", steps, 2, {(1, True): slope})
    raise AssertionError("half of all numbers are squares")


def small_point(seed: int) -> curve.Affine:
    """A point with an x so small that p more still has 384 bits."""
    x = seed
    while (y := curve.recover_y(x)) is None:
        x += 1
    return x, y


def _honest(signed: Signed, point: curve.Affine, key: curve.Affine, carry: int = 0) -> bytes:
    """Hints of a run that is right for this key, for a statement that differs from what is right."""
    for scalars in fitting(signed):
        found = steps_of(scalars)
        if found is not None:
            return Run(point, key, found[1], found[0]).hints(signed, carry)
    raise AssertionError("no scalars are small enough")


def signed_for(point_of: Callable[[int, int], curve.Point], key: curve.Affine) -> tuple[Signed, curve.Affine]:
    """Without the private key: R = a·G + b·key, then the digest that it signs."""
    a, b = 0xABCDEF, 0x123456789
    point = point_of(a, b)
    assert point is not None
    r = point[0] % N
    s = r * pow(b, -1, N) % N
    return Signed(a * s % N, key, r, s), point


def coordinate_of_key() -> Forgery:
    """p more in the key's x."""
    key = small_point(5)
    signed, point = signed_for(lambda a, b: curve.add(multiple(a), multiple(b, key)), key)
    hints = _honest(signed, point, key)
    return Forgery(
        replace(signed, key=(key[0] + curve.P, key[1])), hints, Rule.COORDINATE, "CoordinateOutOfRange"
    )


def coordinate_of_r() -> Forgery:
    """R's x is r + n - p: another r than the one that signs."""
    point = small_point(2**100)
    a, b = 0xABCDEF, 0x123456789
    key = curve.multiply(pow(b, -1, N), curve.add(point, curve.negate(multiple(a))))
    assert key is not None
    r = point[0] + curve.P - N
    s = r * pow(b, -1, N) % N
    signed = Signed(a * s % N, key, r, s)
    return Forgery(signed, _honest(signed, point, key, carry=1), Rule.COORDINATE, "CoordinateOutOfRange")


def curve_of_key() -> Forgery:
    """Digest 0 and R = the key, which is no point of the curve."""
    key = (0xDEADBEEF, 0xFEEDFACE)
    signed = Signed(0, key, key[0], key[0])
    steps = [Step(0, R_TABLE, False, 0), Step(0, KEY_TABLE, True, 0)]
    return Forgery(signed, Run(key, key, steps, 0).hints(signed), Rule.CURVE, "NotOnCurve")


def scalar_s() -> Forgery:
    """n more in s."""
    key, s = multiple(77), 5
    point = multiple(0xC0FFEE)
    r = point[0] % N
    # s·k = digest + r·d
    signed = Signed((s * 0xC0FFEE - r * 77) % N, key, r, s)
    hints = _honest(replace(signed, s=s + N), point, key)
    return Forgery(replace(signed, s=s + N), hints, Rule.SCALAR, "ScalarOutOfRange")


def scalar_r() -> Forgery:
    """r is R's x, which is n or more, and not its residue."""
    point = small_point(N + 1)
    assert point[0] < curve.P
    a, b = 0xABCDEF, 0x123456789
    key = curve.multiply(pow(b, -1, N), curve.add(point, curve.negate(multiple(a))))
    assert key is not None
    s = point[0] * pow(b, -1, N) % N
    signed = Signed(a * s % N, key, point[0], s)
    return Forgery(signed, _honest(signed, point, key), Rule.SCALAR, "ScalarOutOfRange")


def scalars_zero() -> Forgery:
    """r and s zero fit any scalars."""
    point = small_point(0) if curve.recover_y(0) is not None else None
    assert point is not None
    assert point[0] == 0
    key = curve.multiply(pow(3, -1, N), curve.negate(curve.add(point, curve.G)))
    assert key is not None
    signed = Signed(N, key, 0, 0)
    steps = [Step(0, R_TABLE, False, 0), Step(0, KEY_TABLE, False, 1), Step(0, LOW_TABLE, False, 0)]
    return Forgery(signed, Run(point, key, steps, 0).hints(signed), Rule.SCALAR, "ScalarOutOfRange")


def arbitrary(seed: int = 1) -> Signed:
    """A statement that is no valid signature, with r an x of the curve."""
    random = Random(seed)
    point, key = multiple(random.randrange(1, N)), multiple(random.randrange(1, N))
    return Signed(random.getrandbits(384), key, point[0] % N, random.randrange(1, N))


def nonzero() -> Forgery:
    """R less R, with any statement."""
    signed = arbitrary()
    y = curve.recover_y(signed.r)
    assert y is not None
    steps = [Step(0, R_TABLE, False, 0), Step(0, R_TABLE, True, 0)]
    return Forgery(
        signed, Run((signed.r, y), signed.key, steps, 0).hints(signed), Rule.NONZERO, "WrongScalars"
    )


def last() -> Forgery:
    """Everything is right but the sum."""
    signed = arbitrary()
    y = curve.recover_y(signed.r)
    assert y is not None
    return Forgery(signed, _honest(signed, (signed.r, y), signed.key), Rule.LAST, "WrongSum")


def key_scalar() -> Forgery:
    """The key three times, whatever r and s are."""
    k, s, digest = 0xC0FFEE, 0x5EED, 0xD1935
    point = multiple(k)
    g = -digest * pow(s, -1, N) % N
    key = multiple(-(k + g) * pow(3, -1, N))
    signed = Signed(digest, key, point[0] % N, s)
    found = steps_of(Scalars(1, 3, g % (1 << HIGH), g >> HIGH))
    assert found is not None
    return Forgery(signed, Run(point, key, found[1], found[0]).hints(signed), Rule.KEY_SCALAR, "WrongScalars")


def fixed_scalar() -> Forgery:
    """The generator as often as it takes, whatever the digest is."""
    k, d = 0xC0FFEE, 0xBADC0DE
    point, key = multiple(k), multiple(d)
    signed = Signed(0xD1935, key, point[0] % N, 0x5EED)
    for scalars in fitting(signed):
        g = -(scalars.b * k + scalars.a * d) % N
        found = steps_of(replace(scalars, low=g % (1 << HIGH), high=g >> HIGH))
        if found is not None:
            hints = Run(point, key, found[1], found[0]).hints(signed)
            return Forgery(signed, hints, Rule.FIXED_SCALAR, "WrongScalars")
    raise AssertionError("no scalars are small enough")


ALL: tuple[Callable[[], Forgery], ...] = (
    start,
    position,
    row,
    apart,
    chord,
    tangent,
    coordinate_of_key,
    coordinate_of_r,
    curve_of_key,
    scalar_s,
    scalar_r,
    scalars_zero,
    nonzero,
    last,
    key_scalar,
    fixed_scalar,
)


def is_false(signed: Signed) -> bool:
    """Whether the statement is no valid signature, by the definition."""
    try:
        signed.point()
    except NoSuchPoint:
        return True
    return False
