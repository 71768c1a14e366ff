"""OpenAI's chat completions for text models, passed through to the model's server; not sealed."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from vouch.node.served import Served
from vouch.web.body import read_json
from vouch.web.errors import MalformedBody


async def chat_completions(request: Request) -> Response:
    """POST /v1/chat/completions, streamed as server-sent events when the body says so."""
    served = Served.of(request)
    body = await read_json(request, served.config.max_body_bytes)
    name, messages = body.get("model"), body.get("messages")
    if not isinstance(name, str):
        raise MalformedBody("model", repr(name), "the name of a served model")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise MalformedBody("messages", repr(messages)[:80], "a list of at least one message")
    runtime = served.text_model(name)
    if body.get("stream"):
        events = runtime.stream(body)
        # The first event is awaited here, so that a refusal still has its status.
        first = await anext(events, b"")
        return StreamingResponse(_chain(first, events), media_type="text/event-stream")
    return JSONResponse({**await runtime.chat(body), "model": name})


async def models(request: Request) -> JSONResponse:
    """GET /v1/models: the text models."""
    config = Served.of(request).config
    listed = [
        {"id": name, "object": "model", "created": 0, "owned_by": config.operator or "vouch"}
        for name, runtime in config.models
        if runtime.manifest.kind == "text"
    ]
    return JSONResponse({"object": "list", "data": listed})


routes = [
    Route("/v1/chat/completions", chat_completions, methods=["POST"]),
    Route("/v1/models", models, methods=["GET"]),
]


async def _chain(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield first
        async for event in rest:
            yield event
