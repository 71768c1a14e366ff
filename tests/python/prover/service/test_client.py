import asyncio
from typing import Any

import pytest
from aiohttp import web

from tests.python.prover.service.asking import task
from tests.support.server import listening
from vouch.prover.service.client import ProverClient, ProverRefused, ProverUnavailable
from vouch.prover.service.task import ProofState, ProofStatus
from vouch.prover.service.wire import status_json, task_json

GOOD = status_json(ProofStatus(task().id, ProofState.QUEUED, 1))


def answering(body: Any, status: int = 200) -> web.Application:
    """Gives the same answer to everything."""

    async def answer(_: web.Request) -> web.Response:
        if isinstance(body, bytes):
            return web.Response(body=body, status=status)
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def error(name: str, *, retryable: bool = False) -> dict[str, Any]:
    return {"error": {"name": name, "message": "because", "details": {}, "retryable": retryable}}


async def test_a_status() -> None:
    async with listening(answering(GOOD)) as url, ProverClient(url + "/") as client:
        assert await client.submit(task()) == ProofStatus(task().id, ProofState.QUEUED, 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (error("QueueFull", retryable=True), 503),
        (error("InternalError"), 500),
        (error("NotAuthorised"), 401),
        (b"<html>", 502),
        (b"<html>", 200),
        ([], 500),
        ({}, 200),
        (GOOD | {"state": "done"}, 200),
        (GOOD | {"id": "00" * 32}, 200),
    ],
)
async def test_it_may_work_later(body: Any, status: int) -> None:
    async with listening(answering(body, status)) as url, ProverClient(url) as client:
        with pytest.raises(ProverUnavailable):
            await client.submit(task())


@pytest.mark.parametrize(
    ("status", "name"), [(404, "UnknownCircuit"), (422, "OutputMismatch"), (400, "BadTask")]
)
async def test_it_never_will(status: int, name: str) -> None:
    async with listening(answering(error(name), status)) as url, ProverClient(url) as client:
        with pytest.raises(ProverRefused, match="because") as refused:
            await client.submit(task())
    assert refused.value.name == name


async def test_a_seal_that_was_refused_is_said_in_the_task() -> None:
    seen = []

    async def answer(http: web.Request) -> web.Response:
        seen.append(await http.json())
        return web.json_response(GOOD)

    app = web.Application()
    app.router.add_post("/vouch/v1/proofs", answer)
    async with listening(app) as url, ProverClient(url) as client:
        await client.submit(task())
        await client.submit(task(), again=True)
    assert seen == [task_json(task()), task_json(task()) | {"again": True}]


async def test_what_is_valid() -> None:
    async with listening(answering({"valid": task().id})) as url, ProverClient(url) as client:
        await client.validate(task())


@pytest.mark.parametrize("body", [{}, [], {"valid": True}, {"valid": "00" * 32}])
async def test_what_says_nothing_about_it(body: Any) -> None:
    async with listening(answering(body)) as url, ProverClient(url) as client:
        with pytest.raises(ProverUnavailable, match="makes no sense"):
            await client.validate(task())


async def test_what_is_not_valid() -> None:
    async with listening(answering(error("OutputMismatch"), 422)) as url, ProverClient(url) as client:
        with pytest.raises(ProverRefused, match="OutputMismatch"):
            await client.validate(task())


async def test_an_info_without_sense() -> None:
    async with listening(answering({"models": [{}]})) as url, ProverClient(url) as client:
        with pytest.raises(ProverUnavailable, match="makes no sense"):
            await client.info()


async def test_nobody_listens() -> None:
    async with listening(answering(GOOD)) as url:
        pass
    async with ProverClient(url) as client:
        with pytest.raises(ProverUnavailable, match="Connect"):
            await client.get("00")


async def test_no_answer_in_time() -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    app = web.Application()
    app.router.add_get("/vouch/v1/info", silent)
    async with listening(app) as url, ProverClient(url, timeout=0.1) as client:
        with pytest.raises(ProverUnavailable, match="Timeout"):
            await client.info()


async def test_the_token_is_sent() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("authorization"))
        return web.json_response(GOOD)

    app = web.Application()
    app.router.add_get("/vouch/v1/proofs/{id}", answer)
    async with listening(app) as url:
        for token in ("secret", None):
            async with ProverClient(url, token) as client:
                await client.get("00")
    assert seen == ["Bearer secret", None]


async def test_outside_of_its_context() -> None:
    with pytest.raises(RuntimeError, match="context manager"):
        await ProverClient("http://127.0.0.1:9").info()
