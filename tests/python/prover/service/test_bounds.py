"""How much memory and time a proof gets, and what gets none."""

import asyncio
from pathlib import Path

import pytest

from tests.python.prover.service import burner
from tests.python.prover.service.asking import BATCH, task
from tests.python.prover.service.conftest import LONG, RunProver, burning, ended, measure, pids_in, until
from vouch.prover.service.client import ProofState, ProverUnavailable


async def test_the_bounds_of_a_proof(run_prover: RunProver, folder: Path) -> None:
    most = 4 * burner.MEMORY
    async with run_prover(workers=2, max_memory=most) as client:
        await measure(client)
        (first,) = pids_in(folder)
        assert bounds(folder, first) == (most, None)
        await client.submit(task(1, value=LONG))
        second = (await burning(folder, 2))[-1]
        assert bounds(folder, second) == (most, 60.0)
        await client.submit(task(2, value=500))
        third = (await burning(folder, 3))[-1]
        assert bounds(folder, third) == (most - burner.MEMORY, 60.0)


def bounds(folder: Path, pid: int) -> tuple[int, float | None]:
    memory, timeout = (folder / str(pid)).read_text().split()
    return int(memory), None if timeout == "None" else float(timeout)


async def test_idle_processes_are_counted(run_prover: RunProver, folder: Path) -> None:
    """Two that have proven are idle: one takes the next proof, the other's memory is not that proof's."""
    async with run_prover(workers=2, max_memory=2 * burner.MEMORY) as client:
        await measure(client)
        for number in (1, 2):
            await client.submit(task(number, value=300))
        for number in (1, 2):
            await ended(client, task(number, value=300).id)
        assert len(pids_in(folder)) == 3
        await client.submit(task(3, value=20))
        await ended(client, task(3, value=20).id)
        memory, _ = bounds(folder, pids_in(folder)[-1])
    assert burner.MEMORY <= memory < 2 * burner.MEMORY


async def test_what_does_not_fit_is_refused(run_prover: RunProver) -> None:
    async with run_prover(max_memory=burner.MEMORY - 1) as client:
        await measure(client)
        for ask in (client.submit, client.validate):
            with pytest.raises(ProverUnavailable, match=r"TooLarge: .* takes 40 MB, .* may take 40 MB"):
                await ask(task())
        await client.validate(task(circuit=BATCH))
    async with run_prover(max_memory=burner.MEMORY) as client:
        await client.validate(task())


async def test_what_ended_with_its_process_is_tried_again_alone(run_prover: RunProver, folder: Path) -> None:
    killed = task(2, value=burner.KILLED)
    async with run_prover(workers=2, attempts=2) as client:
        await measure(client)
        await client.submit(task(1, value=LONG))
        await burning(folder, 2)
        await client.submit(killed)
        await until(client, killed.id, lambda status: "out of memory" in status.reason)
        await asyncio.sleep(0.3)
        assert (await client.get(killed.id)).state is ProofState.QUEUED
        await client.cancel(task(1, value=LONG).id)
        assert (await ended(client, killed.id)).state is ProofState.FAILED
