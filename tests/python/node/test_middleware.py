import asyncio

import pytest

from tests.python.node.asking import Watched, body
from tests.python.node.conftest import RunNode
from vouch.runtimes.echo import EchoRuntime, echo_manifest

ASKED = body(b"hello", echo_manifest().model_id)


@pytest.mark.parametrize(
    "given", [None, "Bearer wrong", "secret", "bearer secret", "Bearer secret2", "Bearer"]
)
async def test_without_the_token(run_node: RunNode, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given}
    async with run_node(EchoRuntime(), token="secret") as client:
        reply = await client.post("/vouch/v1/answers", json=ASKED, headers=headers)
        assert (reply.status_code, reply.json()["error"]["name"]) == (401, "NotAuthorised")
        assert reply.headers["www-authenticate"] == "Bearer"
        assert (await client.get("/vouch/v1/info", headers=headers)).status_code == 401
        assert (await client.get("/v2/health/ready", headers=headers)).status_code == 200


async def test_with_the_token(run_node: RunNode) -> None:
    async with run_node(EchoRuntime(), token="secret") as client:
        reply = await client.post("/vouch/v1/answers", json=ASKED, headers={"authorization": "Bearer secret"})
    assert reply.status_code == 200


async def test_all_places_taken(run_node: RunNode) -> None:
    runtime = Watched()
    model = runtime.manifest.model_id
    runtime.go.clear()
    async with run_node(runtime, concurrency=2) as client:
        asking = [
            asyncio.create_task(client.post("/vouch/v1/answers", json=body(b"hello", model, salt=salt)))
            for salt in range(2)
        ]
        async with asyncio.timeout(30):
            for _ in asking:
                await runtime.begun.acquire()
        refused = await client.post("/vouch/v1/answers", json=body(b"hello", model, salt=2))
        error = refused.json()["error"]
        assert (refused.status_code, error["name"], error["retryable"]) == (503, "Overloaded", True)
        assert (error["details"], refused.headers["retry-after"]) == ({"limit": 2}, "1")
        assert (await client.get("/v2/health/live")).status_code == 200
        assert (await client.get("/vouch/v1/info")).status_code == 200

        runtime.go.set()
        assert [reply.status_code for reply in await asyncio.gather(*asking)] == [200, 200]
        again = await client.post("/vouch/v1/answers", json=body(b"hello", model, salt=2))
        assert again.status_code == 200
