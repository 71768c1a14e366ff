import json
from pathlib import Path
from typing import Any

import pytest

from scripts import export_abi

SOURCE = Path(__file__)


def built(**changes: Any) -> dict[str, Any]:
    return {"abi": [], "bytecode": {"object": "0x60"}, "deployedBytecode": {"object": "0x61"}} | changes


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("contract A {}", True),
        ("contract A is B {}", True),
        ("interface A {", True),
        ("library A {}", False),
        ("abstract contract A {}", False),
        ("enum A { One }", False),
        ("contract Another {}", False),
        ("contract AB {}", False),
        ("// contract A is explained here", False),
    ],
)
def test_contracts_and_interfaces_are_exported(source: str, *, wanted: bool) -> None:
    text = f"// SPDX-License-Identifier: MIT\npragma solidity 0.8.37;\n\n{source}\n"
    assert export_abi.exported("A", text) is wanted


def test_the_order_of_the_compiler_does_not_matter() -> None:
    members = [
        {"type": "function", "name": "b", "inputs": []},
        {"type": "constructor", "inputs": []},
        {"type": "function", "name": "a", "inputs": []},
    ]
    text = export_abi.render("A", built(abi=members), SOURCE)
    assert text == export_abi.render("A", built(abi=members[::-1]), SOURCE)
    assert list(json.loads(text)) == ["abi", "bytecode", "contractName", "deployedBytecode", "sourceHash"]


def test_an_unlinked_contract_is_refused() -> None:
    unlinked = built(bytecode={"object": "0x__$1$__", "linkReferences": {"contracts/L.sol": {}}})
    with pytest.raises(export_abi.ExportError, match="A needs a library to be linked"):
        export_abi.render("A", unlinked, SOURCE)


def test_differences_names_each_file_and_writing_ends_them(tmp_path: Path) -> None:
    (tmp_path / "Old.json").write_text("{}")
    (tmp_path / "Stale.json").write_text("{}")
    (tmp_path / "Same.json").write_text("[]")
    wanted = {"New.json": "1", "Stale.json": "2", "Same.json": "[]"}
    assert export_abi.differences(wanted, tmp_path) == [
        "left over: Old.json",
        "missing:   New.json",
        "stale:     Stale.json",
    ]
    export_abi.write(wanted, tmp_path)
    assert export_abi.differences(wanted, tmp_path) == []


def test_what_forge_has_built_is_not_compiled_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def collect(folder: Path) -> dict[Path, dict[str, str]]:
        assert folder == tmp_path
        return {tmp_path: {"New.json": "1"}}

    monkeypatch.setattr(export_abi, "compile_contracts", lambda: pytest.fail("compiled"))
    monkeypatch.setattr(export_abi, "collect", collect)
    assert export_abi.main(["--check", "--built", str(tmp_path)]) == 1
    assert "missing:   New.json" in capsys.readouterr().out


def test_a_folder_without_a_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export_abi.main(["--check", "--built", str(tmp_path)]) == 1
    assert f"forge has built nothing in {tmp_path}: run forge build" in capsys.readouterr().err


def test_what_is_written_is_compiled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        export_abi.main(["--built", str(tmp_path)])
    assert "--built goes with --check" in capsys.readouterr().err
