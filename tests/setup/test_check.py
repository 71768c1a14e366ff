import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import check
from scripts.toolchain import paths


def test_flags_choose_the_tests() -> None:
    assert check.pytest_command(check.arguments(["--llm"]))[-2:] == ("-m", "not deep")
    everything = check.pytest_command(check.arguments(["--llm", "--deep"]))
    assert everything[:3] == (check.PYTHON, "-m", "pytest")
    assert "-m" not in everything[3:]
    assert check.pytest_command(check.arguments([]))[-2:] == ("-m", "not llm and not deep")
    assert check.pytest_command(check.arguments(["--fast"]))[-2:] == (
        "-m",
        "not llm and not slow and not deep",
    )
    assert check.pytest_command(check.arguments(["--deep"]))[-2:] == ("-m", "not llm")


def test_what_follows_the_dashes_goes_to_pytest() -> None:
    command = check.pytest_command(check.arguments(["--llm", "-k", "codec", "--", "-x", "tests/setup"]))
    assert command[-4:] == ("-k", "codec", "-x", "tests/setup")


@pytest.mark.parametrize("selection", [["-k", "codec"], ["--", "-x"]])
def test_only_a_whole_run_is_shared_out(selection: list[str]) -> None:
    assert "-n" in check.pytest_command(check.arguments([]))
    assert "-n" not in check.pytest_command(check.arguments(selection))


def test_fast_leaves_out_ape_only() -> None:
    assert [stage for stage in check.stages(fast=False) if stage not in check.stages(fast=True)] == [
        check.APE
    ]


def test_a_stage_shows_its_output_only_if_it_failed(capsys: pytest.CaptureFixture[str]) -> None:
    good = check.run(check.Stage("good", (sys.executable, "-c", "print('quiet')")))
    assert good.passed
    assert "quiet" not in capsys.readouterr().out
    bad = check.run(check.Stage("bad", (sys.executable, "-c", "print('loud'); raise SystemExit(1)")))
    assert not bad.passed
    shown = capsys.readouterr().out
    assert "FAIL bad" in shown
    assert "loud" in shown


def test_a_stage_that_did_nothing_fails(capsys: pytest.CaptureFixture[str]) -> None:
    idle = (sys.executable, "-c", "print('no tests found')")
    assert check.run(check.Stage("idle", idle)).passed
    assert not check.run(check.Stage("idle", idle, must_say="tests passed")).passed
    assert "should have said" in capsys.readouterr().out


def test_deep_runs_the_deep_profile() -> None:
    assert check.DEEP in check.contract_stages(deep=True)
    assert check.FORGE not in check.contract_stages(deep=True)


def test_only_deep_runs_slither_and_halmos() -> None:
    assert {check.SLITHER, check.HALMOS} < {*check.contract_stages(deep=True)}
    assert not {check.SLITHER, check.HALMOS} & {*check.contract_stages()}


def test_what_needs_the_build_comes_after_it() -> None:
    for deep in (False, True):
        assert check.contract_stages(deep=deep)[0] == check.BUILD


def test_mutants_run_instead_of_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    command = check.mutants_command(check.arguments(["--mutants", "--", "--only", "Ledger"]))
    assert command == (check.PYTHON, "-m", "scripts.mutants", "--only", "Ledger")
    monkeypatch.setattr(check, "stages", lambda **_: pytest.fail("a stage ran"))
    monkeypatch.setattr(check, "mutants_command", lambda _: (sys.executable, "-c", "raise SystemExit(3)"))
    assert check.main(["--mutants"]) == 3


@pytest.mark.parametrize("other", [["--fast"], ["--llm"], ["--deep"], ["-k", "codec"]])
def test_mutants_run_alone(other: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        check.arguments(["--mutants", *other])
    assert "--mutants runs alone" in capsys.readouterr().err


def test_a_missing_program_fails_its_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert not check.run(check.Stage("gone", ("no-such-program-of-vouch",))).passed
    assert "is not installed" in capsys.readouterr().out


WAIT = """\
import pathlib, sys, time
pathlib.Path(sys.argv[1]).touch()
while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)
"""


def test_forge_works_beside_the_stages_and_beside_pytest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each ends only when what runs beside it has begun."""

    def waits(mine: str, other: str) -> tuple[str, ...]:
        return (sys.executable, "-c", WAIT, str(tmp_path / mine), str(tmp_path / other))

    made = [check.Stage("build", waits("build", "types")), check.Stage("forge", waits("forge", "pytest"))]
    monkeypatch.setattr(check, "contract_stages", lambda **_: made)
    monkeypatch.setattr(check, "stages", lambda **_: [check.Stage("types", waits("types", "build"))])
    monkeypatch.setattr(check, "pytest_command", lambda _: waits("pytest", "forge"))
    assert check.main([]) == 0
    shown = capsys.readouterr().out
    assert shown.count("ok ") == 3


@pytest.mark.parametrize("failing", [None, "types", "tests (forge)", "tests (pytest)"])
def test_any_failure_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: str | None
) -> None:
    def program(name: str) -> tuple[str, ...]:
        return (sys.executable, "-c", f"raise SystemExit({int(name == failing)})")

    def stage(name: str) -> check.Stage:
        return check.Stage(name, program(name))

    monkeypatch.setattr(check, "stages", lambda **_: [stage("types")])
    monkeypatch.setattr(check, "contract_stages", lambda **_: [stage("tests (forge)")])
    monkeypatch.setattr(check, "pytest_command", lambda _: program("tests (pytest)"))
    assert check.main([]) == (0 if failing is None else 1)
    assert capsys.readouterr().err == ("" if failing is None else f"FAILED: {failing}\n")


@pytest.mark.parametrize(
    ("flags", "profiles"),
    [
        ([], ["test"]),
        (["--fast"], ["fast"]),
        (["--deep"], ["test", "deep"]),
        (["--fast", "--llm", "--deep"], ["fast", "llm", "deep"]),
        (["--", "--deep"], ["test"]),
    ],
)
def test_flags_choose_the_set_up(tmp_path: Path, flags: list[str], profiles: list[str]) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nif [ "$1" = -c ]; then exit 0; fi\necho "$@"\nexit 3\n')
    python.chmod(0o755)
    done = subprocess.run(
        [paths.ROOT / "scripts" / "test", *flags],
        env=os.environ | {"PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert (done.returncode, done.stdout.split()) == (3, ["-m", "scripts.setup", *profiles])
