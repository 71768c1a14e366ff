"""The queue itself, its loop turned step by step."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.python.prover.service.asking import SINGLE, served, task
from tests.python.prover.service.conftest import BURNER, pids_in
from vouch.prover.service import queue as queues
from vouch.prover.service.circuits import Circuits
from vouch.prover.service.config import ProverConfig
from vouch.prover.service.estimate import Measurement
from vouch.prover.service.pool import Pool
from vouch.prover.service.queue import ProofQueue
from vouch.prover.service.store import Store
from vouch.prover.service.task import ProofState


@dataclass
class Made:
    queue: ProofQueue
    store: Store
    running: asyncio.Task[None]

    async def state(self, proof: str, wanted: ProofState) -> None:
        """Returns in the turn of the loop in which a task gets a state."""
        async with asyncio.timeout(30):
            while self.queue.get(proof).state is not wanted:  # noqa: ASYNC110 - each turn counts
                await asyncio.sleep(0)

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.wait([self.running])


@asynccontextmanager
async def queue_of(
    folder: Path,
    database: Path,
    run: Callable[[bytes], bytes] = bytes,
    *,
    workers: int = 1,
    worker: Sequence[str] = BURNER,
) -> AsyncIterator[Made]:
    config = ProverConfig(database, workers=workers)
    circuits = Circuits([replace(served(folder), run=run)])
    with Store(database) as store:
        async with Pool(worker, database.with_suffix(".tmp"), 1) as pool:
            queue = ProofQueue(config, store, circuits, pool)
            made = Made(queue, store, asyncio.create_task(queue.run()))
            yield made
            await made.stop()


async def test_cancelled_before_its_first_step(folder: Path, tmp_path: Path) -> None:
    first, second = task(1, value=20), task(2, value=20)
    async with queue_of(folder, tmp_path / "db") as made:
        await made.queue.submit(first)
        await made.state(first.id, ProofState.PROVING)
        assert (await made.queue.cancel(first.id)).state is ProofState.CANCELLED
        assert pids_in(folder) == []
        # The place that it had is free again.
        await made.queue.submit(second)
        await made.state(second.id, ProofState.DONE)
        await made.queue.submit(first)
        await made.state(first.id, ProofState.DONE)


async def test_the_service_ends_before_its_first_step(folder: Path, tmp_path: Path) -> None:
    asked = task(1, value=20)
    async with queue_of(folder, tmp_path / "db") as made:
        await made.queue.submit(asked)
        await made.state(asked.id, ProofState.PROVING)
        await made.stop()
        job = made.store.get(asked.id)
        assert job is not None
        assert (job.status.state, job.attempts) == (ProofState.QUEUED, 0)


async def test_a_task_that_is_false_says_nothing_about_its_circuit(folder: Path, tmp_path: Path) -> None:
    """The model was another one when it was stored."""
    async with queue_of(folder, tmp_path / "db") as made:
        await made.queue.submit(task(1, value=20))
        await made.state(task(1, value=20).id, ProofState.DONE)
        await made.stop()
        made.store.submit(task(2, value=20), attempts=3)
    async with queue_of(folder, tmp_path / "db", lambda data: bytes(len(data))) as made:
        await made.state(task(2, value=20).id, ProofState.FAILED)
        assert made.queue.info().seconds.keys() == {SINGLE.id}


async def test_what_is_put_back_begins_again_after_its_end(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PAUSE_SECONDS", 0)
    wrong: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
    first, other, nowhere = task(1), task(2), ("/nowhere/to/be/found",)
    with Store(tmp_path / "db") as store:
        store.measured(Measurement(1.0, 1.0, 1, 1), SINGLE.id)  # so that two of them fit beside each other
    async with queue_of(folder, tmp_path / "db", workers=2, worker=nowhere) as made:
        await made.queue.submit(other)
        await made.queue.cancel(other.id)
        await made.queue.submit(first)
        for _ in range(300):
            # Has the queue look for work in each turn, so also in the one between the two.
            await made.queue.cancel(other.id)
            await asyncio.sleep(0)
        assert made.queue.pool_trouble
        assert made.queue.get(first.id).place <= 1
    assert wrong == []
