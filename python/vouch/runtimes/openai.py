"""Text models behind any server that speaks OpenAI's chat completions (vLLM, transformers serve, ...)."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from vouch.protocol.manifest import Manifest
from vouch.protocol.nesting import loads_bounded
from vouch.protocol.text import decode_json, decode_text, encode_text
from vouch.runtimes.base import ArtefactChanged, ModelFailed, RuntimeUnavailable, StreamingUnsupported

# Not about this question: the server is busy, failing, or set up in another way than the node thinks.
_RETRYABLE = frozenset({401, 403, 404, 408, 425, 429})
_UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError)


class OpenAiRuntime:
    """One text model of an OpenAI-compatible server.

    base_url: of the server, with or without the closing /v1.
    The input is UTF-8 text, one user message, or JSON {"messages": [...]}, as the manifest's `prompt` says.
    Its parameters (temperature, seed, max_tokens, ...) go with every question; temperature and seed are 0
    unless it says otherwise.
    """

    def __init__(
        self, base_url: str, manifest: Manifest, api_key: str | None = None, *, timeout: float = 120
    ) -> None:
        root = base_url.rstrip("/")
        self._url = root if root.endswith("/v1") else root + "/v1"
        self._manifest = manifest
        self._model = manifest.artefact.model or manifest.name
        self._headers = {} if api_key is None else {"authorization": f"Bearer {api_key}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(5, timeout))
        self._session: aiohttp.ClientSession | None = None

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    async def run(self, data: bytes, /) -> bytes:
        """Raises RuntimeUnavailable, ModelFailed, NotUtf8, NotJson."""
        sampling = {"temperature": 0, "seed": 0, **self._manifest.parameters}
        reply = await self.chat({**sampling, "messages": self._messages(data)})
        content = reply["choices"][0]["message"].get("content")
        if not isinstance(content, str):
            raise ModelFailed(self._manifest.name, "it answered without text")
        return encode_text(content)

    async def chat(self, body: Mapping[str, Any], /) -> dict[str, Any]:
        """Raises RuntimeUnavailable, and ModelFailed when the server refuses the body."""
        async with self._post({**body, "stream": False}) as response:
            reply = await self._json(response)
        match reply:
            case {"choices": [{"message": {}}, *_]}:
                return reply
        raise RuntimeUnavailable(self._manifest.name, f"{self._url} answered without choices[0].message")

    async def stream(self, body: Mapping[str, Any], /) -> AsyncGenerator[bytes, None]:
        """Server-sent events as the server sends them. Raises what `chat` does, and StreamingUnsupported."""
        async with self._post({**body, "stream": True}) as response:
            if response.content_type != "text/event-stream":
                raise StreamingUnsupported(self._manifest.name)
            async for chunk in response.content.iter_any():
                yield chunk

    async def verify_artefact(self) -> None:
        """Raises RuntimeUnavailable if the server is down, ArtefactChanged if it serves other models only."""
        async with self._request("GET", "/models", None) as response:
            reply = await self._json(response)
        match reply:
            case {"data": [*listed]}:
                served = [str(model.get("id")) for model in listed if isinstance(model, dict)]
            case _:
                raise RuntimeUnavailable(self._manifest.name, f"{self._url}/models is no list of models")
        # Some servers load what is asked for and list nothing before.
        if served and self._model not in served:
            raise ArtefactChanged(self._url, ", ".join(served), self._model)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _messages(self, data: bytes) -> list[Any]:
        if self._manifest.prompt == "text":
            return [{"role": "user", "content": decode_text(data)}]
        match decode_json(data):
            case {"messages": [*messages], **rest} if messages and not rest:
                return messages
        raise ModelFailed(self._manifest.name, 'the input is not JSON {"messages": [...]}')

    @asynccontextmanager
    async def _post(self, body: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        async with self._request("POST", "/chat/completions", {**body, "model": self._model}) as response:
            yield response

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: dict[str, Any] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        url = self._url + path
        try:
            async with self._session.request(method, url, json=body) as response:
                if response.status >= 400:
                    reason = f"{url} answered {response.status}: {await _reason(response)}"
                    if response.status >= 500 or response.status in _RETRYABLE:
                        raise RuntimeUnavailable(self._manifest.name, reason)
                    raise ModelFailed(self._manifest.name, reason)
                yield response
        except _UNREACHABLE as error:
            raise RuntimeUnavailable(
                self._manifest.name, f"{url}: {str(error) or type(error).__name__}"
            ) from error

    async def _json(self, response: aiohttp.ClientResponse) -> dict[str, Any]:
        try:
            reply = loads_bounded(await response.read())
        except ValueError as error:
            raise RuntimeUnavailable(
                self._manifest.name, f"{response.url} answered no JSON: {error}"
            ) from error
        if not isinstance(reply, dict):
            raise RuntimeUnavailable(self._manifest.name, f"{response.url} answered no JSON object")
        return reply


async def _reason(response: aiohttp.ClientResponse) -> str:
    text = (await response.content.read(2000)).decode(errors="replace")
    try:
        found = loads_bounded(text)
    except ValueError:
        return text
    match found:
        case {"error": {"message": str(message)}} | {"detail": str(message)} | {"error": str(message)}:
            return message
    return text
