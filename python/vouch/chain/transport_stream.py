"""Transports that keep one connection and tell answers apart by their ids: websocket and IPC socket."""

import asyncio
import codecs
import contextlib
import json
from abc import abstractmethod
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from vouch.chain.transport import MAX_ANSWER, Transport, TransportDown
from vouch.protocol.nesting import check_nesting, loads_bounded


class StreamTransport(Transport):
    """One connection, made when needed and again after it was lost; a reader task hands out the answers."""

    def __init__(self) -> None:
        self._waiting: dict[Any, asyncio.Future[str | bytes]] = {}
        self._lock = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self._open = False

    @abstractmethod
    async def _connect(self) -> None: ...

    @abstractmethod
    async def _send(self, message: bytes) -> None: ...

    @abstractmethod
    async def _receive(self) -> str | bytes:
        """The next whole message; raises OSError, EOFError or WebSocketException when the connection ends."""

    @abstractmethod
    async def _disconnect(self) -> None: ...

    async def open(self) -> None:
        self._open = True

    async def close(self) -> None:
        self._open = False
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        self._fail("closed")
        await self._disconnect()

    async def exchange(self, message: bytes, timeout: float) -> str | bytes:
        body = json.loads(message)
        # The answer to a batch is found by the id of any of its members.
        key = body[0]["id"] if isinstance(body, list) else body["id"]
        if not self._open:
            raise TransportDown("the connection is closed: use `async with Rpc(url)`", repeatable=False)
        answer: asyncio.Future[str | bytes] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                async with self._lock:
                    await self._ensure()
                    self._waiting[key] = answer
                    await self._send(message)
                return await answer
        except TimeoutError as late:
            raise TransportDown(f"nothing within {timeout:g} s", repeatable=False) from late
        except (OSError, EOFError, WebSocketException) as failed:
            raise TransportDown(str(failed) or type(failed).__name__, repeatable=False) from failed
        finally:
            self._waiting.pop(key, None)

    async def _ensure(self) -> None:
        if self._reader is None or self._reader.done():
            await self._disconnect()
            await self._connect()
            self._reader = asyncio.create_task(self._read(), name="rpc-reader")

    async def _read(self) -> None:
        reason = "connection closed"
        try:
            while True:
                text = await self._receive()
                for key in _ids(loads_bounded(text)):
                    waiting = self._waiting.get(key)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(text)
        except (OSError, EOFError, WebSocketException, ValueError) as ended:
            reason = str(ended) or type(ended).__name__
        finally:
            self._fail(reason)

    def _fail(self, reason: str) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(TransportDown(f"connection lost: {reason}", repeatable=True))


def _ids(answer: Any) -> list[Any]:
    members = answer if isinstance(answer, list) else [answer]
    return [member["id"] for member in members if isinstance(member, dict) and "id" in member]


class WebsocketTransport(StreamTransport):
    """ws:// and wss://. Keep subscriptions off this connection: together they stall (delayed ACKs)."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._socket: ClientConnection | None = None

    async def _connect(self) -> None:
        self._socket = await connect(self._url, max_size=MAX_ANSWER, compression=None, proxy=None)

    async def _send(self, message: bytes) -> None:
        if self._socket is None:
            raise EOFError("not connected")
        await self._socket.send(message.decode())

    async def _receive(self) -> str | bytes:
        if self._socket is None:
            raise EOFError("not connected")
        return await self._socket.recv()

    async def _disconnect(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            self._socket = None


# A read may end inside of a character.
_utf8 = codecs.getincrementaldecoder("utf-8")


class IpcTransport(StreamTransport):
    """A node's IPC socket: JSON values one after the other, with or without newlines between them."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._buffer = ""
        self._decoder = json.JSONDecoder()
        self._text = _utf8()

    async def _connect(self) -> None:
        self._buffer, self._text = "", _utf8()
        self._streams = await asyncio.open_unix_connection(self._path, limit=MAX_ANSWER)

    async def _send(self, message: bytes) -> None:
        if self._streams is None:
            raise EOFError("not connected")
        self._streams[1].write(message + b"\n")
        await self._streams[1].drain()

    async def _receive(self) -> str:
        while True:
            self._buffer = self._buffer.lstrip()
            # Without a closing bracket it cannot be whole, which saves parsing every part of a long one.
            if "}" in self._buffer:
                check_nesting(self._buffer)
                try:
                    _, end = self._decoder.raw_decode(self._buffer)
                except json.JSONDecodeError:
                    pass
                else:
                    text, self._buffer = self._buffer[:end], self._buffer[end:]
                    return text
            if self._streams is None:
                raise EOFError("not connected")
            part = await self._streams[0].read(1 << 20)
            if not part:
                raise EOFError("the node closed the socket")
            self._buffer += self._text.decode(part)

    async def _disconnect(self) -> None:
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):  # already gone, which is what was wanted
                await writer.wait_closed()
