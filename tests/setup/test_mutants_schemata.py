"""scripts/mutants/schemata.py: what the switches write, and that the compiler takes it for a contract."""

import json
import re
import subprocess

import pytest

from scripts.mutants import __main__ as program
from scripts.mutants.operators import mutants
from scripts.mutants.schemata import FIRST, coinbase, instrument, instrument_all
from scripts.mutants.source import Source
from scripts.mutants.ward import _culprit
from scripts.toolchain import paths
from scripts.toolchain.env import environment

VAULT = """contract Vault {
    uint256 constant MOST = 3;
    uint256 public sum;

    function put(uint256 amount) external returns (uint256) {
        if (amount > MOST) revert TooMuch(amount);
        uint256 next = sum + amount;
        sum = next;
        assembly ("memory-safe") {
            let p := or(next, amount)
            mstore(0, p)
            if iszero(p) { revert(0, 0) }
        }
        for (uint256 i; i < amount; ++i) {
            sum = i;
        }
        return sum + 1;
    }
}
"""


def switched(*kinds: str) -> str:
    """The vault with its mutants of these kinds, switches as S0, S1 and so on."""
    source = Source("Vault.sol", VAULT)
    chosen = dict(enumerate(m for m in mutants([source]) if m.kind in kinds))
    text, _ = instrument(source, chosen)
    return re.sub(str(FIRST)[:-1] + r"(\d)", r"S\1", text)


def test_a_mutant_has_an_address() -> None:
    assert coinbase(3) == f"0x{FIRST + 3:040x}"
    assert len(coinbase(0)) == 42


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("guard", "if ((block.coinbase == address(S0) ? (false) : (amount > MOST))) revert TooMuch(amount);"),
        (
            "boundary",
            "for (uint256 i; (block.coinbase == address(S1) ? (i <= amount) : (i < amount)); ++i) {",
        ),
        ("write", "if (block.coinbase == address(S0)) {  } else { sum = next; }"),
        ("arithmetic", "uint256 next = (block.coinbase == address(S0) ? (sum - amount) : (sum + amount));"),
        ("arithmetic", "if (block.coinbase == address(S1)) { return sum - 1; } else { return sum + 1; }"),
        ("assembly", "switch coinbase() case S0 {  } default { mstore(0, p) }"),
        ("assembly", "if eq(coinbase(), S1) { p := next } if eq(coinbase(), S2) { p := amount }"),
    ],
)
def test_what_a_switch_looks_like(kind: str, line: str) -> None:
    assert line in switched(kind)


def test_a_test_in_assembly_is_one_of_both() -> None:
    on = "eq(coinbase(), S3)"
    plain = f"and(iszero({on}), iszero(iszero(iszero(p))))"
    assert f"if or(and({on}, iszero(iszero(not(p)))), {plain}) {{ revert(0, 0) }}" in switched("assembly")


def test_constants_have_no_switch() -> None:
    source = Source("Vault.sol", VAULT)
    chosen = dict(enumerate(m for m in mutants([source]) if m.kind == "constant"))
    assert instrument(source, chosen) == (VAULT, list(chosen))


def test_the_compiler_says_whose_fault_it_is() -> None:
    text = switched("arithmetic").replace("S", str(FIRST)[:-1])
    before = text[: text.index("sum - 1")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert _culprit(text, line, column) == 1
    assert _culprit(text, 1, 1) is None


def test_nearly_all_mutants_of_the_contracts_have_a_switch() -> None:
    real = program.everything()
    _, left = instrument_all(program.sources(), dict(enumerate(real)))
    others = [real[number] for number in left if real[number].kind not in ("constant", "modifier")]
    # heads of loops, for which a switch has no place
    assert len(others) < 5
    assert all(other.was.startswith("for ") for other in others)


def test_a_contract_full_of_switches_compiles() -> None:
    (source,) = [each for each in program.sources() if each.path.endswith("/ClaimSignature.sol")]
    text, _ = instrument(source, dict(enumerate(mutants([source]))))
    texts = {source.path: re.sub(r"\bpure\b", "view", text)}
    assert text.count("coinbase") >= 3
    job = {
        "language": "Solidity",
        "sources": {path: {"content": code} for path, code in texts.items()},
        "settings": {"outputSelection": {source.path: {"ClaimSignature": ["evm.bytecode.object"]}}},
    }
    done = subprocess.run(
        [str(paths.ROOT / ".toolchain" / "solcx" / "solc-v0.8.37"), "--standard-json"],
        input=json.dumps(job),
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    errors = [
        e["formattedMessage"] for e in json.loads(done.stdout).get("errors", ()) if e["severity"] == "error"
    ]
    assert errors == []
