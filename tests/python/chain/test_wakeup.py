import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc, UnsupportedUrl
from vouch.chain.wakeup import wakeups

LONG = 600.0


async def next_of(source: AsyncIterator[None]) -> float:
    started = time.monotonic()
    await asyncio.wait_for(anext(source), 30)
    return time.monotonic() - started


async def quiet(source: AsyncIterator[None]) -> None:
    """Uses up what the start brings: one wake-up at once, one when the subscription stands."""
    await next_of(source)
    await next_of(source)


async def test_a_block_wakes(anvil: Anvil, rpc: Rpc) -> None:
    async with aclosing(wakeups(anvil.ws_url, LONG)) as news:
        await quiet(news)
        for _ in range(3):
            await rpc.call("evm_mine")
            await next_of(news)


async def test_what_happens_meanwhile_is_one_wake_up(anvil: Anvil, rpc: Rpc) -> None:
    async with aclosing(wakeups(anvil.ws_url, LONG)) as news:
        await quiet(news)
        for _ in range(5):
            await rpc.call("evm_mine")
        await asyncio.sleep(1.0)
        await next_of(news)
        waiting = asyncio.ensure_future(anext(news))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await rpc.call("evm_mine")
        await asyncio.wait_for(waiting, 30)


async def test_polling_alone() -> None:
    async with aclosing(wakeups(None, 2.0)) as news:
        assert await next_of(news) < 1.9
        assert await next_of(news) > 1.9


async def test_it_polls_while_the_websocket_is_down_and_comes_back() -> None:
    async with Anvil() as first:
        port, url = first.port, first.ws_url
        news = wakeups(url, 2.0)
        await quiet(news)
    async with aclosing(news):
        for _ in range(2):
            await next_of(news)
        async with Anvil(port) as again, Rpc(again.http_url) as rpc:
            await asyncio.sleep(2.5)  # longer than the pauses between attempts so far
            await next_of(news)
            subscribed = 0
            for _ in range(5):
                await rpc.call("evm_mine")
                subscribed += await next_of(news) < 1.6
            assert subscribed >= 4


async def test_leaving_ends_the_connection(anvil: Anvil) -> None:
    before = asyncio.all_tasks()
    async with aclosing(wakeups(anvil.ws_url, LONG)) as news:
        await quiet(news)
        assert any(task.get_name() == "wakeup" for task in asyncio.all_tasks())
    await asyncio.sleep(0)
    assert not any(task.get_name() == "wakeup" for task in asyncio.all_tasks() - before)


async def test_only_websockets_announce_blocks() -> None:
    with pytest.raises(UnsupportedUrl):
        await anext(wakeups("http://127.0.0.1:1"))
