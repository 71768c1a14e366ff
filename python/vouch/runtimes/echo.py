"""A model that gives back its input: for tests, and for measuring everything around a model."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from vouch.protocol.codec import Tensors
from vouch.protocol.manifest import Artefact, Limits, Manifest
from vouch.runtimes.base import ModelFailed, StreamingUnsupported


def echo_manifest(name: str = "echo", max_output: int = 65_536) -> Manifest:
    """A text model that echoes; its input may be any bytes."""
    return Manifest(name, "text", Artefact("echo"), Limits(max_output))


class EchoRuntime:
    """Output = input. For kind "tensor" the outputs of the manifest are its inputs, one for one."""

    def __init__(self, manifest: Manifest | None = None) -> None:
        self._manifest = manifest or echo_manifest()

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    async def run(self, data: bytes, /) -> bytes:
        return data

    async def infer(self, inputs: Tensors, /) -> Tensors:
        pairs = zip(self._manifest.inputs, self._manifest.outputs, strict=True)
        return {output.name: inputs[given.name] for given, output in pairs}

    async def chat(self, body: Mapping[str, Any], /) -> dict[str, Any]:
        """Repeats the last message. Raises ModelFailed when it is no text."""
        content = body["messages"][-1].get("content")
        if not isinstance(content, str):
            raise ModelFailed(self._manifest.name, "the last message has no text")
        message = {"role": "assistant", "content": content}
        return {
            "id": "echo",
            "object": "chat.completion",
            "created": 0,
            "model": self._manifest.name,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }

    def stream(self, _body: Mapping[str, Any], /) -> AsyncGenerator[bytes, None]:
        raise StreamingUnsupported(self._manifest.name)

    async def verify_artefact(self) -> None:
        """There is none to change."""

    async def aclose(self) -> None:
        """There is nothing to free."""
