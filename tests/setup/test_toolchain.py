import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.toolchain import paths
from scripts.toolchain.env import environment
from scripts.toolchain.progress import CommandFailed, run
from scripts.toolchain.python_env import explain
from scripts.toolchain.solc import VERSION, solc_path

LAUNCHERS = ("demo", "test", "ape", "bench")


def test_second_set_up_does_nothing_and_is_quick() -> None:
    command = [sys.executable, "-m", "scripts.setup", "fast"]
    subprocess.run(command, cwd=paths.ROOT, check=True, capture_output=True)
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        done = subprocess.run(command, cwd=paths.ROOT, check=True, capture_output=True, text=True)
        seconds.append(time.perf_counter() - begin)
        assert done.stdout == ""
    assert min(seconds) < 1


def test_versions_agree_everywhere() -> None:
    package = json.loads((paths.ROOT / "package.json").read_text())
    pinned = package["dependencies"] | package["devDependencies"]
    assert pinned["solc"] == VERSION
    assert len({pinned[f"@foundry-rs/{name}"] for name in ("anvil", "cast", "forge")}) == 1
    assert all(version[0].isdigit() for version in pinned.values()), "exact versions only"
    assert f"solc-v{VERSION}" in (paths.ROOT / "foundry.toml").read_text()
    assert f"version: {VERSION}" in (paths.ROOT / "ape-config.yaml").read_text()


def test_programs_are_the_projects_own() -> None:
    path = environment()["PATH"]
    for name in ("anvil", "cast", "forge", "node"):
        assert shutil.which(name, path=path) == str(paths.BIN / name)
    # npm's launchers are JavaScript, and would stand between us and Anvil's signals.
    assert (paths.BIN / "anvil").read_bytes()[:2] != b"#!"


def test_solcx_finds_the_compiler() -> None:
    ask = (
        f"import solcx; print(solcx.install.get_executable({VERSION!r})); "
        "print(solcx.get_installed_solc_versions())"
    )
    answer = run([sys.executable, "-c", ask], env=environment())
    assert answer.splitlines()[0] == str(solc_path())
    assert VERSION in answer.splitlines()[1]


def test_bytecode_is_kept_apart_for_whoever_wants_none_beside_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported.py").write_text("")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    monkeypatch.setattr(paths, "BYTECODE", tmp_path / "bytecode")
    for value, kept in (("1", "bytecode"), ("", "__pycache__")):
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", value)
        run([sys.executable, "-c", "import imported"], cwd=tmp_path, env=environment())
        assert [*(tmp_path / kept).rglob("imported.*.pyc")]
        shutil.rmtree(tmp_path / kept)


@pytest.mark.parametrize(
    "mark", ["Temporary failure in name resolution", "dns error: failed", "npm error ENOTFOUND"]
)
def test_a_dead_network_is_said_plainly(mark: str) -> None:
    assert "no package registry answers" in str(explain(CommandFailed(["pip"], "ended with code 1", mark)))


def test_another_failure_keeps_its_own_words() -> None:
    failure = CommandFailed(["pip", "install"], "ended with code 1", "hash mismatch for numpy")
    assert explain(failure) is failure
    assert "hash mismatch for numpy" in str(failure)


@pytest.mark.parametrize("name", LAUNCHERS)
def test_launcher_without_a_new_enough_python_says_what_to_install(name: str, tmp_path: Path) -> None:
    for program in ("dirname", "sh"):
        found = shutil.which(program)
        assert found is not None
        (tmp_path / program).symlink_to(found)
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        [paths.ROOT / "scripts" / name],
        env={"PATH": str(tmp_path), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 1
    assert "apt install python3" in done.stderr


def test_a_program_that_fails_tells_its_last_words() -> None:
    with pytest.raises(CommandFailed, match="ended with code 3") as caught:
        run([sys.executable, "-c", "print('why'); raise SystemExit(3)"])
    assert caught.value.output == "why\n"


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(CommandFailed, match=r"no end after 0\.2 s"):
        run([sys.executable, "-c", "import time; time.sleep(30)"], timeout=0.2)
