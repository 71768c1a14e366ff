"""ONNX models through onnxruntime, on the GPU when it has one."""

import asyncio
from pathlib import Path
from typing import Any

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from vouch.protocol.codec import Tensors, decode_tensors, encode_tensors
from vouch.protocol.manifest import Manifest
from vouch.runtimes.artefact import ArtefactFile
from vouch.runtimes.base import ArtefactUnreadable, ModelFailed, RuntimeUnavailable, SignatureMismatch

_PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")
_ORT_ERRORS: tuple[type[Exception], ...] = tuple(
    value for value in vars(ort_errors).values() if isinstance(value, type) and issubclass(value, Exception)
)


class OnnxRuntime:
    """One ONNX file, loaded from the very bytes whose hash was checked.

    Before each use the file is looked at again (a stat, and a hash only if that differs), so an operator
    notices a swapped model at once instead of at the next restart.

    providers: execution providers of onnxruntime, the preferred ones that are there when not given.
    threads: per question; 0 leaves it to onnxruntime.
    Raises ArtefactUnreadable, ArtefactChanged, SignatureMismatch.
    """

    def __init__(
        self, path: Path, manifest: Manifest, *, providers: tuple[str, ...] | None = None, threads: int = 0
    ) -> None:
        self._manifest = manifest
        self._file, model = ArtefactFile.load(Path(path), manifest)
        available = ort.get_available_providers()
        chosen = providers or tuple(p for p in _PREFERRED if p in available)
        try:
            self._session = ort.InferenceSession(model, _options(threads), providers=list(chosen))
        except _ORT_ERRORS as error:
            raise ArtefactUnreadable(self._file.path, str(error)) from error
        self._check_signature()

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def providers(self) -> tuple[str, ...]:
        """The execution providers in use, preferred first."""
        return tuple(self._session.get_providers())

    async def run(self, data: bytes, /) -> bytes:
        """Raises the codec's errors, ModelFailed, ArtefactChanged, ArtefactUnreadable, RuntimeUnavailable."""
        return await asyncio.to_thread(self._run, data)

    async def infer(self, inputs: Tensors, /) -> Tensors:
        """Raises what `run` does, but for the codec's errors."""
        return await asyncio.to_thread(self._infer, inputs)

    async def verify_artefact(self) -> None:
        await asyncio.to_thread(self._file.verify)

    async def aclose(self) -> None:
        """The session goes with the object."""

    def _run(self, data: bytes) -> bytes:
        outputs = self._infer(decode_tensors(self._manifest.inputs, data))
        return encode_tensors(self._manifest.outputs, outputs)

    def _infer(self, inputs: Tensors) -> Tensors:
        self._file.verify()
        names = [spec.name for spec in self._manifest.outputs]
        try:
            return dict(zip(names, self._session.run(names, inputs), strict=True))
        except _ORT_ERRORS as error:
            # One class for a bad input and for memory that ran out: only the text tells them apart.
            if "memory" in str(error).lower():
                raise RuntimeUnavailable(self._manifest.name, str(error)) from error
            raise ModelFailed(self._manifest.name, str(error)) from error

    def _check_signature(self) -> None:
        received = [i.name for i in self._session.get_inputs()] + [
            o.name for o in self._session.get_outputs()
        ]
        expected = [spec.name for spec in (*self._manifest.inputs, *self._manifest.outputs)]
        if received != expected:
            raise SignatureMismatch(self._file.path, received, expected)


def _options(threads: int) -> Any:
    options = ort.SessionOptions()
    options.use_deterministic_compute = True
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Failures are raised with their text; a second copy on stderr helps nobody.
    options.log_severity_level = 4
    # Threads that spin between questions take the processor from the server around them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
