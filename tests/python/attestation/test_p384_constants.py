"""The literals and the table of bounds of P384.sol, derived again; and that the bounds are bounds."""

import re
from pathlib import Path

import pytest

from vouch.attestation.p384 import bounds, constants, steps
from vouch.attestation.p384.bounds import Range, Ranges, Unbounded
from vouch.attestation.p384.ring import value
from vouch.attestation.p384.tables import code, code_hash, creation_code, rows
from vouch.protocol.keccak import keccak

SOURCE = (Path(__file__).parents[3] / "contracts" / "attestation" / "P384.sol").read_text()


def literals(kind: str) -> dict[str, int]:
    found = re.findall(rf"{kind} private constant (\w+) =\s+(\w+);", SOURCE)
    return {name: int(text, 0) for name, text in found}


def test_literals() -> None:
    found, derived = literals("uint256"), constants.solidity()
    assert derived.items() <= found.items()
    gaps = b"".join(gap.to_bytes(2, "big") for gap in constants.PRIMES)
    assert found["GAPS"] == int.from_bytes(gaps, "big")
    hashes = literals("bytes32")
    assert hashes == {
        "LOW_HASH": int.from_bytes(code_hash(0), "big"),
        "HIGH_HASH": int.from_bytes(code_hash(1), "big"),
    }


def test_selectors() -> None:
    found = literals("uint256")
    for name, error in (
        ("WRONG_STEP", "WrongStep(uint256)"),
        ("WRONG_SLOPE", "WrongSlope(uint256)"),
        ("SAME_POINT", "SamePoint(uint256)"),
        ("WRONG_SUM", "WrongSum()"),
    ):
        assert found[name] == int.from_bytes(keccak(error.encode())[:4], "big")


def test_table_of_bounds() -> None:
    quoted = [line for line in re.findall(r"^/// (\| .*\|)$", SOURCE, re.MULTILINE) if "**" in line]
    assert quoted == bounds.table()


@pytest.mark.parametrize("name", ["LIFT", "DOUBLE", "SUM", "APART", "HALF", "MIRROR", "CUBE"])
def test_multiples_of_pi(name: str) -> None:
    assert value(getattr(constants, name)) == 0


def test_values_are_within_bounds() -> None:
    """The ranges hold the values of a real run."""
    seen = bounds.proven()
    for table in (0, 1):
        for x, y in rows(table):
            for limb, centre in zip((*x, *y), (*constants.CENTRE, *constants.HALF), strict=True):
                assert abs(limb - centre) < 2**196
    assert seen["double: x'"].high < 2**218
    assert seen["y'"].low > 0


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("APART", (0, 0)),
        ("MIRROR", (0, 0)),
        ("SUM", (0, 0)),
        ("DOUBLE", (0, 0)),
        ("FOLD", 230),
        ("TANGENT", (0, 0)),
        ("EQUATION", (0, 0)),
        ("NEAR_X", 2**10),
        ("NEAR_Y", 2**2),
    ],
)
def test_too_small_a_constant(monkeypatch: pytest.MonkeyPatch, name: str, changed: object) -> None:
    monkeypatch.setattr(steps, name, changed)
    if name == "FOLD":
        monkeypatch.setattr(steps, "_MASK", 2**230 - 1)
    with pytest.raises(Unbounded):
        bounds.proven()


def test_ranges() -> None:
    a, b = Range(-2, 3), Range(5, 7)
    assert a + b == Range(3, 10)
    assert a - b == Range(-9, -2)
    assert 1 - a == Range(-2, 3)
    assert a * b == Range(-14, 21)
    assert a * -2 == Range(-6, 4)
    assert b >> 1 == Range(2, 3)
    assert Range(0, 9) & 3 == Range(0, 3)
    assert a | b == Range(-2, 7)
    with pytest.raises(Unbounded, match="choose other constants"):
        Ranges().word("value", Range(-1, 0))


@pytest.mark.parametrize("table", [0, 1])
def test_tables(table: int) -> None:
    made = code(table)
    assert len(made) == 1 + 128 * 128
    assert made[0] == 0
    assert creation_code(table) == bytes.fromhex("61400180600a5f395ff3") + made
    first = [int.from_bytes(made[1 + 32 * i : 33 + 32 * i], "big") for i in range(4)]
    assert ((first[0], first[1]), (first[2], first[3])) == rows(table)[0]
