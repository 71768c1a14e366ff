"""A line to a server on this machine that can be held up, as the internet does it."""

import asyncio
from contextlib import closing
from types import TracebackType
from typing import Self


class Line:
    """`async with Line(url) as line`: what is sent to `line.url` comes to `url`, unless it is held up."""

    def __init__(self, url: str) -> None:
        self.target = url
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self._free = asyncio.Event()
        self._free.set()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where the line begins."""
        assert self._server is not None, "entered before"
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    def hold(self) -> None:
        """From now on what is sent waits; whoever sends cannot tell that from a slow server."""
        self._free.clear()

    def release(self) -> None:
        """What waited goes on."""
        self._free.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None, "entered before"
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._carry(reader, writer), name="a connection of a line")
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await self._free.wait()
            try:
                there, back = await asyncio.open_connection(self._host, self._port)
            except OSError:
                return  # nobody listens there, so nobody does here
            with closing(back):
                ways = {asyncio.create_task(self._pump(*way)) for way in ((reader, back), (there, writer))}
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                    await self._free.wait()  # that somebody hung up is held up, too
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Ends with either side, in whatever way that goes."""
        while data := await source.read(1 << 16):
            await self._free.wait()
            target.write(data)
            await target.drain()
