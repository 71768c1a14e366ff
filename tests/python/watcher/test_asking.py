"""Asking an operator's node, which may say anything."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from tests.python.watcher.making import CHAIN_ID, HUB, OUTPUT, QUESTION, make_terms, signature
from tests.support.server import listening
from vouch.protocol.request import Request
from vouch.protocol.seal import SIGNED
from vouch.watcher.asking import Asking
from vouch.watcher.errors import NotNow

TERMS = make_terms()
SIGNATURE = signature(TERMS)
GOOD = {"output": f"0x{OUTPUT.hex()}", "signature": f"0x{SIGNATURE.hex()}", "seal": None}


async def asked(reply: Callable[[], web.Response], path: str = "", timeout: float = 5.0) -> object:
    """What comes of asking a node that answers so."""
    seen: list[dict[str, Any]] = []

    async def answer(http: web.Request) -> web.Response:
        seen.append(json.loads(await http.read()))
        return reply()

    async def other(_: web.Request) -> web.Response:
        return web.json_response(GOOD)

    app = web.Application()
    app.router.add_post("/node/vouch/v1/answers", answer)
    app.router.add_post("/other", other)
    async with listening(app) as url, Asking(CHAIN_ID, HUB, timeout) as asking:
        said = await asking.ask(f"{url}/node{path}", TERMS, QUESTION)
    (question,) = seen
    assert (question["chainId"], question["hub"]) == (CHAIN_ID, HUB)
    assert Request.from_bytes(bytes.fromhex(question["terms"][2:])) == TERMS
    assert question["input"] == f"0x{QUESTION.hex()}"
    return said


@pytest.mark.parametrize("path", ["", "/"])
async def test_output_and_signature_come_back_as_they_are(path: str) -> None:
    assert await asked(lambda: web.json_response(GOOD), path) == (OUTPUT, SIGNATURE)


async def test_a_seal_of_the_signed_route_is_a_signature_too() -> None:
    seal = f"0x{(SIGNED + SIGNATURE).hex()}"
    old = {"output": GOOD["output"], "seal": seal}
    assert await asked(lambda: web.json_response(old)) == (OUTPUT, SIGNATURE)
    other = {"output": GOOD["output"], "seal": f"0x{(b'QRUM' + SIGNATURE).hex()}"}
    assert await asked(lambda: web.json_response(other)) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"output": 1, "signature": "0x"}',
        b'{"output": "0x0", "signature": "0x"}',
        b'{"output": "0x00", "signature": []}',
        b'{"output": "0x00", "signature": null, "seal": null}',
    ],
)
async def test_nonsense_is_no_answer(body: bytes) -> None:
    assert await asked(lambda: web.Response(body=body)) is None


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    body = json.dumps(GOOD).encode()
    assert await asked(lambda: web.Response(body=body + b" " * ((1 << 20) - len(body)))) == (
        OUTPUT,
        SIGNATURE,
    )
    assert await asked(lambda: web.Response(body=body + b" " * (1 << 20))) is None


async def test_a_redirect_is_not_followed() -> None:
    there = {"location": "/other"}
    assert await asked(lambda: web.json_response(GOOD, status=307, headers=there)) is None


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_a_refusal_is_final(status: int) -> None:
    assert await asked(lambda: web.json_response(GOOD, status=status)) is None


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_busy_node_is_asked_later(status: int) -> None:
    with pytest.raises(NotNow, match=f"answered {status}"):
        await asked(lambda: web.json_response({}, status=status))


async def test_a_node_that_is_down_is_asked_later() -> None:
    async with Asking(CHAIN_ID, HUB, 1.0) as asking:
        with pytest.raises(NotNow, match=r"127\.0\.0\.1:9/vouch/v1/answers"):
            await asking.ask("http://127.0.0.1:9", TERMS, QUESTION)


@pytest.mark.parametrize("endpoint", ["", "file:///etc/passwd", "ftp://127.0.0.1", "127.0.0.1:8700"])
async def test_only_http_is_asked(endpoint: str) -> None:
    async with Asking(CHAIN_ID, HUB, 1.0) as asking:
        assert await asking.ask(endpoint, TERMS, QUESTION) is None
