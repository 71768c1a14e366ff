"""What scripts/slither makes of slither's report, and that it looks at every contract."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.slither import __main__ as program
from scripts.slither.analysis import Analysis, AnalysisError, analyse, check, compiled, sources
from scripts.slither.answers import Answer, Answers, Rule, draft, load
from scripts.slither.finding import Finding, findings
from scripts.toolchain import deep, paths
from scripts.toolchain.solc import solc_path

FINDING = Finding(
    "timestamp", "Low", "Vault.take", ("now < end",), "Vault.take uses timestamp for comparisons"
)
STYLE = Finding("assembly", "Informational", "Vault.hash", (), "Vault.hash uses assembly")
ANSWER = Answer("timestamp", "Vault.take", "a deadline of days", ("now < end",))
RULE = Rule("assembly", "measured")

installed = pytest.mark.skipif(
    not deep.program("slither").exists(), reason="scripts/test --deep sets slither up"
)


def element(
    kind: str, name: str, parent: dict[str, Any] | None = None, path: str = "contracts/V.sol"
) -> dict[str, Any]:
    fields = {"parent": parent} if parent else {}
    return {
        "type": kind,
        "name": name,
        "source_mapping": {"filename_relative": path},
        "type_specific_fields": fields,
    }


VAULT = element("contract", "Vault")
TAKE = element("function", "take", VAULT)


def report(*elements: dict[str, Any], detector: str = "timestamp", impact: str = "Low") -> dict[str, Any]:
    result = {"check": detector, "impact": impact, "description": "text\n", "elements": elements}
    return {"success": True, "error": None, "results": {"detectors": [result]}}


@pytest.mark.parametrize(
    ("elements", "where", "code"),
    [
        ([TAKE], "Vault.take", ()),
        ([element("variable", "end", TAKE)], "Vault.take.end", ()),
        (
            [TAKE, element("node", "b = c", TAKE), element("node", "a()", TAKE)],
            "Vault.take",
            ("a()", "b = c"),
        ),
        ([TAKE, element("node", "", TAKE), element("function", "put", VAULT)], "Vault.take", ()),
        ([element("pragma", "^0.8.30")], "contracts/V.sol", ()),
    ],
)
def test_where_a_finding_is(elements: Sequence[dict[str, Any]], where: str, code: tuple[str, ...]) -> None:
    (found,) = findings(report(*elements), "contracts/")
    assert found == Finding("timestamp", "Low", where, code, "text")


def test_only_what_touches_our_contracts_is_ours() -> None:
    foreign = element("function", "owner", path="node_modules/@openzeppelin/contracts/access/Ownable.sol")
    assert findings(report(foreign, foreign), "contracts/") == []
    for ours in ([TAKE, foreign], [foreign, TAKE]):
        assert len(findings(report(*ours), "contracts/")) == 1


def test_no_findings_at_all() -> None:
    assert findings({"success": True, "error": None, "results": {}}, "contracts/") == []


def test_every_finding_has_an_answer() -> None:
    verdict = Answers((ANSWER,), (RULE,)).judge([FINDING, STYLE, STYLE])
    assert (verdict.unanswered, verdict.stale, verdict.answered, verdict.style) == ([], [], 1, 2)


@pytest.mark.parametrize(
    "other",
    [
        replace(FINDING, detector="weak-prng"),
        replace(FINDING, where="Vault.put"),
        replace(FINDING, code=("now <= end",)),
    ],
)
def test_an_answer_is_to_one_finding(other: Finding) -> None:
    verdict = Answers((ANSWER,)).judge([other])
    assert verdict.unanswered == [other]
    assert verdict.stale == [ANSWER]


def test_what_looks_the_same_is_counted() -> None:
    for times, found, unanswered, stale in ((1, 2, 1, 0), (2, 2, 0, 0), (2, 1, 0, 1)):
        verdict = Answers((replace(ANSWER, times=times),)).judge([FINDING] * found)
        assert (len(verdict.unanswered), len(verdict.stale)) == (unanswered, stale)


def test_only_matters_of_style_are_answered_as_a_whole() -> None:
    rule = Rule("timestamp", "we do not care")
    assert Answers(rules=(rule,)).judge([FINDING]).unanswered == [FINDING]
    assert Answers(rules=(rule,)).judge([replace(FINDING, impact="Optimization")]).unanswered == []


def test_a_rule_without_a_finding_is_stale() -> None:
    assert Answers(rules=(RULE,)).judge([]).stale == [RULE]


def test_the_committed_answers_can_be_read() -> None:
    committed = load()
    assert committed.answers
    assert committed.rules


@pytest.mark.parametrize(
    "found", [FINDING, replace(FINDING, code=()), replace(FINDING, code=('s = "\\n"', "b"))]
)
def test_a_draft_becomes_an_answer(tmp_path: Path, found: Finding) -> None:
    path = tmp_path / "findings.toml"
    path.write_text(draft(found))
    with pytest.raises(ValueError, match="say why"):
        load(path)
    path.write_text(draft(found).replace('reason = ""', 'reason = "known"'))
    verdict = load(path).judge([replace(found, code=tuple(sorted(found.code)))])
    assert (verdict.unanswered, verdict.stale) == ([], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[finding]]\ndetector = "a"\nwhere = "b"\nreason = "c"\n' * 2, "two entries"),
        ('[[detector]]\nname = "a"\nreason = "c"\n' * 2, "two entries"),
        ('[[detector]]\nname = "a"\nreason = " "\n', "say why"),
        ('[[findings]]\ndetector = "a"\n', r"neither \[\[finding\]\] nor \[\[detector\]\]: findings"),
    ],
)
def test_a_list_that_says_too_much_or_too_little(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "findings.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        load(path)


def info(*paths_: str) -> dict[str, Any]:
    nodes = [{"nodeType": "ContractDefinition"}, {"nodeType": "EnumDefinition"}]
    return {"output": {"sources": {path: {"ast": {"nodes": nodes}} for path in paths_}}}


def test_the_build_is_of_all_contracts_and_nothing_else() -> None:
    held = info("contracts/A.sol", "contracts/B.sol", "node_modules/C.sol")
    assert compiled(held, {"contracts/A.sol", "contracts/B.sol"}) == 3
    with pytest.raises(AnalysisError, match=r"without none, with \['contracts/B\.sol'\]"):
        compiled(held, {"contracts/A.sol"})
    with pytest.raises(AnalysisError, match=r"without \['contracts/D\.sol'\], with none"):
        compiled(held, {"contracts/A.sol", "contracts/B.sol", "contracts/D.sol"})


def test_a_run_over_all_contracts() -> None:
    analysis = check(report(TAKE), ". analyzed (43 contracts with 102 detectors), 1 result(s) found", 43)
    assert (analysis.contracts, analysis.detectors, len(analysis.findings)) == (43, 102, 1)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("", "nothing of the kind"),
        (
            ". analyzed (42 contracts with 102 detectors), 0 result(s) found",
            "should have analysed 43 contracts",
        ),
        (". analyzed (43 contracts with 0 detectors), 0 result(s) found", "43 contracts with 0 detectors"),
        (
            "ERROR: Impossible to generate IR for A.f\n. analyzed (43 contracts with 102 detectors)",
            "did not understand every function",
        ),
    ],
)
def test_a_run_that_saw_less_is_none(output: str, said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        check(report(TAKE), output, 43)


def test_a_run_over_nothing_or_that_failed_is_none() -> None:
    said = ". analyzed (0 contracts with 102 detectors), 0 result(s) found"
    with pytest.raises(AnalysisError, match="should have analysed 0 contracts"):
        check(report(TAKE), said, 0)
    with pytest.raises(AnalysisError, match="slither failed: no solc"):
        check(report(TAKE) | {"success": False, "error": "no solc"}, said, 0)


@pytest.mark.parametrize(
    ("found", "listed", "code", "shown"),
    [
        (
            [FINDING],
            Answers((ANSWER,)),
            0,
            "1 findings: 1 answered, 0 matters of style, 0 open, 0 answers stale\n",
        ),
        ([FINDING], Answers(), 1, '    [[finding]]\n    detector = "timestamp"\n    where = "Vault.take"'),
        ([], Answers((ANSWER,)), 1, "  timestamp Vault.take (x1)\n    now < end\n"),
    ],
)
def test_what_is_to_be_done(
    capsys: pytest.CaptureFixture[str], found: list[Finding], listed: Answers, code: int, shown: str
) -> None:
    assert program.judge(Analysis(3, 9, found), listed) == code
    out = capsys.readouterr().out
    assert shown in out
    assert out.splitlines()[-1].startswith("3 contracts analysed, 9 detectors, ")


def test_no_analysis_is_no_pass(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> Analysis:
        raise AnalysisError("no contracts")

    monkeypatch.setattr(program, "analyse", fail)
    assert program.main() == 2
    assert "slither: no contracts" in capsys.readouterr().err


SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Base} from "@openzeppelin/Base.sol";

contract NAME is Base {
    uint256 private immutable _END;

    constructor(uint256 end, address owner) Base(owner) {
        _END = end;
    }

    function isOver() external view returns (bool) {
        // slither-disable-next-line timestamp
        return block.timestamp > _END;
    }
}
"""
BASE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

