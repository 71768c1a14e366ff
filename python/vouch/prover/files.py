"""A circuit folder: everything that `vouch zk compile` makes of a model, and all that a prover needs.

model.circuit    the integer model, behind the salt of secret weights
manifest.json    names the model's file and all circuits
circuit.json     what belongs together: versions, reference string, circuits, SHA-256 of every other file
secret.json      the salt of secret weights, where there are any: then the whole folder is secret
batch-N/         program.json, plan, vk, verifier.json, and for auditors circuit.nr and Verifier.sol
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from vouch.circuit.artefact import from_file, to_file
from vouch.circuit.model import IntegerModel
from vouch.protocol.errors import VouchError
from vouch.protocol.manifest import Manifest
from vouch.protocol.packing import Packing
from vouch.protocol.zk import Circuit
from vouch.prover.contract import VerifierCode
from vouch.prover.errors import BadCircuitFiles, UnknownBatch
from vouch.prover.plan import Plan
from vouch.prover.secret import Secret, WouldLoseSecret

VERSION: Final = 1
MODEL: Final = "model.circuit"
MANIFEST: Final = "manifest.json"
INDEX: Final = "circuit.json"
SECRET: Final = "secret.json"
PROGRAM: Final = "program.json"
_PARTS: Final = (PROGRAM, "plan", "vk", "verifier.json", "circuit.nr", "Verifier.sol")


@dataclass(frozen=True, slots=True)
class Built:
    """One circuit: what is proven, how, and the contract that checks it.

    program: Noir's program as the JSON text that bb reads. source, solidity: for auditors.
    """

    circuit: Circuit
    gates: int
    program: bytes
    plan: Plan
    vk: bytes
    verifier: VerifierCode
    source: str
    solidity: str


@dataclass(frozen=True)
class CircuitFiles:
    """A folder that was read and checked.

    circuits: by inferences per proof. srs: name of the reference string that the contracts check against.
    versions: of the programs that made it. report: how the integer model compares with the ONNX file.
    """

    folder: Path
    model: IntegerModel
    manifest: Manifest
    circuits: Mapping[int, Built]
    srs: str
    versions: Mapping[str, str]
    report: Mapping[str, Any]
    secret: Secret | None = None

    @cached_property
    def model_id(self) -> bytes:
        return self.manifest.model_id

    def of(self, batch: int) -> Built:
        """Raises UnknownBatch."""
        if batch not in self.circuits:
            raise UnknownBatch(batch, sorted(self.circuits))
        return self.circuits[batch]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads and checks every part, and that the parts belong together.

        Raises BadCircuitFiles, which names the file that is wrong, and BadPlan.
        """
        return cls(folder, **_Reader(folder).fields())

    def save(self, force: bool = False) -> None:
        """Writes the folder in one move; one that is there already is replaced.

        Raises BadCircuitFiles if something else than a circuit folder is there; WouldLoseSecret if it has
        secret weights, unless that is forced.
        """
        check_place(self.folder, force)
        parts = dict(self._parts())
        fresh, old = self.folder.with_name(f".{self.folder.name}.new"), _aside(self.folder)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700 if self.secret else 0o777)
        for name, data in {**parts, INDEX: _json(self._index(parts))}.items():
            (fresh / name).parent.mkdir(exist_ok=True)
            (fresh / name).write_bytes(data)
        shutil.rmtree(old, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(old)
        fresh.rename(self.folder)
        shutil.rmtree(old, ignore_errors=True)

    def _parts(self) -> Mapping[str, bytes]:
        head = None if self.secret is None else self.secret.head
        parts = {MODEL: to_file(self.model, head), MANIFEST: bytes(self.manifest) + b"\n"}
        if self.secret is not None:
            parts[SECRET] = _json({"salt": hex(self.secret.salt)})
        for batch, built in self.circuits.items():
            code = {
                "creation": built.verifier.creation.hex(),
                "runtime": built.verifier.runtime.hex(),
                "codeHash": built.verifier.code_hash.hex(),
                "srs": built.verifier.srs,
            }
            texts = (built.source.encode(), built.solidity.encode())
            data = (built.program, built.plan.to_bytes(), built.vk, _json(code), *texts)
            prefix = _batch_folder(Path(), batch)
            parts |= {str(prefix / name): part for name, part in zip(_PARTS, data, strict=True)}
        return parts

    def _index(self, parts: Mapping[str, bytes]) -> dict[str, Any]:
        circuits = [_to_json(built) for _, built in sorted(self.circuits.items())]
        return {
            "vouch": VERSION,
            "srs": self.srs,
            "modelId": self.model_id.hex(),
            "circuits": circuits,
            "versions": dict(self.versions),
            "report": dict(self.report),
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(parts.items())},
        }


def check_place(folder: Path, force: bool = False) -> None:
    """Raises what `save` would: BadCircuitFiles if something else than a circuit folder is there,
    WouldLoseSecret if one with secret weights is, unless forced."""
    for place in (folder, _aside(folder)):
        if (place / SECRET).exists() and not force:
            raise WouldLoseSecret(place)
    if folder.exists() and not (folder / INDEX).exists():
        raise BadCircuitFiles(folder, "it is there and is no circuit folder", "a new folder")


def _aside(folder: Path) -> Path:
    """Where a folder is while another one takes its place; a `save` that was cut short leaves it there."""
    return folder.with_name(f".{folder.name}.old")


