import shutil
import sys
from pathlib import Path

import pytest

from tests.support.artefacts import ROOT
from vouch.prover import nodejs
from vouch.prover.errors import InstallFailed
from vouch.prover.nodejs import OLDEST, Node
from vouch.prover.toolchain import Toolchain


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_program_itself_is_found_behind_a_launcher(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "node", f'exec {toolchain.node} "$@"')
    npm = script(tmp_path / "npm", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nodejs.on_path() == Node(toolchain.node.resolve(), (str(npm),))


@pytest.mark.parametrize(
    "answer", [f"printf '{OLDEST - 1}\\n/usr/bin/node\\n'", "exit 1", "echo hello", "printf '22\\n'; exit 1"]
)
def test_a_node_that_is_too_old_or_broken_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    script(tmp_path / "node", answer)
    script(tmp_path / "npm", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nodejs.on_path() is None


def test_a_node_without_npm_does_not_count(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "node").symlink_to(toolchain.node)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nodejs.on_path() is None


@pytest.mark.slow
def test_without_one_it_comes_from_pypi(tmp_path: Path) -> None:
    said: list[str] = []
    node = nodejs.from_wheel(tmp_path, said.append)
    assert node.program.is_relative_to(tmp_path)
    asked = nodejs.run("npm", [*node.npm, "--version"], path=node.program.parent)
    assert int(asked.split(".")[0]) >= 8
    assert nodejs.from_wheel(tmp_path, said.append) == node
    assert len(said) == 1


def test_the_lock_that_is_shipped_is_the_projects() -> None:
    shipped = ROOT / "python" / "vouch" / "prover" / "js" / "node.txt"
    assert shipped.read_text() == (ROOT / "requirements" / "node.txt").read_text()


@pytest.mark.parametrize("mark", ["Temporary failure in name resolution", "npm error ENOTFOUND"])
def test_a_dead_network_is_said_plainly(mark: str) -> None:
    with pytest.raises(InstallFailed, match="no package registry answers") as caught:
        nodejs.run("the packages", [sys.executable, "-c", f"raise SystemExit({mark!r})"])
    assert mark in caught.value.output


def test_another_failure_keeps_its_own_words() -> None:
    with pytest.raises(
        InstallFailed, match=r"(?s)the packages cannot be installed: .* ended with code 1.*EINTEGRITY"
    ):
        nodejs.run("the packages", [sys.executable, "-c", "raise SystemExit('npm error EINTEGRITY')"])


def test_an_installer_that_is_not_there() -> None:
    assert shutil.which("no-such-npm") is None
    with pytest.raises(InstallFailed, match="no-such-npm cannot be started"):
        nodejs.run("the packages", ["no-such-npm"])


def test_an_installer_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodejs, "TIMEOUT", 0.2)
    with pytest.raises(InstallFailed, match=r"no end after 0\.2 s"):
        nodejs.run("the packages", [sys.executable, "-c", "import time; time.sleep(60)"])
