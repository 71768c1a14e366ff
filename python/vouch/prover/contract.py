"""The verifier contract of a circuit: bb's Solidity, made to fit our reference string, and compiled.

The code is the same for the same verifying key and string, on every machine: `code_hash` names both.
"""

import json
import re
import tempfile
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from vouch.protocol.keccak import keccak
from vouch.prover import srs
from vouch.prover.bb import Bb
from vouch.prover.errors import ContractTooLarge, ProgramFailed, UnexpectedVerifier
from vouch.prover.process import run
from vouch.prover.srs import ReferenceString
from vouch.prover.toolchain import Toolchain

MAX_CODE: Final = 24_576
"""Bytes of code that a chain takes (EIP-170)."""
NAME: Final = "HonkVerifier"
SOLC_VERSION: Final = "0.8.37"
_PRAGMA: Final = "pragma solidity ^0.8.27;"
_HEAD: Final = f"contract {NAME} is IVerifier {{\n"
_FILE: Final = "Verifier.sol"
_SETTINGS: Final = {
    "evmVersion": "osaka",
    # The contract is one block of assembly with its own memory; the IR pipeline only makes it larger.
    "viaIR": False,
    "optimizer": {"enabled": True, "runs": 200},
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "outputSelection": {
        _FILE: {NAME: ["evm.bytecode.object", "evm.deployedBytecode.object", "evm.bytecode.linkReferences"]}
    },
}


@dataclass(frozen=True, slots=True)
class VerifierCode:
    """A compiled verifier contract without constructor arguments.

    creation: what a transaction without receiver carries.
    runtime: what then lies at its address.
    srs: the name that its `srs()` gives.
    """

    creation: bytes
    runtime: bytes
    srs: str

    @property
    def code_hash(self) -> bytes:
        """What EXTCODEHASH gives for it."""
        return keccak(self.runtime)


async def verifier(bb: Bb, vk: bytes, *, secret: bool = False) -> VerifierCode:
    """The contract that accepts proofs of this verifying key, made with bb's reference string.

    Raises ContractTooLarge, UnexpectedVerifier, and what `Bb` raises.
    """
    source = complete(await bb.write_solidity(vk, secret=secret), bb.srs)
    return await compile_verifier(bb.toolchain, source, bb.srs.name)


def complete(source: str, string: ReferenceString) -> str:
    """bb's source with a fixed compiler version, the string's tau * G2, and `srs()`, which names the string.

    Raises UnexpectedVerifier unless each part to be changed is there exactly once.
    """
    source = _replace(source, "its pragma", _PRAGMA, f"pragma solidity {SOLC_VERSION};")
    canonical = srs.g2_of(srs.CANONICAL)
    for index, (old, new) in enumerate(zip(canonical, string.g2, strict=True)):
        source = _replace(source, f"word {index} of tau * G2", f"0x{old:064x}", f"0x{new:064x}")
    srs_function = (
        "    /// @notice The reference string that proofs have to be made with.\n"
        f'    function srs() external pure returns (bytes32) {{ return "{string.name}"; }}\n\n'
    )
    return _replace(source, "its contract", _HEAD, _HEAD + srs_function)


async def compile_verifier(toolchain: Toolchain, source: str, name: str) -> VerifierCode:
    """Raises ContractTooLarge, ProgramFailed, ProgramKilled, ToolchainMissing."""
    asked = {"language": "Solidity", "sources": {_FILE: {"content": source}}, "settings": _SETTINGS}
    with tempfile.TemporaryDirectory(prefix="vouch-solc-") as folder:
        given, taken = Path(folder) / "input.json", Path(folder) / "output.json"
        given.write_text(json.dumps(asked))
        with as_file(files("vouch.prover") / "js" / "solc.mjs") as script:
            command = [toolchain.node, script, toolchain.modules, given, taken]
            await run(command, home=toolchain.home)
        answer = json.loads(taken.read_bytes())
    return _code(answer, name)


def _code(answer: dict[str, Any], name: str) -> VerifierCode:
    errors = [error["formattedMessage"] for error in answer.get("errors", ()) if error["severity"] == "error"]
    if errors:
        raise ProgramFailed("solc", 0, "\n".join(errors))
    evm = answer["contracts"][_FILE][NAME]["evm"]
    if evm["bytecode"]["linkReferences"]:
        raise ProgramFailed("solc", 0, "the verifier contract needs libraries")
    runtime = bytes.fromhex(evm["deployedBytecode"]["object"])
    if len(runtime) > MAX_CODE:
        raise ContractTooLarge(len(runtime), MAX_CODE)
    return VerifierCode(bytes.fromhex(evm["bytecode"]["object"]), runtime, name)


def _replace(source: str, what: str, old: str, new: str) -> str:
    found = re.findall(re.escape(old), source, re.IGNORECASE)
    if len(found) != 1:
        raise UnexpectedVerifier(what, len(found), 1)
    return source.replace(found[0], new)
