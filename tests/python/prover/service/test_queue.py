import asyncio
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.python.prover.service import burner
from tests.python.prover.service.asking import BATCH, SINGLE, task
from tests.python.prover.service.conftest import (
    LONG,
    RunProver,
    burning,
    ended,
    is_proving,
    measure,
    pids_in,
    runs,
    until,
)
from vouch.prover.service.client import ProofState, ProverRefused, ProverUnavailable


async def test_several_at_once(run_prover: RunProver, folder: Path) -> None:
    async with run_prover(workers=2, max_memory=4 * burner.MEMORY) as client:
        await measure(client)
        for number in (1, 2, 3):
            await client.submit(task(number, value=LONG))
        for number in (1, 2):
            await until(client, task(number, value=LONG).id, is_proving)
        await burning(folder, 3)
        third = await client.get(task(3, value=LONG).id)
    assert (third.state, third.place) == (ProofState.QUEUED, 2)
    assert len(pids_in(folder)) == 3


async def test_fewer_at_once_where_memory_is_short(run_prover: RunProver, folder: Path) -> None:
    async with run_prover(workers=2, max_memory=2 * burner.MEMORY - 1) as client:
        await measure(client)
        for number in (1, 2):
            await client.submit(task(number, value=LONG))
        await burning(folder, 2)
        second = await client.get(task(2, value=LONG).id)
        assert (second.state, second.place) == (ProofState.QUEUED, 1)
        await client.cancel(task(1, value=LONG).id)
        await until(client, second.id, is_proving)


async def test_what_was_never_measured_runs_alone(run_prover: RunProver, folder: Path) -> None:
    async with run_prover(workers=2) as client:
        for number in (1, 2):
            await client.submit(task(number, value=LONG))
        await burning(folder)
        second = await client.get(task(2, value=LONG).id)
    assert (second.state, second.place) == (ProofState.QUEUED, 1)


async def test_measurements_survive(run_prover: RunProver) -> None:
    async with run_prover() as client:
        await measure(client)
        measured = (await client.info()).seconds[SINGLE.id]
    async with run_prover() as client:
        assert (await client.info()).eta == {SINGLE.id: measured}


async def test_place_time_and_stage(run_prover: RunProver) -> None:
    async with run_prover() as client:
        await measure(client)
        for number in (1, 2, 3):
            await client.submit(task(number, value=LONG))
        first = await until(client, task(1, value=LONG).id, lambda status: status.reason == "burning")
        third = await client.get(task(3, value=LONG).id)
        info = await client.info()
    assert (first.state, first.place) == (ProofState.PROVING, 0)
    assert first.eta_seconds is not None
    assert third.place == 2
    assert third.eta_seconds is not None
    assert third.eta_seconds > first.eta_seconds
    assert info.queued == 2
    assert info.eta[SINGLE.id] > third.eta_seconds
    assert info.seconds[SINGLE.id] < third.eta_seconds


async def test_near_deadlines_go_first(run_prover: RunProver, folder: Path) -> None:
    now = int(time.time())
    async with run_prover() as client:
        await client.submit(task(1, value=LONG))
        await burning(folder)
        for number, prove_by in ((2, None), (3, now + 40), (4, now + 30), (5, now - 1), (6, now + 10**6)):
            await client.submit(task(number, value=LONG, prove_by=prove_by))
        places = [(await client.get(task(number, value=LONG).id)).place for number in range(1, 7)]
        # A deadline that comes nearer is told by submitting once more.
        await client.submit(task(6, value=LONG, prove_by=now + 35))
        moved = (await client.get(task(6, value=LONG).id)).place
    assert places == [0, 3, 2, 1, 4, 5]
    assert moved == 2


@pytest.mark.parametrize(
    ("value", "attempts", "reason"),
    [
        (burner.REFUSED, 1, "no such circuit"),
        (burner.KILLED, 2, "ran out of memory"),
        (burner.DIED, 2, "ended with code 9"),
    ],
)
async def test_failures(
    run_prover: RunProver, caplog: pytest.LogCaptureFixture, value: int, attempts: int, reason: str
) -> None:
    asked = task(value=value)
    async with run_prover(attempts=2) as client:
        await client.submit(asked)
        failed = await ended(client, asked.id)
        made = [r.getMessage() for r in caplog.records if f"proof {asked.id}, attempt" in r.getMessage()]
        # Asked again, it is tried again; and what comes after it is not held up.
        assert not (await client.submit(asked)).state.ended
        await ended(client, asked.id)
        await measure(client)
    assert (failed.state, failed.seal) == (ProofState.FAILED, None)
    assert reason in failed.reason
    assert len(made) == attempts


@pytest.mark.parametrize("value", [burner.REFUSED, burner.DIED])
async def test_nothing_is_promised_after_a_failure(run_prover: RunProver, value: int) -> None:
    async with run_prover(attempts=1) as client:
        await measure(client)
        assert (await client.info()).eta.keys() == {SINGLE.id}
        await client.submit(task(value=value))
        await ended(client, task(value=value).id)
        broken = await client.info()
        assert (broken.eta, broken.seconds) == ({}, {})
        # Neither for what is under way nor for what waits.
        for number in (2, 3):
            await client.submit(task(number, value=LONG))
        await until(client, task(2, value=LONG).id, is_proving)
        assert [(await client.get(task(n, value=LONG).id)).eta_seconds for n in (2, 3)] == [None, None]
        for number in (3, 2):
            await client.cancel(task(number, value=LONG).id)
        await client.submit(task(4, value=20))
        await ended(client, task(4, value=20).id)
        assert (await client.info()).eta.keys() == {SINGLE.id}


