"""Models by name, their manifests, and values in their codec."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vouch.chain.contracts import ModelRegistry
from vouch.chain.events import PublishedLog, get_logs
from vouch.chain.hexes import checksum
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.client.answer import Output
from vouch.client.errors import UnknownModel, WrongInput
from vouch.protocol.codec import decode_tensors, encode_tensors
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import BadManifest, Manifest
from vouch.protocol.text import decode_text, encode_json, encode_text

Inputs = Mapping[str, Any] | str

_ID = re.compile(r"0x[0-9a-fA-F]{64}")
_QUALIFIED = re.compile(r"(0x[0-9a-fA-F]{40})/(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Published:
    """A name and what it points at.

    manifest: None when the bytes are no manifest that this version reads.
    gas: what publishing took; None when the model was there before.
    """

    name: str
    publisher: str
    model_id: bytes
    manifest: Manifest | None
    gas: int | None = None


class Models:
    """The model registry as a client sees it; `publisher` is whose names need no prefix.

    Manifests never change under their id, so they are read once.
    """

    def __init__(self, rpc: Rpc, registry: ModelRegistry, publisher: str, first_block: int) -> None:
        self._rpc, self._registry, self._publisher = rpc, registry, publisher
        self._first_block = first_block
        self._manifests: dict[bytes, Manifest] = {}

    async def resolve(self, reference: str | bytes) -> bytes:
        """Model id of "name", "0xpublisher/name", or an id (0x hex or 32 bytes). Raises UnknownModel."""
        if isinstance(reference, bytes):
            if len(reference) != 32:
                raise UnknownModel(f"0x{reference.hex()}", f"a model id has 32 bytes, not {len(reference)}")
            return reference
        if _ID.fullmatch(reference):
            return bytes.fromhex(reference[2:])
        publisher, name = self._publisher, reference
        if qualified := _QUALIFIED.fullmatch(reference):
            publisher, name = checksum(qualified[1]), qualified[2]
        try:
            return await self._registry.resolve(publisher, name)
        except Reverted as refused:
            if refused.error.name != "UnknownName":
                raise
            raise UnknownModel(reference, f"{publisher} published nothing as {name!r}") from refused

    async def manifest(self, model_id: bytes) -> Manifest:
        """The manifest behind an id, checked against it. Raises UnknownModel, BadManifest."""
        if model_id in self._manifests:
            return self._manifests[model_id]
        shown = f"0x{model_id.hex()}"
        try:
            block = (await self._registry.model_of(model_id)).published_at
        except Reverted as refused:
            if refused.error.name != "UnknownModel":
                raise
            raise UnknownModel(shown, "no such manifest was published") from refused
        for log in await get_logs(self._rpc, self._registry.address, block, block, (PublishedLog,)):
            if (
                isinstance(log, PublishedLog)
                and log.model_id == model_id
                and keccak(log.manifest) == model_id
            ):
                self._manifests[model_id] = Manifest.parse(log.manifest)
                return self._manifests[model_id]
        raise UnknownModel(shown, f"the node of the chain does not have the event of block {block}")

    async def listed(self) -> list[Published]:
        """Every name with the model it points at now, oldest first."""
        last = int(await self._rpc.call("eth_blockNumber"), 16)
        named: dict[tuple[str, str], Published] = {}
        for log in await get_logs(
            self._rpc, self._registry.address, self._first_block, last, (PublishedLog,)
        ):
            if isinstance(log, PublishedLog):
                named[log.publisher, log.name] = Published(
                    log.name, log.publisher, log.model_id, _readable(log.manifest)
                )
        return list(named.values())


def encode_input(manifest: Manifest, inputs: Inputs) -> bytes:
    """Input bytes in the model's codec: arrays by tensor name, or text (or chat messages).

    Raises WrongInput, NotUtf8, NotJson, and the codec's errors (WrongShape, MissingTensor, OutOfRange, ...).
    """
    match manifest.kind, inputs:
        case "tensor", Mapping():
            return encode_tensors(manifest.inputs, inputs)
        case "tensor", _:
            names = ", ".join(spec.name for spec in manifest.inputs)
            raise WrongInput(manifest.name, type(inputs).__name__, f"arrays by name: {names}")
        case _, str() if manifest.prompt == "text":
            return encode_text(inputs)
        case _, str():
            return encode_json({"messages": [{"role": "user", "content": inputs}]})
        case _, Mapping() if manifest.prompt == "messages":
            return encode_json(inputs)
        case _:
            raise WrongInput(manifest.name, type(inputs).__name__, "text")


def decode_output(manifest: Manifest, output: bytes) -> Output:
    """Arrays by tensor name, or the text. Raises the codec's errors."""
    if manifest.kind == "tensor":
        return decode_tensors(manifest.outputs, output)
    return decode_text(output)


def _readable(data: bytes) -> Manifest | None:
    try:
        return Manifest.parse(data)
    except BadManifest:
        return None
