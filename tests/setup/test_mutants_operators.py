"""What scripts/mutants breaks in a small contract, operator by operator."""

from collections.abc import Mapping

import pytest

from scripts.mutants.operators import OPERATORS, mutants
from scripts.mutants.source import Source

VAULT = """
contract Vault {
    uint256 constant MAX_SUM = 1_000; // if (never) revert InComment();
    string constant TEXT = "if (never) revert";

    function put(uint256 sum, address to) external nonReentrant returns (bool ok) {
        if (sum > MAX_SUM || to == address(0)) revert TooMuch(sum);
        require(to != owner, "owner");
        if (sum < 5) {
            return false;
        }
        uint256 before = total;
        total += sum;
        (bool paid,) = to.call{value: sum}("");
        emit Put(to, sum);
        if (paid) last = to;
        mode = paid ? 1 : 2;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, or(sum, before))
            if iszero(lt(p, sum)) { ok := 1 }
        }
    }

    function empty() external;
}
"""


def changed(kind: str, text: str = VAULT) -> list[tuple[str, str]]:
    """(line before, line after) of all changes of a kind."""
    found = mutants([Source("Vault.sol", text)])
    assert all(mutant.apply(text) != text for mutant in found)
    return [(mutant.was, mutant.becomes) for mutant in found if mutant.kind == kind]


EXPECTED: Mapping[str, list[tuple[str, str]]] = {
    "guard": [
        ("if (sum > MAX_SUM || to == address(0)) revert TooMuch(sum);", "if (false) revert TooMuch(sum);"),
        ("if (sum < 5) {", "if (false) {"),
        ('require(to != owner, "owner");', 'require(true, "owner");'),
    ],
    "modifier": [
        (
            "function put(uint256 sum, address to) external nonReentrant returns (bool ok) {",
            "function put(uint256 sum, address to) external returns (bool ok) {",
        )
    ],
    "boundary": [
        (
            "if (sum > MAX_SUM || to == address(0)) revert TooMuch(sum);",
            "if (sum >= MAX_SUM || to == address(0)) revert TooMuch(sum);",
        ),
        ("if (sum < 5) {", "if (sum <= 5) {"),
    ],
    "write": [
        ('require(to != owner, "owner");', ""),
        ("total += sum;", ""),
        ("if (paid) last = to;", ""),
        ("mode = paid ? 1 : 2;", ""),
    ],
    "emit": [("emit Put(to, sum);", "")],
    "constant": [
        (
            "uint256 constant MAX_SUM = 1_000; // if (never) revert InComment();",
            f"uint256 constant MAX_SUM = 1_000 {sign} 1; // if (never) revert InComment();",
        )
        for sign in "+-"
    ],
    "operand": [
        (
            "if (sum > MAX_SUM || to == address(0)) revert TooMuch(sum);",
            "if (to == address(0)) revert TooMuch(sum);",
        ),
        (
            "if (sum > MAX_SUM || to == address(0)) revert TooMuch(sum);",
            "if (sum > MAX_SUM) revert TooMuch(sum);",
        ),
        ("mode = paid ? 1 : 2;", "mode = !paid ? 1 : 2;"),
    ],
    "boolean": [("return false;", "return true;")],
    "assembly": [
        ("mstore(p, or(sum, before))", ""),
        ("mstore(p, or(sum, before))", "mstore(p, sum)"),
        ("mstore(p, or(sum, before))", "mstore(p, before)"),
        ("if iszero(lt(p, sum)) { ok := 1 }", "if not(lt(p, sum)) { ok := 1 }"),
        ("if iszero(lt(p, sum)) { ok := 1 }", "if iszero(iszero(gt(p, sum))) { ok := 1 }"),
    ],
    "arithmetic": [("total += sum;", "total -= sum;")],
    "bits": [],
    "equality": [
        (
            "if (sum > MAX_SUM || to == address(0)) revert TooMuch(sum);",
            "if (sum > MAX_SUM || to != address(0)) revert TooMuch(sum);",
        ),
        ('require(to != owner, "owner");', 'require(to == owner, "owner");'),
    ],
}


@pytest.mark.parametrize("kind", OPERATORS)
def test_operator(kind: str) -> None:
    assert changed(kind) == EXPECTED[kind]


def test_bits() -> None:
    text = "function f() {\n    x = a | b << 2;\n}\n"
    assert changed("bits", text) == [
        ("x = a | b << 2;", "x = a & b << 2;"),
        ("x = a | b << 2;", "x = a | b >> 2;"),
    ]


def test_place() -> None:
    (mutant,) = [m for m in mutants([Source("Vault.sol", VAULT)]) if m.kind == "emit"]
    assert (mutant.line, mutant.function) == (15, "put")
    assert str(mutant) == "Vault.sol:15 emit put: emit Put(to, sum);  ->  (nothing)"
    assert mutant.apply(VAULT) == VAULT.replace("emit Put(to, sum);", "")


def test_an_open_bracket_is_named() -> None:
    with pytest.raises(ValueError, match=r"A\.sol:2: \( is never closed"):
        Source("A.sol", "\nfunction f( {").functions  # noqa: B018


def test_what_looks_the_same_is_counted() -> None:
    text = "function f() {\n    if (a) revert A();\n    b = c;\n    if (a) revert A();\n}\n"
    first, second = (m for m in mutants([Source("A.sol", text)]) if m.kind == "guard")
    assert first.key[:-1] == second.key[:-1]
    assert (first.nth, second.nth) == (1, 2)
