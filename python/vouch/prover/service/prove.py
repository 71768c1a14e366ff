"""The proofs themselves: `python -m vouch.prover.service.prove` is the process that makes them."""

import os
import resource
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from vouch.prover import proving, srs
from vouch.prover.errors import WrongString
from vouch.prover.files import CircuitFiles
from vouch.prover.service.circuits import Served
from vouch.prover.service.config import processors
from vouch.prover.service.errors import FolderChanged
from vouch.prover.service.estimate import Measurement
from vouch.prover.service.orders import Order, Proven
from vouch.prover.service.pool import THREADS
from vouch.prover.service.worker import main
from vouch.prover.srs import ReferenceString
from vouch.prover.toolchain import Toolchain, find

_KEPT: Final = 16
"""Circuits that a process holds in memory."""
_THREAD_SPACE: Final = 96 << 20
"""Address space that each of bb's threads reserves (72 MB, most of it never used), and something for bb."""


def check(served: Iterable[Served], home: Path | None) -> None:
    """Whether everything is there to prove these circuits.

    Raises ToolchainMissing, StringTooShort, StringDamaged, WrongString.
    """
    toolchain = _toolchain(home)
    for one in served:
        _string(toolchain.home, one.srs).require(one.points)


async def prove(order: Order, progress: Callable[[str], None]) -> Proven:
    """One proof, with what it took. Raises FolderChanged, and what `vouch.prover.proving.prove` raises."""
    toolchain, files = _toolchain(order.home), _files(order.folder)
    there = files.circuits.get(order.batch)
    if there is None or there.circuit.id != order.circuit_id:
        raise FolderChanged(order.folder, None if there is None else there.circuit.id, order.circuit_id)
    made = await proving.prove(
        files,
        order.batch,
        order.rows,
        order.context,
        srs=_string(toolchain.home, files.srs),
        toolchain=toolchain,
        progress=progress,
        memory=max(0, order.memory - _own_memory()) + _THREAD_SPACE * _threads(),
        timeout=order.timeout,
    )
    memory = made.peak_bytes + _own_memory()
    return Proven(made.data, Measurement(made.cpu_seconds, made.seconds, made.peak_bytes, memory))


@lru_cache(maxsize=_KEPT)
def _files(folder: Path) -> CircuitFiles:
    return CircuitFiles.load(folder)


@lru_cache(maxsize=_KEPT)
def _toolchain(home: Path | None) -> Toolchain:
    return find(home)


@lru_cache(maxsize=_KEPT)
def _string(home: Path, name: str) -> ReferenceString:
    kinds = {"dev-srs": srs.DEV, "aztec-ignition": srs.CANONICAL}
    if name not in kinds:
        raise WrongString(name, " or ".join(kinds))
    return srs.open(home, kinds[name])


def _threads() -> int:
    return int(os.environ.get(THREADS, processors()))


def _own_memory() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(prove)
