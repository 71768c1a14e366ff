import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from vouch.web.admission import Token


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def app(token: str | None) -> Starlette:
    return Starlette(
        routes=[Route("/health/live", hello), Route("/healthy", hello), Route("/other", hello)],
        middleware=[
            Middleware(
                Token,
                token=token,
                open_path="/health/",
                refusal=lambda path, error: PlainTextResponse(f"{path}: {error}", 401),
            )
        ],
    )


async def get(path: str, token: str | None, given: str | None) -> httpx.Response:
    headers = {} if given is None else {"authorization": given}
    transport = httpx.ASGITransport(app(token))
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    "given", [None, "Bearer wrong", "secret", "bearer secret", "Bearer secret2", "Bearer", "Bearer "]
)
async def test_without_the_token(given: str | None) -> None:
    reply = await get("/other", "secret", given)
    assert (reply.status_code, reply.text[:7]) == (401, "/other:")
    assert (await get("/healthy", "secret", given)).status_code == 401
    assert (await get("/health/live", "secret", given)).text == "hello"


async def test_with_the_token() -> None:
    assert (await get("/other", "secret", "Bearer secret")).text == "hello"


async def test_no_token_is_asked_for() -> None:
    assert (await get("/other", None, None)).text == "hello"
