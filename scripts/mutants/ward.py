"""Many mutants from one build: compiled once for all of them, and each is tried on its own."""

import os
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from scripts.mutants.operators import Key, Mutant
from scripts.mutants.plugin import NUMBER
from scripts.mutants.schemata import FIRST, coinbase, instrument_all
from scripts.mutants.source import Source
from scripts.mutants.tree import (
    BUILD,
    BUILD_SECONDS,
    EXPORT,
    FORGE,
    NO_ANSWER,
    PYTHON,
    TEST_SECONDS,
    TESTS_FAILED,
    MutationError,
    Result,
    Tree,
    Verdict,
    ordered_tests,
    run,
)
from scripts.toolchain import paths

PYTEST: Final = (PYTHON, "-m", "pytest", "-p", "scripts.mutants.plugin", "-q")
# More would make the hub too slow to compile, and its deployment dearer than a transaction may be.
AT_ONCE: Final = 120
ERROR_AT: Final = re.compile(r"--> (contracts/[\w./]+\.sol):(\d+):(\d+)")
SWITCH: Final = re.compile(r"(?:address\(|coinbase\(\), |case )(\d{10})")
FAILED_TEST: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
FAILURE: Final = re.compile(r"^(?:FAILED|ERROR) (.+)$", re.MULTILINE)
# The tests that know the exact gas or size of the contracts fail in any build but the real one.
MOST_LEFT_OUT: Final = 40
FORGE_LIMITS: Final = {"FOUNDRY_CODE_SIZE_LIMIT": "1000000"}


