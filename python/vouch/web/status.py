"""A small server for those who run a service: /healthz over HTTP, and what else there is to see."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from aiohttp import web


class StatusServer:
    """`async with StatusServer(report, host, port) as url`; port 0 takes a free one.

    `report` gives the JSON-ready values of /healthz; its `ok` decides between 200 and 503. `pages` are served
    beside it.
    """

    def __init__(
        self, report: Callable[[], dict[str, Any]], host: str, port: int, pages: Iterable[web.RouteDef] = ()
    ) -> None:
        self._report, self._host, self._port = report, host, port
        app = web.Application()
        app.router.add_routes([web.get("/healthz", self._healthz), *pages])
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        report = self._report()
        return web.json_response(report, status=200 if report["ok"] else 503)
