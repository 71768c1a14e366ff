"""Against a real HTTP server that answers what a test tells it; the real model server is in tests/llm."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.support.server import listening
from vouch.protocol.manifest import Artefact, Limits, Manifest
from vouch.protocol.text import NotJson, NotUtf8
from vouch.runtimes.base import (
    ArtefactChanged,
    ModelFailed,
    RuntimeUnavailable,
    StreamingUnsupported,
    TextRuntime,
)
from vouch.runtimes.openai import OpenAiRuntime

MODEL = "meta/tiny"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def completion(content: object) -> web.Response:
    return web.json_response(
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]}
    )


@dataclass
class Upstream:
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    listed: Any = field(default_factory=lambda: {"object": "list", "data": [{"id": MODEL}]})

    async def reply(self, request: web.Request) -> web.StreamResponse:
        return completion("hello")

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        return await self.reply(request)

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response(self.listed)


@pytest_asyncio.fixture(loop_scope="session")
async def upstream() -> AsyncIterator[Upstream]:
    made = Upstream()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", made.chat)
    app.router.add_get("/v1/models", made.models)
    async with listening(app) as made.url:
        yield made


def manifest(**changes: Any) -> Manifest:
    return Manifest("tiny", "text", Artefact("openai", model=MODEL), Limits(100), **changes)


@pytest_asyncio.fixture(loop_scope="session")
async def start(upstream: Upstream) -> AsyncIterator[Callable[..., OpenAiRuntime]]:
    made: list[OpenAiRuntime] = []

    def start(
        path: str = "", api_key: str | None = None, timeout: float = 5, **changes: Any
    ) -> OpenAiRuntime:
        made.append(OpenAiRuntime(upstream.url + path, manifest(**changes), api_key, timeout=timeout))
        return made[-1]

    yield start
    for runtime in made:
        await runtime.aclose()


def respond(upstream: Upstream, make: Callable[[], web.StreamResponse]) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        return make()

    upstream.reply = reply  # type: ignore[method-assign]


def deep() -> web.Response:
    return web.Response(body=b"[" * 100_000, content_type="application/json")


async def test_a_reply_nested_without_end_is_trouble_of_the_server(
    upstream: Upstream, start: Callable[..., OpenAiRuntime]
) -> None:
    respond(upstream, deep)
    with pytest.raises(RuntimeUnavailable, match="nested deeper"):
        await start().run(b"hello")


async def test_a_refusal_nested_without_end_is_shown_as_text(
    upstream: Upstream, start: Callable[..., OpenAiRuntime]
) -> None:
    respond(upstream, lambda: web.Response(body=b"[" * 100_000, status=400))
    with pytest.raises(ModelFailed, match=r"answered 400: \[\["):
        await start().run(b"hello")


async def test_messages_nested_without_end_are_no_input(start: Callable[..., OpenAiRuntime]) -> None:
    with pytest.raises(NotJson, match="nested deeper"):
        await start(prompt="messages").run(b'{"messages":' * 100_000)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
async def test_text_is_one_user_message_with_fixed_sampling(
    upstream: Upstream, start: Callable[..., OpenAiRuntime], path: str
) -> None:
    assert await start(path).run("héllo?".encode()) == b"hello"
    assert upstream.bodies == [
        {
            "model": MODEL,
            "messages": [{"role": "user", "content": "héllo?"}],
            "temperature": 0,
            "seed": 0,
            "stream": False,
        }
    ]
    assert "Authorization" not in upstream.headers[0]


async def test_parameters_of_the_manifest_win(
    upstream: Upstream, start: Callable[..., OpenAiRuntime]
) -> None:
    await start(parameters={"seed": 7, "max_tokens": 5}).run(b"hi")
    sent = upstream.bodies[0]
    assert (sent["seed"], sent["max_tokens"], sent["temperature"]) == (7, 5, 0)


async def test_api_key(upstream: Upstream, start: Callable[..., OpenAiRuntime]) -> None:
    await start(api_key="secret").run(b"hi")
    assert upstream.headers[0]["Authorization"] == "Bearer secret"


async def test_messages_when_the_manifest_says_so(
    upstream: Upstream, start: Callable[..., OpenAiRuntime]
) -> None:
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
    await start(prompt="messages").run(json.dumps({"messages": messages}).encode())
    assert upstream.bodies[0]["messages"] == messages


async def test_json_is_plain_text_when_the_manifest_says_text(
    upstream: Upstream, start: Callable[..., OpenAiRuntime]
) -> None:
    await start().run(b'{"messages": []}')
    assert upstream.bodies[0]["messages"] == [{"role": "user", "content": '{"messages": []}'}]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"hi", NotJson),
        (b"{}", ModelFailed),
        (b'{"messages": []}', ModelFailed),
        (b'{"messages": [{}], "temperature": 2}', ModelFailed),
        (b"\xff", NotUtf8),
    ],
)
async def test_input_that_is_no_messages_never_reaches_the_server(
    upstream: Upstream, start: Callable[..., OpenAiRuntime], data: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await start(prompt="messages").run(data)
    assert not upstream.bodies


async def test_input_that_is_not_utf8(start: Callable[..., OpenAiRuntime]) -> None:
    with pytest.raises(NotUtf8):
        await start().run(b"\xff")


async def test_answer_without_text(upstream: Upstream, start: Callable[..., OpenAiRuntime]) -> None:
    respond(upstream, lambda: completion(None))
    with pytest.raises(ModelFailed, match="without text"):
        await start().run(b"hi")


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 502, 503])
async def test_statuses_that_are_not_about_the_question_are_retryable(
    upstream: Upstream, start: Callable[..., OpenAiRuntime], status: int
) -> None:
    respond(upstream, lambda: web.json_response({"error": {"message": "not now"}}, status=status))
    with pytest.raises(RuntimeUnavailable, match=f"{status}: not now"):
        await start().run(b"hi")


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_refused_questions_are_final(
    upstream: Upstream, start: Callable[..., OpenAiRuntime], status: int
) -> None:
    respond(upstream, lambda: web.json_response({"detail": "too many tokens"}, status=status))
    with pytest.raises(ModelFailed, match="too many tokens"):
        await start().run(b"hi")


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"choices": []}', '{"choices": [{"text": "old"}]}'])
async def test_answers_of_another_protocol(
    upstream: Upstream, start: Callable[..., OpenAiRuntime], body: str
) -> None:
    respond(upstream, lambda: web.Response(text=body, content_type="application/json"))
    with pytest.raises(RuntimeUnavailable):
        await start().run(b"hi")


async def test_slow_server(upstream: Upstream, start: Callable[..., OpenAiRuntime]) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return completion("late")

    upstream.reply = reply  # type: ignore[method-assign]
    with pytest.raises(RuntimeUnavailable, match="imeout"):
        await start(timeout=0.1).run(b"hi")


async def test_server_that_hangs_up(upstream: Upstream, start: Callable[..., OpenAiRuntime]) -> None:
    async def reply(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return completion("never")

    upstream.reply = reply  # type: ignore[method-assign]
    with pytest.raises(RuntimeUnavailable):
        await start().run(b"hi")


async def test_server_that_is_down(unused_tcp_port: int) -> None:
    runtime = OpenAiRuntime(f"http://127.0.0.1:{unused_tcp_port}", manifest())
    for call in (runtime.run(b"hi"), runtime.verify_artefact()):
        with pytest.raises(RuntimeUnavailable, match="try again"):
            await call
    await runtime.aclose()


async def test_verify(upstream: Upstream, start: Callable[..., OpenAiRuntime]) -> None:
    runtime = start()
    await runtime.verify_artefact()
    upstream.listed = {"data": []}
    await runtime.verify_artefact()
    upstream.listed = {"data": [{"id": "other"}]}
    with pytest.raises(ArtefactChanged) as changed:
        await runtime.verify_artefact()
    assert (changed.value.received, changed.value.expected) == ("other", MODEL)
    upstream.listed = {"models": []}
    with pytest.raises(RuntimeUnavailable):
        await runtime.verify_artefact()


async def test_stream_is_passed_on(upstream: Upstream, start: Callable[..., OpenAiRuntime]) -> None:
    events = [b'data: {"choices": []}\n\n', b"data: [DONE]\n\n"]

    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await response.write(event)
        return response

    upstream.reply = reply  # type: ignore[method-assign]
    async with aclosing(start().stream({"messages": []})) as stream:
        assert b"".join([event async for event in stream]) == b"".join(events)
    assert upstream.bodies[0]["stream"] is True


async def test_server_that_does_not_stream(upstream: Upstream, start: Callable[..., OpenAiRuntime]) -> None:
    with pytest.raises(StreamingUnsupported):
        await anext(start().stream({"messages": []}))


async def test_works_again_after_it_was_closed(start: Callable[..., OpenAiRuntime]) -> None:
    runtime = start()
    assert isinstance(runtime, TextRuntime)
    assert await runtime.run(b"hi") == b"hello"
    await runtime.aclose()
    assert await runtime.run(b"hi") == b"hello"
