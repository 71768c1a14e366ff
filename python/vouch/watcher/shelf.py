"""Our own copies of models: files by content, manifests by id, runtimes made when they are needed."""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Self

from vouch.chain.contracts import ModelRegistry
from vouch.chain.events import PublishedLog, get_logs
from vouch.chain.reverts import Reverted
from vouch.protocol.agreement import reproducible
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Manifest
from vouch.runtimes.base import Runtime, RuntimeUnavailable
from vouch.runtimes.openai import OpenAiRuntime
from vouch.watcher.config import Models
from vouch.watcher.errors import CannotJudge, NoModels, NotNow

_log = logging.getLogger(__name__)

_LOADED = 8
"""ONNX sessions that stay in memory: anybody can publish one file under many manifests."""


class Shelf:
    """`async with Shelf(models, registry) as shelf: runtime = await shelf.runtime(model_id)`.

    A manifest comes from our own files or from the chain; either way its hash is the model id. The file is
    found by the SHA-256 that the manifest names.

    Raises NoModels, BadManifest, OSError: when made.
    """

    def __init__(self, models: Models, registry: ModelRegistry) -> None:
        self._registry, self._api_key = registry, models.api_key
        self._files: dict[str, Path] = {}
        self._manifests: dict[bytes, Manifest] = {}
        self._servers: dict[bytes, str] = {}
        for name, path in models.onnx:
            self._add_file(name, path)
        for path in models.manifests:
            self._add_manifest(path)
        for path, url in models.texts:
            self._servers[self._add_manifest(path)] = url
        self._loaded: OrderedDict[bytes, Runtime] = OrderedDict()
        self._loading = asyncio.Lock()

    def __len__(self) -> int:
        """Files and servers that models can be run from."""
        return len(self._files) + len(self._servers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for runtime in self._loaded.values():
            await runtime.aclose()

    async def runtime(self, model_id: bytes) -> Runtime:
        """The model, ready to run.

        Raises:
            CannotJudge: it is not ours, or no run of it can tell right from wrong.
            NotNow, RpcUnavailable, RpcError: it is not known now.
        """
        async with self._loading:  # one file at a time, and none twice
            if (known := self._loaded.get(model_id)) is not None:
                self._loaded.move_to_end(model_id)
                return known
            manifest = await self._manifest(model_id)
            if not reproducible(manifest):
                raise CannotJudge(
                    "the model is not deterministic and names no tolerance, so another run says nothing"
                )
            made = self._loaded[model_id] = await self._make(model_id, manifest)
            while len(self._loaded) > _LOADED:
                await self._loaded.popitem(last=False)[1].aclose()
            return made

    async def _make(self, model_id: bytes, manifest: Manifest) -> Runtime:
        if (url := self._servers.get(model_id)) is not None:
            return OpenAiRuntime(url, manifest, self._api_key)
        path = self._files.get(manifest.artefact.sha256 or "")
        if path is None:
            raise CannotJudge(
                f"we have no copy of model {manifest.name!r} (0x{model_id.hex()}): give it with --onnx, "
                "--models or --text"
            )
        from vouch.runtimes.onnx import OnnxRuntime  # most of a second to import

        try:
            return await asyncio.to_thread(OnnxRuntime, path, manifest)
        except RuntimeUnavailable as busy:
            raise NotNow(str(busy)) from busy
        except VouchError as unfit:
            raise CannotJudge(f"our copy of the model cannot be loaded: {unfit}") from unfit

    async def _manifest(self, model_id: bytes) -> Manifest:
        if model_id in self._manifests:
            return self._manifests[model_id]
        manifest = await self._published(model_id)
        if manifest.artefact.sha256 in self._files:  # strangers' manifests are not worth remembering
            self._manifests[model_id] = manifest
        return manifest

    async def _published(self, model_id: bytes) -> Manifest:
        shown = f"0x{model_id.hex()}"
        try:
            block = (await self._registry.model_of(model_id)).published_at
        except Reverted as refused:
            if refused.error.name != "UnknownModel":
                raise
            raise CannotJudge(
                f"model {shown} was never published, and we have no manifest of it"
            ) from refused
        rpc, registry = self._registry.rpc, self._registry.address
        for log in await get_logs(rpc, registry, block, block, (PublishedLog,)):
            if isinstance(log, PublishedLog) and keccak(log.manifest) == model_id:
                try:
                    return Manifest.parse(log.manifest)
                except VouchError as bad:
                    raise CannotJudge(f"the manifest of model {shown} makes no sense: {bad}") from bad
        raise NotNow(f"the chain's node does not have the manifest of model {shown} (block {block})")

    def _add_file(self, name: str | None, path: Path) -> None:
        from vouch.runtimes.derive import manifest_from_onnx  # a second to import

        if not path.is_file():
            raise NoModels(path, "is no file")
        with path.open("rb") as file:
            self._files[hashlib.file_digest(file, "sha256").hexdigest()] = path
        try:
            manifest = manifest_from_onnx(path, name or path.stem)
        except VouchError as unfit:
            # Its publisher may have found a way to describe it.
            _log.warning("%s counts only under a published manifest: %s", path, unfit)
        else:
            self._manifests[manifest.model_id] = manifest

    def _add_manifest(self, path: Path) -> bytes:
        manifest = Manifest.parse(path.read_bytes().rstrip(b"\n"))
        self._manifests[manifest.model_id] = manifest
        return manifest.model_id
