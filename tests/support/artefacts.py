"""Exported contracts for tests: also those in contracts/test, which the package does not ship."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent.parent
EXPORTED = (ROOT / "python" / "vouch" / "abi", ROOT / "tests" / "abi")


class Compiled(NamedTuple):
    """ABI members as JSON objects, creation code, and the code that lies on the chain afterwards."""

    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed: bytes


@cache
def compiled(name: str) -> Compiled:
    """The contract `name` as it was exported; that all its sources give just that is a check of its own.

    Raises LookupError if it was not exported, or its file has changed since.
    """
    found = [path for folder in EXPORTED if (path := folder / f"{name}.json").is_file()]
    if not found:
        raise LookupError(f"no contract {name} was exported: run python -m scripts.export_abi")
    artefact = json.loads(found[0].read_text())
    if artefact["sourceHash"] not in _sources():
        raise LookupError(f"{name} has changed since it was exported: run python -m scripts.export_abi")
    return Compiled(
        artefact["abi"],
        bytes.fromhex(artefact["bytecode"].removeprefix("0x")),
        bytes.fromhex(artefact["deployedBytecode"].removeprefix("0x")),
    )


@cache
def _sources() -> frozenset[str]:
    files = (ROOT / "contracts").rglob("*.sol")
    return frozenset(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
