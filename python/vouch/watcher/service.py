"""One watcher, from start-up to shutdown."""

import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any

from vouch.chain.account import LocalKey
from vouch.chain.clock import ChainClock
from vouch.chain.contracts import Hub, ModelRegistry, NodeRegistry, VerifierRouter
from vouch.chain.errors import ChainError, WrongChain
from vouch.chain.follower import Follower
from vouch.chain.hexes import to_bytes
from vouch.chain.memory import Memory
from vouch.chain.rpc import Rpc
from vouch.chain.wakeup import wakeups
from vouch.watcher.asking import Asking
from vouch.watcher.bench import Bench
from vouch.watcher.config import WatchConfig
from vouch.watcher.docket import KINDS, Docket
from vouch.watcher.finding import Kind, Say, Teller
from vouch.watcher.judge import Judge
from vouch.watcher.keeper import Keeper
from vouch.watcher.lane import Lane, Move
from vouch.watcher.outcome import Outcomes
from vouch.watcher.policy import Policy
from vouch.watcher.purse import Purse
from vouch.watcher.records import Records
from vouch.watcher.routes import Routes
from vouch.watcher.scene import Scene
from vouch.watcher.shelf import Shelf
from vouch.watcher.store import Store
from vouch.watcher.witness import Witness
from vouch.web.status import StatusServer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that works on one scene."""

    scene: Scene
    purse: Purse
    bench: Bench
    keeper: Keeper
    witness: Witness
    outcomes: Outcomes


class Watcher:
    """Start-up, main loop and shutdown of one watcher. Killing it at any point loses nothing.

    key: who puts up bonds and pays for gas; None only for a dry run. `say` gets the lines for people.
    """

    def __init__(
        self, config: WatchConfig, key: LocalKey | None, say: Say, stop: asyncio.Event | None = None
    ) -> None:
        if key is None and not config.dry_run:
            raise ValueError("without a key there can only be a dry run")
        self.config, self._key = config, key
        self._teller = Teller(say)
        self._stop = stop or asyncio.Event()
        self._parts: Parts | None = None
        self._chain_trouble = "nothing was read yet"

    def stop(self) -> None:
        """Ends `run` soon."""
        self._stop.set()

    async def run(self, ready: Callable[[str | None], None] | None = None) -> None:
        """Watches until `stop`.

        `ready` is called once, with the status server's URL (None without one), when all blocks were read.
        Raises WrongChain, ForeignDatabase, NoModels, BadManifest, at start RpcUnavailable, RpcError.
        """
        config = self.config
        async with AsyncExitStack() as stack:
            parts = self._parts = await self._set_up(stack)
            url = None
            if config.status_port is not None:
                server = StatusServer(self.report, config.status_host, config.status_port)
                url = await stack.enter_async_context(server)
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(parts.bench.desk.run(), name="bench"),
                    tasks.create_task(parts.witness.run(), name="witness"),
                    tasks.create_task(parts.keeper.run(), name="keeper"),
                    tasks.create_task(self._tidy(parts), name="tidy"),
                    tasks.create_task(self._read(parts, ready, url), name="read"),
                ]
                if parts.scene.lane is not None:
                    running.append(tasks.create_task(parts.scene.lane.run(), name="lane"))
                await self._stop.wait()
                for task in running:
                    task.cancel()

    def report(self) -> dict[str, Any]:
        """JSON-ready; `ok` is false while nothing can be read or done. Money is token units as text."""
        parts = self._parts
        if parts is None:
            return {"ok": False, "chain": self._chain_trouble}
        scene, purse = parts.scene, parts.purse
        return {
            "ok": not self._chain_trouble and not parts.keeper.trouble,
            "chain": self._chain_trouble,
            "keeping": parts.keeper.trouble,
            "judging": parts.bench.desk.trouble,
            "head": scene.follower.head,
            "cursor": scene.follower.cursor.number if scene.follower.cursor else None,
            "requests": len(scene.docket),
            "waiting": len(parts.bench.desk),
            "lines": {kind.value: count for kind, count in self._teller.counts.items()},
            "atRisk": {token: str(purse.at_risk(token)) for token in purse.tokens},
            "lost": {token: str(purse.lost(token)) for token in purse.tokens},
        }

    async def _set_up(self, stack: AsyncExitStack) -> Parts:
        config, account = self.config, self._key.address if self._key is not None else None
        rpc = await stack.enter_async_context(Rpc(config.rpc_url))
        hub = Hub(rpc, config.hub)
        chain_id = await self._check_chain(rpc, hub)
        store = stack.enter_context(Store(config.database))
        store.bind(chain_id, hub.address, await _genesis(rpc))
        if account is not None:
            store.bind_account(account)
        models = ModelRegistry(rpc, await hub.models())
        shelf = await stack.enter_async_context(await asyncio.to_thread(Shelf, config.models, models))
        asking = None
        if config.ask_nodes:
            asking = Asking(chain_id, hub.address, config.patience.ask)
            await stack.enter_async_context(asking)
        lane = None
        if self._key is not None and not config.dry_run:
            timing, fee = config.patience, config.max_fee
            lane = Lane(self._key, hub, chain_id, store, timing, fee, self._teller, self._again)
        docket = Docket(config.keep_blocks)
        scene = Scene(
            config=config,
            chain_id=chain_id,
            hub=hub,
            docket=docket,
            follower=Follower(
                rpc,
                hub.address,
                KINDS,
                Memory(docket, config.keep_blocks),
                ChainClock(),
                start=store.resume() or config.start_block,
                confirmations=config.confirmations,
            ),
            records=Records(rpc, hub.address),
            routes=Routes(VerifierRouter(rpc, await hub.router())),
            store=store,
            policy=Policy(
                config.believed,
                frozenset(config.budgets),
                principled=config.principled,
                settle=config.settle,
            ),
            account=account,
            lane=lane,
            teller=self._teller,
        )
        purse = Purse(config.budgets, docket, store, account)
        bench = Bench(scene, Judge(shelf, config.slack, config.patience.run), purse)
        nodes = NodeRegistry(rpc, await hub.nodes())
        return Parts(
            scene, purse, bench, Keeper(scene, bench), Witness(scene, nodes, asking), Outcomes(scene)
        )

    async def _read(self, parts: Parts, ready: Callable[[str | None], None] | None, url: str | None) -> None:
        news: AsyncGenerator[None, None] = wakeups(self.config.ws_url, self.config.patience.poll)
        async with aclosing(news):
            async for _ in news:
                try:
                    await parts.scene.follower.read()
                    self._chain_trouble = ""
                except ChainError as error:
                    self._chain_trouble = str(error)
                    _log.warning("reading waits: %s", error)
                self._digest(parts)
                if ready is not None and not self._chain_trouble:
                    for request in parts.scene.store.requests():
                        parts.witness.look(request)  # what was seen in an earlier life still counts
                    ready(url)
                    ready = None

    def _digest(self, parts: Parts) -> None:
        """Hands what was read to everybody."""
        docket = parts.scene.docket
        for request in docket.changed():
            parts.outcomes.look(request)
            parts.witness.look(request)
            parts.bench.look(request)
        for case in docket.closed():
            parts.outcomes.close(case)
        for request in docket.orphans:
            text = "it was asked before the first block read: start earlier (--from-block, new database)"
            self._teller.tell(Kind.UNJUDGED, request, text)
        docket.orphans.clear()
        parts.keeper.look()

    def _again(self, move: Move) -> None:
        """A transaction came to nothing: whoever wanted it, or waited for it, looks again."""
        if self._parts is not None:
            self._parts.bench.look(move.request)
            self._parts.witness.look(move.request)
            self._parts.keeper.look()

    async def _tidy(self, parts: Parts) -> None:
        scene = parts.scene
        while True:
            await asyncio.sleep(self.config.patience.tidy)
            if scene.follower.cursor is None or self._chain_trouble:
                continue
            scene.docket.tidy(scene.follower.clock.newest)
            parts.bench.tidy()
            parts.keeper.tidy()
            parts.witness.tidy()
            self._teller.tidy(scene.docket)
            scene.store.set_resume(scene.docket.horizon(scene.follower.cursor.number))

    async def _check_chain(self, rpc: Rpc, hub: Hub) -> int:
        chain_id = int(await rpc.call("eth_chainId"), 16)
        if await rpc.call("eth_getCode", hub.address, "latest") in ("0x", None):
            raise WrongChain(f"code at {hub.address} on chain {chain_id}", "empty", "an InferenceHub")
        if self._key is None or self.config.dry_run:
            return chain_id
        if int(await rpc.call("eth_getBalance", self._key.address, "latest"), 16) == 0:
            _log.warning("%s has no native tokens: nothing can be sent until it has", self._key.address)
        return chain_id


async def _genesis(rpc: Rpc) -> bytes:
    return to_bytes((await rpc.call("eth_getBlockByNumber", "0x0", False))["hash"])


async def serve(
    config: WatchConfig,
    key: LocalKey | None,
    say: Say,
    *,
    ready: Callable[[str | None], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Watches until `stop` is set, or without one until SIGINT or SIGTERM; the rest as `Watcher.run`."""
    watcher = Watcher(config, key, say, stop)
    if stop is not None:
        await watcher.run(ready)
        return
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, watcher.stop)
    try:
        await watcher.run(ready)
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
