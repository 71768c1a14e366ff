"""One run of slither over a build of its own, and the proof that it looked at every contract."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scripts.slither.finding import Finding, findings
from scripts.toolchain import paths
from scripts.toolchain.deep import environment_of, fresh_folder, program
from scripts.toolchain.progress import run

PROFILE: Final = "slither"
OURS: Final = "contracts/"
# What the profile leaves out, too: test contracts, and ape's copies of dependencies.
LEFT_OUT: Final = ("test", ".cache")
SEEN: Final = re.compile(r"analyzed \((\d+) contracts with (\d+) detectors\)")
# Slither says so and goes on without the function.
NOT_UNDERSTOOD: Final = "Impossible to generate IR"
SECONDS: Final = 900.0


class AnalysisError(Exception):
    """Slither did not look at all contracts; the message says why."""


@dataclass(frozen=True, slots=True)
class Analysis:
    # With those of the dependencies
    contracts: int
    detectors: int
    findings: list[Finding]


def analyse(root: Path = paths.ROOT) -> Analysis:
    """Compile the contracts below `root`, and let slither look at them. Half a minute to a minute.

    Raises:
        AnalysisError: not all of them were looked at.
        CommandFailed: forge or slither failed.
    """
    folder = fresh_folder(root, "slither")
    env = environment_of(folder, PROFILE)
    run(["forge", "build", "--build-info"], env=env, cwd=root, timeout=SECONDS)
    compiled = _compiled(folder / "out" / "build-info", sources(root))
    report = folder / "report.json"
    # Without --filter-paths: that drops what is in our contracts if any part of it is in a dependency.
    # With --show-ignored-findings: neither comments nor a slither.db.json shall answer anything.
    words = ("--ignore-compile", "--foundry-out-directory", folder / "out", "--json", report)
    flags = ("--show-ignored-findings", "--fail-none", "--disable-color")
    output = run([program("slither"), ".", *words, *flags], env=env, cwd=root, timeout=SECONDS)
    return check(json.loads(report.read_text()), output, compiled)


def sources(root: Path) -> set[str]:
    """Paths of the contracts that are to be looked at, from `root`."""
    contracts = root / OURS
    return {
        str(path.relative_to(root))
        for path in contracts.rglob("*.sol")
        if path.relative_to(contracts).parts[0] not in LEFT_OUT
    }


def _compiled(folder: Path, wanted: set[str]) -> int:
    infos = [*folder.glob("*.json")]
    if len(infos) != 1:
        raise AnalysisError(f"forge left {len(infos)} build infos in {folder}, not one")
    return compiled(json.loads(infos[0].read_text()), wanted)


def compiled(info: Mapping[str, Any], wanted: set[str]) -> int:
    """How many contracts a build info holds, with those of the dependencies.

    Raises:
        AnalysisError: its sources outside of node_modules are not the ones wanted.
    """
    asts = {path: source["ast"] for path, source in info["output"]["sources"].items()}
    held = {path for path in asts if not path.startswith("node_modules/")}
    if held != wanted:
        missing, extra = sorted(wanted - held), sorted(held - wanted)
        raise AnalysisError(
            f"the build is not of the contracts: without {missing or 'none'}, with {extra or 'none'}"
        )
    nodes = [node for ast in asts.values() for node in ast["nodes"]]
    return sum(node["nodeType"] == "ContractDefinition" for node in nodes)


def check(report: Mapping[str, Any], output: str, contracts: int) -> Analysis:
    """The findings of a run that looked at as many contracts as were compiled.

    Raises:
        AnalysisError: it did not, or it left functions out.
    """
    if not report["success"]:
        raise AnalysisError(f"slither failed: {report['error']}\n{output}")
    seen = SEEN.search(output)
    if seen is None or int(seen[1]) != contracts or contracts == 0 or int(seen[2]) == 0:
        said = seen[0] if seen else "nothing of the kind"
        raise AnalysisError(f"slither should have analysed {contracts} contracts, and said: {said}\n{output}")
    if NOT_UNDERSTOOD in output:
        raise AnalysisError(f"slither did not understand every function:\n{output}")
    return Analysis(contracts, int(seen[2]), findings(report, OURS))
