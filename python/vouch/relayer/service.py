"""One relayer, from start-up to shutdown."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing

from vouch.chain.account import LocalKey
from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.errors import ChainError
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.wakeup import wakeups
from vouch.relayer.clock import ChainClock
from vouch.relayer.config import RelayerConfig
from vouch.relayer.errors import WrongChain
from vouch.relayer.health import Health, StatusServer
from vouch.relayer.intake import Intake
from vouch.relayer.nodes import NodePool
from vouch.relayer.pipeline import Pipeline
from vouch.relayer.policy import Policy
from vouch.relayer.prices import Prices
from vouch.relayer.sender import Sender
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)

_DAY_NS = 24 * 3600 * 10**9
_PRUNE_EVERY = 3600.0
"""Seconds."""


class Relayer:
    """Start-up, main loop and shutdown of one relayer. Killing it at any point loses nothing."""

    def __init__(self, config: RelayerConfig, key: LocalKey, stop: asyncio.Event | None = None) -> None:
        self.config, self._key = config, key
        self.health = Health()
        self._stop = stop or asyncio.Event()

    def stop(self) -> None:
        """Ends `run` soon."""
        self._stop.set()

    async def run(self, ready: Callable[[str | None], None] | None = None) -> None:
        """Relays until `stop`.

        `ready` is called once, with the status server's URL (None without one), when requests are taken.
        Raises WrongChain, ForeignDatabase, ReorganisedTooDeep, at start RpcUnavailable, RpcError.
        """
        config, patience = self.config, self.config.patience
        async with AsyncExitStack() as stack:
            rpc = await stack.enter_async_context(Rpc(config.rpc_url))
            hub = Hub(rpc, config.hub)
            chain_id, registry = await self._check_chain(rpc, hub)
            store = stack.enter_context(Store(config.database))
            store.bind(chain_id, hub.address, await _genesis(rpc))
            pool = await stack.enter_async_context(
                NodePool(
                    config.nodes,
                    chain_id=chain_id,
                    hub=hub.address,
                    timeout=patience.node_timeout,
                    pause=patience.retry_first,
                )
            )
            await pool.refresh_all(max_age=0.0)
            await self._check_operators(registry, pool)

            clock = ChainClock()
            sender = Sender(
                rpc, self._key, hub, chain_id, store, clock, config.limits, patience, simulate=config.simulate
            )
            pipeline = Pipeline(
                store,
                Policy(config.limits.callback_gas, patience.margin, config.gas_floor),
                Prices(registry, patience.prices),
                pool,
                sender.fees,
                clock,
                patience,
                config.limits.dispatches,
                sender.offer,
            )
            intake = Intake(
                rpc,
                hub.address,
                store,
                clock,
                start_block=config.start_block,
                confirmations=config.confirmations,
                keep_blocks=config.keep_blocks,
            )
            self.health.watch(store, intake, sender, pool)
            url = None
            if config.status_port is not None:
                server = StatusServer(self.health, store, config.status_host, config.status_port)
                url = await stack.enter_async_context(server)

            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(sender.run(), name="sender"),
                    tasks.create_task(pipeline.run(), name="pipeline"),
                    tasks.create_task(self._read(intake, pipeline, sender, store), name="intake"),
                    tasks.create_task(self._refunds(sender, store, clock), name="refunds"),
                    tasks.create_task(self._refresh(pool), name="nodes"),
                    tasks.create_task(self._prune(store), name="prune"),
                ]
                if ready is not None:
                    ready(url)
                await self._stop.wait()
                for task in running:
                    task.cancel()

    async def _read(self, intake: Intake, pipeline: Pipeline, sender: Sender, store: Store) -> None:
        await asyncio.sleep(0)  # the pipeline's and sender's task groups open first
        pipeline.take(store.open_jobs())
        wakes = wakeups(self.config.ws_url, self.config.patience.poll)
        async with aclosing(wakes) as news:
            async for _ in news:
                forks = intake.forks
                try:
                    work = await intake.read()
                except ChainError as error:
                    self.health.chain_trouble = str(error)
                    _log.warning("reading waits: %s", error)
                    continue
                self.health.chain_trouble = ""
                pipeline.take(work)
                if intake.cursor is not None:
                    sender.read_up_to(intake.cursor.number, forked=intake.forks != forks)

    async def _refunds(self, sender: Sender, store: Store, clock: ChainClock) -> None:
        while self.config.expire_own:
            for job in store.refundable(clock.probably()):
                sender.refund(job)
            await asyncio.sleep(self.config.patience.poll)

    async def _refresh(self, pool: NodePool) -> None:
        while True:
            await asyncio.sleep(self.config.patience.nodes)
            await pool.refresh_all(max_age=self.config.patience.nodes / 2)

    async def _prune(self, store: Store) -> None:
        while True:
            more = store.prune(time.time_ns() - round(self.config.keep_days * _DAY_NS))
            await asyncio.sleep(0 if more else _PRUNE_EVERY)

    async def _check_chain(self, rpc: Rpc, hub: Hub) -> tuple[int, NodeRegistry]:
        chain_id = int(await rpc.call("eth_chainId"), 16)
        if await rpc.call("eth_getCode", hub.address, "latest") in ("0x", None):
            raise WrongChain(f"code at {hub.address} on chain {chain_id}", "empty", "an InferenceHub")
        balance = int(await rpc.call("eth_getBalance", self._key.address, "latest"), 16)
        if balance == 0:
            _log.warning(
                "%s has no native tokens to pay for gas: nothing can be sent until it has", self._key.address
            )
        return chain_id, NodeRegistry(rpc, await hub.nodes())

    async def _check_operators(self, registry: NodeRegistry, pool: NodePool) -> None:
        for node in pool.unknown:
            _log.warning("node %s does not answer yet: %s", node.url, node.trouble)
        for operator in pool.operators:
            if not await registry.is_registered(operator):
                _log.warning(
                    "operator %s is not registered: its answers would be refused by the hub", operator
                )


async def _genesis(rpc: Rpc) -> bytes:
    return to_bytes((await rpc.call("eth_getBlockByNumber", "0x0", False))["hash"])


async def serve(
    config: RelayerConfig,
    key: LocalKey,
    *,
    ready: Callable[[str | None], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Relays until `stop` is set, or without one until SIGINT or SIGTERM; the rest as `Relayer.run`."""
    relayer = Relayer(config, key, stop)
    if stop is not None:
        await relayer.run(ready)
        return
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, relayer.stop)
    try:
        await relayer.run(ready)
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
