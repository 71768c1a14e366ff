"""All checks of the project: format, lint, types, import rules, contracts, gas, tests.

Every stage runs, so one run shows everything that is wrong. Forge works beside the others, which end with
pytest and its own closing line.
"""

import argparse
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scripts.toolchain import paths


@dataclass(frozen=True, slots=True)
class Stage:
    """One check: a command whose exit code is the verdict."""

    name: str
    command: tuple[str, ...]
    # What the output of a run that did something holds: forge ends well when it finds no tests.
    must_say: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    stage: str
    passed: bool
    seconds: float


PYTHON = str(paths.VENV / "bin" / "python")

STATIC: Sequence[Stage] = (
    Stage("format (python)", (PYTHON, "-m", "ruff", "format", "--check", ".")),
    Stage("format (solidity)", ("forge", "fmt", "--check")),
    Stage("lint (python)", (PYTHON, "-m", "ruff", "check", ".")),
    Stage("lint (solidity)", ("forge", "lint")),
    Stage("types", (PYTHON, "-m", "mypy", "python/vouch", "scripts", "tests", "enclave")),
    Stage("import rules", (str(paths.VENV / "bin" / "lint-imports"), "--no-cache")),
    Stage("gas figures", (PYTHON, "-m", "scripts.benchmarks", "gas", "--check")),
)
# Half of a test's time it waits, for a block or a process.
WORKERS = 3
# Its own build: forge's cache of a build without the tests has hidden them from a later run.
FORGE_FOLDER = ".build/forge"
FORGE_BUILD = (f"FOUNDRY_OUT={FORGE_FOLDER}/out", f"FOUNDRY_CACHE_PATH={FORGE_FOLDER}/cache")
# Without it a long run spends a quarter of its time on pages that the allocator gave back too early.
FORGE_MEMORY = "_RJEM_MALLOC_CONF=dirty_decay_ms:-1,muzzy_decay_ms:-1"
FORGE_TEST = ("env", *FORGE_BUILD, FORGE_MEMORY, "forge", "test")
BUILD = Stage("build (forge)", ("env", *FORGE_BUILD, "forge", "build"))
ABIS = Stage("ABIs are fresh", (PYTHON, "-m", "scripts.export_abi", "--check", "--built", FORGE_FOLDER))
FORGE = Stage("tests (forge)", FORGE_TEST, must_say=" tests passed")
DEEP = Stage("tests (forge, deep)", ("env", "FOUNDRY_PROFILE=deep", *FORGE_TEST), must_say=" tests passed")
SLITHER = Stage("slither", (PYTHON, "-m", "scripts.slither"), must_say=" contracts analysed, ")
HALMOS = Stage("halmos", (PYTHON, "-m", "scripts.halmos"), must_say=" checks hold for all values, ")
APE = Stage(
    "tests (ape)", (str(paths.ROOT / "scripts" / "ape"), "test", "--network", "ethereum:local:foundry")
)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Set up the checkout if needed, then run every check; the last one is pytest.",
        epilog="What follows -- goes to pytest, for example: scripts/test --fast -- -x tests/python/protocol",
    )
    parser.add_argument("--fast", action="store_true", help="leave out ape and the tests marked slow")
    parser.add_argument("--llm", action="store_true", help="also set up torch and run the tests marked llm")
    parser.add_argument(
        "--deep",
        action="store_true",
        help="also set up and run slither and halmos, make 2,000,000 random calls, and run the tests marked "
        "deep (an hour)",
    )
    parser.add_argument(
        "--mutants",
        action="store_true",
        help="instead: break the contracts one change at a time and see whether the tests notice (an hour); "
        "what follows -- is then for it, for example --only Ledger",
    )
    parser.add_argument("-k", metavar="EXPR", help="pytest's -k: run only the tests whose names match")
    parser.add_argument("rest", nargs="*", metavar="-- PYTEST_ARGUMENT", help="anything else for pytest")
    options = parser.parse_args(words)
    if options.mutants and (options.fast or options.llm or options.deep or options.k):
        parser.error("--mutants runs alone")
    return options


def stages(*, fast: bool) -> list[Stage]:
    """What runs before pytest."""
    return [*([] if fast else [APE]), *STATIC]


def contract_stages(*, deep: bool = False) -> list[Stage]:
    """What runs beside `stages` and pytest: one build, and what is done with it."""
    return [BUILD, ABIS, *([DEEP, SLITHER, HALMOS] if deep else [FORGE])]


def pytest_command(options: argparse.Namespace) -> tuple[str, ...]:
    """pytest with the markers the flags leave out, then what the caller adds."""
    skips = {"llm": not options.llm, "slow": options.fast, "deep": not options.deep}
    left_out = [name for name, skip in skips.items() if skip]
    marks = ("-m", " and ".join(f"not {name}" for name in left_out)) if left_out else ()
    names = ("-k", options.k) if options.k else ()
    # Each worker has its own chain. A selection of one's own is small, and wants its output in order.
    workers = () if options.rest or options.k else ("-n", str(WORKERS), "--dist", "worksteal")
    return (PYTHON, "-m", "pytest", *workers, *marks, *names, *options.rest)


def mutants_command(options: argparse.Namespace) -> tuple[str, ...]:
    return (PYTHON, "-m", "scripts.mutants", *options.rest)


def run(stage: Stage, dots: threading.Event | None = None) -> Outcome:
    """Run one stage quietly; what it wrote is shown only if it failed. `dots`: pytest writes meanwhile."""
    begin = time.monotonic()
    program = shutil.which(stage.command[0])
    if program is None:
        code, output = 127, f"{stage.command[0]} is not installed: remove .toolchain/stamps and run again\n"
    else:
        done = subprocess.run(
            stage.command,
            cwd=paths.ROOT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        code, output = done.returncode, done.stdout
        if code == 0 and stage.must_say not in output:
            code, output = 1, f"{output}\nit should have said {stage.must_say!r}\n"
    outcome = Outcome(stage.name, code == 0, time.monotonic() - begin)
    lines = [f"  {'ok  ' if outcome.passed else 'FAIL'} {stage.name:<20} {outcome.seconds:6.1f} s"]
    if not outcome.passed:
        lines += [f"       {line}" for line in output.splitlines()]
    if dots is not None and dots.is_set():
        lines.insert(0, "")
    print("\n".join(lines), flush=True)
    return outcome


def main(words: Sequence[str]) -> int:
    options = arguments(words)
    if options.mutants:
        return subprocess.run(mutants_command(options), cwd=paths.ROOT, check=False).returncode
    dots = threading.Event()
    with ThreadPoolExecutor(1) as lane:
        beside = [lane.submit(run, stage, dots) for stage in contract_stages(deep=options.deep)]
        outcomes = [run(stage) for stage in stages(fast=options.fast)]
        if not options.llm:
            print(
                "  left out: tests against a language-model server; scripts/test --llm runs them", flush=True
            )
        if options.fast:
            print("  left out: ape and slow tests; scripts/test without --fast runs them", flush=True)
        print("  tests (pytest)", flush=True)
        dots.set()
        code = subprocess.run(pytest_command(options), cwd=paths.ROOT, check=False).returncode
        dots.clear()
        outcomes += [future.result() for future in beside]
    failed = [outcome.stage for outcome in outcomes if not outcome.passed]
    if code != 0:
        failed.append("tests (pytest)")
    if failed:
        print(f"FAILED: {', '.join(failed)}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
