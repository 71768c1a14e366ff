"""What a node asks of a runtime, and what may go wrong in one."""

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from vouch.protocol.codec import Tensors
from vouch.protocol.errors import VouchError
from vouch.protocol.manifest import Manifest


class RuntimeUnavailable(VouchError):
    """The model could not be run now (server down, timeout, no memory); the same question may work later."""

    def __init__(self, model: str, reason: str) -> None:
        self.model, self.reason = model, reason
        super().__init__(f"model {model} cannot be run now: {reason}; try again")


class ModelFailed(VouchError):
    """The model ran and refused this input; asking again gives the same."""

    def __init__(self, model: str, reason: str) -> None:
        self.model, self.reason = model, reason
        super().__init__(f"model {model} failed on this input: {reason}")


class ArtefactChanged(VouchError):
    """The model behind the runtime is not the one the manifest names; hashes are SHA-256 in hex."""

    def __init__(self, path: str, received: str, expected: str) -> None:
        self.path, self.received, self.expected = path, received, expected
        super().__init__(
            f"{path} is {received}, the manifest says {expected}: put the published artefact back, "
            "or publish a manifest for the new one"
        )


class ArtefactUnreadable(VouchError):
    """A model file is missing, cannot be read, or is no model of its format."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(f"model file {path} cannot be used: {reason}")


class SignatureMismatch(VouchError):
    """The file's tensors are not those of the manifest."""

    def __init__(self, path: Path, received: list[str], expected: list[str]) -> None:
        self.path, self.received, self.expected = str(path), received, expected
        super().__init__(
            f"{path} has tensors {received}, the manifest says {expected}: "
            "publish a manifest made from this file"
        )


class StreamingUnsupported(VouchError):
    """The runtime has no streamed answers."""

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(f'model {model} cannot stream: ask again with "stream": false')


@runtime_checkable
class Runtime(Protocol):
    """One loaded model.

    `run` takes and gives the codec bytes of the manifest (`vouch.protocol.codec` for tensors, UTF-8 for
    text). It never blocks the event loop. It raises `RuntimeUnavailable` when the same question may work
    later; every other `VouchError` is final for that input.
    """

    @property
    def manifest(self) -> Manifest: ...

    async def run(self, data: bytes, /) -> bytes: ...

    async def verify_artefact(self) -> None:
        """Cheap enough for every question.

        Raises ArtefactChanged, or RuntimeUnavailable when it cannot be known.
        """

    async def aclose(self) -> None:
        """Frees connections; the runtime may be used again afterwards."""


@runtime_checkable
class TensorRuntime(Runtime, Protocol):
    """A model of kind "tensor" that can also be called without the fixed-point codec."""

    async def infer(self, inputs: Tensors, /) -> Tensors:
        """Arrays by name, dtypes and shapes as the manifest says; outputs in manifest order."""


@runtime_checkable
class TextRuntime(Runtime, Protocol):
    """A model of kind "text" that also speaks OpenAI's chat completions."""

    async def chat(self, body: Mapping[str, Any], /) -> dict[str, Any]:
        """The answer to a chat completion body, not streamed."""

    def stream(self, body: Mapping[str, Any], /) -> AsyncGenerator[bytes, None]:
        """The server-sent events of a streamed answer. Raises StreamingUnsupported."""
