"""The prover, and how small its numbers are."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from tests.contracts.attestation.mutations import attempts, mutated, valid
from vouch.attestation.p384 import Signed, curve, prove, verify
from vouch.attestation.p384.errors import NoSuchPoint, Refused, WrongSize
from vouch.attestation.p384.hints import Hints, Step
from vouch.attestation.p384.proof import candidates, short_basis, wnaf

N = curve.N


def test_proofs() -> None:
    random = Random(1)
    for _ in range(20):
        signed = valid(random)
        hints = prove(signed)
        verify(signed, hints)
        assert Hints.from_bytes(hints).to_bytes() == hints
        assert prove(signed) == hints
        assert len(hints) < 16_500


def test_wnaf() -> None:
    random = Random(2)
    for width in (2, 5, 9):
        for k in (0, 1, -1, 2, 2**192, *(random.getrandbits(192) - 2**191 for _ in range(50))):
            digits = wnaf(k, width)
            assert sum(digit << at for at, digit in digits.items()) == k
            assert all(digit % 2 and abs(digit) < 1 << (width - 1) for digit in digits.values())
            places = sorted(digits)
            assert all(b - a >= width for a, b in pairwise(places))


def test_short_vectors() -> None:
    random = Random(3)
    for _ in range(50):
        u2 = random.randrange(1, N)
        first, second = short_basis((N, 0), (-u2 % N, 1))
        assert abs(first[0] * second[1] - first[1] * second[0]) == N
        assert all((a + b * u2) % N == 0 for a, b in (first, second))
        assert max(map(abs, first)) < 2**193


def test_candidates() -> None:
    signed = valid(Random(4))
    for scalars in candidates(signed):
        assert scalars.b
        assert (scalars.a * signed.s + scalars.b * signed.r) % N == 0
        g = scalars.low + (scalars.high << 192)
        assert (g * signed.s + scalars.b * signed.digest) % N == 0


def test_invalid_signatures() -> None:
    signed = valid(Random(5))
    for wrong, why in (
        (replace(signed, digest=signed.digest ^ 1), "another digest"),
        (replace(signed, r=0), "from 1 to n - 1"),
        (replace(signed, s=0), "from 1 to n - 1"),
        (replace(signed, s=signed.s + N), "from 1 to n - 1"),
        (replace(signed, key=(signed.key[0], signed.key[1] + 1)), "not on the curve"),
        (Signed(N - signed.r, curve.G, signed.r, signed.s), "infinity"),
    ):
        with pytest.raises(NoSuchPoint, match=why):
            prove(wrong)


def test_bytes() -> None:
    signed = valid(Random(6))
    digest, key, signature = signed.to_bytes()
    assert Signed.from_bytes(digest, key, signature) == signed
    for parts in ((digest[1:], key, signature), (digest, key + b"\0", signature), (digest, key, b"")):
        with pytest.raises(WrongSize):
            Signed.from_bytes(*parts)


@pytest.mark.parametrize("table", range(4))
def test_steps(table: int) -> None:
    step = Step(63, table, True, 127)
    assert Step.from_bytes(step.to_bytes()) == step
    assert step.digit == -255


def test_attempts_at_invalid_signatures() -> None:
    random = Random(7)
    for _ in range(3):
        signed = valid(random)
        for wrong in (replace(signed, digest=signed.digest ^ 1), replace(signed, s=signed.s % (N - 1) + 1)):
            made = list(attempts(random, wrong))
            assert len(made) > 5
            for hints in made:
                with pytest.raises(Refused):
                    verify(wrong, hints)


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_ten_thousand_changed_hints() -> None:
    random = Random(8)
    for _ in range(10):
        signed = valid(random)
        hints = prove(signed)
        for _ in range(1000):
            changed = mutated(random, hints)
            with pytest.raises(Refused):
                verify(signed, changed)
