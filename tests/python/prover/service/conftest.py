"""A prover service on a free port, whose proving processes are `burner`'s."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.python.prover.service.asking import BATCH, SINGLE, served, task
from vouch.protocol.zk import Circuit
from vouch.prover.service.app import serve
from vouch.prover.service.client import ProofState, ProofStatus, ProverClient
from vouch.prover.service.config import ProverConfig

REPO = Path(__file__).parents[4]
BURNER = (sys.executable, "-m", "tests.python.prover.service.burner")
RunProver = Callable[..., AbstractAsyncContextManager[ProverClient]]
LONG = 60_000
"""Milliseconds; such proofs are cancelled."""


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{REPO / 'python'}{os.pathsep}{REPO}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The circuits' folder, in which each burning program leaves its process id."""
    made = tmp_path / "circuit"
    made.mkdir()
    return made


@pytest.fixture
def run_prover(tmp_path: Path, folder: Path) -> RunProver:
    """`async with run_prover(**config) as client`; the database is the same each time.

    serving: the circuits, SINGLE and BATCH if nothing is said. Without a trial, whose programs would be
    counted too, unless that is asked for.
    """

    @asynccontextmanager
    async def run(
        *, serving: Sequence[Circuit] = (SINGLE, BATCH), **config: Any
    ) -> AsyncIterator[ProverClient]:
        settings: dict[str, Any] = {
            "database": tmp_path / "proofs.sqlite",
            "port": 0,
            "worker": BURNER,
            "shutdown_seconds": 1.0,
            "trial": False,
        }
        made = ProverConfig(**settings | config)
        url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        circuits = [served(folder, circuit) for circuit in serving]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(made, circuits, ready=url.set_result, stop=stop))
            try:
                async with ProverClient(await url, made.token) as client:
                    yield client
            finally:
                stop.set()

    return run


async def measure(client: ProverClient) -> None:
    """Lets the service see what a proof takes."""
    await client.submit(task(99, value=20))
    await ended(client, task(99, value=20).id)


async def ended(client: ProverClient, proof: str) -> ProofStatus:
    """The status of a proof once it has one of the last states."""
    return await until(client, proof, lambda status: status.state.ended)


async def until(client: ProverClient, proof: str, wanted: Callable[[ProofStatus], bool]) -> ProofStatus:
    """The first status that is as wanted."""
    async with asyncio.timeout(30):
        while not wanted(status := await client.get(proof)):  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)
    return status


async def burning(folder: Path, count: int = 1) -> list[int]:
    """Process ids of programs that burn, once there are so many (in all that ever did)."""
    async with asyncio.timeout(30):
        while len(pids := pids_in(folder)) < count:  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)
    return pids


def pids_in(folder: Path) -> list[int]:
    """Of all programs that ever burned, oldest first."""
    files = sorted(folder.glob("*[0-9]"), key=lambda path: path.stat().st_mtime_ns)
    return [int(path.name) for path in files]


def runs(pid: int) -> bool:
    """True while there is such a process, and it is not just waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def is_proving(status: ProofStatus) -> bool:
    return status.state is ProofState.PROVING
