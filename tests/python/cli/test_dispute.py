"""A trust gap as a person at the command line sees it; the test delivers and proves, as an operator would."""

import asyncio
import json
import os
import re
import secrets
import sys
from pathlib import Path

import pytest_asyncio

from tests.python.client.gaps import BOND, EXPOSURE, Gaps
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import ModelRegistry, NodeRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.events import RequestedLog, get_logs
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.client import Asked, Client
from vouch.protocol.status import Status
from vouch.runtimes.echo import EchoRuntime

PRICE = 10**14


class Desk:
    """A folder with a key and the deployment, and the commands typed there."""

    def __init__(self, folder: Path, rpc_url: str, deployment: Deployment) -> None:
        secret = secrets.token_bytes(32)
        self.key, self._folder, self._rpc = LocalKey(secret), folder, rpc_url
        (folder / "me.key").write_text(secret.hex())
        deployment.save(folder / "deployments")

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vouch.cli.main",
            *words,
            cwd=self._folder,
            env=os.environ | {"VOUCH_RPC": self._rpc, "VOUCH_KEY_FILE": "me.key"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def type(self, *words: str, code: int = 0) -> str:
        return await self.end(await self.start(*words), code)

    async def end(self, process: asyncio.subprocess.Process, code: int = 0) -> str:
        """What it prints from here on."""
        async with asyncio.timeout(60):
            shown, errors = await process.communicate()
        assert process.returncode == code, (shown + errors).decode()
        return (shown + errors).decode()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(tmp_path: Path, anvil: Anvil, deployment: Deployment, sender: TxSender) -> Desk:
    made = Desk(tmp_path, anvil.http_url, deployment)
    await sender.transact(Call(made.key.address, b"", 10**19))
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def gaps(
    rpc: Rpc,
    deployment: Deployment,
    accounts: tuple[LocalKey, ...],
    sender: TxSender,
    models: ModelRegistry,
    nodes: NodeRegistry,
    operator: LocalKey,
) -> Gaps:
    """The echo model, offered by the operator."""
    echo, own = EchoRuntime().manifest, TxSender(rpc, operator)
    await sender.transact(models.publish("echo", bytes(echo)))
    await own.transact(nodes.set_price(echo.model_id, PRICE))
    return await Gaps.open(rpc, deployment, operator, accounts)


def question(gaps: Gaps, *more: str) -> tuple[str, ...]:
    stakes = ("--exposure", str(EXPOSURE), "--bond", str(BOND))
    return ("request", "echo", "hello", "--route", "QRUM", "--trust", gaps.policy.trust.hex(), *stakes, *more)


async def asked_by(desk: Desk, gaps: Gaps) -> Asked:
    """The one request of the desk's account, once it is on chain."""
    async with Client(gaps.rpc, deployment=gaps.deployment) as client, asyncio.timeout(60):
        while True:
            last = int(await gaps.rpc.call("eth_blockNumber"), 16)
            logs = await get_logs(gaps.rpc, gaps.hub.address, gaps.deployment.block, last, (RequestedLog,))
            for log in logs:
                if isinstance(log, RequestedLog) and log.request.consumer == desk.key.address:
                    return await client.find(log.id)
            await asyncio.sleep(0.05)


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        return (await process.stdout.readline()).decode()


async def test_the_provisional_answer_comes_first_and_then_its_end(desk: Desk, gaps: Gaps) -> None:
    asking = await desk.start(*question(gaps, "--prove-within", "600"))
    asked = await asked_by(desk, gaps)
    assert f"asked 0x{asked.id.hex()}" in await line(asking)
    await gaps.deliver(asked)
    shown = await line(asking)
    assert "delivered, not proven yet: open for" in shown
    assert "the proof is due by" in shown
    assert "insured 0.007 ether" in shown
    await gaps.prove(asked)
    rest = await desk.end(asking)
    assert re.search(r"answer +hello", rest), rest
    assert re.search(r"final after a trust gap of \d+ s: proven \(Quorum\)", rest), rest


async def test_programs_get_one_object_at_the_end(desk: Desk, gaps: Gaps) -> None:
    asking = await desk.start(*question(gaps, "--prove-within", "600", "--json"))
    asked = await asked_by(desk, gaps)
    delivery = await gaps.deliver(asked)
    settlement = await gaps.prove(asked)
    answer = json.loads(await desk.end(asking))
    assert (answer["output"], answer["status"], answer["proven"]) == ("hello", "SETTLED", True)
    assert answer["deliverTx"] == "0x" + delivery.tx_hash.hex()
    assert answer["settleTx"] == "0x" + settlement.tx_hash.hex()
    assert answer["fulfilTx"] is None
    assert answer["signature"] == "0x" + gaps.signature(asked, b"hello").hex()
    assert answer["seal"] == "0x" + bytes(gaps.seal(asked)).hex()
    assert answer["gas"]["deliver"] == delivery.gas_used
    assert not answer["gap"]["open"]


async def test_leaving_with_the_provisional_answer(desk: Desk, gaps: Gaps) -> None:
    asking = await desk.start(*question(gaps, "--window", "600", "--provisional", "--json"))
    asked = await asked_by(desk, gaps)
    await gaps.deliver(asked)
    answer = json.loads(await desk.end(asking))
    assert (answer["output"], answer["status"], answer["proven"]) == ("hello", "DELIVERED", False)
    assert answer["gap"]["open"]
    assert answer["gap"]["insured"] == EXPOSURE
    assert (answer["seal"], answer["settleTx"]) == (None, None)


async def test_a_proof_that_never_comes(desk: Desk, gaps: Gaps) -> None:
    asking = await desk.start(*question(gaps, "--prove-within", "600"))
    asked = await asked_by(desk, gaps)
    await gaps.deliver(asked)
    await line(asking)
    assert "not proven yet" in await line(asking)
    await gaps.mine((await gaps.time()) + 601)
    said = await desk.end(asking, code=1)
    assert "its proof never came" in said
    assert f"the exposure of {EXPOSURE} are credit of {desk.key.address}" in said
    assert await gaps.status(asked) is Status.REJECTED


async def test_watching_challenging_and_rejecting(desk: Desk, gaps: Gaps) -> None:
    shown = await desk.type(*question(gaps, "--window", "600", "--prove-within", "600", "--no-wait"))
    asked = await asked_by(desk, gaps)
    request_id = f"0x{asked.id.hex()}"
    assert f"vouch status {request_id}" in shown
    shown = await desk.type("status", request_id)
    assert "gap  " not in shown
    assert "allows    a trust gap: a window of 600 s for challenges, then 600 s for the proof" in shown
    assert "is requested" in await desk.type("challenge", request_id, code=1)

    await gaps.deliver(asked)
    shown = await desk.type("status", request_id)
    assert re.search(r"gap       open for \d+ s, anyone may challenge it until", shown), shown
    assert "is requested" not in shown
    assert "NotChallenged" in await desk.type("reject", request_id, code=1)
    assert "cannot be ended yet" in await desk.type("settle", request_id, code=1)

    assert "challenged, transaction 0x" in await desk.type("challenge", request_id)
    assert "was demanded already" in await desk.type("challenge", request_id, code=1)
    shown = await desk.type("status", request_id)
    assert f"challenged by {desk.key.address}, the proof is due by" in shown

    await gaps.mine((await gaps.time()) + 601)
    assert "anyone may reject it (`vouch reject`)" in await desk.type("status", request_id)
    assert "rejected, transaction 0x" in await desk.type("reject", request_id)
    assert "closed after" in await desk.type("status", request_id)
    assert await gaps.credit(desk.key.address) == PRICE + EXPOSURE + 2 * BOND


async def test_settling_and_expiring(desk: Desk, gaps: Gaps) -> None:
    async with Client(gaps.rpc, desk.key, deployment=gaps.deployment) as client:
        unused = await gaps.ask(client, window=100)
        await gaps.deliver(unused)
        dead = await gaps.ask(client, prove_within=600)
        await gaps.deliver(dead)
        ignored = await gaps.ask(client, prove_within=1, deliver_within=200)
    await gaps.tombstone()
    assert "its route was withdrawn: anyone may end it" in await desk.type("status", dead.id.hex())
    assert "expired, transaction" in await desk.type("expire", dead.id.hex())
    await gaps.mine(ignored.request.deliver_by + 1)
    assert "anyone may settle it (`vouch settle`)" in await desk.type("status", unused.id.hex())
    assert "settled, transaction" in await desk.type("settle", unused.id.hex())
    assert "passed: anyone may expire it" in await desk.type("status", ignored.id.hex())
    assert "expired, transaction" in await desk.type("expire", ignored.id.hex())
    ends = [await gaps.status(asked) for asked in (unused, dead, ignored)]
    assert ends == [Status.SETTLED, Status.EXPIRED, Status.EXPIRED]
