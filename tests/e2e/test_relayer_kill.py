"""kill -9 at the worst moments: after a restart there is exactly one fulfilment, paid once."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.e2e.relayer_process import GAP_POINTS, POINTS
from tests.e2e.relayer_quorum import kinds, trio
from tests.e2e.relayer_world import World, ended, until, world
from tests.support.terms import FEE
from vouch.protocol.status import Status
from vouch.relayer.job import TxKind, TxStatus
from vouch.relayer.store import Store

KEY = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""Anvil's account 2, which relays."""


async def _die(
    w: World, url: str, point: str, ask: Callable[[bytes], Awaitable[bytes]], members: tuple[str, ...] = ()
) -> bytes:
    """Runs a relayer that kills itself at `point` while it serves the one request, whose id is returned."""
    config = w.config(url)
    given = {
        "rpc": config.rpc_url,
        "ws": config.ws_url,
        "hub": config.hub,
        "node": url,
        "database": str(config.database),
        "start": config.start_block,
        "key": KEY,
        "members": members,
    }
    script = Path(__file__).with_name("relayer_process.py")
    relayer = await asyncio.create_subprocess_exec(
        sys.executable, str(script), json.dumps(given), point, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert relayer.stdout is not None
        assert await relayer.stdout.readline() == b"ready\n"
        asked = await ask(b"are you there?")
        async with asyncio.timeout(10):
            assert await relayer.wait() == -signal.SIGKILL
        return asked
    finally:
        if relayer.returncode is None:
            relayer.kill()
            await relayer.wait()


@pytest.mark.parametrize("point", POINTS)
async def test_killed_and_restarted_it_fulfils_once(tmp_path: Path, point: str) -> None:
    async with world(tmp_path) as w, w.node() as url:
        asked = await _die(w, url, point, w.ask)
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
        asked = await _die(t.w, t.url, point, t.ask, t.urls)
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
