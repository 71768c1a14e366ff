"""When to look at the chain again. A wake-up says "maybe there is news", never what the news is."""

import asyncio
import json
import logging
import random
import socket as sockets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from vouch.chain.errors import UnsupportedUrl
from vouch.chain.rpc import redact

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0


async def wakeups(ws_url: str | None, poll_s: float = 2.0) -> AsyncGenerator[None, None]:
    """Yields at the start, after every new block and reconnect, and at least every `poll_s` seconds.

    New blocks come over a websocket of its own (`eth_subscribe` newHeads): sending and subscribing on one
    connection stalls by a delayed ACK. Without a websocket, or while it is down, polling goes on alone.
    What happens while the consumer is busy is one wake-up, not many. Close it (`aclosing`) when leaving
    early, so that the connection ends.

    Raises:
        UnsupportedUrl: `ws_url` is no ws:// or wss:// address.
    """
    if ws_url is not None and not ws_url.startswith(("ws://", "wss://")):
        raise UnsupportedUrl(ws_url)
    news = asyncio.Event()
    news.set()
    async with _listening(ws_url, news):
        while True:
            try:
                async with asyncio.timeout(poll_s):
                    await news.wait()
            except TimeoutError:
                pass  # the poll
            news.clear()
            yield


@asynccontextmanager
async def _listening(ws_url: str | None, news: asyncio.Event) -> AsyncIterator[None]:
    # A task group must not span a yield of the generator above, so the one task is ended by hand.
    task = None if ws_url is None else asyncio.create_task(_listen(ws_url, news), name="wakeup")
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _listen(ws_url: str, news: asyncio.Event) -> None:
    pause = _FIRST_PAUSE
    while True:
        try:
            async with connect(
                ws_url, compression=None, proxy=None, ping_interval=10, ping_timeout=10
            ) as socket:
                await socket.send(
                    json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
                )
                _acknowledge_quickly(socket)
                async for message in socket:
                    _acknowledge_quickly(socket)
                    pause = _FIRST_PAUSE
                    if '"error"' in str(message)[:200]:
                        _log.warning("%s does not announce blocks: %s", redact(ws_url), message)
                    news.set()
        except (OSError, WebSocketException, TimeoutError) as lost:
            _log.warning("block announcements of %s stopped (%s); polling meanwhile", redact(ws_url), lost)
        # Whatever happened while nobody listened is found by looking once.
        news.set()
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(pause * 2, _LONGEST_PAUSE)


def _acknowledge_quickly(connection: ClientConnection) -> None:
    """Asks for the next message to be acknowledged at once; the kernel forgets it, so it is repeated.

    A peer that keeps Nagle's algorithm on (Anvil) holds a message's second half back until the ACK, which
    Linux delays by 40 ms.
    """
    quick = getattr(sockets, "TCP_QUICKACK", None)  # Linux
    if quick is not None:
        connection.transport.get_extra_info("socket").setsockopt(sockets.IPPROTO_TCP, quick, 1)
