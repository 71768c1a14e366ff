from collections.abc import AsyncIterator

import pytest

from tests.python.node.asking import body
from tests.python.node.conftest import RunNode
from vouch.runtimes.echo import EchoRuntime, echo_manifest


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 100):
        yield b"x" * 100


async def test_announced_length_beyond_the_limit(run_node: RunNode) -> None:
    async with run_node(EchoRuntime(), max_body_bytes=1000) as client:
        reply = await client.post("/vouch/v1/answers", content=b"x" * 1001)
    error = reply.json()["error"]
    assert (reply.status_code, error["name"]) == (413, "BodyTooLarge")
    assert error["details"] == {"received": 1001, "limit": 1000}


async def test_length_that_is_not_announced(run_node: RunNode) -> None:
    async with run_node(EchoRuntime(), max_body_bytes=1000) as client:
        reply = await client.post("/vouch/v1/answers", content=in_pieces(2000))
        assert (reply.status_code, reply.json()["error"]["name"]) == (413, "BodyTooLarge")
        reply = await client.post("/vouch/v1/answers", content=in_pieces(1000))
        assert (reply.status_code, reply.json()["error"]["name"]) == (400, "MalformedBody")


async def test_body_at_the_limit_is_taken(run_node: RunNode) -> None:
    asked = body(b"x" * 10_000, echo_manifest().model_id)
    async with run_node(EchoRuntime()) as client:
        content = client.build_request("POST", "/vouch/v1/answers", json=asked).content
    async with run_node(EchoRuntime(), max_body_bytes=len(content)) as client:
        assert (await client.post("/vouch/v1/answers", content=content)).status_code == 200


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"1", b'"text"', b"null", b'{"a": Infinity}', b"\xff\xfe", b'{"a":' * 100_000],
)
async def test_what_is_no_json_object(run_node: RunNode, content: bytes) -> None:
    async with run_node(EchoRuntime()) as client:
        reply = await client.post("/vouch/v1/answers", content=content)
    assert (reply.status_code, reply.json()["error"]["name"]) == (400, "MalformedBody")
