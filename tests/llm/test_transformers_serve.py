"""The openai runtime and a node before a real model server: `transformers serve` on a tiny random Llama."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.python.node.asking import CHAIN_ID, HUB, KEY, OPERATOR, body
from vouch.node.config import NodeConfig
from vouch.node.service import serve
from vouch.protocol.claim import Claim
from vouch.protocol.manifest import Artefact, Limits, Manifest
from vouch.protocol.seal import Seal, recover_signer
from vouch.runtimes.base import ModelFailed, RuntimeUnavailable
from vouch.runtimes.openai import OpenAiRuntime
from vouch.web.ports import free_port

REPO = Path(__file__).parents[2]
ENVIRONMENT = REPO / ".venv-llm"
START_SECONDS = 90
PROMPT = "What is the risk of this loan?"
MESSAGES = [{"role": "user", "content": PROMPT}]

pytestmark = [
    pytest.mark.llm,
    pytest.mark.skipif(
        not (ENVIRONMENT / "bin/transformers").exists(), reason="no .venv-llm: run scripts/test --llm"
    ),
]


@dataclass(frozen=True)
class ModelServer:
    url: str
    model: str
    process: asyncio.subprocess.Process


def environment(home: Path) -> dict[str, str]:
    # The server lists what is in the cache of the hub, and fails without one.
    (home / "hub").mkdir(parents=True)
    return {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ModelServer]:
    directory = tmp_path_factory.mktemp("llm")
    model, log, settings = directory / "tiny", directory / "log", environment(directory / "home")
    made = await asyncio.create_subprocess_exec(
        ENVIRONMENT / "bin/python", REPO / "scripts/make_tiny_llama.py", model,
        env=settings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await made.communicate()
    assert made.returncode == 0, said.decode()

    port = free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            ENVIRONMENT / "bin/transformers", "serve", model, "--host", "127.0.0.1", "--port", str(port),
            "--device", "cpu", env=settings, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        await answers(url, process, log)
        yield ModelServer(url, str(model), process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def answers(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while process.returncode is None:
            try:
                if (await client.get(f"{url}/health")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    pytest.fail(f"transformers serve ended with {process.returncode}:\n{read(log)}")


def read(path: Path) -> str:
    return path.read_text()


def manifest(server: ModelServer, max_tokens: int = 12, **changes: Any) -> Manifest:
    return Manifest(
        "tiny",
        "text",
        Artefact("openai", model=server.model),
        Limits(4096),
        parameters={"temperature": 0, "seed": 0, "max_tokens": max_tokens},
        **changes,
    )


@asynccontextmanager
async def opened(server: ModelServer, timeout: float = 60, **changes: Any) -> AsyncIterator[OpenAiRuntime]:
    runtime = OpenAiRuntime(server.url, manifest(server, **changes), timeout=timeout)
    try:
        yield runtime
    finally:
        await runtime.aclose()


@asynccontextmanager
async def node(server: ModelServer, journal: Path) -> AsyncIterator[httpx.AsyncClient]:
    runtime = OpenAiRuntime(server.url, manifest(server))
    config = NodeConfig((("tiny", runtime),), journal, KEY, port=0)
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(config, ready=url.set_result, stop=stop))
        async with httpx.AsyncClient(base_url=await url, timeout=60, trust_env=False) as client:
            yield client
        stop.set()


async def direct(server: ModelServer, messages: list[dict[str, str]]) -> str:
    """What the server itself says, without any of our code."""
    asked = {"model": server.model, "messages": messages, "temperature": 0, "seed": 0, "max_tokens": 12}
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        reply = await client.post(f"{server.url}/v1/chat/completions", json=asked)
    return str(reply.raise_for_status().json()["choices"][0]["message"]["content"])


async def test_runtime_says_what_the_server_says(server: ModelServer) -> None:
    async with opened(server) as runtime:
        await runtime.verify_artefact()
        said = await runtime.run(PROMPT.encode())
        assert said
        assert said.decode() == await direct(server, MESSAGES)
        assert await runtime.run(PROMPT.encode()) == said
        assert await runtime.run(b"Is this message spam?") != said


async def test_messages(server: ModelServer) -> None:
    messages = [{"role": "system", "content": "Be brief."}, *MESSAGES]
    async with opened(server, prompt="messages") as runtime:
        said = await runtime.run(json.dumps({"messages": messages}).encode())
    assert said.decode() == await direct(server, messages)


async def test_max_tokens_of_the_manifest_hold(server: ModelServer) -> None:
    async with opened(server, max_tokens=1) as short, opened(server, max_tokens=12) as long:
        one, twelve = await short.run(PROMPT.encode()), await long.run(PROMPT.encode())
    assert len(one) < len(twelve)


async def test_what_the_server_refuses_is_final(server: ModelServer) -> None:
    refused = Manifest(
        "tiny", "text", Artefact("openai", model=server.model), Limits(99), parameters={"bogus": 1}
    )
    runtime = OpenAiRuntime(server.url, refused)
    with pytest.raises(ModelFailed, match="bogus"):
        await runtime.run(PROMPT.encode())
    await runtime.aclose()


async def test_server_that_stands_still_is_retryable(server: ModelServer) -> None:
    async with opened(server, timeout=0.5) as hasty, opened(server) as patient:
        server.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(RuntimeUnavailable):
                await hasty.run(PROMPT.encode())
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert (await patient.run(PROMPT.encode())).decode() == await direct(server, MESSAGES)


async def test_node_speaks_openai(server: ModelServer, tmp_path: Path) -> None:
    asked = {"model": "tiny", "messages": MESSAGES, "temperature": 0, "max_tokens": 12}
    async with node(server, tmp_path / "journal") as client:
        assert [model["id"] for model in (await client.get("/v1/models")).json()["data"]] == ["tiny"]
        reply = (await client.post("/v1/chat/completions", json=asked)).json()
        said = reply["choices"][0]["message"]["content"]
        assert (reply["model"], said) == ("tiny", await direct(server, MESSAGES))

        streamed: list[str] = []
        async with client.stream("POST", "/v1/chat/completions", json=asked | {"stream": True}) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            async for line in stream.aiter_lines():
                if line.startswith("data: {"):
                    delta = json.loads(line.removeprefix("data: "))["choices"][0]["delta"]
                    streamed.append(delta.get("content") or "")
        assert "".join(streamed) == said
        assert len(streamed) > 2

        refused = await client.post("/v1/chat/completions", json=asked | {"bogus": 1})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "ModelFailed")


async def test_node_seals_what_the_model_says(server: ModelServer, tmp_path: Path) -> None:
    model_id = manifest(server).model_id
    asked = body(PROMPT.encode(), model_id)
    async with node(server, tmp_path / "journal") as client:
        assert (await client.get("/v2/health/ready")).status_code == 200
        reply = (await client.post("/vouch/v1/answers", json=asked)).json()
        again = (await client.post("/vouch/v1/answers", json=asked)).json()
        text = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [PROMPT]}
        tensor = (await client.post("/v2/models/tiny/infer", json={"inputs": [text]})).json()["outputs"][0]
    parts = [
        bytes.fromhex(reply["claim"][name][2:])
        for name in ("requestId", "modelId", "inputHash", "outputHash")
    ]
    claim = Claim(parts[0], parts[1], parts[2], parts[3], OPERATOR)
    said = bytes.fromhex(reply["output"][2:]).decode()
    assert said == await direct(server, MESSAGES) == tensor["data"][0]
    assert claim.model_id == model_id
    assert recover_signer(Seal.parse(bytes.fromhex(reply["seal"][2:])), claim, CHAIN_ID, HUB) == OPERATOR
    assert {**again, "elapsedMs": 0} == {**reply, "elapsedMs": 0}
