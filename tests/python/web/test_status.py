from typing import Any

import httpx
from aiohttp import web

from vouch.web.status import StatusServer


async def test_ok_decides_the_status_and_all_is_told_either_way() -> None:
    report: dict[str, Any] = {"ok": True, "head": 7}
    async with (
        StatusServer(lambda: report, "127.0.0.1", 0) as url,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        reply = await http.get(f"{url}/healthz")
        assert (reply.status_code, reply.json()) == (200, report)
        report["ok"] = False
        reply = await http.get(f"{url}/healthz")
        assert (reply.status_code, reply.json()) == (503, report)


async def test_other_pages_are_served_beside_it() -> None:
    async def page(http: web.Request) -> web.Response:
        return web.json_response({"asked": http.match_info["name"]})

    pages = [web.get("/things/{name}", page)]
    async with (
        StatusServer(lambda: {"ok": True}, "127.0.0.1", 0, pages) as url,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        assert (await http.get(f"{url}/things/a")).json() == {"asked": "a"}
        assert (await http.get(f"{url}/healthz")).status_code == 200
        assert (await http.get(f"{url}/elsewhere")).status_code == 404
