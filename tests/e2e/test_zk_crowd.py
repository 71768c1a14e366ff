"""Several answers at once: so much is promised as there is time to prove if all of it is challenged."""

from functools import partial
from pathlib import Path

import pytest

from tests.e2e.relayer_quorum import kinds, says
from tests.e2e.zk_world import MARGIN, ZkWorld, reached, soon, zk_world
from vouch.prover.files import CircuitFiles
from vouch.relayer.config import RelayerConfig, ZkConfig
from vouch.relayer.job import Job, JobStatus, TxKind
from vouch.relayer.store import Store

pytestmark = pytest.mark.slow

WITHIN = 1000
"""Seconds: enough for one proof and not for two, however fast and busy this machine is."""


async def _slow(z: ZkWorld, name: str) -> RelayerConfig:
    """A relayer that leaves three quarters of that time for a proof."""
    async with z.prover.client() as client:
        seconds = (await client.info()).seconds[z.circuit_id]
    zk = ZkConfig(z.prover.url, slack=0.75 * WITHIN / seconds, margin=MARGIN, poll=0.1, dev=True)
    return z.config(name, zk=zk)


async def _settled(z: ZkWorld, store: Store, asked: bytes) -> None:
    job = await reached(store, asked)
    assert job.reason == "settled by us"
    assert (await z.w.hub.assurance_of(asked)).proven


async def test_what_there_is_no_time_for_is_proven_first(tmp_path: Path, circuit: CircuitFiles) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        await z.warm()
        async with z.w.relayer(await _slow(z, "relayer")) as store:
            requests = [await z.ask(window=10_000, prove_within=WITHIN) for _ in range(2)]

            async def decided() -> bool:
                found = [store.get(asked) for asked in requests]
                return {job.status for job in found if job} == {JobStatus.DELIVERED, JobStatus.DONE}

            await soon(decided)
            first, second = sorted(requests, key=lambda asked: kinds(store, asked))
            assert [kinds(store, asked) for asked in (first, second)] == [[TxKind.DELIVER], [TxKind.FULFIL]]
            assert await says(store, second, " beside 1 other answers of ours, proveWithin is ")
        # Whoever is started anew knows what was promised.
        async with z.w.relayer(await _slow(z, "relayer"), 3) as store:
            third = await z.ask(window=10_000, prove_within=WITHIN)
            await _settled(z, store, third)
            assert kinds(store, third) == [TxKind.FULFIL]
            assert store.status(first) is JobStatus.DELIVERED


async def test_everything_is_challenged_at_once(tmp_path: Path, circuit: CircuitFiles) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        await z.warm()
        async with z.w.relayer(z.config()) as store:
            requests = [await z.ask(window=10_000) for _ in range(4)]
            jobs: list[Job] = [await reached(store, asked, JobStatus.DELIVERED) for asked in requests]
            z.prover.hold()
            for job in jobs:
                await z.challenge(job)
            for asked in requests:
                await soon(partial(says, store, asked, "proof is due: the proof is "))
            z.prover.release()
            for asked in requests:
                await _settled(z, store, asked)
                assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
            assert await z.exposed() == 0
