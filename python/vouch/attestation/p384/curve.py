"""P-384 (secp384r1) in affine coordinates, for making and checking proofs: no secrets pass through it, so
nothing is constant-time.

Sources: SEC 2 v2 section 2.5.1, FIPS 186-5, SP 800-186 section 3.2.1.4. A point is (x, y); None is the point
at infinity.
"""

from typing import Final

P: Final = 2**384 - 2**128 - 2**96 + 2**32 - 1
"""The field's prime."""
N: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
"""Order of the group, a prime; the cofactor is 1."""
B: Final = 0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF
"""The curve is y² = x³ - 3x + B."""
G: Final = (
    0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
    0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
)
"""Generator."""

Affine = tuple[int, int]
Point = Affine | None


def on_curve(point: Affine) -> bool:
    """Whether the coordinates are reduced and satisfy the equation."""
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - x * x * x + 3 * x - B) % P == 0


def negate(point: Point) -> Point:
    return None if point is None else (point[0], -point[1] % P)


def tangent(point: Affine) -> int:
    """Slope for doubling; no point has y = 0, the order being odd."""
    x, y = point
    return 3 * (x * x - 1) * pow(2 * y, -1, P) % P


def chord(first: Affine, second: Affine) -> int:
    """Slope for adding; ValueError if both have the same x."""
    return (second[1] - first[1]) * pow(second[0] - first[0], -1, P) % P


def along(slope: int, first: Affine, second: Affine) -> Affine:
    """Third point on the line, mirrored: the sum."""
    x = (slope * slope - first[0] - second[0]) % P
    return x, (slope * (first[0] - x) - first[1]) % P


def add(first: Point, second: Point) -> Point:
    if first is None:
        return second
    if second is None:
        return first
    if first[0] == second[0]:
        return along(tangent(first), first, first) if first[1] == second[1] else None
    return along(chord(first, second), first, second)


def multiply(k: int, point: Point) -> Point:
    """k times the point; k may be negative."""
    if k < 0:
        k, point = -k, negate(point)
    total: Point = None
    for bit in f"{k:b}":
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def recover_y(x: int) -> int | None:
    """One of the two y of this x, or None."""
    square = (x * x * x - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)  # P = 3 mod 4
    return y if y * y % P == square else None
