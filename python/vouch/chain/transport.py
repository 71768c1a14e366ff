"""How JSON-RPC messages reach the chain's node and answers come back."""

import asyncio
from abc import ABC, abstractmethod

import aiohttp

MAX_ANSWER = 256 * 1024 * 1024
"""Bytes of one answer that are read at most."""


class TransportDown(Exception):
    """No answer came; `repeatable` if the message may be sent again at once (the connection was stale)."""

    def __init__(self, reason: str, *, repeatable: bool) -> None:
        self.repeatable = repeatable
        super().__init__(reason)


class Transport(ABC):
    """Carries one message and its answer; many exchanges may be under way at the same time."""

    @abstractmethod
    async def open(self) -> None:
        """Get ready; connecting may wait for the first exchange."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of every connection; exchanges under way end with TransportDown."""

    @abstractmethod
    async def exchange(self, message: bytes, timeout: float) -> bytes | str:
        """The answer to a message within `timeout` seconds; raises TransportDown."""


class HttpTransport(Transport):
    """HTTP keep-alive. asyncio sets TCP_NODELAY on its sockets, so that small requests leave at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        connector = aiohttp.TCPConnector(limit=64, keepalive_timeout=60, enable_cleanup_closed=False)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"content-type": "application/json"},
            auto_decompress=True,
            skip_auto_headers=("user-agent",),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def exchange(self, message: bytes, timeout: float) -> bytes:
        if self._session is None:
            raise TransportDown("the connection is closed: use `async with Rpc(url)`", repeatable=False)
        try:
            async with asyncio.timeout(timeout):
                async with self._session.post(self._url, data=message, timeout=_NO_TIMEOUT) as response:
                    body = await response.read()
        except TimeoutError as late:
            raise TransportDown(f"nothing within {timeout:g} s", repeatable=False) from late
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionResetError) as lost:
            raise TransportDown(f"connection lost: {lost}", repeatable=True) from lost
        except (aiohttp.ClientError, OSError) as failed:
            raise TransportDown(str(failed) or type(failed).__name__, repeatable=False) from failed
        # Some nodes send JSON-RPC errors with status 400 or 500; what is no JSON comes from a proxy between.
        if response.status >= 400 and not body.lstrip().startswith((b"{", b"[")):
            text = body[:200].decode(errors="replace").strip()
            raise TransportDown(f"HTTP {response.status} {text}".strip(), repeatable=False)
        return body


_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)
