"""What is no node, told from one; nodes that are nodes are in test_probes.py."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.support.server import listening
from vouch.cli.node_probe import NodeDown, node_info


@asynccontextmanager
async def serving(body: bytes, status: int = 200) -> AsyncIterator[str]:
    async def info(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    app = web.Application()
    app.router.add_get("/vouch/v1/info", info)
    async with listening(app) as url:
        yield url


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"<html>", 200, "Expecting value"),
        (b"[]", 200, "list indices"),
        (b'{"operator": null}', 200, "models"),
        (b"[" * 100_000, 200, "nested deeper"),
        (b"gone", 404, "HTTP 404: gone"),
    ],
)
async def test_a_server_that_is_no_node(body: bytes, status: int, reason: str) -> None:
    async with serving(body, status) as url:
        with pytest.raises(NodeDown, match=reason) as down:
            await node_info(url, None)
    assert down.value.url == url


async def test_a_node_without_operator_and_models() -> None:
    async with serving(b'{"operator": null, "models": []}') as url:
        found = await node_info(url + "/", "token")
    assert (found.operator, found.models) == (None, ())
