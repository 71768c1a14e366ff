"""What slither found, without line numbers, so that an answer to it outlives edits elsewhere in the file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Key = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of one detector."""

    detector: str
    # High, Medium, Low, Informational or Optimization
    impact: str
    # Contract.function, Contract.function.variable, or the path of what is in no contract
    where: str
    # The statements that the detector points at
    code: tuple[str, ...]
    text: str

    @property
    def key(self) -> Key:
        return self.detector, self.where, self.code


def findings(report: Mapping[str, Any], ours: str) -> list[Finding]:
    """Those of a report (slither's --json) that point at anything below `ours`, which ends in a slash."""
    results = report["results"].get("detectors", ())
    found = [_finding(result) for result in results if any(path.startswith(ours) for path in _paths(result))]
    return sorted(found, key=lambda finding: finding.key)


def _finding(result: Mapping[str, Any]) -> Finding:
    first = result["elements"][0]
    code = {element["name"] for element in result["elements"] if element["type"] == "node"}
    return Finding(
        detector=result["check"],
        impact=result["impact"],
        where=".".join(reversed([*_names(first)])) or first["source_mapping"]["filename_relative"],
        code=tuple(sorted(code - {""})),
        text=result["description"].strip(),
    )


def _paths(result: Mapping[str, Any]) -> Iterator[str]:
    for element in result["elements"]:
        yield element["source_mapping"]["filename_relative"]


def _names(element: Mapping[str, Any]) -> Iterator[str]:
    """An element's name, and those of what it is in, outwards; nothing for a pragma."""
    if element["type"] == "pragma":
        return
    while element:
        yield element["name"]
        element = element.get("type_specific_fields", {}).get("parent", {})
