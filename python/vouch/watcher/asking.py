"""The same question, put to an operator's own node: what it signs there must be what it delivered."""

from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from vouch.protocol.nesting import loads_bounded
from vouch.protocol.request import Request
from vouch.protocol.seal import SIGNED
from vouch.watcher.errors import NotNow

_MOST = 1 << 20
"""Bytes of an answer that are read; the hub takes outputs of 65,536."""


class Asking:
    """`async with Asking(...) as asking`. The address is the operator's choice: nothing there is trusted."""

    def __init__(self, chain_id: int, hub: str, timeout: float) -> None:
        self._chain_id, self._hub = chain_id, hub
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, 5.0))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, endpoint: str, terms: Request, given: bytes) -> tuple[bytes, bytes] | None:
        """Output and signature, unchecked; None if the node does not give any for these terms.

        Raises NotNow: no answer this time.
        """
        assert self._session is not None, "use Asking as an async context manager"
        if urlsplit(endpoint).scheme not in ("http", "https"):
            return None
        message = {
            "chainId": self._chain_id,
            "hub": self._hub,
            "terms": f"0x{bytes(terms).hex()}",
            "input": f"0x{given.hex()}",
        }
        url = endpoint.rstrip("/") + "/vouch/v1/answers"
        try:
            # No redirects: they could lead a stranger's question into our own network.
            async with self._session.post(url, json=message, allow_redirects=False) as reply:
                raw = await _bounded(reply.content)
                status = reply.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as down:
            raise NotNow(f"{url}: {type(down).__name__} {down}".rstrip()) from down
        if status >= 500 or status in (408, 425, 429):
            raise NotNow(f"{url} answered {status}")
        return _parse(raw) if status == 200 and raw is not None else None


async def _bounded(content: aiohttp.StreamReader) -> bytes | None:
    """The body, or None if there is too much of it."""
    parts: list[bytes] = []
    size = 0
    async for part in content.iter_any():
        size += len(part)
        if size > _MOST:
            return None
        parts.append(part)
    return b"".join(parts)


def _parse(raw: bytes) -> tuple[bytes, bytes] | None:
    try:
        body: Any = loads_bounded(raw)
        output = _hex(body["output"])
        if body.get("signature") is not None:
            return output, _hex(body["signature"])
        seal = _hex(body["seal"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return (output, seal[4:]) if seal[:4] == SIGNED else None


def _hex(text: Any) -> bytes:
    if not isinstance(text, str):
        raise TypeError("hex is text")
    return bytes.fromhex(text.removeprefix("0x"))
