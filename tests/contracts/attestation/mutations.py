"""Hints that somebody has changed, and hints that somebody has made for a signature that is not valid."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from tests.contracts.attestation.forgeries import Run, small_point
from vouch.attestation.p384 import Signed, curve
from vouch.attestation.p384.hints import HEADER, SLOPE_SIZE, STEP_SIZE, Hints, Step
from vouch.attestation.p384.proof import Scalars, candidates, steps_of

__all__ = ["attempts", "mutated", "small_point", "valid"]


def valid(random: Random) -> Signed:
    """A valid signature of a random digest."""
    d, k = random.randrange(1, curve.N), random.randrange(1, curve.N)
    key, point = curve.multiply(d, curve.G), curve.multiply(k, curve.G)
    assert key is not None
    assert point is not None
    digest, r = random.getrandbits(384), point[0] % curve.N
    return Signed(digest, key, r, (digest + r * d) * pow(k, -1, curve.N) % curve.N)


def mutated(random: Random, hints: bytes) -> bytes:
    """Other hints, changed in one place or a few; never the same value in another form."""
    while True:
        made = _mutated(random, bytearray(hints))
        if made != hints:
            return made


def _mutated(random: Random, raw: bytearray) -> bytes:
    start = HEADER + STEP_SIZE * raw[2]
    slopes = (len(raw) - start) // SLOPE_SIZE

    def step() -> int:
        return HEADER + STEP_SIZE * random.randrange(raw[2])

    def slope() -> int:
        return start + SLOPE_SIZE * random.randrange(slopes)

    def swap(a: int, b: int, size: int) -> None:
        raw[a : a + size], raw[b : b + size] = raw[b : b + size], raw[a : a + size]

    match random.randrange(12):
        case 0:
            raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        case 1:
            raw[random.randrange(start)] = random.randrange(256)
        case 2:
            raw[random.randrange(3)] = random.randrange(256)
        case 3:
            swap(step(), step(), STEP_SIZE)
        case 4:
            swap(slope(), slope(), SLOPE_SIZE)
        case 5:
            at = slope()
            raw[at : at + SLOPE_SIZE] = random.randbytes(SLOPE_SIZE)
        case 6:
            at = slope()
            raw[at : at + SLOPE_SIZE] = bytes(SLOPE_SIZE)
        case 7:
            del raw[slope() :][:SLOPE_SIZE]
            del raw[-SLOPE_SIZE:]
        case 8:
            raw += random.randbytes(random.choice((1, SLOPE_SIZE)))
        case 9:
            raw[step()] ^= random.choice((1, 2, 3, 4, 8))
        case 10:
            raw[step() + 1] ^= 0x80
        case _:
            hints = Hints.from_bytes(bytes(raw))
            changed = list(hints.factors)
            changed[random.randrange(3)] += random.choice((-1, 1))
            y = random.choice((hints.y, curve.P - hints.y))
            return replace(hints, factors=(changed[0], changed[1], changed[2]), y=y).to_bytes()
    return bytes(raw)


def attempts(random: Random, signed: Signed) -> Iterator[bytes]:
    """Hints for a signature that is not valid: everything fits but what cannot."""
    try:
        scalars = list(candidates(signed))
    except (ValueError, ZeroDivisionError):  # s is no unit
        scalars = []
    random.shuffle(scalars)
    guesses = [*scalars[:2], Scalars(1, 1, 1, 1), Scalars(1, -1, 5, 0), Scalars(3, 1, 0, 0)]
    for carry in (0, 1):
        x = signed.r + carry * curve.N
        y = curve.recover_y(x % curve.P)
        points = [(x, y), (x, -y % curve.P)] if y is not None else [(x, 1)]
        for point in points:
            reduced = point[0] % curve.P, point[1]
            for guess in guesses:
                found = steps_of(guess)
                if found is not None:
                    yield _made(signed, reduced, found[1], found[0], carry)
            # R less R: all scalars are zero.
            yield _made(signed, reduced, [Step(0, 0, False, 0), Step(0, 0, True, 0)], 0, carry)


def _made(
    signed: Signed, point: curve.Affine, steps: "list[Step] | tuple[Step, ...]", position: int, carry: int
) -> bytes:
    try:
        return Run(point, signed.key, steps, position).hints(signed, carry)
    except (ValueError, OverflowError):  # no chord, or a factor that a word does not hold
        return b""
