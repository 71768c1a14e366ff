"""Proofs of runs: the model runs once in NumPy, which gives the witness, and bb makes the proof."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vouch.circuit.codec import read_words, to_words
from vouch.circuit.model import IntegerModel
from vouch.circuit.trace import Trace
from vouch.protocol.zk import FIELD, Circuit
from vouch.prover import acir, noir
from vouch.prover.bb import Bb
from vouch.prover.errors import ContextOutOfRange, OutputMismatch, PublicInputsDiffer, WrongString
from vouch.prover.files import Built, CircuitFiles
from vouch.prover.lock import Progress, silent
from vouch.prover.secret import Secret
from vouch.prover.srs import DEV, ReferenceString
from vouch.prover.toolchain import Toolchain

_WORD = 32


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof for the circuit's verifier contract.

    data: what `verify` takes. public: the public inputs, field elements.
    seconds by the clock, cpu_seconds of all threads, peak_bytes of bb's memory.
    """

    data: bytes
    public: tuple[int, ...]
    seconds: float
    cpu_seconds: float
    peak_bytes: int


async def prove(
    files: CircuitFiles,
    batch: int,
    rows: Sequence[tuple[bytes, bytes]],
    context: int,
    *,
    srs: ReferenceString,
    toolchain: Toolchain,
    progress: Progress = silent,
    threads: int | None = None,
    memory: int | None = None,
    timeout: float | None = None,
) -> Proof:
    """Proves that the model gives for each row's input its output, both codec bytes.

    Cancelled, it ends bb and waits for that. threads, memory (bytes), timeout (seconds): bounds for bb.

    Raises:
        UnknownBatch, WrongString, ContextOutOfRange, WrongBatch: no such circuit, or not for this.
        NotWholeWords, WrongSize, InputOutOfRange, OutputMismatch: a row cannot be proven, ever.
        StringTooShort, ToolchainMissing: the set-up is not complete.
        ProgramFailed, ProgramKilled, PublicInputsDiffer: bb's work is of no use; only the second may pass.
    """
    built, begin = files.of(batch), time.monotonic()
    if srs.name != files.srs:
        raise WrongString(srs.name, files.srs)
    if not 0 <= context < FIELD:
        raise ContextOutOfRange(context)
    insecure = " (INSECURE: for tests only)" if srs.kind == DEV else ""
    progress(f"proving {batch} inference(s) over {srs.name}{insecure}")
    public, witness, own_seconds = await asyncio.to_thread(_witness, files, built, rows, context)
    bb = Bb(toolchain, srs, threads, memory, timeout)
    with tempfile.TemporaryDirectory(prefix="vouch-program-") as folder:
        # As it was read: the circuit's folder may have another one by now.
        (program := Path(folder) / "program.json").write_bytes(built.program)
        made = await bb.prove(program, witness, built.vk, secret=files.secret is not None)
    compare(made.public, public)
    used = made.usage
    seconds = time.monotonic() - begin
    return Proof(made.data, made.public, seconds, used.cpu_seconds + own_seconds, used.peak_bytes)


def inputs(
    circuit: Circuit, model: IntegerModel, traces: Sequence[Trace], context: int, secret: Secret | None
) -> tuple[tuple[int, ...], list[int]]:
    """Public and private inputs of the circuit for runs of its model, one for each row."""
    rows = [circuit.row(to_words(trace.values[0]), to_words(trace.values[model.output])) for trace in traces]
    return circuit.public_inputs(rows, context), noir.advice(model, traces, context, secret)


def _witness(
    files: CircuitFiles, built: Built, rows: Sequence[tuple[bytes, bytes]], context: int
) -> tuple[tuple[int, ...], bytes, float]:
    """Public inputs, what bb reads, and the processor seconds it took to make them."""
    begin = time.thread_time()
    model, traces = files.model, []
    for index, (given, output) in enumerate(rows):
        trace = model.trace(read_words(model, given))
        _check_output(index, output, trace.values[model.output])
        traces.append(trace)
    public, private = inputs(built.circuit, model, traces, context, files.secret)
    return public, acir.solve(built.plan, public, private), time.thread_time() - begin


def _check_output(row: int, received: bytes, expected: np.ndarray) -> None:
    if received != to_words(expected):
        words = [received[at : at + _WORD] for at in range(0, len(received), _WORD)]
        claimed = [int.from_bytes(word, "big", signed=True) for word in words]
        raise OutputMismatch(row, claimed, expected.tolist())


def compare(received: Sequence[int], expected: Sequence[int]) -> None:
    """Raises PublicInputsDiffer."""
    for index in range(max(len(received), len(expected))):
        got = received[index] if index < len(received) else None
        wanted = expected[index] if index < len(expected) else None
        if got != wanted:
            raise PublicInputsDiffer(index, got, wanted)
