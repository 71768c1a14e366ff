"""Compiled contracts for tests: also those in contracts/test, which the package does not ship."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from vouch.protocol.keccak import keccak

ROOT = Path(__file__).parent.parent.parent
COMPILED = ROOT / ".build" / "out"


class Compiled(NamedTuple):
    """ABI members as JSON objects, creation code, and the code that lies on the chain afterwards."""

    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed: bytes


@cache
def compiled(name: str) -> Compiled:
    """The contract `name` as forge compiled it.

    Raises LookupError if forge has not compiled it, or has compiled other sources than those in contracts/.
    """
    found = list(COMPILED.glob(f"*.sol/{name}.json"))
    if len(found) != 1:
        raise LookupError(
            f"{len(found)} compiled contracts are called {name}: run `scripts/test`, which compiles them"
        )
    artefact = json.loads(found[0].read_text())
    for source, about in artefact["metadata"]["sources"].items():
        path = ROOT / source
        if not path.is_file() or about["keccak256"] != "0x" + keccak(path.read_bytes()).hex():
            raise LookupError(f"{source} has changed since {name} was compiled: run `scripts/test`")
    return Compiled(
        artefact["abi"],
        bytes.fromhex(artefact["bytecode"]["object"].removeprefix("0x")),
        bytes.fromhex(artefact["deployedBytecode"]["object"].removeprefix("0x")),
    )
