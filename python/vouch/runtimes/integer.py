"""Integer models, the ones that circuits prove: exact arithmetic, the same everywhere."""

import asyncio
from pathlib import Path

from vouch.circuit.artefact import from_file
from vouch.circuit.codec import run_bytes
from vouch.circuit.errors import BadIntegerModel, IntervalTooWide, LookupOutOfTable
from vouch.circuit.parts import Port
from vouch.protocol.codec import Tensors, decode_tensors, encode_tensors
from vouch.protocol.manifest import Manifest, TensorSpec
from vouch.runtimes.artefact import ArtefactFile
from vouch.runtimes.base import ArtefactUnreadable, SignatureMismatch


class IntegerRuntime:
    """One file of an integer model, loaded from the very bytes whose hash was checked.

    Inputs are the codec's words as they are, and so are outputs: nothing is rounded on the way. A circuit is
    about one row, so there are no batches. Raises ArtefactUnreadable, ArtefactChanged, SignatureMismatch.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._manifest = manifest
        self._file, data = ArtefactFile.load(Path(path), manifest)
        try:
            self._model, _ = from_file(data)
        except (BadIntegerModel, IntervalTooWide, LookupOutOfTable) as error:
            raise ArtefactUnreadable(self._file.path, str(error)) from error
        received = [_of_port(port) for port in (*self._model.inputs, *self._model.outputs)]
        expected = [_of_spec(spec) for spec in (*manifest.inputs, *manifest.outputs)]
        if received != expected:
            raise SignatureMismatch(self._file.path, received, expected)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    async def run(self, data: bytes, /) -> bytes:
        """Raises NotWholeWords, WrongSize, InputOutOfRange (no circuit proves that), ArtefactChanged,
        ArtefactUnreadable."""
        return await asyncio.to_thread(self._run, data)

    async def infer(self, inputs: Tensors, /) -> Tensors:
        """One row. Raises what `run` does, and the codec's errors."""
        data = encode_tensors(self._manifest.inputs, inputs)
        return decode_tensors(self._manifest.outputs, await self.run(data))

    async def verify_artefact(self) -> None:
        await asyncio.to_thread(self._file.verify)

    async def aclose(self) -> None:
        """There is nothing to free."""

    def _run(self, data: bytes) -> bytes:
        self._file.verify()
        return run_bytes(self._model, data)


def _of_port(port: Port) -> str:
    return f"{port.name}: {port.dtype} {list(port.shape)}, {port.decimals} decimals"


def _of_spec(spec: TensorSpec) -> str:
    shape = [1 if size is None else size for size in spec.shape]
    return f"{spec.name}: {spec.dtype} {shape}, {spec.scale} decimals"
