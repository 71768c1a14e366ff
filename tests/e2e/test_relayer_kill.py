"""kill -9 at the worst moments: after a restart there is exactly one fulfilment, paid once."""

from pathlib import Path

import pytest

from tests.e2e.relayer_killing import die
from tests.e2e.relayer_process import GAP_POINTS, POINTS
from tests.e2e.relayer_quorum import kinds, trio
from tests.e2e.relayer_world import ended, until, world
from tests.support.terms import FEE
from vouch.protocol.status import Status
from vouch.relayer.job import TxKind, TxStatus
from vouch.relayer.store import Store


@pytest.mark.parametrize("point", POINTS)
async def test_killed_and_restarted_it_fulfils_once(tmp_path: Path, point: str) -> None:
    async with world(tmp_path) as w, w.node() as url:
        asked = await die(w, url, point, w.ask)
        async with w.relayer(w.config(url)) as store:
            job = await ended(store, asked)
            assert job.reason == "settled by us"
            assert await w.hub.status_of(asked) is Status.SETTLED
            assert await w.settled_logs(asked) == 1
            assert await w.hub.credit_of(w.operator) == FEE
            # Gas is paid once: every signed transaction of the key is the one that fulfilled.
            assert await w.fulfilments() == 1
            assert [tx.hash for tx in store.transactions(asked)] == [job.end_tx]
            # And the lane goes on with the next nonce.
            await ended(store, await w.ask(b"and now?"))
            assert await w.fulfilments() == 2


@pytest.mark.parametrize("point", GAP_POINTS)
async def test_killed_and_restarted_it_delivers_and_settles_once(tmp_path: Path, point: str) -> None:
    async with trio(tmp_path) as t, t.members():
        asked = await die(t.w, t.url, point, t.ask, members=t.urls)
        async with t.w.relayer(t.config()) as store:
            job = await ended(store, asked)
            assert job.reason == "settled by us"
            assert (await t.w.hub.assurance_of(asked)).proven
            assert await t.w.settled_logs(asked) == 1
            assert await t.w.hub.credit_of(t.w.operator) == FEE
            assert await t.exposed() == 0
            await until(lambda: _all_mined(store, asked))
            assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
            assert await t.w.fulfilments() == 2
            # And the lane goes on with the next nonce.
            await ended(store, await t.ask(b"and now?"))
            assert await t.w.fulfilments() == 4


async def _all_mined(store: Store, request: bytes) -> bool:
    return all(tx.status is TxStatus.MINED for tx in store.transactions(request))
