"""The demo, and a devnet that stays up, as a person runs them."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import CLEAN, Running, alive, vouch
from vouch.chain.abi import function
from vouch.chain.account import LocalKey
from vouch.chain.deployment import load
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.protocol.request import NATIVE

LOAN = '{"x": [62, 0.31, 1.4, 1, 7]}'


def test_the_demo_asks_a_real_question_and_checks_everything(tmp_path: Path) -> None:
    done = vouch(tmp_path, "demo")

    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "question mined",
        "answer and seal received",
        "settled",
        "bit for bit",
        "Signed",
        "demo complete",
    ):
        assert line in done.stdout, done.stdout
    assert re.search(r"as the contract stored it: 14112937\d+", done.stdout), done.stdout
    assert " NO " not in done.stdout
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


class Up(Running):
    """A running `vouch up`."""

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(folder, "up", "--port", "0", "--node-port", "0", "--relayer-port", "0", *options)
        self.until(lambda: "Ctrl-C stops everything" in self.text and "curl" in self.text)
        self.rpc = self.find(r"chain +(http://\S+)")
        self.node = self.find(r"node +(http://\S+)")

    def parts(self) -> dict[str, int]:
        """Process ids by what they are."""
        return {name: pid for pid, name in self.children().items()}


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path)
    yield running
    running.end()


def test_a_devnet_answers_explains_and_stops(up: Up) -> None:
    key = ("--key-file", ".vouch/devnet/user.key")
    chain, db = ("--rpc", up.rpc), ("--db", ".vouch/devnet/relayer.sqlite")
    assert (up.folder / ".vouch/devnet/user.key").stat().st_mode & 0o077 == 0

    asked = vouch(up.folder, "request", "risk", LOAN, "--json", *chain, *key)
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["output"]["risk"][0][0] == pytest.approx(0.14112937, abs=1e-6)
    assert (answer["status"], answer["assurance"]) == ("SETTLED", "Signed")
    assert answer["seal"].startswith("0x5349474e")

    status = vouch(up.folder, "status", answer["id"], *chain, *db)
    assert status.returncode == 0, status.stderr
    for word in (
        "settled, no trust gap",
        "risk (0x",
        "SIGN (Signed)",
        "seen",
        "dispatched",
        "answered",
        "done",
    ):
        assert word in status.stdout, status.stdout

    checked = vouch(
        up.folder, "check", *chain, *db, "--ws", up.rpc.replace("http", "ws"), "--node", up.node, *key
    )
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("ok") >= 11, checked.stdout

    listed = vouch(up.folder, "model", "list", *chain)
    assert answer["claim"]["modelId"] in listed.stdout
    assert up.node in listed.stdout

    parts = up.parts()
    assert set(parts) == {"anvil", "node", "relayer"}
    up.end()
    assert up.process.returncode == 0, up.text
    assert up.text.rstrip().endswith("stopped")
    assert not any(alive(pid) for pid in parts.values())


def test_mistakes_have_one_line_and_cost_nothing(up: Up) -> None:
    key, chain = ("--key-file", ".vouch/devnet/user.key"), ("--rpc", up.rpc)
    for arguments, said in (
        (("risk", '{"x": [1, 2]}'), "must have the shape"),
        (("risk", '{"x": [1, 2, 3, 4, NaN]}'), "nan"),
        (("nope", LOAN), "unknown model 'nope'"),
        (("risk", LOAN, "--fee", "1gwei"), "below"),
        (("risk", "not json"), "no JSON"),
        (("risk", "@/nonexistent"), "cannot be read"),
    ):
        done = vouch(up.folder, "request", *arguments, *chain, *key)
        assert done.returncode in (1, 2), done.stdout
        assert said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
    unknown = vouch(up.folder, "status", "0x" + "12" * 32, *chain)
    assert unknown.returncode == 1
    assert "no request 0x1212" in unknown.stderr


def test_check_says_what_to_do_about_a_node_that_died(up: Up) -> None:
    pid = up.parts()["node"]
    os.kill(pid, signal.SIGKILL)
    up.process.wait(timeout=30)
    assert up.process.returncode == 1
    assert "node ended with code -9" in up.text
    assert "node ready at" in up.text, "its last lines are shown"
    assert not any(alive(child) for child in up.children())

    checked = vouch(up.folder, "check", "--rpc", up.rpc, "--node", up.node)
    assert checked.returncode == 1
    assert "FAILED" in checked.stdout
    assert "start `vouch node`" in checked.stdout
    assert "needs the chain" in checked.stdout


def test_a_devnet_that_is_killed_leaves_nothing_running(up: Up) -> None:
    parts = up.parts()
    assert set(parts) == {"anvil", "node", "relayer"}
    up.process.kill()
    up.process.wait()
    end = time.monotonic() + 60
    while left := [name for name, pid in parts.items() if alive(pid)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def test_publish_deploy_and_describe_on_a_running_chain(up: Up) -> None:
    chain, owner = ("--rpc", up.rpc), ("--key-file", ".vouch/devnet/owner.key")
    model = Path(__file__).parents[2] / "python" / "vouch" / "models" / "risk.onnx"
    published = vouch(up.folder, "model", "publish", str(model), "--name", "risk2", *chain, *owner)
    assert published.returncode == 0, published.stderr
    assert "published" in published.stdout
    again = vouch(up.folder, "model", "publish", str(model), "--name", "risk2", *chain, *owner)
    assert "already published" in again.stdout

    described = vouch(up.folder, "model", "describe", "--onnx", str(model), "--name", "risk2")
    assert json.loads(described.stdout)["name"] == "risk2"

    refused = vouch(up.folder, "deploy", *chain, *owner)
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    deployed = vouch(up.folder, "deploy", *chain, *owner, "--deployments", "other")
    assert deployed.returncode == 0, deployed.stderr
    written = json.loads((up.folder / "other" / "31337.json").read_text())
    assert written["hub"] in deployed.stdout


def test_a_text_model_behind_an_openai_server(tmp_path: Path) -> None:
    """A node that only echoes is such a server; ChatOracle is deployed for it, and asked through the hub."""
    described = vouch(
        tmp_path, "model", "describe", "--openai", "mirror", "--name", "chat", "-o", "chat.json"
    )
    assert described.returncode == 0, described.stderr
    server = subprocess.Popen(
        [sys.executable, "-m", "vouch.cli.main", "node", "--echo", "mirror", "--unsigned", "--port", "0"],
        cwd=tmp_path,
        env=CLEAN,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    running = None
    try:
        assert server.stdout is not None
        ready = re.search(r"ready at (http://\S+?),", server.stdout.readline())
        assert ready
        running = Up(tmp_path, "--text", "chat.json", ready[1])
        assert "ChatOracle" in running.text
        assert asyncio.run(ask_chat(running)) == "Is this a scam?"
    finally:
        if running is not None:
            running.end()
        server.terminate()
        server.communicate(timeout=20)


async def ask_chat(running: Up) -> str:
    """What ChatOracle stored as the answer to a question."""
    key = LocalKey.from_hex((running.folder / ".vouch/devnet/user.key").read_text())
    async with Rpc(running.rpc) as rpc:
        oracle = (await load(rpc, running.folder / "deployments")).examples["ChatOracle"]
        data = function("ChatOracle", "ask").encode(("Is this a scam?", NATIVE))
        await TxSender(rpc, key).transact(Call(oracle, data, 10**16))
        codec = function("ChatOracle", "answers")
        call = Call(oracle, codec.encode((1,)))
        async with asyncio.timeout(20):
            while True:
                (answer,) = codec.decode(
                    bytes.fromhex((await rpc.call("eth_call", call.to_rpc(), "latest"))[2:])
                )
                if answer:
                    return str(answer)
                await asyncio.sleep(0.05)
