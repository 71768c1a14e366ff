"""`vouch demo --enclave` and `vouch up --enclave` as a person runs them."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.terminal import Running, alive, vouch

pytestmark = pytest.mark.slow

LOAN = '{"x": [62, 0.31, 1.4, 1, 7]}'


def test_a_key_gets_in_by_its_document_and_seals_two_answers(tmp_path: Path) -> None:
    done = vouch(tmp_path, "demo", "--enclave")

    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        r"  Document of i-0[0-9a-f]{16}-enc[0-9a-f]{16}, made 20\d\d-",
        r"  Image 0x[0-9a-f]{64}, of\n    PCR 0 [0-9a-f]{96}\n",
        r"  Key 0x[0-9a-fA-F]{40}, on SECP256K1\n  Bound to operator 0x",
        r"  Verified: signed under this root, and valid up to 20\d\d-",
        r"  The root is not AWS's, 0x[0-9a-f]{64}: for development",
        r"  sent by +the relayer, 0x",
        r"  checked +4 certificates and the document: 5 P-384 signatures, in the EVM\n",
        r"  cost +[\d,]{9} gas, for [\d,]+ bytes of document and hints\n",
        r"  lasts +(179|180) minutes",
        r"  loan 1 +approved, risk 14\.11%; Attested; [\d,]{6} gas, 1 ecrecover\n",
        r"  loan 2 +refused, risk 96\.\d\d%; Attested; [\d,]{6} gas, 1 ecrecover\n",
        r"demo complete in",
    ):
        assert re.search(line, done.stdout), f"{line}\n{done.stdout}"
    assert len(re.findall(r"^  yes  ", done.stdout, flags=re.MULTILINE)) == 9, done.stdout
    assert " NO " not in done.stdout
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_two_demos_are_not_one(tmp_path: Path) -> None:
    done = vouch(tmp_path, "demo", "--enclave", "--gap")
    assert done.returncode == 2
    assert "two demos" in done.stderr


@pytest.mark.parametrize("part", ["node", "relayer"])
def test_a_part_that_dies_ends_it_and_nothing_keeps_running(part: str, tmp_path: Path) -> None:
    demo = Running(tmp_path, "demo", "--enclave")
    try:
        demo.until(lambda: "ready after" in demo.text, seconds=120)
        parts = demo.children()
        assert sorted(parts.values()) == ["anvil", "node", "relayer"]
        os.kill(next(pid for pid, name in parts.items() if name == part), signal.SIGKILL)
        code = demo.process.wait(timeout=60)
    finally:
        demo.end()
    assert code == 1, demo.text
    assert f"{part} ended with code -9" in demo.text
    assert "demo complete" not in demo.text
    end = time.monotonic() + 60
    while left := [name for pid, name in parts.items() if alive(pid)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def test_a_devnet_with_an_enclave_answers_on_its_route(tmp_path: Path) -> None:
    up = Running(tmp_path, "up", "--enclave", "--port", "0", "--node-port", "0", "--relayer-port", "0")
    try:
        up.until(lambda: "Ctrl-C stops everything" in up.text and "curl" in up.text, seconds=120)
        image = up.find(r"image +(0x[0-9a-f]{64}) of the node's enclave")
        chain = ("--rpc", up.find(r"chain +(http://\S+)"))
        trust = ("--route", "ENCL", "--trust", image)
        assert f"{' '.join(trust)} --key-file" in up.text, "the command to copy says so"
        asked = vouch(
            tmp_path,
            "request",
            "risk",
            LOAN,
            "--json",
            *chain,
            *trust,
            "--key-file",
            ".vouch/devnet/user.key",
        )
        assert asked.returncode == 0, asked.stderr
        answer = json.loads(asked.stdout)
        assert (answer["status"], answer["assurance"]) == ("SETTLED", "Attested")
        assert answer["seal"].startswith("0x" + b"ENCL".hex())
        assert (tmp_path / ".vouch/devnet/authority").stat().st_mode & 0o077 == 0
    finally:
        up.end()
    assert up.text.rstrip().endswith("stopped")
