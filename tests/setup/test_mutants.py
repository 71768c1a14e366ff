"""How scripts/mutants tries its changes, and what it says about them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from scripts.mutants import __main__ as program
from scripts.mutants import tree
from scripts.mutants.equivalents import load
from scripts.mutants.operators import Mutant, mutants
from scripts.mutants.source import Source
from scripts.mutants.tree import Laboratory, MutationError, Result, Verdict, run
from scripts.mutants.ward import Ward, first_failure
from scripts.toolchain import paths
from tests.setup.test_mutants_operators import VAULT


@pytest.fixture(scope="module")
def real() -> list[Mutant]:
    return program.everything()


def test_every_guard_of_the_contracts_has_a_mutant(real: list[Mutant]) -> None:
    guarded = {(mutant.path, mutant.line) for mutant in real if mutant.kind == "guard"}
    for source in program.sources():
        for number, line in enumerate(source.text.splitlines(), 1):
            if " revert " in line and "if (" in line:
                assert (source.path, number) in guarded, line


def test_what_is_broken() -> None:
    names = [Path(source.path).name for source in program.sources()]
    assert {"InferenceHub.sol", "SignatureVerifier.sol", "Ledger.sol", "Callback.sol"} < set(names)
    assert not {"IInferenceHub.sol", "HostileToken.sol", "RiskGate.sol", "TensorCodec.sol"} & set(names)


def test_every_mutant_has_a_key_of_its_own(real: list[Mutant]) -> None:
    assert len({mutant.key for mutant in real}) == len(real)


def test_the_list_of_equivalents_is_not_stale(real: list[Mutant]) -> None:
    assert load().keys() <= {mutant.key for mutant in real}


def test_an_equivalent_needs_a_reason(tmp_path: Path) -> None:
    listed = tmp_path / "list.toml"
    entry = '[[mutant]]\npath = "A.sol"\nfunction = "f"\nwas = "x"\nbecomes = ""\nreason = "{}"\n'
    listed.write_text(entry.format("unused"))
    assert [found.reason for found in load(listed).values()] == ["unused"]
    listed.write_text(entry.format(" "))
    with pytest.raises(ValueError, match="say why"):
        load(listed)
    listed.write_text(entry.format("one") + entry.format("two"))
    with pytest.raises(ValueError, match="two entries"):
        load(listed)


def results(*verdicts: Verdict) -> list[Result]:
    found = mutants([Source("Vault.sol", VAULT)])
    return [Result(mutant, verdict) for mutant, verdict in zip(found, verdicts, strict=False)]


def test_what_does_not_compile_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.judge(results(Verdict.KILLED, Verdict.BROKEN, Verdict.KILLED), ()) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 mutants, 2 killed, 0 survived"


def test_a_survivor_is_shown_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    shown = results(Verdict.KILLED, Verdict.SURVIVED)
    assert program.judge(shown, ()) == 1
    out = capsys.readouterr().out
    assert "Vault.sol:9  put  [guard]\n    - if (sum < 5) {\n    + if (false) {" in out
    assert out.endswith("2 mutants, 1 killed, 1 survived\n")
    assert program.judge(shown, {shown[1].mutant.key}) == 0


def test_an_equivalent_that_is_noticed_fails(capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = results(Verdict.KILLED)
    assert program.judge([shown], {shown.mutant.key}) == 1
    assert "Listed as equivalent, but noticed" in capsys.readouterr().out


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    found = mutants([Source("Vault.sol", VAULT)])[:2]
    times = iter((0.0, 60.0, 125.0))
    verdicts = [
        Result(found[0], Verdict.KILLED, "test_put - 1"),
        Result(found[1], Verdict.KILLED),
    ]
    tried = list(program.try_all(verdicts, 2, lambda: next(times)))
    assert [result.mutant for result in tried] == found
    first, by, second = capsys.readouterr().out.splitlines()
    assert first.startswith("   1/2 0:01:00 of about 0:02:00  killed ")
    assert by.split() == ["test_put", "-", "1"]
    assert second.startswith("   2/2 0:02:05 of about 0:02:05  killed ")


def test_only_and_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--only", "emit register", "--list"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("contracts/NodeRegistry.sol:")
    assert program.main(["--only", "emit register", "--only", "emit retire", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    second = ["--only", "emit register", "--only", "emit retire", "--after", "1", "--list"]
    assert program.main(second) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "emit retire" in line
    assert program.main(["--only", "no such mutant"]) == 2


def test_what_loops_for_ever_is_stopped(tmp_path: Path) -> None:
    assert run(("sh", "-c", "sleep 60 & wait"), tmp_path, 0.2)[0] is None
    assert run(("sh", "-c", "echo done; exit 3"), tmp_path, 10) == (3, "done\n")


def program_of(folder: Path, name: str, script: str) -> tuple[str, ...]:
    path = folder / name
    path.write_text(script)
    return ("sh", str(path))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout whose compiler, tests and Forge tests are one `grep` each."""
    root = tmp_path / "root"
    for part in ("contracts", "python", "scripts", "docs", "tests/contracts", "tests/forge"):
        (root / part).mkdir(parents=True)
    for part in (
        "foundry.toml",
        "pyproject.toml",
        "tests/contracts/test_vault.py",
        "tests/forge/Vault.t.sol",
    ):
        (root / part).write_text("")
    (root / "contracts" / "Vault.sol").write_text(VAULT)
    source = "contracts/Vault.sol"
    forge = f'mkdir -p .build; grep -q "sum < 5" {source} || {{ echo "Failing tests:"; exit 1; }}'
    programs = {
        "BUILD": f"mkdir -p .build; cp {source} .build; test ! -e tests/forge && grep -q '1_000;' {source}",
        "EXPORT": f"cmp {source} .build/Vault.sol",
        "PYTEST": f'grep -q "total += sum" {source} && test "$1" = tests/contracts/test_vault.py',
        "FORGE": forge,
    }
    monkeypatch.setattr(paths, "ROOT", root)
    for name, script in programs.items():
        monkeypatch.setattr(tree, name, program_of(tmp_path, name, script))
    return root


