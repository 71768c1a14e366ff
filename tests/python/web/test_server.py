import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from vouch.web.errors import AddressInUse
from vouch.web.server import Listen, listener_on, serve


class Slow:
    """An application whose answer waits for `go`; `log` has what happened."""

    def __init__(self, *, fails: bool = False) -> None:
        self.go, self.asked, self.log, self.fails = asyncio.Event(), asyncio.Event(), list[str](), fails
        self.app = Starlette(routes=[Route("/", self.answer)], lifespan=self.lifespan)

    async def answer(self, _: Request) -> PlainTextResponse:
        self.asked.set()
        await self.go.wait()
        return PlainTextResponse("here")

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.log.append("opened")
        if self.fails:
            raise RuntimeError("the lifespan failed")
        try:
            yield
        finally:
            self.log.append("closed")


async def started(slow: Slow, stop: asyncio.Event) -> tuple[asyncio.Task[None], str]:
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    listen = Listen("slow", "127.0.0.1", 0, shutdown_seconds=5)
    serving = asyncio.create_task(serve(slow.app, listen, ready=url.set_result, stop=stop))
    return serving, await url


async def test_requests_under_way_are_answered_before_the_end() -> None:
    slow, stop = Slow(), asyncio.Event()
    serving, url = await started(slow, stop)
    async with httpx.AsyncClient(trust_env=False) as client:
        asking = asyncio.create_task(client.get(url))
        await slow.asked.wait()
        stop.set()
        await asyncio.sleep(0.2)
        assert (serving.done(), slow.log) == (False, ["opened"])
        slow.go.set()
        assert (await asking).text == "here"
    await serving
    assert slow.log == ["opened", "closed"]


async def test_cancelling_frees_the_port() -> None:
    slow = Slow()
    serving, url = await started(slow, asyncio.Event())
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert slow.log == ["opened", "closed"]
    with listener_on("127.0.0.1", httpx.URL(url).port or 0):
        pass


async def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUse, match="--port") as refused:
            await serve(Slow().app, Listen("slow", "127.0.0.1", port), stop=asyncio.Event())
    assert refused.value.port == port


async def test_a_lifespan_that_fails_frees_the_port() -> None:
    slow = Slow(fails=True)
    with listener_on("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RuntimeError, match="the lifespan failed"):
        await serve(slow.app, Listen("slow", "127.0.0.1", port), stop=asyncio.Event())
    with listener_on("127.0.0.1", port):
        pass


def test_the_listener_names_tcp() -> None:
    """Otherwise asyncio leaves Nagle's algorithm on, and each answer on a kept connection takes 40 ms."""
    with listener_on("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
