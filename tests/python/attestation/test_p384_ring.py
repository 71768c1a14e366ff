"""The ring against plain arithmetic mod p."""

from random import Random

import pytest

from vouch.attestation.p384 import curve
from vouch.attestation.p384.constants import PRIMES
from vouch.attestation.p384.curve import P
from vouch.attestation.p384.ring import (
    INVERSE,
    KAPPA,
    MODULUS,
    RADIX,
    ROOT,
    WORD,
    U,
    V,
    montgomery,
    multiple,
    plain,
    reduce,
    short,
    times,
    value,
)

RANDOM = Random(384)
NUMBERS = [0, 1, 2, P - 1, P // 2, ROOT, WORD, *(RANDOM.randrange(P) for _ in range(50))]


def test_pi() -> None:
    assert ROOT * ROOT % P == 2
    assert value((U, V)) == 0
    assert U * U - 2 * V * V == -P
    assert RADIX % MODULUS == 1
    one = times(INVERSE, (U, V))
    assert (one[0] % WORD, one[1] % WORD) == (1, 0)
    minus = times(KAPPA, (U, V))
    assert (minus[0] % WORD, minus[1] % WORD) == (WORD - 1, 0)


@pytest.mark.parametrize("number", NUMBERS)
def test_short(number: int) -> None:
    for low in (0, 2**200):
        pair = short(number, low)
        assert value(pair) == number
        assert all(low <= limb < low + 2**194 for limb in pair)
    assert plain(montgomery(number)) == number
    found = multiple((number, number // 3))
    assert value(found) == 0
    assert number <= found[0] < number + 2**195
    assert number // 3 <= found[1] < number // 3 + 2**195


def test_products() -> None:
    for _ in range(200):
        a = RANDOM.getrandbits(200), RANDOM.getrandbits(220)
        b = RANDOM.getrandbits(220), RANDOM.getrandbits(200)
        c = times(a, b)
        assert value(c) == value(a) * value(b) % P
        found = reduce(c)
        assert value(found) == value(c) * pow(RADIX, -1, P) % P
        # What the contract computes instead: the residues of the product are enough.
        q = times((c[0] % WORD, c[1] % WORD), KAPPA)
        x = times((q[0] % WORD, q[1] % WORD), (U, V))
        assert found == ((c[0] % MODULUS + x[0]) % MODULUS, (c[1] % MODULUS + x[1]) % MODULUS)


def test_primes() -> None:
    for gap in PRIMES:
        m = WORD - gap
        # Miller and Rabin's test with many bases: m is a constant that nobody chose to fool it.
        odd, twos = m - 1, 0
        while odd % 2 == 0:
            odd, twos = odd // 2, twos + 1
        for _ in range(32):
            x = pow(RANDOM.randrange(2, m - 1), odd, m)
            assert x in (1, m - 1) or m - 1 in (pow(x, 2**i, m) for i in range(1, twos))
    assert len(set(PRIMES)) == 4


def test_curve() -> None:
    assert curve.on_curve(curve.G)
    assert curve.multiply(curve.N, curve.G) is None
    assert not curve.on_curve((curve.G[0] + P, curve.G[1]))
    assert not curve.on_curve((curve.G[0], curve.G[1] + 1))
    double = curve.add(curve.G, curve.G)
    assert double == curve.multiply(2, curve.G)
    assert curve.add(curve.G, curve.negate(curve.G)) is None
    assert curve.add(curve.multiply(-3, curve.G), curve.multiply(5, curve.G)) == double
    assert curve.recover_y(curve.G[0]) in (curve.G[1], P - curve.G[1])