class _Reader:
    """One folder while it is read; every part is checked against its hash before anything looks into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = self._object(INDEX, self._read(INDEX), "circuit.json as Vouch writes it")
        version = self.index.get("vouch")
        if version != VERSION:
            raise BadCircuitFiles(folder / INDEX, f"version {version!r}", f"version {VERSION}")
        hashes = self.index.get("files")
        if not isinstance(hashes, dict):
            raise BadCircuitFiles(folder / INDEX, "no list of files", "one")
        self.hashes: Mapping[str, Any] = hashes

    def fields(self) -> dict[str, Any]:
        """The arguments of CircuitFiles."""
        try:
            return self._fields()
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise BadCircuitFiles(self.folder / INDEX, reason, "the fields that Vouch writes") from error

    def _fields(self) -> dict[str, Any]:
        model_data, manifest_data = self.part(MODEL), self.part(MANIFEST)
        try:
            model, head = from_file(model_data)
        except VouchError as error:
            raise BadCircuitFiles(self.folder / MODEL, str(error), "an integer model") from error
        try:
            manifest = Manifest.parse(manifest_data.rstrip(b"\n"))
        except VouchError as error:
            raise BadCircuitFiles(self.folder / MANIFEST, str(error), "a manifest") from error
        digest = hashlib.sha256(model_data).hexdigest()
        if manifest.artefact.sha256 != digest:
            received = f"it names a model of SHA-256 {manifest.artefact.sha256}"
            raise BadCircuitFiles(self.folder / MANIFEST, received, digest)
        circuits = {said["batch"]: self._built(said, model) for said in self.index["circuits"]}
        ids = tuple(built.circuit.id for _, built in sorted(circuits.items()))
        if not ids or manifest.zk != ids or manifest.model_id.hex() != self.index["modelId"]:
            received = f"it names the circuits {[circuit.hex() for circuit in manifest.zk]}"
            raise BadCircuitFiles(self.folder / MANIFEST, received, str([circuit.hex() for circuit in ids]))
        secret = None
        if SECRET in self.hashes:
            secret = Secret(model, int(self._object(SECRET, self.part(SECRET), "a salt")["salt"], 16))
        if head != (None if secret is None else secret.head):
            received = "no salt" if head is None else "another salt" if secret else "a salt"
            expected = "the bare model" if secret is None else f"the salt of {SECRET} in front of the weights"
            raise BadCircuitFiles(self.folder / MODEL, received, expected)
        commitment = 0 if secret is None else secret.commitment
        if any(built.circuit.commitment != commitment for built in circuits.values()):
            raise BadCircuitFiles(self.folder / INDEX, "another commitment", f"{commitment:#x}")
        return {
            "model": model,
            "manifest": manifest,
            "circuits": circuits,
            "srs": self.index["srs"],
            "versions": dict(self.index["versions"]),
            "report": dict(self.index["report"]),
            "secret": secret,
        }

    def _built(self, said: Mapping[str, Any], model: IntegerModel) -> Built:
        for key in ("batch", "gates"):
            if type(said[key]) is not int:
                raise BadCircuitFiles(self.folder / INDEX, f"{key} {said[key]!r}", "a whole number")
        prefix = _batch_folder(Path(), said["batch"])
        program, plan, vk, verifier, source, solidity = (self.part(str(prefix / name)) for name in _PARTS)
        code = self._object(str(prefix / "verifier.json"), verifier, "a verifier contract")
        made = VerifierCode(bytes.fromhex(code["creation"]), bytes.fromhex(code["runtime"]), code["srs"])
        if made.srs != self.index["srs"]:
            received = f"it is of the reference string {made.srs!r}"
            raise BadCircuitFiles(self.folder / prefix / "verifier.json", received, self.index["srs"])
        packings = Packing(model.input_size, model.input_bits), Packing(model.output_size, model.output_bits)
        circuit = Circuit(made.code_hash, int(said["commitment"], 16), said["batch"], *packings)
        text = source.decode(), solidity.decode()
        built = Built(circuit, said["gates"], program, Plan.from_bytes(plan), vk, made, *text)
        if _to_json(built) != said:
            raise BadCircuitFiles(self.folder / INDEX, f"{said}", f"{_to_json(built)}")
        return built

    def part(self, name: str) -> bytes:
        """The bytes of a part, if they are those that circuit.json names."""
        data = self._read(name)
        received, expected = hashlib.sha256(data).hexdigest(), self.hashes.get(name)
        if received != expected:
            named = "no such file" if expected is None else f"{expected} as {INDEX} says"
            raise BadCircuitFiles(self.folder / name, f"its SHA-256 is {received}", named)
        return data

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise BadCircuitFiles(self.folder / name, reason, "a file of a circuit folder") from error

    def _object(self, name: str, data: bytes, expected: str) -> dict[str, Any]:
        try:
            value = json.loads(data)
        except ValueError as error:
            raise BadCircuitFiles(self.folder / name, f"no JSON ({error})", expected) from error
        if not isinstance(value, dict):
            raise BadCircuitFiles(self.folder / name, f"{value!r:.80}", expected)
        return value


def _to_json(built: Built) -> dict[str, Any]:
    circuit = built.circuit
    return {
        "id": circuit.id.hex(),
        "codeHash": circuit.code_hash.hex(),
        "commitment": hex(circuit.commitment),
        "batch": circuit.batch,
        "input": {"count": circuit.input.count, "bits": circuit.input.bits},
        "output": {"count": circuit.output.count, "bits": circuit.output.bits},
        "gates": built.gates,
    }


def _batch_folder(folder: Path, batch: int) -> Path:
    return folder / f"batch-{batch}"


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
