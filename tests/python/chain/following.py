"""A chain that a test changes, and who gets what a follower reads of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.e2e.relayer_proxy import Meddle, Proxy
from tests.support.server import listening
from tests.support.terms import INPUT, make_terms
from vouch.chain.clock import ChainClock
from vouch.chain.contracts import Hub
from vouch.chain.events import HubLog, RequestedLog
from vouch.chain.follower import Follower
from vouch.chain.memory import Memory
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender


class Notes:
    """What a follower says."""

    def __init__(self) -> None:
        self.salts: list[int] = []
        self.rewound: list[int] = []
        self.steps: list[int] = []
        self.full = False

    def take(self, logs: Sequence[HubLog], up_to: int) -> None:
        if self.full:
            raise OverflowError
        for log in logs:
            assert isinstance(log, RequestedLog)
            self.salts.append(log.request.salt)
        self.steps.append(up_to)

    def rewind(self, block: int) -> None:
        self.rewound.append(block)


class CountingRpc(Rpc):
    """Notes the methods of each message."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.messages: list[list[str]] = []

    async def _exchange(self, body: Any, name: str, timeout: float | None, *, repeat: bool) -> Any:
        self.messages.append([call["method"] for call in (body if isinstance(body, list) else [body])])
        return await super()._exchange(body, name, timeout, repeat=repeat)


class Chain:
    """Asks, mines and forks."""

    def __init__(self, rpc: Rpc, hub: Hub, sender: TxSender) -> None:
        self.rpc, self.hub, self.sender = rpc, hub, sender

    async def head(self) -> int:
        return int(await self.rpc.call("eth_blockNumber"), 16)

    async def ask(self, salt: int) -> None:
        head = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        deadline = int(head["timestamp"], 16) + 3600
        terms = make_terms(consumer=self.sender.address, salt=salt, deliver_by=deadline)
        await self.sender.transact(self.hub.request(terms, INPUT))

    async def mine(self, blocks: int) -> None:
        await self.rpc.call("anvil_mine", hex(blocks))

    def follower(
        self,
        notes: Notes,
        start: int,
        *,
        keep: int = 256,
        confirmations: int = 0,
        rpc: Rpc | None = None,
        hub: str | None = None,
    ) -> Follower:
        return Follower(
            rpc or self.rpc,
            hub or self.hub.address,
            [RequestedLog],
            Memory(notes, keep),
            ChainClock(),
            start=start,
            confirmations=confirmations,
        )

    @asynccontextmanager
    async def spoilt(self, meddle: Meddle) -> AsyncIterator[tuple[Rpc, Proxy]]:
        """The same chain through a node whose answers `meddle` changes."""
        proxy = Proxy(self.rpc.url, meddle)
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/", proxy.handle)
        async with listening(app) as url, Rpc(url) as rpc:
            yield rpc, proxy
