"""One relayer, from start-up to shutdown."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing

from vouch.chain.account import LocalKey
from vouch.chain.errors import ChainError
from vouch.chain.wakeup import wakeups
from vouch.protocol.quorum import BadPolicy, SignersNotAscending
from vouch.relayer.config import RelayerConfig
from vouch.relayer.health import Health, request_page
from vouch.relayer.parts import Parts, assemble
from vouch.relayer.store import Store
from vouch.web.status import StatusServer

_log = logging.getLogger(__name__)

_DAY_NS = 24 * 3600 * 10**9
_PRUNE_EVERY = 3600.0
"""Seconds."""

Ready = Callable[[str | None], None]
Told = Callable[[str], None]


class Relayer:
    """Start-up, main loop and shutdown of one relayer. Killing it at any point loses nothing."""

    def __init__(self, config: RelayerConfig, key: LocalKey, stop: asyncio.Event | None = None) -> None:
        self.config, self._key = config, key
        self.health = Health()
        self._stop = stop or asyncio.Event()

    def stop(self) -> None:
        """Ends `run` soon."""
        self._stop.set()

    async def run(
        self,
        ready: Ready | None = None,
        quorum: Told | None = None,
        enclaves: Told | None = None,
        prover: Told | None = None,
    ) -> None:
        """Relays until `stop`.

        `ready` is called once, with the status server's URL (None without one), when requests are taken; then
        `quorum`, with one line about our co-signers' quorum, and again whenever that is another one, and
        `enclaves`, with one line about a key whenever something about it changes, and `prover`, with one line
        about our prover service, if there is one, and whenever it says something else.
        Raises WrongChain, ForeignDatabase, ReorganisedTooDeep, SignersNotAscending, at start RpcUnavailable,
        RpcError.
        """
        config = self.config
        async with AsyncExitStack() as stack:
            parts = await assemble(config, self._key, stack)
            self.health.watch(parts)
            parts.enclaves.told = enclaves
            url = None
            if config.status_port is not None:
                page, where = request_page(parts.store), (config.status_host, config.status_port)
                server = StatusServer(self.health.report, *where, [page])
                url = await stack.enter_async_context(server)

            async with asyncio.TaskGroup() as tasks:
                work = {
                    "sender": parts.sender.run(),
                    "pipeline": parts.pipeline.run(),
                    "guard": parts.guard.run(),
                    "enclaves": parts.enclaves.run(),
                    "intake": self._read(parts),
                    "nodes": self._refresh(parts, quorum, prover),
                    "prune": self._prune(parts.store),
                }
                if config.expire_own:
                    work["refunds"] = parts.refunds.run()
                running = [tasks.create_task(each, name=name) for name, each in work.items()]
                if ready is not None:
                    ready(url)
                if quorum is not None:
                    quorum(parts.quorum.line)
                if prover is not None and parts.circuits is not None:
                    prover(parts.circuits.line)
                await self._stop.wait()
                for task in running:
                    task.cancel()

    async def _read(self, parts: Parts) -> None:
        await asyncio.sleep(0)  # the task groups of the other parts open first
        parts.take(parts.store.open_jobs())
        follower, forks = parts.follower, 0
        wakes = wakeups(self.config.ws_url, self.config.patience.poll)
        async with aclosing(wakes) as news:
            async for _ in news:
                try:
                    await follower.read()
                except ChainError as error:
                    self.health.chain_trouble = str(error)
                    _log.warning("reading waits: %s", error)
                    continue
                self.health.chain_trouble = ""
                parts.take(parts.intake.work())
                forked, forks = follower.forks != forks, follower.forks
                if forked:
                    parts.guard.look_at_all()
                    parts.enclaves.look_again()
                parts.guard.tick()
                if follower.cursor is not None:
                    parts.sender.read_up_to(follower.cursor.number, forked=forked)

    async def _refresh(self, parts: Parts, told: Told | None, prover: Told | None) -> None:
        pause = self.config.patience.nodes
        while True:
            await asyncio.sleep(pause)
            if (circuits := parts.circuits) is not None:
                line = circuits.line
                await circuits.refresh(max_age=pause / 2)
                if circuits.line != line and prover is not None:
                    prover(circuits.line)
            before, operators = parts.quorum.policy, parts.pool.operators
            await parts.pool.refresh_all(max_age=pause / 2)
            await parts.quorum.pool.refresh_all(max_age=pause / 2)
            parts.enclaves.look_again()
            try:
                parts.quorum.learn()
            except (BadPolicy, SignersNotAscending) as bad:
                _log.error("the co-signers make no quorum: %s", bad)
            if (parts.quorum.policy, parts.pool.operators) != (before, operators):
                parts.guard.look_at_all()
            if parts.quorum.policy != before and told is not None:
                told(parts.quorum.line)

    async def _prune(self, store: Store) -> None:
        while True:
            more = store.prune(time.time_ns() - round(self.config.keep_days * _DAY_NS))
            await asyncio.sleep(0 if more else _PRUNE_EVERY)


async def serve(
    config: RelayerConfig,
    key: LocalKey,
    *,
    ready: Ready | None = None,
    quorum: Told | None = None,
    enclaves: Told | None = None,
    prover: Told | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Relays until `stop` is set, or without one until SIGINT or SIGTERM; the rest as `Relayer.run`."""
    relayer = Relayer(config, key, stop)
    if stop is not None:
        await relayer.run(ready, quorum, enclaves, prover)
        return
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, relayer.stop)
    try:
        await relayer.run(ready, quorum, enclaves, prover)
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
