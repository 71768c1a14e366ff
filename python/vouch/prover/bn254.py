"""The curve BN254, as far as a reference string needs it: many multiples of the generator, and one of G2.

Points are affine, of the group without its zero. Sums are taken for whole lists at once, so that they share
one inversion; that is what makes plain Python quick enough.
"""

from collections.abc import Sequence
from typing import Final

from vouch.protocol.zk import FIELD

Point = tuple[int, int]
Fp2 = tuple[int, int]
"""c0 + c1 * i."""
Point2 = tuple[Fp2, Fp2]

P: Final = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""The field of the coordinates."""
G1: Final[Point] = (1, 2)
G2: Final[Point2] = (
    (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
    ),
    (
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)
_BITS: Final = 12
_WINDOWS: Final = -(-FIELD.bit_length() // _BITS)
_SIGN: Final = 1 << 255


class FixedBase:
    """Multiples of G1 by tables of k * 2**(12 * w) * G1; some 90,000 points, made in half a second."""

    def __init__(self) -> None:
        self._tables, base = [], G1
        for _ in range(_WINDOWS):
            row = _first_multiples(base, (1 << _BITS) - 1)
            self._tables.append(row)
            base = add(row[-1], base)
        # Sums start from a point that no multiple meets by chance, so that no two equal points are added.
        self._start = multiply(0x5BD1E995_9E3779B9_7F4A7C15_F39CC060_5CEDC834_1082276B, G1)

    def multiples(self, scalars: Sequence[int]) -> list[Point]:
        """scalar * G1 for each scalar in 1 .. FIELD - 1."""
        sums = [self._start] * len(scalars)
        for window, row in enumerate(self._tables):
            digits = [scalar >> (_BITS * window) & ((1 << _BITS) - 1) for scalar in scalars]
            moved = [index for index, digit in enumerate(digits) if digit]
            added = add_many([sums[index] for index in moved], [row[digits[index] - 1] for index in moved])
            for index, point in zip(moved, added, strict=True):
                sums[index] = point
        x, y = self._start
        return add_many(sums, [(x, P - y)] * len(sums))


def add_many(left: Sequence[Point], right: Sequence[Point]) -> list[Point]:
    """Sums of pairs, no two of a pair with the same x."""
    inverses = _invert([(b[0] - a[0]) % P for a, b in zip(left, right, strict=True)])
    sums = []
    for (x1, y1), (x2, y2), inverse in zip(left, right, inverses, strict=True):
        slope = (y2 - y1) * inverse % P
        x = (slope * slope - x1 - x2) % P
        sums.append((x, (slope * (x1 - x) - y1) % P))
    return sums


def add(a: Point, b: Point) -> Point:
    """The sum of two points that are not opposite."""
    if a != b:
        return add_many([a], [b])[0]
    x, y = a
    slope = 3 * x * x * pow(2 * y, -1, P) % P
    double = (slope * slope - 2 * x) % P
    return double, (slope * (x - double) - y) % P


def multiply(scalar: int, point: Point) -> Point:
    """scalar * point for a scalar in 1 .. FIELD - 1."""
    result: Point | None = None
    while scalar:
        if scalar & 1:
            result = point if result is None else add(result, point)
        scalar >>= 1
        point = add(point, point)
    assert result is not None, "zero times a point is no affine point"
    return result


def multiply_g2(scalar: int) -> Point2:
    """scalar * G2 for a scalar in 1 .. FIELD - 1."""
    result: Point2 | None = None
    point = G2
    while scalar:
        if scalar & 1:
            result = point if result is None else _add2(result, point)
        scalar >>= 1
        point = _add2(point, point)
    assert result is not None, "zero times a point is no affine point"
    return result


def on_curve(point: Point) -> bool:
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - x * x * x - 3) % P == 0


def decompress(word: int) -> Point:
    """The point of an x whose top bit says whether y is odd. Raises ValueError if the curve has none."""
    x = word & (_SIGN - 1)
    y = pow(x * x * x + 3, (P + 1) // 4, P)
    if bool(y & 1) != bool(word & _SIGN):
        y = P - y
    if not on_curve((x, y)):
        raise ValueError(f"{word:#066x} is no compressed point of BN254")
    return x, y


def compress(point: Point) -> int:
    x, y = point
    return x | (_SIGN if y & 1 else 0)


def _first_multiples(base: Point, count: int) -> list[Point]:
    """1 .. count times the base: each round adds the last multiple to all before it."""
    row = [base, add(base, base)]
    while len(row) < count:
        last = row[-1]
        more = row[: min(len(row), count - len(row))]
        if len(more) == len(row):
            row += [*add_many(more[:-1], [last] * (len(more) - 1)), add(last, last)]
        else:
            row += add_many(more, [last] * len(more))
    return row


def _invert(values: Sequence[int]) -> list[int]:
    """Inverses modulo P by one inversion. Raises ValueError if a value is 0."""
    before, product = [], 1
    for value in values:
        before.append(product)
        product = product * value % P
    inverse, inverses = pow(product, -1, P), [0] * len(values)
    for index in range(len(values) - 1, -1, -1):
        inverses[index] = inverse * before[index] % P
        inverse = inverse * values[index] % P
    return inverses


def _add2(a: Point2, b: Point2) -> Point2:
    (ax, ay), (bx, by) = a, b
    if a == b:
        slope = _mul2(_mul2((3, 0), _mul2(ax, ax)), _invert2(_sub2(ay, ((-ay[0]) % P, (-ay[1]) % P))))
    else:
        slope = _mul2(_sub2(by, ay), _invert2(_sub2(bx, ax)))
    x = _sub2(_sub2(_mul2(slope, slope), ax), bx)
    return x, _sub2(_mul2(slope, _sub2(ax, x)), ay)


def _mul2(a: Fp2, b: Fp2) -> Fp2:
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P


def _sub2(a: Fp2, b: Fp2) -> Fp2:
    return (a[0] - b[0]) % P, (a[1] - b[1]) % P


def _invert2(a: Fp2) -> Fp2:
    norm = pow(a[0] * a[0] + a[1] * a[1], -1, P)
    return a[0] * norm % P, -a[1] * norm % P
