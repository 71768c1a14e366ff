"""Watching through a chain's node that lags, or is away: no lie is missed, and nothing is taken for one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.e2e.relayer_proxy import Call, Meddle, Proxy
from tests.e2e.watch_world import QUICK, World, until, world
from tests.support.server import listening
from vouch.protocol.status import Status
from vouch.watcher.finding import Kind


@asynccontextmanager
async def proxy(w: World, meddle: Meddle = lambda _, answer: answer) -> AsyncIterator[tuple[str, Proxy]]:
    handler = Proxy(w.anvil.http_url, meddle)
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/", handler.handle)
    async with listening(app) as url:
        yield url, handler


async def test_a_node_that_lags_behind_its_own_head_hides_no_lie(tmp_path: Path) -> None:
    def lag(call: Call, answer: Any) -> Any:
        ranged = call["method"] == "eth_getLogs" and "fromBlock" in call["params"][0]
        return {**answer, "result": []} if ranged else answer

    async with world(tmp_path) as w, proxy(w, lag) as (rpc, handler):
        async with w.watcher(w.config(rpc_url=rpc)) as watched:
            request = await w.deliver(await w.ask(), w.moved(0.2))
            await watched.said(Kind.CHALLENGE, request)
        assert handler.meddled > 0


async def test_a_node_that_is_away_is_waited_for(tmp_path: Path) -> None:
    async with world(tmp_path) as w, proxy(w) as (rpc, handler):
        async with w.watcher(w.config(rpc_url=rpc, ws_url=None)) as watched:
            terms = await w.ask()
            handler.away = True
            await until(lambda: _ok(watched.watcher.report(), False))
            request = await w.deliver(terms, w.moved(0.2))
            await asyncio.sleep(5 * QUICK.poll)
            assert not watched.findings
            handler.away = False
            await watched.said(Kind.CHALLENGE, request)
            await until(lambda: _ok(watched.watcher.report(), True))


async def test_a_send_whose_answer_was_lost_puts_up_one_bond(tmp_path: Path) -> None:
    lost: list[Call] = []

    def lose(call: Call, answer: Any) -> Any:
        if call["method"].startswith("eth_sendRawTransaction") and not lost:
            lost.append(call)
            return {}  # no JSON-RPC answer at all
        return answer

    async with world(tmp_path) as w, proxy(w, lose) as (rpc, _):
        async with w.watcher(w.config(rpc_url=rpc)) as watched:
            request = await w.deliver(await w.ask(), w.moved(0.2))
            await until(lambda: w.has(request, Status.CHALLENGED))
            await w.later(3601)
            await watched.said(Kind.WON, request)
        assert lost
        assert await w.sent(w.account) == 2


async def _ok(report: dict[str, Any], ok: bool) -> bool:
    return bool(report["ok"]) is ok
