"""Watchers that stop, die and come back: nothing is forgotten, and nothing is paid twice."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.watch_world import BOND, RISK, World, until, world
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Status
from vouch.watcher.config import Budget
from vouch.watcher.finding import Kind


async def test_a_challenge_of_an_earlier_life_is_brought_to_its_end(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        async with w.watcher() as watched:
            request = await w.deliver(await w.ask(), w.moved(0.2))
            await watched.said(Kind.CHALLENGE, request)
            await until(lambda: w.has(request, Status.CHALLENGED))
            assert watched.watcher.report()["atRisk"] == {NATIVE: str(BOND)}
        await w.later(3601)
        async with w.watcher() as watched:
            await watched.said(Kind.WON, request)
        assert await w.hub.credit_of(w.account.address) == 2 * BOND
        assert await w.sent(w.account) == 2


async def test_the_chain_alone_tells_a_watcher_without_memory_what_is_its_own(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        async with w.watcher() as watched:
            request = await w.deliver(await w.ask(), w.moved(0.2))
            await watched.said(Kind.CHALLENGE, request)
            await until(lambda: w.has(request, Status.CHALLENGED))
        async with w.watcher(w.config(name="new")) as watched:
            assert watched.watcher.report()["atRisk"] == {NATIVE: str(BOND)}
            await w.later(3601)
            await watched.said(Kind.WON, request)


async def test_a_lie_told_meanwhile_is_found(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        async with w.watcher():
            terms = await w.ask()
        for _ in range(40):  # more than are looked at header by header
            await w.rpc.call("evm_mine")
        request = await w.deliver(terms, w.moved(0.2))
        for _ in range(40):
            await w.rpc.call("evm_mine")
        async with w.watcher() as watched:
            await watched.said(Kind.CHALLENGE, request)


async def test_the_database_says_where_to_go_on(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        config = w.config(keep_blocks=4)
        async with w.watcher(config) as watched:
            first = await w.deliver(await w.ask(window=0), w.honest)
            await watched.said(Kind.SAME, first)
            await w.later(3601)
            await until(lambda: w.has(first, Status.REJECTED))
            asked = await w.ask()
            for _ in range(8):
                await w.rpc.call("evm_mine")
            await until(lambda: _forgot(watched.watcher.report(), 1))
            await asyncio.sleep(0.5)
        async with w.watcher(config) as watched:
            # The ended request is history; the open one, asked before the shutdown, is known by its terms.
            assert watched.watcher.report()["requests"] == 1
            lie = await w.deliver(asked, w.moved(0.2))
            await watched.said(Kind.CHALLENGE, lie)
            assert not watched.kinds(first)


async def test_a_challenge_that_never_left_goes_out_as_it_was_signed(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        config = w.config(budgets={NATIVE: Budget(BOND, BOND)})
        first, second = await w.ask(), await w.ask()
        async with w.watcher(config) as watched:
            lie = await w.deliver(first, w.moved(0.2))
            other = w.delivery(second, w.moved(0.2))
            await w.rpc.call("evm_setAutomine", False)
            line = await watched.said(Kind.CHALLENGE, lie)
        assert await w.hub.status_of(lie) is Status.DELIVERED
        await w.rpc.call("anvil_dropAllTransactions")
        async with w.watcher(config) as watched:
            await w.sender(1).send(other)
            await w.rpc.call("evm_mine")
            # It counts as at risk from the start, so the second lie has to wait.
            await watched.said(Kind.DIFFERENT, w.id(second), "0.01 ether are at risk already")
            await until(lambda: _mined(w, lie))
            await w.rpc.call("evm_setAutomine", True)
            logs = await w.rpc.call(
                "eth_getLogs", {"address": w.hub.address, "fromBlock": "0x0", "topics": [None, lie]}
            )
            assert logs[-1]["transactionHash"] in line.text
            assert await w.sent(w.account) == 1
            assert await w.hub.status_of(w.id(second)) is Status.DELIVERED


async def test_a_transaction_that_was_mined_meanwhile_is_not_at_risk_for_ever(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        config = w.config(keep_blocks=3)
        async with w.watcher(config) as watched:
            terms = await w.ask()
            request = await w.deliver(terms, w.moved(0.2))
            await w.rpc.call("evm_setAutomine", False)
            other = await w.ask_unmined()
            await w.sender(1).send(w.delivery(other, w.moved(0.2)), gas=400_000, simulate=False)
            await w.rpc.call("evm_mine")
            await watched.said(Kind.CHALLENGE, w.id(other))
        await w.rpc.call("evm_setAutomine", True)
        await w.rpc.call("evm_mine")
        for each in (request, w.id(other)):
            await until(lambda of=each: w.has(of, Status.CHALLENGED))  # type: ignore[misc]
        # One ends well and one does not, and both so long ago that no fork reaches them.
        await w.prove(other, w.moved(0.2))
        await w.later(3601)
        await w.sender(4).transact(w.hub.reject(terms, w.operator.address, keccak(w.moved(0.2))))
        for _ in range(8):
            await w.rpc.call("evm_mine")
        async with w.watcher(config) as watched:
            await watched.said(Kind.LOST, w.id(other))
            await until(lambda: _nothing_at_risk(watched.watcher.report()))
            assert watched.watcher.report()["lost"] == {NATIVE: str(BOND)}


async def test_the_command_survives_kill_9(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        async with _command(w) as lines:
            request = await w.deliver(await w.ask(), w.moved(0.2))
            assert f"0x{request.hex()[:16]}" in await lines.until("challenged in 0x")
            await until(lambda: w.has(request, Status.CHALLENGED))
            lines.kill()
        await w.later(3601)
        async with _command(w) as lines:
            await lines.until("the bond of 0.01 ether is back and 0.01 ether won")
            lines.process.send_signal(signal.SIGTERM)
            assert await lines.process.wait() == 0
        assert await w.hub.credit_of(w.account.address) == 2 * BOND


class _Lines:
    """A running command and what it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def until(self, text: str) -> str:
        assert self.process.stdout is not None
        said = []
        async with asyncio.timeout(30):
            while line := (await self.process.stdout.readline()).decode():
                said.append(line)
                if text in line:
                    return line
        raise AssertionError(f"it ended without {text!r}: {said}")

    def kill(self) -> None:
        self.process.kill()


@asynccontextmanager
async def _command(w: World) -> AsyncIterator[_Lines]:
    """`vouch watch` in a process of its own."""
    w.deployment.save(w.folder)
    key = w.folder / "watcher.key"
    key.write_text("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97")  # Anvil's account 8
    members = ",".join(w.policy.signers)
    arguments = ["--rpc", w.anvil.http_url, "--ws", w.anvil.ws_url, "--deployments", str(w.folder)]
    arguments += ["--key-file", str(key), "--models", str(RISK.parent), "--quorum", f"2:{members}"]
    arguments += ["--database", str(w.folder / "watch.sqlite"), "--status-port", "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "vouch.cli.main", "watch", *arguments),
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    lines = _Lines(process)
    try:
        await lines.until("status http://127.0.0.1:")
        yield lines
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _nothing_at_risk(report: dict[str, object]) -> bool:
    return report["atRisk"] == {NATIVE: "0"}


async def _mined(w: World, request: bytes) -> bool:
    await w.rpc.call("evm_mine")
    return await w.has(request, Status.CHALLENGED)


async def _forgot(report: dict[str, object], left: int) -> bool:
    return report["requests"] == left
