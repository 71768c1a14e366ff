import json
import platform
import sys
from pathlib import Path

import platformdirs
import pytest

from vouch.prover import toolchain as toolchains
from vouch.prover.errors import InstallFailed, ToolchainMissing
from vouch.prover.toolchain import Toolchain, find, install


@pytest.fixture
def copy(toolchain: Toolchain, tmp_path: Path) -> Path:
    """A home that has the real one's programs."""
    (tmp_path / "npm").mkdir()
    record = toolchain.home / "npm" / "installed.json"
    (tmp_path / "npm" / "installed.json").write_bytes(record.read_bytes())
    (tmp_path / "npm" / "node_modules").symlink_to(toolchain.modules)
    return tmp_path


def test_all_parts_are_there(toolchain: Toolchain) -> None:
    assert toolchain.version("@noir-lang/noir_wasm") == "1.0.0-beta.26"
    assert toolchain.version("@noir-lang/noir_js") == "1.0.0-beta.26"
    assert toolchain.version("@aztec/bb.js") == "5.0.0"
    assert toolchain.version("solc") == "0.8.37"
    # npm's launchers are JavaScript, and would stand between us and bb's signals.
    assert toolchain.bb.read_bytes()[:2] != b"#!"
    with pytest.raises(ToolchainMissing, match="the npm package snarkjs is not there"):
        toolchain.version("snarkjs")


def test_only_this_machines_bb_is_kept(toolchain: Toolchain) -> None:
    builds = toolchain.modules / "@aztec" / "bb.js" / "build"
    assert [path.name for path in builds.iterdir()] == [toolchains.platform_name()]


def test_every_package_is_pinned_by_hash_and_names_no_registry() -> None:
    lock = Path(toolchains.__file__).parent / "js" / "package-lock.json"
    packages = json.loads(lock.read_text())["packages"]
    assert all(about["integrity"].startswith("sha512-") for name, about in packages.items() if name)
    assert "resolved" not in lock.read_text()


def test_a_second_installation_does_nothing(copy: Path) -> None:
    said: list[str] = []
    assert install(copy, said.append) == find(copy)
    assert said == []


@pytest.mark.slow
def test_an_installation_from_nothing(tmp_path: Path, toolchain: Toolchain) -> None:
    (tmp_path / "npm.new").mkdir()
    (tmp_path / "npm.new" / "half").write_text("of the last attempt")
    said: list[str] = []
    made = install(tmp_path, said.append)
    assert made.version("@aztec/bb.js") == "5.0.0"
    assert made.bb.read_bytes() == toolchain.bb.read_bytes()
    assert said[-1] == f"the zk toolchain is in {tmp_path}"
    assert {path.name for path in tmp_path.iterdir()} == {"npm", "lock"}


def test_nothing_installed_yet(tmp_path: Path) -> None:
    with pytest.raises(ToolchainMissing, match=r"\(never installed\): run `vouch zk setup`"):
        find(tmp_path)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"lock": "00", "node": "/usr/bin/node"}', "another version of Vouch"),
        ('{"node": "/usr/bin/node"}', "another version of Vouch"),
    ],
)
def test_a_record_of_something_else(copy: Path, record: str, reason: str) -> None:
    (copy / "npm" / "installed.json").write_text(record)
    with pytest.raises(ToolchainMissing, match=reason):
        find(copy)


def test_a_part_that_is_gone(copy: Path, toolchain: Toolchain) -> None:
    record = json.loads((copy / "npm" / "installed.json").read_bytes())
    (copy / "npm" / "installed.json").write_text(json.dumps(record | {"node": str(copy / "node")}))
    with pytest.raises(ToolchainMissing, match="node is gone"):
        find(copy)
    (copy / "npm" / "installed.json").write_text(json.dumps(record))
    (copy / "npm" / "node_modules").unlink()
    with pytest.raises(ToolchainMissing, match="bb is gone"):
        find(copy)


def test_home_is_named_or_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOUCH_ZK_HOME", str(tmp_path))
    assert toolchains.default_home() == tmp_path
    with pytest.raises(ToolchainMissing, match=str(tmp_path)):
        find()
    monkeypatch.delenv("VOUCH_ZK_HOME")
    assert toolchains.default_home() == platformdirs.user_data_path("vouch") / "zk"


@pytest.mark.parametrize(
    ("machine", "system", "name"),
    [
        ("x86_64", "linux", "amd64-linux"),
        ("aarch64", "linux", "arm64-linux"),
        ("arm64", "darwin", "arm64-macos"),
        ("AMD64", "darwin", "amd64-macos"),
    ],
)
def test_bb_is_named_after_the_machine(
    monkeypatch: pytest.MonkeyPatch, machine: str, system: str, name: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(sys, "platform", system)
    assert toolchains.platform_name() == name


@pytest.mark.parametrize(("machine", "system"), [("riscv64", "linux"), ("AMD64", "win32")])
def test_a_machine_without_bb_is_told_so_before_the_download(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: str, system: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(
        InstallFailed, match=f"there is no build for {machine} on {system}: use Linux or macOS"
    ):
        install(tmp_path)
