"""The manifest of a model: what runs, what goes in, what comes out. Its keccak-256 is the model id.

Canonical JSON (RFC 8785), so that one manifest has one id. Tensor types are the Open Inference Protocol's.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, cast

import numpy as np

from vouch.protocol.errors import VouchError
from vouch.protocol.fixed import DECIMALS, MAX_DECIMALS
from vouch.protocol.keccak import keccak
from vouch.protocol.text import Json, NotJson, NotUtf8, decode_json, encode_json

VERSION: Final = 1

DTYPES: Final[Mapping[str, np.dtype[Any]]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
}
"""Open Inference Protocol datatype → numpy dtype, for every type that has a fixed-point form."""

MAX_MANIFEST = 16_384
"""Bytes; the ModelRegistry takes no more."""
MAX_NAME = 64
"""UTF-8 bytes of a model's name; the ModelRegistry takes no more."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ZK = re.compile(r"([0-9a-f]{64})+")
_ID = 32


class BadManifest(VouchError):
    """A manifest field is missing, unknown or wrong; `path` says which one (`outputs[0].dtype`)."""

    def __init__(self, path: str, received: object, expected: str) -> None:
        self.path, self.received, self.expected = path, received, expected
        super().__init__(f"manifest field {path}: expected {expected}, received {received!r:.120}")


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor. `shape` has None for the batch axis (all batch axes of a model have one size); `scale` is
    the number of decimals of its fixed-point words: usually 18, or 0 for whole numbers and booleans.

    Raises BadManifest.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    scale: int = DECIMALS

    def __post_init__(self) -> None:
        _check(bool(self.name), "name", self.name, "a non-empty string")
        _check(self.dtype in DTYPES, "dtype", self.dtype, f"one of {', '.join(DTYPES)}")
        sizes = all(d is None or (type(d) is int and d > 0) for d in self.shape)
        _check(sizes, "shape", self.shape, "positive sizes, -1 for the batch axis")
        _check(self.shape.count(None) <= 1, "shape", self.shape, "at most one batch axis")
        _check(0 <= self.scale <= MAX_DECIMALS, "scale", self.scale, f"0 to {MAX_DECIMALS} decimals")

    @property
    def numpy(self) -> np.dtype[Any]:
        return DTYPES[self.dtype]

    @property
    def row(self) -> int:
        """Elements per batch item, or of the whole tensor if it has no batch axis."""
        return math.prod(d for d in self.shape if d is not None)

    @property
    def batched(self) -> bool:
        return None in self.shape

    @classmethod
    def _from_json(cls, value: Json, path: str) -> Self:
        given = _object(value, path, {"name", "dtype", "shape", "scale"}, set())
        try:
            shape = _typed(given, "shape", "", list)
            _check(None not in shape, "shape", shape, "positive sizes, -1 for the batch axis")
            return cls(
                _typed(given, "name", "", str),
                _typed(given, "dtype", "", str),
                tuple(None if size == -1 and type(size) is int else size for size in shape),
                _typed(given, "scale", "", int),
            )
        except BadManifest as error:
            raise BadManifest(f"{path}.{error.path}", error.received, error.expected) from None

    def _to_json(self) -> dict[str, Json]:
        shape = [-1 if d is None else d for d in self.shape]
        return {"name": self.name, "dtype": self.dtype, "shape": shape, "scale": self.scale}


