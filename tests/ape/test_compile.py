"""ape and forge must compile the same code, or tests through one would say nothing about the other."""

import json
from pathlib import Path
from typing import Any

import pytest
from ape.managers.project import ProjectManager

EXPORTED = Path(__file__).parents[2] / "python" / "vouch" / "abi"


def names() -> list[str]:
    """Contracts with code; interfaces have none."""
    files = sorted(EXPORTED.glob("*.json"))
    return [path.stem for path in files if len(json.loads(path.read_text())["deployedBytecode"]) > 2]


@pytest.mark.parametrize("name", names())
def test_runtime_code_is_the_exported_one(project: ProjectManager, name: str) -> None:
    exported = json.loads((EXPORTED / f"{name}.json").read_text())
    built = project.contracts[name].contract_type.runtime_bytecode
    code = bytes.fromhex(built.bytecode.removeprefix("0x"))
    wanted = bytes.fromhex(exported["deployedBytecode"].removeprefix("0x"))
    # ape cannot turn the metadata off: INVALID, the metadata, and its length in the last two bytes.
    metadata = int.from_bytes(code[-2:]) + 2
    assert code[:-metadata] == wanted + b"\xfe"


@pytest.mark.parametrize("name", names())
def test_abi_is_the_exported_one(project: ProjectManager, name: str) -> None:
    exported = json.loads((EXPORTED / f"{name}.json").read_text())

    def signatures(abi: list[dict[str, Any]]) -> set[str]:
        return {f"{member['type']} {member.get('name')} {len(member.get('inputs', ()))}" for member in abi}

    compiled = [json.loads(member.model_dump_json()) for member in project.contracts[name].contract_type.abi]
    assert signatures(compiled) == signatures(exported["abi"])
