import json

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from vouch.protocol.errors import VouchError
from vouch.web.body import read_json
from vouch.web.replies import on_bug, on_http_error, on_vouch_error

LIMIT = 100


async def echo(request: Request) -> JSONResponse:
    return JSONResponse(await read_json(request, LIMIT))


async def bug(_: Request) -> JSONResponse:
    raise RuntimeError("a secret of the machine")


APP = Starlette(
    routes=[Route("/", echo, methods=["POST"]), Route("/bug", bug)],
    exception_handlers={VouchError: on_vouch_error, 404: on_http_error, Exception: on_bug},
)


async def post(content: bytes) -> httpx.Response:
    transport = httpx.ASGITransport(APP, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        return await client.post("/", content=content)


async def test_an_object() -> None:
    assert (await post(b'{"a": [1]}')).json() == {"a": [1]}
    assert (await post(b"{" + b" " * (LIMIT - 2) + b"}")).json() == {}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"1", b'{"a": NaN}', b'{"a": -Infinity}', b"\xff", b"[" * 90]
)
async def test_no_object(content: bytes) -> None:
    reply = await post(content)
    error = reply.json()["error"]
    assert (reply.status_code, error["name"], error["retryable"]) == (400, "MalformedBody", False)
    assert error["details"]["field"] == "body"


async def test_too_large_as_announced() -> None:
    reply = await post(b"{" + b" " * LIMIT + b"}")
    assert (reply.status_code, reply.json()["error"]["details"]) == (413, {"received": 102, "limit": LIMIT})


async def test_too_large_without_a_word_before() -> None:
    sent = 0

    async def receive() -> dict[str, object]:
        nonlocal sent
        sent += 1
        return {"type": "http.request", "body": b" " * 60, "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    with pytest.raises(VouchError, match="at least 120 bytes, at most 100"):
        await read_json(Request(scope, receive), LIMIT)
    # Not read to its end, which may never come.
    assert sent == 2


async def test_a_defect_tells_nothing() -> None:
    transport = httpx.ASGITransport(APP, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        reply = await client.get("/bug")
        missing = await client.get("/nothing")
    assert (reply.status_code, reply.json()["error"]["name"]) == (500, "InternalError")
    assert "secret" not in json.dumps(reply.json())
    assert (missing.status_code, missing.json()["error"]["name"]) == (404, "HttpError")