def vault(kind: str, becomes: str) -> Mutant:
    found = mutants([Source("contracts/Vault.sol", VAULT)])
    (mutant,) = [
        m for m in found if m.kind == kind and m.becomes.startswith(becomes) and "sum" in m.was.lower()
    ]
    return mutant


def test_verdicts(checkout: Path, tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path / "lab")
    broken = vault("constant", "uint256 constant MAX_SUM = 1_000 + 1")
    assert laboratory.verdict(broken) == Verdict.BROKEN
    assert laboratory.verdict(vault("arithmetic", "total -= sum;")) == Verdict.KILLED
    assert laboratory.verdict(vault("boundary", "if (sum <= 5)")) == Verdict.KILLED
    assert laboratory.verdict(vault("emit", "")) == Verdict.SURVIVED
    for copy in ("pytest", "forge"):
        assert (tmp_path / "lab" / copy / "tree" / "contracts" / "Vault.sol").read_text() == VAULT
    assert (checkout / "contracts" / "Vault.sol").read_text() == VAULT


def test_no_answer_from_the_chain_is_no_kill(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laboratory = Laboratory(tmp_path / "lab")
    slow = f"test -e {tmp_path}/again || {{ touch {tmp_path}/again; echo RpcUnavailable; exit 1; }}"
    monkeypatch.setattr(tree, "PYTEST", program_of(tmp_path, "SLOW", slow))
    assert laboratory.verdict(vault("emit", "")) == Verdict.SURVIVED
    assert (tmp_path / "again").exists()


def test_tests_that_fail_without_a_mutant(checkout: Path, tmp_path: Path) -> None:
    (checkout / "contracts" / "Vault.sol").write_text(VAULT.replace("total += sum", "total = sum"))
    with pytest.raises(MutationError, match="fails without any mutant"):
        Laboratory(tmp_path / "lab")


@pytest.mark.parametrize(
    ("stop", "said"), [(MutationError("no compiler"), "no compiler"), (KeyboardInterrupt, "stopped")]
)
def test_what_was_tried_before_a_stop_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stop: BaseException, said: str
) -> None:
    def found(chosen: Sequence[Mutant], _: Path) -> Iterator[Result]:
        yield Result(chosen[0], Verdict.KILLED)
        yield Result(chosen[1], Verdict.SURVIVED)
        raise stop

    monkeypatch.setattr(program, "find_all", found)
    count = len([mutant for mutant in program.everything() if "emit" in str(mutant)])
    assert program.main(["--only", "emit"]) == 2
    shown = capsys.readouterr()
    assert shown.out.endswith("2 mutants, 1 killed, 1 survived\n")
    assert f"{said}\n{count - 2} mutants were not tried" in shown.err


def test_the_first_failure_is_named() -> None:
    summary = "F\nFAILED tests/a.py::test_b - assert 1 == 2\nERROR tests/c.py - ImportError\n"
    assert first_failure(1, summary) == "tests/a.py::test_b - assert 1 == 2"
    assert first_failure(1, "ERROR tests/c.py - ImportError\n") == "tests/c.py - ImportError"
    assert first_failure(None, "") == "had to be stopped"
    assert first_failure(3, "") == "pytest ended with code 3"


def test_a_crash_is_not_a_kill(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laboratory = Laboratory(tmp_path / "lab")
    monkeypatch.setattr(tree, "PYTEST", program_of(tmp_path, "CRASH", "exit 3"))
    with pytest.raises(MutationError, match="pytest ended with code 3"):
        laboratory.verdict(vault("emit", ""))


def test_the_tests_that_mirror_a_file_come_first(tmp_path: Path) -> None:
    for name in ("test_anything.py", "examples/test_vault_user.py", "test_vault_more.py", "test_vault.py"):
        path = tmp_path / "tests" / "contracts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    names = [Path(word).name for word in tree.ordered_tests(tmp_path, "contracts/Vault.sol")]
    assert names == ["test_vault_user.py", "test_vault.py", "test_vault_more.py", "test_anything.py"]
    names = [Path(word).name for word in tree.ordered_tests(tmp_path, "contracts/Vault.sol", "_more")]
    assert names == ["test_vault_more.py", "test_vault_user.py", "test_vault.py", "test_anything.py"]
    noticed = ["tests/contracts/test_anything.py", "tests/contracts/test_vault_more.py"]
    names = [Path(word).name for word in tree.ordered_tests(tmp_path, "contracts/Other.sol", "", noticed)]
    assert names == ["test_vault_more.py", "test_anything.py", "test_vault_user.py", "test_vault.py"]


def test_what_noticed_a_mutant_is_asked_first_about_the_next(tmp_path: Path) -> None:
    ward = Ward(tmp_path, [])
    for path, file in (("A.sol", "a"), ("B.sol", "b"), ("A.sol", "c"), ("B.sol", "a")):
        ward._remember(path, file)
    assert ward._likely("B.sol") == ["b", "c", "a", "b", "a"]
    assert ward._likely("C.sol") == ["b", "c", "a"]
