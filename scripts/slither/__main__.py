"""Look at the contracts with slither: python -m scripts.slither (part of scripts/test --deep)

Every finding is fixed or has an answer in findings.toml. Ends with code 1 if a finding has none, or an answer
has no finding any more; with code 2 if slither could not look at all contracts.
"""

import sys
import textwrap

from scripts.slither.analysis import Analysis, AnalysisError, analyse
from scripts.slither.answers import LIST, Answers, draft, load
from scripts.toolchain import paths
from scripts.toolchain.progress import CommandFailed


def judge(analysis: Analysis, answers: Answers) -> int:
    """Show what is to be done, and the closing line; 1 if there is anything."""
    verdict = answers.judge(analysis.findings)
    where = LIST.relative_to(paths.ROOT)
    if verdict.unanswered:
        print(f"Findings without an answer: change the contract, or say in {where} why not.\n")
    for finding in verdict.unanswered:
        print(f"{finding.impact}: {finding.text}\n\n{textwrap.indent(draft(finding), '    ')}\n")
    if verdict.stale:
        print(f"Answers to what is not found (as often): take them out of {where}.\n")
    for entry in verdict.stale:
        print(f"  {entry}\n")
    print(
        f"{analysis.contracts} contracts analysed, {analysis.detectors} detectors, "
        f"{len(analysis.findings)} findings: {verdict.answered} answered, {verdict.style} matters of style, "
        f"{len(verdict.unanswered)} open, {len(verdict.stale)} answers stale",
        flush=True,
    )
    return 1 if verdict.unanswered or verdict.stale else 0


def main() -> int:
    try:
        return judge(analyse(), load())
    except CommandFailed as failure:
        print(f"slither: {failure}\n{failure.output}", file=sys.stderr)
    except AnalysisError as failure:
        print(f"slither: {failure}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
