"""The way into an enclave, over sockets that every machine has: what it carries, and what it sends away."""

import asyncio
import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType

import pytest


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vsock", Path(__file__).parents[3] / "enclave" / "vsock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


vsock = _load()
KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


@asynccontextmanager
async def server(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as made:
        yield made.sockets[0].getsockname()[1]


@asynccontextmanager
async def forwarding(target: int) -> AsyncIterator[int]:
    """Port of a way to the target."""
    with vsock.tcp_listener("127.0.0.1", 0) as listener:
        connect = lambda: vsock.connected(socket.AF_INET, ("127.0.0.1", target))  # noqa: E731
        carrying = asyncio.create_task(vsock.forward(listener, connect))
        try:
            yield listener.getsockname()[1]
        finally:
            carrying.cancel()
            with suppress(asyncio.CancelledError):
                await carrying


async def exchange(port: int, message: bytes) -> bytes:
    """What comes back; nothing if the connection is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError):
        try:
            writer.write(message)
            writer.write_eof()
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
    return b""


async def _reverse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.read())[::-1])
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_many_connections_at_once_large_and_small() -> None:
    messages = [b"hello", b"", os.urandom(3_000_000), *(bytes([i]) * i for i in range(1, 20))]
    async with server(_reverse) as target, forwarding(target) as port:
        replies = await asyncio.gather(*(exchange(port, message) for message in messages))
    assert replies == [message[::-1] for message in messages]


async def test_a_node_that_is_not_up_yet_ends_the_connection_and_not_the_way() -> None:
    with vsock.tcp_listener("127.0.0.1", 0) as closed:
        target = closed.getsockname()[1]
    async with forwarding(target) as port:
        assert await exchange(port, b"anybody?") == b""
        up = await asyncio.start_server(_reverse, "127.0.0.1", target)
        async with up:
            assert await exchange(port, b"now") == b"won"


async def test_a_connection_that_breaks_in_any_way_ends_alone() -> None:
    """Not only by a reset: a timeout or a host that is gone is another OSError, here a descriptor's."""
    for end in ("source", "target"):
        source, feeder = socket.socketpair()
        target, sink = socket.socketpair()
        for each in (source, target, feeder, sink):
            each.setblocking(False)
        feeder.send(b"bytes")
        (source if end == "source" else target).close()
        await vsock.pump(source, target)
        for each in (source, target, feeder, sink):
            each.close()


async def test_secrets_from_the_first_who_has_some() -> None:
    with vsock.tcp_listener("127.0.0.1", 0) as listener:
        receiving = asyncio.create_task(vsock.receive_secrets(listener))
        port = listener.getsockname()[1]
        for wrong in (b"", b"nonsense", b"[]", b'{"key": 3}', b'{"token": "t"}', b"{" * 5_000):
            assert await exchange(port, wrong) == b""
            assert not receiving.done()
        await exchange(port, json.dumps({"key": KEY, "token": "t"}).encode())
        assert await receiving == {"VOUCH_KEY": KEY, "VOUCH_NODE_TOKEN": "t"}


@pytest.mark.parametrize("more", [{"PATH": "/evil"}, {"LD_PRELOAD": "x"}, {"onnx": "other.onnx"}])
def test_nothing_else_comes_in_from_outside(more: dict[str, str]) -> None:
    assert vsock.parse_secrets(json.dumps({"key": KEY}).encode()) == {"VOUCH_KEY": KEY}
    with pytest.raises(ValueError, match="with key, and perhaps token"):
        vsock.parse_secrets(json.dumps({"key": KEY, **more}).encode())


def test_its_command_line_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, str(vsock.__file__), "parent", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "--cid" in done.stdout
