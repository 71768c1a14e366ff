"""The committed answers to slither's findings, each with the reason why the code stays as it is."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scripts.slither.finding import Finding, Key

LIST: Final = Path(__file__).with_name("findings.toml")

# A detector may be answered as a whole only if what it reports cannot be a fault.
MATTERS_OF_STYLE: Final = ("Informational", "Optimization")


@dataclass(frozen=True, slots=True)
class Answer:
    """To the findings of one detector at one place; `times` counts those that look the same."""

    detector: str
    where: str
    reason: str
    code: tuple[str, ...] = ()
    times: int = 1

    @property
    def key(self) -> Key:
        return self.detector, self.where, self.code

    def __str__(self) -> str:
        return "\n    ".join([f"{self.detector} {self.where} (x{self.times})", *self.code])


@dataclass(frozen=True, slots=True)
class Rule:
    """To all findings of a detector that reports matters of style."""

    name: str
    reason: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is left to do."""

    # No answer, or fewer answers than findings
    unanswered: list[Finding] = field(default_factory=list)
    # Answers to what is not found (any more)
    stale: list[Answer | Rule] = field(default_factory=list)
    # How many findings have an answer of their own, and how many one by their detector's
    answered: int = 0
    style: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    answers: tuple[Answer, ...] = ()
    rules: tuple[Rule, ...] = ()

    def judge(self, findings: Iterable[Finding]) -> Verdict:
        """Compare with what is found now."""
        names = {rule.name for rule in self.rules}
        left = Counter({answer.key: answer.times for answer in self.answers})
        unanswered, used, answered, style = [], set(), 0, 0
        for finding in findings:
            if finding.detector in names and finding.impact in MATTERS_OF_STYLE:
                used.add(finding.detector)
                style += 1
            elif left[finding.key] > 0:
                left[finding.key] -= 1
                answered += 1
            else:
                unanswered.append(finding)
        stale: list[Answer | Rule] = [answer for answer in self.answers if left[answer.key] > 0]
        stale += [rule for rule in self.rules if rule.name not in used]
        return Verdict(unanswered, stale, answered, style)


def load(path: Path = LIST) -> Answers:
    """The committed list.

    Raises:
        ValueError: an entry has no reason, or there are two for one finding.
        TypeError: an entry lacks a field, or has one too many.
    """
    tables = tomllib.loads(path.read_text())
    unknown = tables.keys() - {"finding", "detector"}
    if unknown:
        raise ValueError(f"{path}: neither [[finding]] nor [[detector]]: {', '.join(sorted(unknown))}")
    answers = [
        Answer(**{**table, "code": tuple(sorted(table.get("code", ())))})
        for table in tables.get("finding", ())
    ]
    rules = [Rule(**table) for table in tables.get("detector", ())]
    entries: list[Answer | Rule] = [*answers, *rules]
    for entry in entries:
        if not entry.reason.strip():
            raise ValueError(f"say why the code stays as it is: {entry}")
    keys = [answer.key for answer in answers]
    names = [rule.name for rule in rules]
    if len(set(keys)) != len(keys) or len(set(names)) != len(names):
        raise ValueError(f"{path}: two entries for one finding")
    return Answers(tuple(answers), tuple(rules))


def draft(finding: Finding) -> str:
    """The entry that would answer a finding, but for the reason."""
    lines = [
        "[[finding]]",
        f"detector = {json.dumps(finding.detector)}",
        f"where = {json.dumps(finding.where)}",
    ]
    if len(finding.code) == 1:
        lines += [f"code = [{json.dumps(finding.code[0])}]"]
    elif finding.code:
        lines += ["code = [", *(f"  {json.dumps(statement)}," for statement in finding.code), "]"]
    return "\n".join([*lines, 'reason = ""'])
