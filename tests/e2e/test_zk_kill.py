"""kill -9 of the relayer and of the prover in the middle: the proof is made once, and counts once."""

from pathlib import Path

import pytest

from tests.e2e.relayer_killing import die
from tests.e2e.relayer_process import ZK_GAP_POINTS, ZK_POINTS
from tests.e2e.relayer_quorum import kinds, says
from tests.e2e.zk_world import ZkWorld, reached, soon, zk_world
from tests.support.terms import FEE
from vouch.prover.files import CircuitFiles
from vouch.relayer.job import JobStatus, TxKind
from vouch.relayer.store import Store

pytestmark = pytest.mark.slow


async def _settled_once(z: ZkWorld, store: Store, asked: bytes) -> None:
    job = await reached(store, asked)
    assert job.reason == "settled by us"
    assert (await z.w.hub.assurance_of(asked)).proven
    assert await z.w.settled_logs(asked) == 1
    assert await z.w.hub.credit_of(z.w.operator) == FEE
    assert await z.exposed() == 0


@pytest.mark.parametrize("point", ZK_POINTS)
async def test_a_relayer_that_dies_before_its_one_transaction(
    tmp_path: Path, circuit: CircuitFiles, point: str
) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running():

        async def ask() -> bytes:
            return await z.ask(prove_within=0, exposure=0, bond=0)

        asked = await die(z.w, z.url, point, ask, prover=z.prover.url)
        async with z.w.relayer(z.config()) as store:
            await _settled_once(z, store, asked)
            assert kinds(store, asked) == [TxKind.FULFIL]
            assert await z.w.fulfilments() == 1


@pytest.mark.parametrize("point", ZK_GAP_POINTS)
async def test_a_relayer_that_dies_in_the_gap(tmp_path: Path, circuit: CircuitFiles, point: str) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        await z.warm()
        asked = await die(z.w, z.url, point, z.ask, prover=z.prover.url)
        async with z.w.relayer(z.config()) as store:
            await _settled_once(z, store, asked)
            assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
            assert await z.w.fulfilments() == 2


async def test_a_relayer_that_lost_its_database_defends_what_it_delivered(
    tmp_path: Path, circuit: CircuitFiles
) -> None:
    async with zk_world(tmp_path, circuit) as z, z.prover.running():
        await z.warm()
        z.prover.hold()
        async with z.w.relayer(z.config()) as store:
            asked = await z.ask()
            await reached(store, asked, JobStatus.DELIVERED)
        async with z.w.relayer(z.config("fresh"), 3) as store:
            await soon(lambda: says(store, asked, "the proof is being made"))
            z.prover.release()
            await _settled_once(z, store, asked)
            assert kinds(store, asked) == [TxKind.SETTLE]


async def test_a_prover_that_dies_in_the_middle_goes_on_where_it_was(
    tmp_path: Path, circuit: CircuitFiles
) -> None:
    async with zk_world(tmp_path, circuit) as z:
        async with z.prover.running() as process:
            await z.warm()
            relayer = z.w.relayer(z.config())
            store = await relayer.__aenter__()
            z.prover.hold()
            asked = await z.ask()
            await soon(lambda: says(store, asked, "proof is due: the proof is being made"))
            process.kill()
            await process.wait()
        try:
            await soon(lambda: says(store, asked, "ClientConnectorError"))
            assert store.status(asked) is JobStatus.DELIVERED
            z.prover.release()
            async with z.prover.running(), z.prover.client() as client:
                # Nobody has to ask again for it to be made.
                await _settled_once(z, store, asked)
                job = store.get(asked)
                assert job is not None
                assert (await client.get(z.task(job).id)).cpu_seconds > 0
        finally:
            await relayer.__aexit__(None, None, None)
