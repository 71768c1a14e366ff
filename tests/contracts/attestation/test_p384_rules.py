"""Each rule of P384.sol is needed: the contract compiled without it accepts what only that rule refuses."""

import json
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from random import Random

import pytest

from scripts.toolchain import paths
from scripts.toolchain.env import environment
from scripts.toolchain.solc import solc_path
from tests.contracts.attestation import forgeries
from tests.contracts.attestation.conftest import Verifier, create_p384
from tests.contracts.attestation.mutations import mutated, valid
from vouch.attestation.p384 import prove
from vouch.attestation.p384.verifier import Rule
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender

SOURCE = paths.ROOT / "contracts" / "attestation" / "P384.sol"
NOTHING = "function nothing(selector, value) {} function refuse("

# What is replaced, the how many-th of it, and by what.
CUTS: Mapping[Rule, tuple[str, int, str]] = {
    Rule.START: ("if (uint8(hints[1]) > MAX_POSITION) revert TooManyDoublings();", 0, ""),
    Rule.POSITION: ("iszero(gt(mload(POSITION), MAX_POSITION))", 0, "1"),
    Rule.ROW: ("refuse(WRONG_STEP,", 0, "nothing(WRONG_STEP,"),
    Rule.APART: ("refuse(SAME_POINT,", 0, "nothing(SAME_POINT,"),
    Rule.TANGENT: ("refuse(WRONG_SLOPE,", 0, "nothing(WRONG_SLOPE,"),
    Rule.CHORD: ("refuse(WRONG_SLOPE,", 1, "nothing(WRONG_SLOPE,"),
    Rule.COORDINATE: ("revert CoordinateOutOfRange(point);", 0, "{}"),
    Rule.CURVE: ("if (off) revert NotOnCurve(point);", 0, ""),
    Rule.SCALAR: ("revert ScalarOutOfRange();", 0, "{}"),
    Rule.NONZERO: ("iszero(iszero(b))", 0, "1"),
    Rule.LAST: ("refuse(WRONG_SUM,", -1, "nothing(WRONG_SUM,"),
    Rule.KEY_SCALAR: ("holds := and(", 0, "let ignored := and("),
    Rule.FIXED_SCALAR: ("holds := and(", 1, "let ignored := and("),
}


def without(rule: Rule) -> str:
    """The source with one rule cut out."""
    cut, which, instead = CUTS[rule]
    source = re.sub(r"\s+", " ", re.sub(r"//.*", "", SOURCE.read_text()))
    source = re.sub(r"(\() | (?=\))", r"\1", source)
    found = [match.start() for match in re.finditer(re.escape(cut), source)]
    assert found, f"{rule} is checked otherwise now: change what is cut"
    for at in sorted(found if which < 0 else [found[which]], reverse=True):
        source = source[:at] + instead + source[at + len(cut) :]
    return "pragma solidity ^0.8.30;\n" + source.replace("function refuse(", NOTHING)


@cache
def cut_contracts() -> Mapping[Rule, bytes]:
    """Creation code of every cut contract; the compiler runs once."""
    sources = {f"{rule.name}.sol": {"content": without(rule)} for rule in Rule}
    settings = {
        "viaIR": True,
        "evmVersion": "osaka",
        "optimizer": {"enabled": True, "runs": 1_000_000},
        "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
    }
    done = subprocess.run(
        [solc_path(), "--standard-json"],
        input=json.dumps({"language": "Solidity", "sources": sources, "settings": settings}),
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    built = json.loads(done.stdout)
    errors = [found["formattedMessage"] for found in built["errors"] if found["severity"] == "error"]
    assert not errors, errors
    return {
        rule: bytes.fromhex(built["contracts"][f"{rule.name}.sol"]["P384"]["evm"]["bytecode"]["object"])
        for rule in Rule
    }


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.name)
async def test_forgery_passes_without_its_rule(rpc: Rpc, sender: TxSender, rule: Rule) -> None:
    cut = Verifier(rpc, sender, await create_p384(sender, cut_contracts()[rule]))
    for make in forgeries.ALL:
        forgery = make()
        if forgery.rule == rule:
            assert await cut.refusal(cut.call(forgery.signed, forgery.hints)) is None, make.__name__
        else:
            # A cut for one rule leaves the others as they are.
            assert await cut.refusal(cut.call(forgery.signed, forgery.hints)) is not None, make.__name__


@pytest.mark.deep
@pytest.mark.timeout(600)
async def test_ten_thousand_changed_hints(p384: Verifier) -> None:
    random = Random(1384)
    for _ in range(20):
        signed = valid(random)
        hints = prove(signed)
        assert await p384.refusal(p384.call(signed, hints)) is None
        for _ in range(500):
            assert await p384.refusal(p384.call(signed, mutated(random, hints))) is not None
