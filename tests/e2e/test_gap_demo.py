"""`vouch demo --gap` as a person runs it."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.terminal import Running, alive, vouch

pytestmark = pytest.mark.slow

PARTS = ["anvil", "node", "node", "node", "relayer", "watch"]


def test_the_three_scenes_end_as_they_should_to_the_wei(tmp_path: Path) -> None:
    done = vouch(tmp_path, "demo", "--gap")

    assert done.returncode == 0, done.stdout + done.stderr
    first, second, third = re.split(r"\n[123]\. ", done.stdout)[1:]
    third, checked = third.split("\nChecked\n")
    for scene, lines in (
        (
            first,
            (
                r"delivered .* after the question, signed by the operator alone: a risk of 14%",
                r"InstantLoan was called back: insured; the borrower draws the 0\.5 ether",
                r"the hub says: delivered, 0\.5 ether insured, proof due within \d+ s",
                r"│ operator: risk says so too",
                r"settled .* after the question, proven by 2 of 3: a trust gap of \d+ s",
                r"InstantLoan was called back: final",
                r"credit in the hub +0 +0\.00018 +\+0\.00018\n",
                r"gas used: ask [\d,]+, deliver [\d,]+, draw [\d,]+, settle [\d,]+\n",
            ),
        ),
        (
            second,
            (
                r"the hub says: delivered, 0\.5 ether insured",
                r"the chain's clock is moved on by \d+ s",
                r"rejected: the watcher was first",
                r"│ .* is not to be used, its proof never came",
                r"InstantLoan was called back: called",
                r"pool +wallet +9\.5 +9\.5 +-\n",
                r"stake +1 +0\.49 +-0\.51\n",
                r"reject [\d,]+, refund [\d,]+, collect [\d,]+\n",
            ),
        ),
        (
            third,
            (
                r"delivered by the liar: a risk of 2%; the model says 95%",
                r"challenged by the watcher:\n +│ liar: risk says something else",
                r"│ HTTP 409 Disagrees: ",
                r"rejected by the watcher:\n +│ rejected: the bond of 0\.01 ether is back",
                r"credit in the hub +0\.00018 +0\.50028 +\+0\.5001\n",
                r"stake +1 +0\.49 +-0\.51\n",
                r"gas used: request [\d,]+, deliver [\d,]+, challenge [\d,]+, reject [\d,]+\n",
            ),
        ),
    ):
        for line in lines:
            assert re.search(line, scene), f"{line}\n{scene}"
    assert len(re.findall(r"^  yes  ", checked, flags=re.MULTILINE)) == 13, checked
    assert " NO " not in checked
    assert "demo complete" in checked
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


@pytest.mark.parametrize("how", ["Ctrl-C", "kill -9", "a part dies"])
def test_nothing_keeps_running_whatever_ends_it(how: str, tmp_path: Path) -> None:
    """In the middle of the first scene, while the lines to the co-signers are held up."""
    demo = Running(tmp_path, "demo", "--gap")
    try:
        demo.until(lambda: "the hub says: delivered" in demo.text, seconds=120)
        parts = demo.children()
        assert sorted(parts.values()) == PARTS
        match how:
            case "Ctrl-C":
                demo.process.send_signal(signal.SIGINT)
            case "kill -9":
                demo.process.kill()
            case _:
                os.kill(next(pid for pid, name in parts.items() if name == "relayer"), signal.SIGKILL)
        code = demo.process.wait(timeout=30)
    finally:
        demo.end()
    assert code == (-9 if how == "kill -9" else 1), demo.text
    assert ("relayer ended with code -9" in demo.text) is (how == "a part dies"), demo.text
    assert "demo complete" not in demo.text
    end = time.monotonic() + 60
    while left := [name for pid, name in parts.items() if alive(pid)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)
