"""What scripts/halmos makes of halmos' report, and that every check that is written was run."""

from pathlib import Path
from typing import Any

import pytest

from scripts.halmos import __main__ as program
from scripts.toolchain import deep, paths
from scripts.toolchain.solc import solc_path

FILE = "tests/forge/symbolic/Sum.t.sol"

installed = pytest.mark.skipif(
    not deep.program("halmos").exists(), reason="scripts/test --deep sets halmos up"
)


def report(code: int, bounded: int = 0) -> dict[str, Any]:
    result = {"name": "check_sum(uint256)", "exitcode": code, "num_bounded_loops": bounded}
    return {"test_results": {f"{FILE}:SumCheck": [result]}}


@pytest.mark.parametrize(
    ("code", "bounded", "end"),
    [
        (0, 0, "holds"),
        (0, 1, "a loop was not followed to its end"),
        (1, 0, "counterexample"),
        (2, 0, "timeout"),
        (4, 0, "all paths revert"),
    ],
)
def test_how_a_check_ended(code: int, bounded: int, end: str) -> None:
    assert program.ends(report(code, bounded)) == {(FILE, "check_sum"): end}


def test_an_end_that_is_not_known_is_no_pass() -> None:
    with pytest.raises(ValueError, match="6"):
        program.ends(report(6))


def test_all_checks_are_expected() -> None:
    expected = program.expected(paths.ROOT)
    assert ("tests/forge/symbolic/Ledger.t.sol", "check_collect") in expected
    assert ("tests/forge/symbolic/Record.t.sol", "check_layout") in expected
    assert ("tests/forge/symbolic/Request.t.sol", "check_isCanonical") in expected
    assert all(name.startswith("check_") for _, name in expected)


@pytest.mark.parametrize(
    ("found", "written", "code", "last"),
    [
        ({(FILE, "a"): "holds"}, {(FILE, "a")}, 0, "1 checks hold for all values, 0 do not"),
        ({(FILE, "a"): "timeout"}, {(FILE, "a")}, 1, "0 checks hold for all values, 1 do not"),
        ({(FILE, "a"): "holds"}, {(FILE, "a"), (FILE, "b")}, 1, "1 checks hold for all values, 1 do not"),
        ({}, set(), 1, "0 checks hold for all values, 0 do not"),
    ],
)
def test_the_closing_line(
    capsys: pytest.CaptureFixture[str],
    found: dict[program.Key, str],
    written: set[program.Key],
    code: int,
    last: str,
) -> None:
    assert program.judge(found, written, "halmos' own words") == code
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == last
    assert ("halmos' own words" in out) == (found != dict.fromkeys(written, "holds"))


SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

contract SumCheck {
    function check_holds(uint128 a, uint128 b) external pure {
        assert(uint256(a) + b >= a);
    }

    function check_breaks(uint256 a) external pure {
        assert(a != 0x766f756368);
    }

    function check_overflows(uint256 a) external pure {
        assert(a + 1 > a);
    }

    function check_loops(uint256 n) external pure {
        uint256 i;
        while (i < n) ++i;
        assert(i == n);
    }

    function check_reverts(uint256 a) external pure {
        if (a >= 0) revert();
    }
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with the real foundry.toml."""
    settings = (paths.ROOT / "foundry.toml").read_text()
    relative = str(solc_path().relative_to(paths.ROOT))
    (tmp_path / "foundry.toml").write_text(settings.replace(relative, str(solc_path())))
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(SOURCE)
    return tmp_path


@installed
@pytest.mark.slow
def test_halmos_itself(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    found = program.ends(program.execute(project)[0])
    assert not [*home.iterdir()]
    assert {name: end for (_, name), end in found.items()} == {
        "check_holds": "holds",
        "check_breaks": "counterexample",
        "check_overflows": "counterexample",
        "check_loops": "a loop was not followed to its end",
        "check_reverts": "all paths revert",
    }
    assert program.main(project) == 1
    out = capsys.readouterr().out
    assert "0x766f756368" in out
    assert out.endswith("1 checks hold for all values, 4 do not\n")


@installed
@pytest.mark.slow
def test_what_does_not_compile_is_not_checked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / FILE).write_text(SOURCE.replace("assert(i == n);", "assert(j == n);"))
    assert program.main(project) == 2
    assert "Undeclared identifier" in capsys.readouterr().err
