"""A devnet on which a trust gap is real: a quorum of three, a liar, a watcher, and a pool that lends."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vouch.chain.deploy import create
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.cli.children import Child
from vouch.cli.devnet import (
    MAX_RISK,
    RISK,
    Cosigner,
    Devnet,
    Plan,
    Progress,
    devnet,
    local_url,
    register,
    risk_model,
)
from vouch.cli.instant_loan import InstantLoan
from vouch.cli.line import Line
from vouch.cli.played import Played
from vouch.client import Client
from vouch.protocol.errors import VouchError
from vouch.protocol.quorum import QUORUM

T = TypeVar("T")

COSIGNERS = ("second", "third")
LIAR, WATCHER = "liar", "watcher"
NOWHERE = "http://127.0.0.1:9"
"""Endpoint of the operator without a node: the discard port."""
PROVE_WITHIN = 600
"""Seconds for the proof, in all three scenes."""
FUNDS = 10 * 10**18
"""What the pool has to lend, wei."""
PATIENCE = 60.0
"""Seconds that any step may take before the demo says what it waited for, and ends."""


class Overdue(VouchError):
    """Something that a scene waits for did not happen."""

    def __init__(self, what: str, seconds: float) -> None:
        self.what, self.seconds = what, seconds
        super().__init__(f"waited {seconds:g} s for this, and it did not happen: {what}")


@dataclass(frozen=True, slots=True)
class GapNet(Played):
    """`lines`: from the relayer to the co-signers; `client` only reads; `watch_log` has what `vouch watch`
    printed."""

    lines: tuple[Line, ...]
    pool: InstantLoan
    client: Client
    watch_log: Path

    @property
    def parties(self) -> Mapping[str, str]:
        accounts = self.net.accounts
        return {
            "borrower": accounts["user"].address,
            "pool": self.pool.address,
            "lender": accounts["owner"].address,
            "operator": accounts["operator"].address,
            "relayer": accounts["relayer"].address,
            "watcher": accounts[WATCHER].address,
            "liar": accounts[LIAR].address,
        }

    async def move_clock(self, until: int) -> int:
        """Lets the chain's time jump, and mines a block then; gives the seconds that were skipped."""
        seconds = until - await self.now()
        await self.net.rpc.call("evm_increaseTime", seconds)
        await self.net.rpc.call("evm_mine")
        return seconds

    async def watcher_says(self, kind: str, request: bytes) -> str:
        """Waits for the watcher's newest line of a kind about a request. Raises Overdue."""
        found = ""

        async def said() -> bool:
            nonlocal found
            found = newest_line(await asyncio.to_thread(self.watch_log.read_text), kind, request)
            return bool(found)

        await until(said, f"a line {kind!r} of the watcher about request 0x{request.hex()}")
        return found


def newest_line(log: str, kind: str, request: bytes) -> str:
    """Text of the newest line that `vouch watch` printed (time, kind, id, text), or nothing."""
    lines = re.findall(rf"^\S+ {kind} +0x{request.hex()} (.*)$", log, flags=re.MULTILINE)
    return str(lines[-1]) if lines else ""


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = PATIENCE) -> None:
    """Waits for something to become true. Raises Overdue with `what`."""
    end = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > end:
            raise Overdue(what, seconds)
        await asyncio.sleep(0.02)


async def within(waiting: Awaitable[T], what: str, seconds: float = PATIENCE) -> T:
    """What is waited for. Raises Overdue with `what`."""
    try:
        async with asyncio.timeout(seconds):
            return await waiting
    except TimeoutError as late:
        raise Overdue(what, seconds) from late


@asynccontextmanager
async def gap_net(folder: Path, progress: Progress) -> AsyncIterator[GapNet]:
    """Starts everything, and stops it at the end. As `devnet`."""
    async with AsyncExitStack() as stack:
        lines = {name: await stack.enter_async_context(Line(local_url())) for name in COSIGNERS}
        cosigners = {name: Cosigner(line.target, line.url) for name, line in lines.items()}
        plan = Plan(folder, folder / "deployments", accounts=(LIAR, WATCHER), cosigners=cosigners)
        net = await stack.enter_async_context(devnet(plan, progress))
        progress("registering a second operator: it has a stake, and no node")
        await register(net, LIAR, NOWHERE)
        progress("deploying and funding InstantLoan, a pool that lends on a provisional answer")
        pool = await _pool(net)
        progress("starting a watcher, which has the same model")
        url = local_url()
        await net.crew.start(_watcher(net, url, plan.deployments), f"{url}/healthz")
        client = await stack.enter_async_context(Client(net.rpc, deployment=net.deployment, poll=0.05))
        yield GapNet(net, tuple(lines.values()), pool, client, folder / "watcher.log")


async def _pool(net: Devnet) -> InstantLoan:
    sender, risk = TxSender(net.rpc, net.accounts["owner"]), net.models[RISK].model_id
    hub, trust = net.deployment.hub, net.quorum.trust
    made = await create(sender, "InstantLoan", hub, risk, QUORUM, trust, MAX_RISK, PROVE_WITHIN)
    assert made.contract is not None, "a successful creation has an address"
    await sender.transact(Call(made.contract, b"", FUNDS))
    return InstantLoan(net.rpc, made.contract)


def _watcher(net: Devnet, url: str, deployments: Path) -> Child:
    arguments = ["watch", "--rpc", net.anvil.http_url, "--ws", net.anvil.ws_url]
    arguments += ["--deployments", str(deployments), "--database", str(net.folder / "watcher.sqlite")]
    arguments += ["--onnx", f"{RISK}={risk_model()}", "--key-file", str(net.key_file(WATCHER))]
    arguments += ["--quorum", f"{net.quorum.threshold}:{','.join(net.quorum.signers)}"]
    arguments += ["--status-port", url.rpartition(":")[2]]
    return Child(WATCHER, arguments, {}, net.folder / "watcher.log")
