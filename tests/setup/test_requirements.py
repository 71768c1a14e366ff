"""The locks must serve every machine: whole, hashed, and without the address of any registry."""

import re
from pathlib import Path

import pytest

from scripts.toolchain import paths
from scripts.toolchain.python_env import TORCH

LOCKS = sorted(paths.REQUIREMENTS.glob("*.txt"))
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in PINNED.findall(lock.read_text()):
        found.setdefault(name, set()).add(version)
    return found


def test_every_input_has_its_lock() -> None:
    inputs = {path.stem for path in paths.REQUIREMENTS.glob("*.in")}
    assert inputs == {path.stem for path in LOCKS} == {"boot", "node", "run", "dev", "ape", "llm", "deep"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_names_no_place(lock: Path) -> None:
    for line in lock.read_text().splitlines():
        assert "://" not in line
        assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host", line)
        assert " @ " not in line
        assert not re.search(r"(?<![\w.])/(?:[a-z]+/)+", line.replace("requirements/compile", ""))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_a_hash(lock: Path) -> None:
    blocks = re.split(r"^(?=[a-z0-9])", lock.read_text(), flags=re.MULTILINE)
    pinned = [block for block in blocks if PINNED.match(block)]
    assert pinned
    for block in pinned:
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_development_has_the_run_time_versions() -> None:
    run, dev = pins(paths.REQUIREMENTS / "run.txt"), pins(paths.REQUIREMENTS / "dev.txt")
    assert {name: dev.get(name) for name in run} == run


def test_torch_is_chosen_by_the_machine() -> None:
    names = pins(paths.REQUIREMENTS / "llm.txt").keys()
    assert not [name for name in names if name.startswith(("torch", "nvidia", "triton", "cuda"))]
    assert re.fullmatch(r"torch==\d+\.\d+\.\d+", TORCH)
