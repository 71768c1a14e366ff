"""Check the contracts for all values at once: python -m scripts.halmos (part of scripts/test --deep)

Halmos runs the functions check_* of tests/forge/symbolic with unknowns instead of numbers, and asks a solver
for values that break an assertion. Ends with code 1 if one of the checks does not hold, or was not decided;
with code 2 if halmos could not run.
"""

import json
import re
import sys
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from scripts.toolchain import paths
from scripts.toolchain.deep import environment_of, fresh_folder, program
from scripts.toolchain.progress import CommandFailed, run

PROFILE: Final = "symbolic"
CHECKS: Final = Path("tests", "forge", "symbolic")
CHECK: Final = re.compile(r"^ *function (check_\w+)\(", re.MULTILINE)
OPTIONS: Final = (
    # Halmos' own choice, yices, gives up on one query of check_move, which z3 answers in half a second.
    *("--solver", "z3"),
    # Per query; all of them together take half a minute on two cores.
    *("--solver-timeout-assertion", "300s"),
    # Not only a failed assertion: a check that overflows has not been looked at to its end.
    *("--panic-error-codes", "*"),
    "--no-status",
)
SECONDS: Final = 1800.0

# The file and the name of a check.
Key = tuple[str, str]


class End(IntEnum):
    """How a check ended, in halmos' numbers."""

    HOLDS = 0
    COUNTEREXAMPLE = 1
    TIMEOUT = 2
    STUCK = 3
    ALL_PATHS_REVERT = 4
    EXCEPTION = 5


class HalmosError(Exception):
    """Nothing was checked; the message says why."""


def expected(root: Path) -> set[Key]:
    """All checks that are written."""
    files = sorted((root / CHECKS).rglob("*.sol"))
    return {(str(file.relative_to(root)), name) for file in files for name in CHECK.findall(file.read_text())}


def ends(report: Mapping[str, Any]) -> dict[Key, str]:
    """How every check of a report (halmos' --json-output) ended: "holds", or what is wrong with it."""
    found = {}
    for contract, results in report["test_results"].items():
        file, _, _ = contract.rpartition(":")
        for result in results:
            end = End(result["exitcode"]).name.lower().replace("_", " ")
            if end == "holds" and result["num_bounded_loops"]:
                end = "a loop was not followed to its end"
            found[file, result["name"].partition("(")[0]] = end
    return found


def execute(root: Path) -> tuple[Mapping[str, Any], str]:
    """Halmos' report and output.

    Raises:
        HalmosError: there is no report.
    """
    folder = fresh_folder(root, "halmos")
    report = folder / "report.json"
    files = ("--root", root, "--forge-build-out", folder / "out", "--json-output", report)
    env = environment_of(folder, PROFILE)
    try:
        output = run([program("halmos"), *files, *OPTIONS], env=env, cwd=root, timeout=SECONDS)
    except CommandFailed as failure:
        # Its code says only that a check does not hold.
        if not report.exists():
            raise HalmosError(f"{failure}\n{failure.output}") from failure
        output = failure.output
    loaded: Mapping[str, Any] = json.loads(report.read_text())
    return loaded, output


def judge(found: Mapping[Key, str], written: set[Key], output: str) -> int:
    """Show what does not hold, with halmos' output, and the closing line; 1 if there is anything."""
    whole = {**dict.fromkeys(written, "was not run"), **found}
    wrong = {key: end for key, end in whole.items() if end != "holds"}
    if wrong:
        print(output)
    for (file, name), end in sorted(wrong.items()):
        print(f"{file} {name}: {end}")
    print(f"{len(whole) - len(wrong)} checks hold for all values, {len(wrong)} do not", flush=True)
    return 1 if wrong or not whole else 0


def main(root: Path = paths.ROOT) -> int:
    try:
        report, output = execute(root)
    except HalmosError as failure:
        print(f"halmos: {failure}", file=sys.stderr)
        return 2
    return judge(ends(report), expected(root), output)


if __name__ == "__main__":
    sys.exit(main())
