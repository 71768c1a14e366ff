"""JSON-RPC to one node of the chain, over whatever transport the URL names."""

import itertools
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from vouch.chain.errors import RpcError, RpcUnavailable, UnsupportedUrl
from vouch.chain.transport import HttpTransport, Transport, TransportDown
from vouch.chain.transport_stream import IpcTransport, WebsocketTransport
from vouch.protocol.nesting import loads_bounded

__all__ = ["Rpc", "RpcError", "RpcUnavailable", "UnsupportedUrl", "redact"]

# A second try of these could do the thing twice, or hide that the first one was received.
_NOT_REPEATED = ("eth_send", "evm_", "anvil_", "hardhat_", "personal_")


class Rpc:
    """One node of the chain: `async with Rpc(url) as rpc: await rpc.call("eth_blockNumber")`.

    Args:
        url: http(s)://, ws(s)://, or the path of a node's IPC socket.
        timeout: seconds for one call or batch, from sending to the whole answer.

    Raises:
        UnsupportedUrl: at once, for another kind of address.
    """

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self.url, self.timeout = url, timeout
        self._ids = itertools.count(1)
        self._transport = _transport(url)

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()

    async def call(self, method: str, *params: Any, timeout: float | None = None) -> Any:
        """Result of one call. `bytes` among the parameters become 0x hex, integers stay JSON numbers.

        A read whose connection was lost before an answer came is repeated once; a send never is.

        Raises:
            RpcError: the node refused.
            RpcUnavailable: no usable answer; the outcome is unknown.
        """
        number = next(self._ids)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        answer = await self._exchange(body, method, timeout, repeat=not method.startswith(_NOT_REPEATED))
        return self._result(answer, number, method)

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], *, timeout: float | None = None
    ) -> list[Any]:
        """Results of several calls in one message, in their order; a refused call's is its RpcError.

        Raises:
            RpcUnavailable: no usable answer to the whole; the outcomes are unknown.
        """
        if not calls:
            return []
        body = [
            {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
            for method, params in calls
        ]
        repeat = not any(method.startswith(_NOT_REPEATED) for method, _ in calls)
        name = f"batch of {len(calls)} ({calls[0][0]} …)"
        answers = await self._exchange(body, name, timeout, repeat=repeat)
        if not isinstance(answers, list):  # how a node refuses batches as such
            self._result(answers, None, name)
            raise RpcUnavailable(redact(self.url), name, "the answer to a batch is no list")
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        results: list[Any] = []
        for sent in body:
            method = str(sent["method"])
            try:
                results.append(self._result(by_id.get(sent["id"]), sent["id"], method))
            except RpcError as refused:
                results.append(refused)
        return results

    async def _exchange(self, body: Any, name: str, timeout: float | None, *, repeat: bool) -> Any:
        message = json.dumps(body, default=_plain, separators=(",", ":")).encode()
        limit = self.timeout if timeout is None else timeout
        for last in (False, True) if repeat else (True,):
            try:
                return loads_bounded(await self._transport.exchange(message, limit))
            except TransportDown as down:
                if last or not down.repeatable:
                    raise RpcUnavailable(redact(self.url), name, str(down)) from down
            except ValueError as garbled:
                raise RpcUnavailable(redact(self.url), name, f"answer is no JSON: {garbled}") from garbled
        raise AssertionError("unreachable")

    def _result(self, answer: Any, number: Any, method: str) -> Any:
        if isinstance(answer, dict):
            error = answer.get("error")
            if isinstance(error, dict):
                code = error.get("code", 0)
                raise RpcError(
                    code if isinstance(code, int) else 0,
                    str(error.get("message", "")),
                    error.get("data"),
                    method,
                )
            if "result" in answer and answer.get("id") == number:
                return answer["result"]
        raise RpcUnavailable(redact(self.url), method, "the answer is no JSON-RPC response to this call")


def redact(url: str) -> str:
    """The URL without user, password and query, and without the path, where providers put keys."""
    parts = urlsplit(url)
    if not parts.scheme:
        return url
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"


def _plain(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "0x" + bytes(value).hex()
    raise TypeError(f"{type(value).__name__} is no JSON-RPC parameter")


def _transport(url: str) -> Transport:
    scheme = urlsplit(url).scheme
    if scheme in ("http", "https"):
        return HttpTransport(url)
    if scheme in ("ws", "wss"):
        return WebsocketTransport(url)
    if not scheme and url:
        return IpcTransport(url)
    raise UnsupportedUrl(url)