class Ward:
    """Builds of up to AT_ONCE mutants, one after the other, each mutant of a build tried on its own chain."""

    def __init__(
        self,
        folder: Path,
        sources: Sequence[Source],
        equivalents: Container[Key] = (),
        workers: int = os.cpu_count() or 1,
    ) -> None:
        self._folder, self._sources, self._workers = folder, sources, workers
        self._equivalents = equivalents
        self._noticed: dict[str, list[str]] = {}
        """Test files by the source whose mutants they noticed, the last one last; "" has all of them."""

    def verdicts(self, mutants: Sequence[Mutant]) -> Iterator[Result]:
        """In the order in which they are found; mutants that no switch can make live are passed over.

        Raises:
            MutationError: the sources do not compile or do not pass with every mutant asleep.
        """
        for first in range(0, len(mutants), AT_ONCE):
            part = dict(enumerate(mutants[first : first + AT_ONCE], first))
            yield from self._part(part, self._folder / str(first))

    def _part(self, numbered: Mapping[int, Mutant], folder: Path) -> Iterator[Result]:
        shared = ("contracts", "foundry.toml")
        parts = (*shared, "python", "scripts", "docs", "pyproject.toml", "tests")
        tree = Tree(folder / "pytest", parts=parts, left_out="forge")
        forge = Tree(folder / "forge", parts=(*shared, "tests/forge"))
        alive, broken = self._build(tree, numbered)
        for number in broken:
            yield Result(numbered[number], Verdict.BROKEN)
        if not alive:
            return
        self._write(forge, alive)
        noisy = self._noisy(tree)
        survived: list[int] = []
        with ThreadPoolExecutor(self._workers) as pool:
            tried = {
                pool.submit(self._killed, tree, number, alive[number], noisy): number for number in alive
            }
            for done in as_completed(tried):
                mutant = alive[tried[done]]
                if by := done.result():
                    yield Result(mutant, Verdict.KILLED, by)
                elif mutant.key in self._equivalents:
                    # Forge's tests, which take minutes, are not asked about what nothing can notice.
                    yield Result(mutant, Verdict.SURVIVED)
                else:
                    survived.append(tried[done])
        if survived:
            self._forge(forge, None)
        for number in survived:
            killed = self._forge(forge, number)
            yield Result(
                alive[number], Verdict.KILLED if killed else Verdict.SURVIVED, "Forge" if killed else ""
            )

    def _build(self, tree: Tree, numbered: Mapping[int, Mutant]) -> tuple[dict[int, Mutant], list[int]]:
        """Compiles with all mutants that compile; the others are told from the compiler's messages."""
        alive, broken = dict(numbered), []
        while alive:
            texts = self._write(tree, alive)
            alive = {n: m for n, m in alive.items() if n not in instrument_all(self._sources, alive)[1]}
            code, output = run(BUILD, tree.folder, BUILD_SECONDS)
            if code == 0:
                break
            wrong = {
                _culprit(texts.get(path, ""), int(line), int(column))
                for path, line, column in ERROR_AT.findall(output)
            }
            wrong &= set(alive)
            if not wrong:
                raise MutationError(f"the mutants do not compile together:\n{output[-4000:]}")
            broken += sorted(n for n in wrong if n is not None)
            alive = {n: m for n, m in alive.items() if n not in wrong}
        code, output = run(EXPORT, tree.folder, BUILD_SECONDS)
        if code != 0:
            raise MutationError(f"the ABIs cannot be exported:\n{output}")
        return alive, broken

    def _write(self, tree: Tree, mutants: Mapping[int, Mutant]) -> dict[str, str]:
        texts, _ = instrument_all(self._sources, mutants)
        for path in (tree.folder / "contracts").rglob("*.sol"):
            relative = str(path.relative_to(tree.folder))
            text = texts.get(relative) or (paths.ROOT / relative).read_text()
            # Whoever reads the switch is not pure any more, nor is who calls it.
            texts[relative] = re.sub(r"\bpure\b", "view", text)
            path.write_text(texts[relative])
        for path in (tree.folder / "tests").rglob("*.sol"):
            path.write_text(re.sub(r"\bpure\b", "view", path.read_text()))
        return texts

    def _noisy(self, tree: Tree) -> list[str]:
        """Tests that fail with every mutant asleep."""
        command = (*PYTEST, "-n", str(self._workers), "--dist", "worksteal", *ordered_tests(tree.folder))
        code, output = run(command, tree.folder, BUILD_SECONDS + TEST_SECONDS)
        failed = FAILED_TEST.findall(output)
        if code not in (0, TESTS_FAILED) or len(failed) > MOST_LEFT_OUT:
            raise MutationError(f"the tests fail with every mutant asleep:\n{output[-4000:]}")
        return [f"--deselect={name}" for name in failed]

    def _killed(self, tree: Tree, number: int, mutant: Mutant, noisy: Sequence[str]) -> str:
        """By what, in a line; empty if no test fails."""
        command = (
            "env",
            f"{NUMBER}={number}",
            *PYTEST,
            "-x",
            *noisy,
            *ordered_tests(tree.folder, mutant.path, mutant.function, self._likely(mutant.path)),
        )
        code, output = run(command, tree.folder, TEST_SECONDS)
        if code == TESTS_FAILED and NO_ANSWER in output:
            code, output = run(command, tree.folder, TEST_SECONDS)
        if code == 0:
            return ""
        # Whatever cannot even be deployed or collected is noticed too.
        by = first_failure(code, output)
        self._remember(mutant.path, by.partition("::")[0])
        return by

    def _likely(self, path: str) -> list[str]:
        return [*self._noticed.get("", ()), *self._noticed.get(path, ())]

    def _remember(self, path: str, file: str) -> None:
        for source in ("", path):
            kept = [name for name in self._noticed.get(source, ()) if name != file]
            self._noticed[source] = [*kept, file]

    def _forge(self, tree: Tree, number: int | None) -> bool:
        """Whether Forge's tests notice the mutant; MutationError if they fail without one."""
        limits = [f"{name}={value}" for name, value in FORGE_LIMITS.items()]
        switch = [] if number is None else [f"FOUNDRY_BLOCK_COINBASE={coinbase(number)}"]
        code, output = run(("env", *limits, *switch, *FORGE), tree.folder, BUILD_SECONDS + TEST_SECONDS)
        if number is None and code != 0:
            raise MutationError(f"Forge's tests fail with every mutant asleep:\n{output[-4000:]}")
        return code != 0


def first_failure(code: int | None, output: str) -> str:
    """What pytest's summary says of the first test that failed, else how pytest ended."""
    said = FAILURE.search(output)
    return said[1] if said else "had to be stopped" if code is None else f"pytest ended with code {code}"


def _culprit(text: str, line: int, column: int) -> int | None:
    """Number of the mutant whose code is at this place of an instrumented source."""
    lines = text.splitlines(keepends=True)
    before = "".join(lines[: line - 1]) + "".join(lines[line - 1 : line])[: column - 1]
    found = SWITCH.findall(before[-4000:])
    return int(found[-1]) - FIRST if found else None