async def test_nothing_is_promised_without_processes(run_prover: RunProver) -> None:
    async with run_prover() as client:
        await measure(client)
    async with run_prover(worker=("/nowhere/to/be/found",)) as client:
        assert (await client.info()).eta.keys() == {SINGLE.id}
        await client.submit(task())
        async with asyncio.timeout(10):
            while (info := await client.info()).eta:  # noqa: ASYNC110 - nobody sets an event
                await asyncio.sleep(0.01)
        assert info.seconds.keys() == {SINGLE.id}
        assert (await client.get(task().id)).eta_seconds is None
    async with run_prover() as client:
        await ended(client, task().id)
        assert (await client.info()).eta.keys() == {SINGLE.id}


async def test_a_full_queue(run_prover: RunProver, folder: Path) -> None:
    async with run_prover(max_queue=1) as client:
        await client.submit(task(1, value=LONG))
        await burning(folder)
        await client.submit(task(2, value=LONG))
        with pytest.raises(ProverUnavailable, match="QueueFull"):
            await client.submit(task(3, value=LONG))
        assert (await client.submit(task(2, value=LONG))).place == 1
        with pytest.raises(ProverRefused, match="UnknownProof"):
            await client.get(task(3, value=LONG).id)


async def test_cancelling_what_waits(run_prover: RunProver, folder: Path) -> None:
    async with run_prover() as client:
        await client.submit(task(1, value=LONG))
        await burning(folder)
        await client.submit(task(2, value=20))
        assert (await client.cancel(task(2, value=20).id)).state is ProofState.CANCELLED
        await client.cancel(task(1, value=LONG).id)
        await measure(client)
    assert len(pids_in(folder)) == 2


async def test_asking_again_while_it_is_being_cancelled(run_prover: RunProver, folder: Path) -> None:
    asked = task(value=LONG)
    async with run_prover(workers=2) as client:
        await measure(client)
        await client.submit(asked)
        pid = (await burning(folder, 2))[-1]
        # A process that is stopped takes half a second to end.
        worker = parent_of(pid)
        os.kill(worker, signal.SIGSTOP)
        cancelling = asyncio.create_task(client.cancel(asked.id))
        await until(client, asked.id, lambda status: status.state is ProofState.CANCELLED)
        assert (await client.submit(asked)).state is ProofState.QUEUED
        await cancelling
        assert not runs(worker)
        assert not runs(pid)
        assert len(await burning(folder, 3)) == 3
        assert (await client.get(asked.id)).state is ProofState.PROVING
        assert (await client.cancel(asked.id)).state is ProofState.CANCELLED


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def test_a_seal_waits_for_the_database(run_prover: RunProver, folder: Path, tmp_path: Path) -> None:
    asked = task(value=200)
    async with run_prover() as client, httpx.AsyncClient(base_url=client.url, trust_env=False) as http:
        await measure(client)
        await client.submit(asked)
        with closing(sqlite3.connect(tmp_path / "proofs.sqlite", isolation_level=None)) as other:
            await burning(folder, 2)
            other.execute("BEGIN IMMEDIATE")
            async with asyncio.timeout(20):
                while (sick := await http.get("/health/ready")).status_code == 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert "locked" in sick.json()["database"]
            async with asyncio.timeout(20):
                while (await client.info()).eta:  # noqa: ASYNC110 - nobody sets an event
                    await asyncio.sleep(0.01)
            other.execute("ROLLBACK")
        assert (await ended(client, asked.id)).state is ProofState.DONE
        assert (await http.get("/health/ready")).status_code == 200
        assert (await client.info()).eta.keys() == {SINGLE.id}
    assert len(pids_in(folder)) == 2


async def test_tasks_of_a_circuit_that_is_gone_wait(run_prover: RunProver, folder: Path) -> None:
    asked = task(2, value=20)
    async with run_prover() as client:
        await client.submit(task(1, value=LONG))
        await burning(folder)
        await client.submit(asked)
    async with run_prover(serving=[BATCH]) as client:
        waiting = await client.get(asked.id)
        assert (waiting.state, waiting.eta_seconds) == (ProofState.QUEUED, None)
        assert "folder" in waiting.reason
        await client.cancel(task(1, value=LONG).id)
    async with run_prover() as client:
        assert (await ended(client, asked.id)).state is ProofState.DONE


async def test_what_waits_for_a_circuit_that_is_gone_is_dropped(run_prover: RunProver, folder: Path) -> None:
    async with run_prover() as client:
        await measure(client)
        await client.submit(task(1, value=LONG))
        await burning(folder, 2)
        await client.submit(task(2, value=20))
    async with run_prover(keep_days=0) as client:
        with pytest.raises(ProverRefused, match="UnknownProof"):
            await ended(client, task(99, value=20).id)
        assert (await client.get(task(2, value=20).id)).state is ProofState.QUEUED
    async with run_prover(serving=[BATCH], keep_days=0) as client:
        with pytest.raises(ProverRefused, match="UnknownProof"):
            await ended(client, task(2, value=20).id)


async def test_old_seals_are_dropped(run_prover: RunProver) -> None:
    async with run_prover() as client:
        await measure(client)
    async with run_prover(keep_days=0) as client:
        with pytest.raises(ProverRefused, match="UnknownProof"):
            await ended(client, task(99, value=20).id)
