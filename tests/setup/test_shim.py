import json
import subprocess
import time
from pathlib import Path

import pytest

from scripts.toolchain import paths, shim
from scripts.toolchain.progress import SetupError
from scripts.toolchain.solc import VERSION

SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;
contract Seven { function get() external pure returns (uint256) { return 7; } }
"""


@pytest.fixture(scope="module")
def solc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shim of our own, because the project's compiler is native on machines that can have it."""
    path = tmp_path_factory.mktemp("solcx") / f"solc-v{VERSION}"
    shim.write(path, node=paths.BIN / "node", package=paths.NODE_MODULES / "solc", expected=VERSION)
    return path


def call(solc: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [solc, *words], input=stdin, capture_output=True, text=True, check=False, timeout=60
    )


def standard_input(source: str, *outputs: str) -> str:
    settings = {"evmVersion": "osaka", "viaIR": True, "outputSelection": {"*": {"*": list(outputs)}}}
    return json.dumps(
        {"language": "Solidity", "sources": {"S.sol": {"content": source}}, "settings": settings}
    )


def test_version_comes_without_loading_the_compiler(solc: Path) -> None:
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        done = call(solc, "--version")
        seconds.append(time.perf_counter() - begin)
        assert done.returncode == 0
        assert f"Version: {VERSION}+commit." in done.stdout
    # The WebAssembly takes about half a second to load; a shell script answers in a few milliseconds.
    assert min(seconds) < 0.2


@pytest.mark.parametrize("words", [(), ("--bin", "S.sol"), ("--help",), ("--standard-json", "--bin")])
def test_every_other_mode_is_refused(solc: Path, words: tuple[str, ...]) -> None:
    done = call(solc, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--standard-json" in done.stderr


@pytest.mark.parametrize("options", [(), ("--base-path", "/x", "--allow-paths", "."), ("--base-path=/x",)])
def test_standard_json_compiles(solc: Path, options: tuple[str, ...]) -> None:
    done = call(solc, *options, "--standard-json", stdin=standard_input(SOURCE, "evm.bytecode.object"))
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    assert int(output["contracts"]["S.sol"]["Seven"]["evm"]["bytecode"]["object"], 16) > 0


def test_output_larger_than_a_pipe_arrives_whole(solc: Path) -> None:
    functions = "".join(
        f"function f{i}() external pure returns (uint256) {{ return {i}; }}" for i in range(1000)
    )
    source = SOURCE.replace("function get", functions + "function get")
    done = call(solc, "--standard-json", stdin=standard_input(source, "abi"))
    assert len(done.stdout) > 65_536
    assert len(json.loads(done.stdout)["contracts"]["S.sol"]["Seven"]["abi"]) == 1001


def test_missing_sources_are_read_below_the_base_path_only(solc: Path, tmp_path: Path) -> None:
    base = tmp_path / "project"
    base.mkdir()
    (base / "Seven.sol").write_text(SOURCE)
    (tmp_path / "Secret.sol").write_text(SOURCE)
    inside = standard_input('import "Seven.sol"; contract A is Seven {}', "abi")
    outside = standard_input('import "../Secret.sol"; contract A is Seven {}', "abi")
    found = json.loads(call(solc, "--base-path", str(base), "--standard-json", stdin=inside).stdout)
    assert "A" in found["contracts"]["S.sol"]
    for words in ((), ("--base-path", str(base / "empty"))):
        refused = json.loads(call(solc, *words, "--standard-json", stdin=inside).stdout)
        assert any("Seven.sol" in error["message"] for error in refused["errors"])
    escaped = json.loads(call(solc, "--base-path", str(base), "--standard-json", stdin=outside).stdout)
    assert any(error["severity"] == "error" for error in escaped["errors"])


def test_compiler_errors_are_reported_in_the_json(solc: Path) -> None:
    done = call(
        solc, "--standard-json", stdin=standard_input(SOURCE.replace("return 7", "return seven"), "abi")
    )
    assert done.returncode == 0
    errors = json.loads(done.stdout)["errors"]
    assert any(error["severity"] == "error" and "seven" in error["formattedMessage"] for error in errors)


def test_another_compiler_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "solc"
    with pytest.raises(SetupError, match=rf"npm's solc is {VERSION}\+commit.* should pin 0\.8\.1"):
        shim.write(path, node=paths.BIN / "node", package=paths.NODE_MODULES / "solc", expected="0.8.1")
    assert not path.exists()
