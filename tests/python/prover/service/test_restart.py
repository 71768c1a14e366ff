"""The service as a process of its own, killed in the middle."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.python.prover.service.asking import task
from tests.python.prover.service.conftest import REPO, burning, ended, runs
from vouch.prover.service.client import ProofState, ProverClient
from vouch.prover.service.store import GAVE_UP

pytestmark = pytest.mark.slow

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.python.prover.service.asking import served
from tests.python.prover.service.conftest import BURNER
from vouch.prover.service.app import serve
from vouch.prover.service.config import ProverConfig

folder, database = map(Path, sys.argv[1:3])
config = ProverConfig(database, port=0, worker=BURNER, attempts=2, trial=len(sys.argv) > 3)
asyncio.run(serve(config, [served(folder)], ready=lambda url: print(url, flush=True)))
print("closed", flush=True)
"""


async def started(*arguments: object, **env: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *map(str, arguments),
        stdout=asyncio.subprocess.PIPE, cwd=REPO, env=os.environ | env,
    )  # fmt: skip


@asynccontextmanager
async def prover(
    folder: Path, database: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, ProverClient]]:
    process = await started(folder, database)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with ProverClient(url) as client:
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while runs(pid):  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)


async def test_killed_in_the_middle(folder: Path, tmp_path: Path) -> None:
    database = tmp_path / "proofs.sqlite"
    slow, quick = task(1, value=1_000), task(2, value=20)
    async with prover(folder, database) as (process, client):
        await client.submit(slow)
        await client.submit(quick)
        (pid,) = await burning(folder)
        process.kill()
        await process.wait()
        await gone(pid)
    async with prover(folder, database) as (_, client):
        # First what was interrupted, then what waited; nobody has to ask again.
        assert (await ended(client, quick.id)).state is ProofState.DONE
        done = await client.get(slow.id)
        assert (done.state, done.cpu_seconds >= 1) == (ProofState.DONE, True)


async def test_a_task_that_always_takes_the_service_with_it(folder: Path, tmp_path: Path) -> None:
    database, asked = tmp_path / "proofs.sqlite", task(value=60_000)
    for attempt in (1, 2):
        async with prover(folder, database) as (process, client):
            if attempt == 1:
                await client.submit(asked)
            pid = (await burning(folder, attempt))[-1]
            process.kill()
            await process.wait()
            await gone(pid)
    async with prover(folder, database) as (_, client):
        failed = await client.get(asked.id)
    assert (failed.state, failed.reason) == (ProofState.FAILED, GAVE_UP.format(2))


SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


async def closes(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    process.send_signal(number)
    assert process.stdout is not None
    assert (await process.stdout.read()).decode().strip() == "closed"
    assert await process.wait() == 0


@SIGNALS
async def test_signals_end_the_service_cleanly(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    async with prover(folder, tmp_path / "proofs.sqlite") as (process, client):
        await client.submit(task(value=60_000))
        (pid,) = await burning(folder)
        await closes(process, number)
    assert not runs(pid)
    assert not (tmp_path / "proofs.sqlite.tmp").exists()


@SIGNALS
async def test_signals_end_the_first_proofs_too(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    process = await started(folder, tmp_path / "proofs.sqlite", "trial", BURN_ZEROS="60000")
    (pid,) = await burning(folder)
    await closes(process, number)
    assert not runs(pid)
    assert not (tmp_path / "proofs.sqlite.tmp").exists()
