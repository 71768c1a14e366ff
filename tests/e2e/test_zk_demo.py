"""`vouch demo --zk` as a person runs it."""

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.terminal import Running, alive, vouch
from tests.support.zk import HOME

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def all_end(parts: list[int]) -> None:
    end = time.monotonic() + 60
    while left := [pid for pid in parts if alive(pid)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def test_the_five_scenes_end_as_they_should_to_the_wei(tmp_path: Path) -> None:
    demo = Running(tmp_path, "demo", "--zk", VOUCH_ZK_HOME=str(HOME))
    try:
        demo.until(lambda: "ready after" in demo.text, seconds=400)
        parts = demo.children()
        assert sorted(parts.values()) == ["anvil", "node", "prover", "relayer"]
        code = demo.process.wait(timeout=180)
    finally:
        demo.end()
    assert code == 0, demo.text
    _, *scenes = re.split(r"(?:^|\n)[1-5]\. ", demo.text)
    scenes[-1], checked = scenes[-1].split("\nChecked\n")
    for scene, lines in zip(
        scenes,
        (
            (
                r"INSECURE: the reference string is dev-srs, whose secret everybody knows",
                r"risk: Noir compiles the circuit: 1 s of about",
                r"risk_mlp: compiled: [\d,]+ gates, circuit id 0x",
                r"\nrisk +241 +2\^-\d+, weights 2\^-\d+ +\d\.\de-04 +\d\.\de-0\d +\d+\.\d\d% +\d,\d{3} ",
                r"\nrisk_mlp +10,465 +2\^-\d+, .* \d\.\de-04 +\d\.\de-0\d .* \d,\d{3} +\d+\.\d\d s\n",
                r"risk_mlp: its verifier has [\d,]+ bytes of code; gas: publish .*, bindCircuit [\d,]+\n",
            ),
            (
                r"delivered .* after the question, signed by the operator alone: a risk of 14%; 0\.5 ether",
                r"the borrower draws the 0\.5 ether; the prover, a process of its own, makes the proof",
                r"settled .* after the question, .* after the delivery: the chain has checked the proof",
                r"the proof took \d+\.\d\d s of CPU and \d+ MB; it has \d,\d{3} bytes, .* \d{3},\d{3} gas",
                r"called back: _onProvisional, then _onSettled; the loan is final, the stake free again",
                r"credit in the hub +0 +0\.00018 +\+0\.00018\n",
                r"gas used: ask [\d,]+, deliver [\d,]+, draw [\d,]+, settle [\d,]+\n",
            ),
            (
                r"very last block the hub said: requested; .*\n +│ proof first \(the terms allow no gap\)",
                r"settled .* after the question: output and proof in one transaction",
                r"called back: _onSettled; the loan is approved",
                r"gas used: ask [\d,]+, fulfil [\d,]+\n",
            ),
            (
                r"asks the model of 10,465 parameters",
                r"delivered, not proven: .* the prover has heard nothing:\n +│ waits until \d+, the end of",
                r"challenged: somebody puts up 0\.01 ether to see the proof",
                r"settled: only now the proof was made",
                r"credit in the hub +0\.0004 +0\.0105 +\+0\.0101\n",
                r"challenger +wallet +10000 +9999\.\d+ +0\.\d+ +-0\.01\n",
                r"gas used: request [\d,]+, deliver [\d,]+, challenge [\d,]+, settle [\d,]+\n",
            ),
            (
                r"the model says 95%; the liar would rather say 14%.*\n +│ OutputMismatch: .* no proof of it",
                r"the lie, with the proof as it is: refused\n +│ OutputMismatch\(received=0x",
                r"the lie, written over the truth in the seal: refused\n +│ SumcheckFailed: ",
                r"the seal of scene 2, a good proof of just this output: refused\n +│ InputMismatch\(",
                r"the seal of scene 2 for the request of scene 3, .*: refused\n +│ SumcheckFailed: ",
                r"settled with the truth and the same proof .* _onSettled; the loan is refused",
                r"credit in the hub +0 +0\.00022 +\+0\.00022\n",
                r"gas used: ask [\d,]+, fulfil [\d,]+\n",
            ),
        ),
        strict=True,
    ):
        for line in lines:
            assert re.search(line, scene), f"{line}\n{scene}"
    assert len(re.findall(r"^  yes  ", checked, flags=re.MULTILINE)) == 21, checked
    assert " NO " not in checked
    assert "demo complete" in checked
    assert list(tmp_path.iterdir()) == [demo.log], "nothing is left behind"
    all_end([*parts])


def test_nothing_keeps_running_when_it_is_interrupted_while_it_compiles(tmp_path: Path) -> None:
    demo = Running(tmp_path, "demo", "--zk", VOUCH_ZK_HOME=str(HOME))
    try:
        demo.until(lambda: demo.text.count("Noir compiles the circuit: ") >= 2, seconds=120)
        command = ["ps", "-o", "pid=", "--ppid", str(demo.process.pid)]
        listed = subprocess.run(command, capture_output=True, text=True, check=True)
        parts = [int(line) for line in listed.stdout.split()]
        assert len(parts) == 2, demo.text
        demo.process.send_signal(signal.SIGINT)
        code = demo.process.wait(timeout=30)
    finally:
        demo.end()
    assert code == 1, demo.text
    assert "Traceback" not in demo.text
    all_end(parts)


def test_without_its_programs_it_says_which_command_installs_them(tmp_path: Path) -> None:
    done = vouch(tmp_path, "demo", "--zk", VOUCH_ZK_HOME=str(tmp_path / "none"))
    assert done.returncode == 1
    assert f"not in {tmp_path}/none (never installed)\n" in done.stderr
    assert "`scripts/demo --zk` installs them first; otherwise run `vouch zk setup --dev-srs`" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("other", ["--gap", "--enclave"])
def test_two_demos_are_not_one(other: str, tmp_path: Path) -> None:
    done = vouch(tmp_path, "demo", "--zk", other)
    assert done.returncode == 2
    assert f"{other} and --zk are two demos" in done.stderr
