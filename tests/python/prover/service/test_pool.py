import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.python.prover.service import burner
from tests.python.prover.service.asking import SINGLE, words
from tests.python.prover.service.conftest import BURNER, burning, runs
from vouch.prover.service import pool
from vouch.prover.service.errors import ProofFailed, WorkerDied, WorkerUnavailable
from vouch.prover.service.orders import Order
from vouch.prover.service.pool import Pool


def order(folder: Path, value: int, timeout: float | None = None) -> Order:
    rows = ((words(value), words(value)),)
    return Order(SINGLE.id, folder, None, 1, rows, context=1 << 250, memory=1 << 30, timeout=timeout)


def ignored(_: str) -> None:
    pass


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


@asynccontextmanager
async def pool_of(scratch: Path) -> AsyncIterator[Pool]:
    async with Pool(BURNER, scratch, threads=1) as made:
        yield made
    assert not left(scratch)


def left(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


def workers() -> list[int]:
    """Processes that this one started, without those that wait to be reaped."""
    me = str(os.getpid())
    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[1] == me and fields[0] != "Z":
            children.append(int(stat.parent.name))
    return children


async def test_a_process_makes_many_proofs(scratch: Path, folder: Path) -> None:
    said: list[str] = []
    async with pool_of(scratch) as made:
        before = set(workers())
        first = await made.prove(order(folder, 20), said.append)
        (worker,) = set(workers()) - before
        second = await made.prove(order(folder, 30), said.append)
        assert set(workers()) - before == {worker}
        assert [first.proof, second.proof] == [burner.proof_of(order(folder, n)) for n in (20, 30)]
        assert first.took.cpu_seconds >= 0.02
        assert first.took.memory == burner.MEMORY
        assert said == ["burning", "burning"]
    assert not runs(worker)


async def test_cancelling_ends_everything(scratch: Path, folder: Path) -> None:
    async with pool_of(scratch) as made:
        before = set(workers())
        proving = asyncio.create_task(made.prove(order(folder, 60_000), ignored))
        (pid,) = await burning(folder)
        (worker,) = set(workers()) - before
        assert len(left(scratch)) > 1
        proving.cancel()
        async with asyncio.timeout(30):
            with pytest.raises(asyncio.CancelledError):
                await proving
        assert not runs(pid)
        assert not runs(worker)
        assert not left(scratch)
        assert (await made.prove(order(folder, 20), ignored)).proof


async def test_a_process_that_does_not_listen(scratch: Path, folder: Path) -> None:
    """One that is busy in Python, or stopped, ends too."""
    async with pool_of(scratch) as made:
        before = set(workers())
        proving = asyncio.create_task(made.prove(order(folder, 60_000), ignored))
        (pid,) = await burning(folder)
        (worker,) = set(workers()) - before
        os.kill(worker, signal.SIGSTOP)
        proving.cancel()
        async with asyncio.timeout(30):
            with pytest.raises(asyncio.CancelledError):
                await proving
            while runs(pid):  # noqa: ASYNC110 - nobody sets an event
                await asyncio.sleep(0.01)
        assert not runs(worker)


@pytest.mark.parametrize(
    ("value", "name", "retryable"),
    [(burner.REFUSED, "ProgramFailed", False), (burner.KILLED, "ProgramKilled", True)],
)
async def test_failures(scratch: Path, folder: Path, value: int, name: str, retryable: bool) -> None:
    async with pool_of(scratch) as made:
        before = set(workers())
        with pytest.raises(ProofFailed) as failed:
            await made.prove(order(folder, value), ignored)
        assert (failed.value.name, failed.value.retryable) == (name, retryable)
        kept = set(workers()) - before
        await made.prove(order(folder, 20), ignored)
        assert set(workers()) - before == kept


@pytest.mark.parametrize(
    ("value", "code"), [(burner.DIED, 9), (burner.BUG, 1), (burner.HALF, -9), (burner.NOISE, 128 + 15)]
)
async def test_a_process_that_ends(scratch: Path, folder: Path, value: int, code: int) -> None:
    async with pool_of(scratch) as made:
        with pytest.raises(WorkerDied) as died:
            await made.prove(order(folder, value), ignored)
        assert died.value.code == code
        assert (await made.prove(order(folder, 20), ignored)).proof


async def test_a_process_that_says_nothing_in_its_time(
    scratch: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "GRACE_SECONDS", 0.1)
    async with pool_of(scratch) as made:
        before = set(workers())
        await made.prove(order(folder, 20, timeout=60.0), ignored)
        (worker,) = set(workers()) - before
        with pytest.raises(ProofFailed, match=r"TooSlow: no proof after 0\.2 s") as failed:
            await made.prove(order(folder, burner.DEAF, timeout=0.1), ignored)
        assert failed.value.retryable
        assert not runs(worker)
        assert (await made.prove(order(folder, 20), ignored)).proof


async def test_idle_processes_give_way(scratch: Path, folder: Path) -> None:
    async with pool_of(scratch) as made:
        before = set(workers())
        await asyncio.gather(*(made.prove(order(folder, 200), ignored) for _ in range(3)))
        assert len(set(workers()) - before) == 3
        kept = await made.trim(1 << 40)
        assert 0 < kept < 2 * burner.MEMORY
        assert len(set(workers()) - before) == 3
        assert 0 < await made.trim(kept - 1) < kept
        assert len(set(workers()) - before) == 2
        assert await made.trim(0) == 0
        (last,) = set(workers()) - before
        # The next proof has it, so nothing is gained by ending it.
        assert (await made.prove(order(folder, 20), ignored)).proof
        assert set(workers()) - before == {last}


async def test_an_idle_process_that_was_killed(scratch: Path, folder: Path) -> None:
    async with pool_of(scratch) as made:
        before = set(workers())
        await made.prove(order(folder, 20), ignored)
        (worker,) = set(workers()) - before
        os.kill(worker, signal.SIGKILL)
        while runs(worker):  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert (await made.prove(order(folder, 30), ignored)).proof


async def test_no_such_program(scratch: Path, folder: Path) -> None:
    async with Pool(("/nowhere/to/be/found",), scratch, threads=1) as made:
        with pytest.raises(WorkerUnavailable, match="nowhere"):
            await made.prove(order(folder, 20), ignored)


async def test_the_threads_of_a_proof(scratch: Path, folder: Path) -> None:
    told = "import os, sys; sys.exit(int(os.environ['HARDWARE_CONCURRENCY']))"
    async with Pool((sys.executable, "-c", told), scratch, threads=3) as made:
        with pytest.raises(WorkerDied) as died:
            await made.prove(order(folder, 20), ignored)
    assert died.value.code == 3


async def test_left_over_files_go(scratch: Path) -> None:
    (scratch / "7").mkdir(parents=True)
    (scratch / "7" / "witness.gz").touch()
    async with pool_of(scratch):
        assert not left(scratch)