@dataclass(frozen=True, slots=True)
class Artefact:
    """What runs: a file (`format` "onnx": SHA-256 as 64 hex digits, size in bytes), or the name that an
    OpenAI-compatible server has for the model (`format` "openai": `model`; SHA-256 and size if known), or an
    integer model that can be proven (`format` "circuit": as "onnx").

    Raises BadManifest.
    """

    format: str
    sha256: str | None = None
    size: int | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        _check(bool(self.format), "artefact.format", self.format, "a non-empty string")
        both = (self.sha256 is None) == (self.size is None)
        _check(both, "artefact.size", self.size, "sha256 and size, or neither")
        if self.sha256 is not None and self.size is not None:
            _check(_SHA256.fullmatch(self.sha256), "artefact.sha256", self.sha256, "64 lower-case hex digits")
            _check(self.size > 0, "artefact.size", self.size, "a positive number of bytes")
        if self.format in ("onnx", "circuit"):
            file = "ONNX" if self.format == "onnx" else "circuit"
            _check(self.sha256 is not None, "artefact.sha256", self.sha256, f"the SHA-256 of the {file} file")
        if self.format == "openai":
            _check(self.model, "artefact.model", self.model, "the model's name on the server")


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_output`: bytes of an encoded output; a longer one is not signed. Raises BadManifest."""

    max_output: int

    def __post_init__(self) -> None:
        _check(self.max_output > 0, "limits.maxOutput", self.max_output, "a positive number of bytes")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A model, completely described.

    `kind` "tensor": bytes are `vouch.protocol.codec` tensors in the order of `inputs` and `outputs`. `kind`
    "text": bytes are UTF-8; `prompt` says whether the input is one user message ("text") or JSON
    {"messages": [...]} ("messages"). `parameters` go to the runtime (temperature, max_tokens, seed).
    `deterministic` false with `tolerance`: outputs of honest nodes differ by at most that much per element.
    `zk`: ids of the circuits that prove the model, 32 bytes each (`vouch.protocol.zk`); they are the last
    bytes of the manifest, where the ModelRegistry reads them.

    Raises BadManifest.
    """

    name: str
    kind: Literal["tensor", "text"]
    artefact: Artefact
    limits: Limits
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    parameters: Mapping[str, Json] = field(default_factory=dict, hash=False)
    prompt: Literal["text", "messages"] = "text"
    deterministic: bool = True
    tolerance: float = 0
    zk: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        size = len(self.name.encode(errors="replace"))
        _check(0 < size <= MAX_NAME, "name", self.name, f"1 to {MAX_NAME} bytes")
        _check(self.kind in ("tensor", "text"), "kind", self.kind, '"tensor" or "text"')
        _check(self.prompt in ("text", "messages"), "prompt", self.prompt, '"text" or "messages"')
        allowed = 0 <= self.tolerance < math.inf and (self.tolerance == 0 or not self.deterministic)
        _check(allowed, "tolerance", self.tolerance, "0, or a positive number if not deterministic")
        for path, specs in (("inputs", self.inputs), ("outputs", self.outputs)):
            names = [spec.name for spec in specs]
            _check(len(set(names)) == len(names), path, names, "distinct names")
            fits = bool(specs) == (self.kind == "tensor")
            _check(fits, path, names, "tensors for kind tensor, none for kind text")
        hexes = [circuit.hex() for circuit in self.zk]
        sound = all(len(circuit) == _ID for circuit in self.zk) and len(set(self.zk)) == len(self.zk)
        _check(sound, "zk", hexes, f"distinct ids of {_ID} bytes")
        _check(not self.zk or self.kind == "tensor", "zk", hexes, "no circuits for kind text")

    @property
    def model_id(self) -> bytes:
        """keccak-256 of the canonical bytes, 32 bytes."""
        return keccak(bytes(self))

    def __bytes__(self) -> bytes:
        """Canonical JSON. Raises BadManifest when there are more than MAX_MANIFEST bytes of it."""
        artefact = {
            "format": self.artefact.format,
            "sha256": self.artefact.sha256,
            "size": self.artefact.size,
            "model": self.artefact.model,
        }
        made: dict[str, Json] = {
            "vouch": VERSION,
            "name": self.name,
            "kind": self.kind,
            "artefact": {key: value for key, value in artefact.items() if value is not None},
            "limits": {"maxOutput": self.limits.max_output},
            "parameters": self.parameters,
            "deterministic": self.deterministic,
            "tolerance": self.tolerance,
        }
        if self.kind == "tensor":
            made["inputs"] = [spec._to_json() for spec in self.inputs]
            made["outputs"] = [spec._to_json() for spec in self.outputs]
        else:
            made["prompt"] = self.prompt
        if self.zk:
            made["zk"] = b"".join(self.zk).hex()
        data = encode_json(made)
        _check(len(data) <= MAX_MANIFEST, "(size)", len(data), f"at most {MAX_MANIFEST} bytes")
        return data

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From canonical bytes. Strict: anything missing, unknown or written otherwise raises BadManifest."""
        _check(len(data) <= MAX_MANIFEST, "(size)", len(data), f"at most {MAX_MANIFEST} bytes")
        try:
            value = decode_json(data)
        except (NotJson, NotUtf8) as error:
            raise BadManifest("(root)", data[:80], f"canonical JSON ({error})") from None
        common = {"vouch", "name", "kind", "artefact", "limits", "parameters", "deterministic", "tolerance"}
        given = _object(value, "", common, {"inputs", "outputs", "prompt", "zk"})
        version = _typed(given, "vouch", "", int)
        _check(version == VERSION, "vouch", version, f"version {VERSION}")
        kind = _typed(given, "kind", "", str)
        _check(kind in ("tensor", "text"), "kind", kind, '"tensor" or "text"')
        own = {"inputs", "outputs"} if kind == "tensor" else {"prompt"}
        _object(value, "", common | own, {"zk"})
        prompt = _typed(given, "prompt", "", str) if "prompt" in given else "text"
        artefact = _object(given["artefact"], "artefact", {"format"}, {"sha256", "size", "model"})
        limits = _object(given["limits"], "limits", {"maxOutput"}, set())
        made = cls(
            name=_typed(given, "name", "", str),
            kind=cast(Literal["tensor", "text"], kind),
            artefact=Artefact(
                _typed(artefact, "format", "artefact", str),
                _typed(artefact, "sha256", "artefact", str) if "sha256" in artefact else None,
                _typed(artefact, "size", "artefact", int) if "size" in artefact else None,
                _typed(artefact, "model", "artefact", str) if "model" in artefact else None,
            ),
            limits=Limits(_typed(limits, "maxOutput", "limits", int)),
            inputs=_specs(given, "inputs"),
            outputs=_specs(given, "outputs"),
            parameters=_typed(given, "parameters", "", dict),
            prompt=cast(Literal["text", "messages"], prompt),
            deterministic=_typed(given, "deterministic", "", bool),
            tolerance=_typed(given, "tolerance", "", int, float),
            zk=_circuits(given),
        )
        _check(bytes(made) == data, "(root)", data[:80], "canonical JSON: sorted keys, no spaces (RFC 8785)")
        return made


def _specs(given: Mapping[str, Json], key: str) -> tuple[TensorSpec, ...]:
    values = _typed(given, key, "", list) if key in given else []
    return tuple(TensorSpec._from_json(value, f"{key}[{i}]") for i, value in enumerate(values))


def _circuits(given: Mapping[str, Json]) -> tuple[bytes, ...]:
    if "zk" not in given:
        return ()
    digits = _typed(given, "zk", "", str)
    _check(_ZK.fullmatch(digits), "zk", digits, "64 lower-case hex digits for each circuit")
    data = bytes.fromhex(digits)
    return tuple(data[i : i + _ID] for i in range(0, len(data), _ID))


def _check(condition: object, path: str, received: object, expected: str) -> None:
    if not condition:
        raise BadManifest(path, received, expected)


def _object(value: Json, path: str, required: set[str], optional: set[str]) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise BadManifest(path or "(root)", value, "an object")
    prefix = f"{path}." if path else ""
    for key in sorted(required - value.keys()):
        raise BadManifest(prefix + key, None, "this field")
    for key in sorted(value.keys() - required - optional):
        raise BadManifest(prefix + key, value[key], "no such field")
    return value


def _typed(given: Mapping[str, Json], key: str, path: str, *types: type) -> Any:
    value = given[key]
    # type() and not isinstance: JSON true is no number
    if type(value) not in types:
        names = " or ".join(t.__name__ for t in types)
        raise BadManifest(f"{path}.{key}" if path else key, value, names)
    return value
