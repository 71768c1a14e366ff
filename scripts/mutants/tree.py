"""Copies of the checkout in which one file is broken at a time; the checkout itself is only read."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from scripts.mutants.operators import Mutant
from scripts.toolchain import paths
from scripts.toolchain.env import environment

PYTHON: Final = str(paths.VENV / "bin" / "python")
BUILD: Final = ("forge", "build", "--skip", "test", "--skip", "script")
EXPORT: Final = (PYTHON, "-m", "scripts.export_abi")
PYTEST: Final = (PYTHON, "-m", "pytest", "-x")
FORGE: Final = ("forge", "test", "--fail-fast")
TESTS: Final = Path("tests", "contracts")
# Nothing there is broken, and what they check is slow.
NOT_TRIED: Final = "attestation"
# A mutant may loop for ever; the slowest of these takes a minute on one core.
BUILD_SECONDS: Final = 600.0
TEST_SECONDS: Final = 600.0
TESTS_FAILED: Final = 1
# The chain's node did not answer in time: on a busy machine that says nothing about the mutant.
NO_ANSWER: Final = "RpcUnavailable"


class Verdict(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    BROKEN = "does not compile"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutant, and, if it was killed, the first test that noticed and what that said."""

    mutant: Mutant
    verdict: Verdict
    by: str = ""


class MutationError(Exception):
    """The check itself cannot be done; the message says why."""


def run(command: Sequence[str], folder: Path, seconds: float) -> tuple[int | None, str]:
    """Exit code and output; the code is None if it had to be stopped, with all that it started."""
    # Warnings, say of a variable that is no longer used, are no reason to give up on a mutant.
    env = environment() | {"FOUNDRY_DENY": "never", "COLUMNS": "200"}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None, f"no end after {seconds:.0f} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, output


def ordered_tests(folder: Path, path: str = "", function: str = "", noticed: Sequence[str] = ()) -> list[str]:
    """The tests of the contracts, the most likely to fail first.

    Those that mirror function or file, then those that `noticed` other mutants, the last one first.
    """
    contract, called = (_snake(name) for name in (Path(path).stem, function.lstrip("_")))
    ranks = {name: -rank for rank, name in enumerate(noticed, 1)}

    def order(name: str) -> tuple[bool, bool, int]:
        stem = Path(name).stem
        return not (called and called in stem), not stem.startswith(f"test_{contract}"), ranks.get(name, 0)

    found = (file for file in (folder / TESTS).rglob("test_*.py") if NOT_TRIED not in file.parts)
    return sorted(sorted(str(file.relative_to(folder)) for file in found), key=order)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Tree:
    """What one kind of tests needs of the checkout, with a build of the sources as they are.

    Two of them, because `forge build` would compile the Forge tests for every mutant if it saw them.
    """

    def __init__(self, folder: Path, *, parts: Sequence[str], left_out: str = "") -> None:
        self.folder = folder / "tree"
        self._built = folder / "built"
        self.folder.mkdir(parents=True)
        for part in parts:
            source, target = paths.ROOT / part, self.folder / part
            if source.is_dir():
                ignore = shutil.ignore_patterns(left_out) if left_out else None
                shutil.copytree(source, target, ignore=ignore)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        for shared in (paths.NODE_MODULES, paths.VENV, paths.TOOLCHAIN):
            (self.folder / shared.name).symlink_to(shared)

    def keep_build(self) -> None:
        """Remember the build of the unchanged sources, so that each mutant compiles only what it changes."""
        shutil.copytree(self.folder / ".build", self._built)

    @contextmanager
    def broken(self, mutant: Mutant) -> Iterator[Path]:
        """The folder, with the mutant's change in it."""
        path = self.folder / mutant.path
        original = path.read_text()
        path.write_text(mutant.apply(original))
        try:
            yield self.folder
        finally:
            path.write_text(original)
            shutil.rmtree(self.folder / ".build")
            shutil.copytree(self._built, self.folder / ".build")


class Laboratory:
    """Both trees, shown to pass all tests unchanged."""

    def __init__(self, folder: Path) -> None:
        """Takes a minute or two.

        Raises:
            MutationError: the unchanged sources do not compile or do not pass.
        """
        shared = ("contracts", "foundry.toml")
        parts = (*shared, "python", "scripts", "docs", "pyproject.toml", "tests")
        self._pytest = Tree(folder / "pytest", parts=parts, left_out="forge")
        self._forge = Tree(folder / "forge", parts=(*shared, "tests/forge"))
        steps = (
            (self._pytest, BUILD),
            (self._pytest, EXPORT),
            (self._pytest, (*PYTEST, *ordered_tests(self._pytest.folder))),
            (self._forge, FORGE),
        )
        for tree, command in steps:
            code, output = run(command, tree.folder, BUILD_SECONDS + TEST_SECONDS)
            if code != 0:
                raise MutationError(f"{' '.join(command)} fails without any mutant:\n{output}")
        self._pytest.keep_build()
        self._forge.keep_build()

    def verdict(self, mutant: Mutant) -> Verdict:
        """Whether the tests notice the mutant.

        Raises:
            MutationError: a program ended in a way that is neither.
        """
        with self._pytest.broken(mutant) as folder:
            code, output = run(BUILD, folder, BUILD_SECONDS)
            if code != 0:
                return Verdict.BROKEN
            code, output = run(EXPORT, folder, BUILD_SECONDS)
            if code != 0:
                raise MutationError(f"the ABIs of {mutant} cannot be exported:\n{output}")
            command = (*PYTEST, *ordered_tests(folder, mutant.path, mutant.function))
            code, output = run(command, folder, TEST_SECONDS)
            if code == TESTS_FAILED and NO_ANSWER in output:
                code, output = run(command, folder, TEST_SECONDS)
            if code in (TESTS_FAILED, None):
                return Verdict.KILLED
            if code != 0:
                raise MutationError(f"pytest ended with code {code} on {mutant}:\n{output}")
        with self._forge.broken(mutant) as folder:
            code, output = run(FORGE, folder, BUILD_SECONDS + TEST_SECONDS)
            if code == 0:
                return Verdict.SURVIVED
            if code is not None and "Failing tests:" not in output:
                raise MutationError(f"forge test ended with code {code} on {mutant}:\n{output}")
            return Verdict.KILLED
