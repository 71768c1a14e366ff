"""What the service and its proving processes say to each other: one line of JSON a message."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vouch.prover.service.errors import ProofFailed
from vouch.prover.service.estimate import Measurement

LINE: Final = 1 << 26
"""Bytes of the longest message; an order for 256 images has some millions."""


@dataclass(frozen=True, slots=True)
class Order:
    """One proof: the circuit's id and folder, how many inferences at once, (input, output) of each as codec
    bytes, and the context. `home` as in ProverConfig.

    memory: bytes that everything for it may take; timeout: seconds, None for no bound.
    """

    circuit_id: bytes
    folder: Path
    home: Path | None
    batch: int
    rows: tuple[tuple[bytes, bytes], ...]
    context: int
    memory: int
    timeout: float | None

    def __bytes__(self) -> bytes:
        return _line(
            {
                "circuit": self.circuit_id.hex(),
                "folder": str(self.folder),
                "home": None if self.home is None else str(self.home),
                "batch": self.batch,
                "rows": [[input_.hex(), output.hex()] for input_, output in self.rows],
                "context": hex(self.context),
                "memory": self.memory,
                "timeout": self.timeout,
            }
        )

    @classmethod
    def parse(cls, line: bytes) -> "Order":
        body = json.loads(line)
        return cls(
            bytes.fromhex(body["circuit"]),
            Path(body["folder"]),
            None if body["home"] is None else Path(body["home"]),
            body["batch"],
            tuple((bytes.fromhex(input_), bytes.fromhex(output)) for input_, output in body["rows"]),
            int(body["context"], 16),
            body["memory"],
            body["timeout"],
        )


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof and what it took."""

    proof: bytes
    took: Measurement

    def __bytes__(self) -> bytes:
        took = self.took
        return _line(
            {
                "proof": self.proof.hex(),
                "cpuSeconds": took.cpu_seconds,
                "seconds": took.seconds,
                "peakBytes": took.peak_bytes,
                "memory": took.memory,
            }
        )


def progress_line(text: str) -> bytes:
    """What a proof is at."""
    return _line({"progress": text})


def failure_line(error: Exception, *, retryable: bool) -> bytes:
    """Why there is no proof."""
    return _line({"error": type(error).__name__, "message": str(error), "retryable": retryable})


def reply_of(line: bytes) -> Proven | ProofFailed | str:
    """What a process said: a proof, why there is none, or its progress.

    Raises ValueError, KeyError or TypeError if it makes no sense: half a line of a process that was killed.
    """
    body = json.loads(line)
    if "progress" in body:
        return str(body["progress"])
    if "error" in body:
        return ProofFailed(body["error"], body["message"], retryable=body["retryable"])
    took = Measurement(body["cpuSeconds"], body["seconds"], body["peakBytes"], body["memory"])
    return Proven(bytes.fromhex(body["proof"]), took)


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"