abstract contract Base {
    address private immutable _OWNER;

    constructor(address first) {
        _OWNER = first;
    }

    function owner() public view returns (address) {
        return _OWNER;
    }
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with the real foundry.toml; only one copy of its contract is to be looked at."""
    settings = (paths.ROOT / "foundry.toml").read_text()
    relative = str(solc_path().relative_to(paths.ROOT))
    assert relative in settings
    (tmp_path / "foundry.toml").write_text(settings.replace(relative, str(solc_path())))
    for folder, name in ((".", "Vault"), ("test", "Tried"), (".cache", "Kept")):
        (tmp_path / "contracts" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "contracts" / folder / f"{name}.sol").write_text(SOURCE.replace("NAME", name))
    dependency = tmp_path / "node_modules" / "@openzeppelin"
    dependency.mkdir(parents=True)
    (dependency / "Base.sol").write_text(BASE)
    (tmp_path / "tests" / "forge").mkdir(parents=True)
    (tmp_path / "tests" / "forge" / "Vault.t.sol").write_text(SOURCE.replace("NAME", "VaultTest"))
    return tmp_path


@installed
@pytest.mark.slow
def test_slither_itself(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A comment answers nothing, and what is half in a dependency is found."""
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "VIRTUAL_ENV"):
        monkeypatch.setenv(variable, str(home))
    analysis = analyse(project)
    assert not [*home.iterdir()]
    assert analysis.contracts == 2
    found = {finding.detector: finding for finding in analysis.findings}
    assert found["timestamp"].key == ("timestamp", "Vault.isOver", ("block.timestamp > _END",))
    assert found["timestamp"].impact == "Low"
    assert found["shadowing-local"].where == "Vault.constructor.owner"
    assert {finding.where.split(".")[0] for finding in analysis.findings} == {"Vault"}

    # The second run is over what is there then, not over what forge kept of the first.
    shutil.move(project / "contracts" / "Vault.sol", project / "contracts" / "Other.sol")
    again = analyse(project)
    assert again.contracts == 2
    assert len(again.findings) == len(analysis.findings)

    listed = project / "findings.toml"
    answered = "\n".join(draft(finding) for finding in again.findings).replace(
        'reason = ""', 'reason = "known"'
    )
    listed.write_text(answered)
    monkeypatch.setattr(paths, "ROOT", project)
    monkeypatch.setattr(program, "LIST", listed)
    assert program.judge(again, load(listed)) == 0


def test_sources_are_all_but_tests_and_copies(project: Path) -> None:
    assert sources(project) == {"contracts/Vault.sol"}
    assert "contracts/InferenceHub.sol" in sources(paths.ROOT)
    assert not [path for path in sources(paths.ROOT) if path.startswith("contracts/test/")]
