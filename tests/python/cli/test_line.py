"""A line that is held up and released."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from vouch.cli.devnet import local_url
from vouch.cli.line import Line


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives back what it gets; its URL, and what it got."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            got.append(data)
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", got


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def test_what_is_sent_arrives_and_comes_back() -> None:
    async with echo() as (url, got), Line(url) as line:
        assert line.target == url != line.url
        reader, writer = await connect(line.url)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert got == [b"hello"]
        writer.close()


async def test_what_is_held_up_goes_on_when_it_is_released() -> None:
    async with echo() as (url, got), Line(url) as line:
        reader, writer = await connect(line.url)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        line.hold()
        writer.write(b"two")
        other, second = await connect(line.url)
        second.write(b"three")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.readexactly(3)
        assert got == [b"one"]
        line.release()
        assert await reader.readexactly(3) == b"two"
        assert await other.readexactly(5) == b"three"
        writer.close()
        second.close()


async def test_a_server_that_is_gone_ends_the_connection_once_it_is_tried(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Line(local_url()) as line:
        line.hold()
        reader, writer = await connect(line.url)
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read()
        line.release()
        with pytest.raises(asyncio.IncompleteReadError):
            await reader.readexactly(1)
        writer.close()
    gc.collect()
    assert caplog.records == [], "nobody is told of errors that nobody can help"


async def test_the_end_of_one_side_is_the_end_of_the_other() -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b"bye"
        ended.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Line(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as line:
        _, writer = await connect(line.url)
        writer.write(b"bye")
        writer.close()
        async with asyncio.timeout(30):
            await ended.wait()


async def test_nobody_hears_a_goodbye_while_the_line_is_held_up() -> None:
    leave = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        await leave.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Line(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as line:
        reader, writer = await connect(line.url)
        writer.write(b"1")
        await reader.readexactly(1)
        line.hold()
        leave.set()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.read()
        line.release()
        assert await reader.read() == b""
        writer.close()


async def test_leaving_ends_what_is_under_way() -> None:
    async with echo() as (url, _):
        async with Line(url) as line:
            begins = line.url
            reader, writer = await connect(begins)
            writer.write(b"hello")
            await reader.readexactly(5)
            line.hold()
            held, second = await connect(begins)
            await asyncio.sleep(0.05)
        assert await reader.read() == b""
        assert await held.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await connect(begins)
        writer.close()
        second.close()
