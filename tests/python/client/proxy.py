"""A chain's node with a mind of its own, before the real one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from tests.support.server import listening
from vouch.chain.abi import function
from vouch.chain.hexes import to_hex

Call = dict[str, Any]
Reply = dict[str, Any]
Meddle = Callable[[Call], Awaitable[Reply | None]]
"""Sees each call before the real node does; may reply in its place, with a "result" or an "error"."""


@asynccontextmanager
async def proxy(target: str, meddle: Meddle) -> AsyncIterator[str]:
    """Gives its URL."""

    async def handle(http: web.Request) -> web.Response:
        call = await http.json()
        if (reply := await meddle(call)) is not None:
            return web.json_response({"jsonrpc": "2.0", "id": call["id"], **reply})
        async with ClientSession() as session, session.post(target, json=call) as answer:
            return web.json_response(await answer.json())

    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/", handle)
    async with listening(app) as url:
        yield url


def before(view: str, nth: int, act: Callable[[], Awaitable[object]]) -> Meddle:
    """Does something right before the n-th (from 1) call of one of the hub's views."""
    seen = 0
    selector = to_hex(function("InferenceHub", view).selector)

    async def meddle(call: Call) -> Reply | None:
        nonlocal seen
        if call["method"] == "eth_call" and call["params"][0]["data"].startswith(selector):
            seen += 1
            if seen == nth:
                await act()
        return None

    return meddle


class Lag:
    """A node that has no logs yet when it is asked for the first few times."""

    def __init__(self, times: float) -> None:
        self.left = times

    async def meddle(self, call: Call) -> Reply | None:
        if call["method"] == "eth_getLogs" and self.left > 0:
            self.left -= 1
            return {"result": []}
        return None
