"""OpenAI's protocol over HTTP; streams and a real model are in tests/llm."""

from pathlib import Path
from typing import Any

import pytest

from tests.python.node.asking import OPERATOR, Watched
from tests.python.node.conftest import RunNode
from tests.python.runtimes import graphs
from vouch.runtimes.derive import manifest_from_onnx
from vouch.runtimes.echo import EchoRuntime
from vouch.runtimes.onnx import OnnxRuntime

CHAT = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}


async def test_chat(run_node: RunNode) -> None:
    async with run_node(EchoRuntime()) as client:
        reply = await client.post("/v1/chat/completions", json=CHAT)
    assert reply.status_code == 200
    assert reply.json()["model"] == "echo"
    assert reply.json()["choices"][0]["message"]["content"] == "hello"


async def test_models_lists_text_models_only(run_node: RunNode, tmp_path: Path) -> None:
    path = graphs.layers(tmp_path / "layers.onnx")
    async with run_node(EchoRuntime(), OnnxRuntime(path, manifest_from_onnx(path, "layers"))) as client:
        listed = (await client.get("/v1/models")).json()
        assert listed == {
            "object": "list",
            "data": [{"id": "echo", "object": "model", "created": 0, "owned_by": OPERATOR}],
        }
        reply = await client.post("/v1/chat/completions", json=CHAT | {"model": "layers"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "WrongKind")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model": None}, 400, "MalformedBody"),
        ({"messages": "hi"}, 400, "MalformedBody"),
        ({"messages": []}, 400, "MalformedBody"),
        ({"model": "none"}, 404, "UnknownModel"),
        ({"messages": [{"role": "user"}]}, 422, "ModelFailed"),
        ({"messages": ["hi"]}, 400, "MalformedBody"),
        ({"stream": True}, 422, "StreamingUnsupported"),
    ],
)
async def test_refusals(run_node: RunNode, change: dict[str, Any], status: int, code: str) -> None:
    async with run_node(EchoRuntime()) as client:
        reply = await client.post("/v1/chat/completions", json=CHAT | change)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["type"]) == (status, code, "invalid_request_error")
    assert error["message"]


async def test_defect_of_a_runtime_is_an_internal_error(
    run_node: RunNode, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Watched):
        async def chat(self, body: Any, /) -> dict[str, Any]:
            raise ZeroDivisionError("secret")

    async with run_node(Broken()) as client:
        reply = await client.post("/v1/chat/completions", json=CHAT | {"model": "watched"})
    assert (reply.status_code, reply.json()["error"]["type"]) == (500, "server_error")
    assert "secret" not in reply.text
    assert "ZeroDivisionError: secret" in caplog.text
