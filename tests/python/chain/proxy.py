"""A real HTTP server between Rpc and Anvil that loses or refuses chosen calls."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import Any

from aiohttp import ClientSession


class Fate(Enum):
    PASS = auto()
    LOSE_CALL = auto()  # the connection breaks before the chain's node sees it
    LOSE_ANSWER = auto()  # the node does it, the caller never learns


Judge = Callable[[str, int], Fate | dict[str, Any]]
"""(method, how often it was seen before) -> what happens; a dictionary is answered as the JSON-RPC error."""


class Proxy:
    """`async with proxy(anvil.http_url) as p: p.judge = ...; Rpc(p.url)`."""

    def __init__(self, target: str, session: ClientSession) -> None:
        self._target, self._session = target, session
        self.url = ""
        self.seen: Counter[str] = Counter()
        self.judge: Judge = lambda _method, _before: Fate.PASS
        self.judge_batch: Callable[[str], Fate | dict[str, Any]] = lambda _method: Fate.PASS

    async def treat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
                body = await reader.readexactly(int(sizes[0].split()[1]))
                answer = await self._answer(body)
                if answer is None:
                    return
                status = f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\n\r\n"
                writer.write(status.encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the caller hung up
        finally:
            writer.close()

    async def _answer(self, body: bytes) -> bytes | None:
        call = json.loads(body)
        if isinstance(call, dict):
            method = call["method"]
            fate = self.judge(method, self.seen[method])
            self.seen[method] += 1
            if isinstance(fate, dict):
                return json.dumps({"jsonrpc": "2.0", "id": call["id"], "error": fate}).encode()
            if fate is Fate.LOSE_CALL:
                return None
        else:
            fate = Fate.PASS
        async with self._session.post(
            self._target, data=body, headers={"content-type": "application/json"}
        ) as response:
            answer = await response.read()
        if isinstance(call, list):
            return self._refuse_members(call, json.loads(answer))
        return None if fate is Fate.LOSE_ANSWER else answer

    def _refuse_members(self, calls: list[dict[str, Any]], answers: list[dict[str, Any]]) -> bytes:
        judged = {call["id"]: self.judge_batch(call["method"]) for call in calls}
        for answer in answers:
            if isinstance(error := judged[answer["id"]], dict):
                answer.pop("result", None)
                answer["error"] = error
        return json.dumps(answers).encode()


@asynccontextmanager
async def proxy(target: str) -> AsyncIterator[Proxy]:
    async with ClientSession() as session:
        made = Proxy(target, session)
        server = await asyncio.start_server(made.treat, "127.0.0.1", 0)
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield made
        finally:
            server.close()
