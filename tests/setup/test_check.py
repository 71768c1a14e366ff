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
    assert check.DEEP in check.stages(fast=False, deep=True)
    assert check.FORGE not in check.stages(fast=False, deep=True)


def test_only_deep_runs_slither_and_halmos() -> None:
    for fast in (False, True):
        assert {check.SLITHER, check.HALMOS} < {*check.stages(fast=fast, deep=True)}
        assert not {check.SLITHER, check.HALMOS} & {*check.stages(fast=fast)}


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


def test_two_stages_run_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each ends only when the other has begun."""
    wait = (
        "import pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)"
    )
    here, there = str(tmp_path / "here"), str(tmp_path / "there")
    made = [check.Stage(a, (sys.executable, "-c", wait, a, b)) for a, b in ((here, there), (there, here))]
    monkeypatch.setattr(check, "stages", lambda **_: made)
    monkeypatch.setattr(check, "pytest_command", lambda _: (sys.executable, "-c", ""))
    assert check.main([]) == 0


@pytest.mark.parametrize(("stage_code", "pytest_code", "code"), [(0, 0, 0), (1, 0, 1), (0, 1, 1)])
def test_any_failure_fails_the_run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stage_code: int,
    pytest_code: int,
    code: int,
) -> None:
    def program(status: int) -> tuple[str, ...]:
        return (sys.executable, "-c", f"raise SystemExit({status})")

    monkeypatch.setattr(check, "stages", lambda **_: [check.Stage("types", program(stage_code))])
    monkeypatch.setattr(check, "pytest_command", lambda _: program(pytest_code))
    assert check.main([]) == code
    error = capsys.readouterr().err
    assert ("types" in error) == bool(stage_code)
    assert ("tests (pytest)" in error) == bool(pytest_code)


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
