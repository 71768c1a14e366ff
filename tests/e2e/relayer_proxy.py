"""An RPC server between the relayer and Anvil, whose answers a test can spoil."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from tests.e2e.relayer_world import World
from tests.support.server import listening

Call = dict[str, Any]
Hook = Callable[[Call], Awaitable[None]]
Meddle = Callable[[Call, Any], Any]


def tries(call: Call, selector: bytes) -> bool:
    """True if the relayer simulates a transaction that calls this function."""
    if call.get("method") != "eth_call" or "from" not in call["params"][0]:
        return False
    return bool(call["params"][0]["data"].startswith(f"0x{selector.hex()}"))


async def _nothing(_: Call) -> None:
    pass


class Proxy:
    """An RPC server before Anvil that changes what it likes; `away` drops connections."""

    def __init__(self, target: str, meddle: Meddle) -> None:
        self._target, self._meddle = target, meddle
        self.away = False
        self.meddled = 0
        self.before: Hook = _nothing
        """Awaited with each call before Anvil gets it."""
        self.after: Hook = _nothing
        """The same between Anvil's answer and the relayer's."""

    async def handle(self, http: web.Request) -> web.Response:
        asked = await http.json()
        single = asked if isinstance(asked, dict) else {}
        await self.before(single)
        if self.away:
            return self._cut(http)
        async with ClientSession() as session, session.post(self._target, json=asked) as reply:
            answered = await reply.json()
        await self.after(single)
        if isinstance(asked, list):
            by_id = {answer["id"]: answer for answer in answered}
            return web.json_response([self._changed(call, by_id[call["id"]]) for call in asked])
        return web.json_response(self._changed(asked, answered))

    def _cut(self, http: web.Request) -> web.Response:
        assert http.transport is not None
        http.transport.close()
        return web.Response()

    def _changed(self, call: Call, answer: Any) -> Any:
        changed = self._meddle(call, answer)
        self.meddled += changed != answer
        return changed


@asynccontextmanager
async def proxy(w: World, meddle: Meddle) -> AsyncIterator[tuple[str, Proxy]]:
    handler = Proxy(w.anvil.http_url, meddle)
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/", handler.handle)
    async with listening(app) as url:
        yield url, handler
