"""Everything a prover service is told before it starts."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vouch.prover.service.estimate import Machine

WORKER = (sys.executable, "-m", "vouch.prover.service.prove")
_MEMORY_SHARE = 0.75


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usable_memory() -> int:
    """Three quarters of the machine's memory, in bytes."""
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _MEMORY_SHARE)


@dataclass(frozen=True, slots=True)
class ProverConfig:
    """Built by whoever starts the service.

    database: SQLite file of tasks and seals.
    home: folder of the toolchain and the reference strings; None is the user's.
    workers: proofs at once, if their memory allows it; max_memory: bytes for all of them together.
    keep_days: for which ended tasks are remembered. attempts: begun proofs of one task after which it has
    failed, where each ended with its process; and of its seals that were refused. trial: whether one proof of
    each circuit is made before anything is taken. worker: the command of the processes that prove.
    token: bearer token that every request but the health checks must carry.
    """

    database: Path
    home: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8720
    token: str | None = field(default=None, repr=False)
    workers: int = 1
    max_memory: int = field(default_factory=usable_memory)
    keep_days: float = 30.0
    max_queue: int = 10_000
    max_body_bytes: int = 16 * 1024 * 1024
    attempts: int = 3
    shutdown_seconds: float = 5.0
    trial: bool = True
    worker: Sequence[str] = WORKER

    def __post_init__(self) -> None:
        for name in ("workers", "max_memory", "max_queue", "attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")

    @property
    def machine(self) -> Machine:
        return Machine(self.workers, processors(), self.max_memory)
