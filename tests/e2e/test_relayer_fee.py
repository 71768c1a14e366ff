"""Gas that costs more than `--max-fee`: what waits, who says so, and that nothing dearer is ever signed."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.relayer_quorum import hash_of, kinds, says, trio
from tests.e2e.relayer_world import QUICK, World, ended, get_json, until, world
from vouch.chain.fees import GWEI
from vouch.chain.transaction import SentTx
from vouch.relayer.config import RelayerConfig
from vouch.relayer.job import JobStatus, TxKind
from vouch.relayer.store import Store
from vouch.web.ports import free_port

CAP = 100 * GWEI
DEAR = 10_000 * GWEI
"""Falls by an eighth with each empty block, and stays above the cap for 34 of them."""


async def _costs(w: World, wei: int, *, mine: bool = True) -> None:
    """The next block's base fee."""
    await w.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(wei))
    if mine:
        await w.rpc.call("evm_mine")


def _offered(store: Store, request: bytes) -> list[int]:
    """Most wei per gas of each transaction that was signed for a request."""
    return [SentTx.parse(tx.raw).transaction.fees.max_fee for tx in store.transactions(request)]


def _config(w: World, url: str, port: int | None = None) -> RelayerConfig:
    return w.config(url, max_fee=CAP, status_port=port, patience=replace(QUICK, replace=0.6))


async def _sender(port: int) -> tuple[bool, str]:
    """`ok` and the sender's trouble, as the status server tells them."""
    _, told = await get_json(f"http://127.0.0.1:{port}/healthz")
    return told["ok"], told["sender"]


async def test_below_the_cap_it_goes_and_offers_no_more_than_the_cap(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(_config(w, url)) as store:
        await _costs(w, 80 * GWEI)
        asked = await w.ask()
        await ended(store, asked)
        assert _offered(store, asked) == [CAP], "twice the base fee would be 160 gwei"


async def test_above_the_cap_it_waits_and_says_why_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    async with world(tmp_path) as w, w.node() as url:
        await _costs(w, DEAR)
        async with w.relayer(_config(w, url, port)) as store:
            asked = await w.ask()
            await until(lambda: says(store, asked, "fulfil waits: gas costs at least"))
            job = await ended(store, asked, JobStatus.ANSWERED)
            assert "and the cap is 100 gwei (--max-fee)" in job.reason
            ok, why = await _sender(port)
            assert (ok, "and the cap is 100 gwei" in why) == (False, True)
            await asyncio.sleep(2)  # several tries
            assert store.transactions(asked) == []
            assert sum("--max-fee" in message for message in caplog.messages) == 1
            await _costs(w, GWEI, mine=False)
            await ended(store, asked, seconds=20)
            assert await _sender(port) == (True, "")


async def test_what_waits_in_the_pool_is_not_replaced_above_the_cap_and_survives_a_restart(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with world(tmp_path) as w, w.node() as url:
        config = _config(w, url, port)
        async with w.relayer(config) as store:
            await ended(store, await w.ask(b"first"))
            await _costs(w, 80 * GWEI)
            (asked,) = await w.ask_many(1)
            await ended(store, asked, JobStatus.SENT)
            await _costs(w, DEAR)
            await until(lambda: says(store, asked, "fulfil waits: gas costs at least"), seconds=20)
            ok, why = await _sender(port)
            assert (ok, "and the cap is 100 gwei" in why) == (False, True)
            await asyncio.sleep(2)  # several times as long as until a replacement
        async with w.relayer(config) as store:
            await until(lambda: says(store, asked, "fulfil waits: gas costs at least"), seconds=20)
            assert _offered(store, asked) == [CAP]
            assert [tx.hash for tx in store.pending()] == [tx.hash for tx in store.transactions(asked)]
            await _costs(w, GWEI)

            async def done() -> bool:
                await w.rpc.call("evm_mine")
                return store.status(asked) is JobStatus.DONE

            await until(done, seconds=20)
            assert await w.settled_logs(asked) == 1
            await until(lambda: _healthy(port))


async def _healthy(port: int) -> bool:
    return await _sender(port) == (True, "")


async def test_a_higher_cap_after_a_restart_replaces_what_waits(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        config = _config(w, url)
        async with w.relayer(config) as store:
            await ended(store, await w.ask(b"first"))
            await _costs(w, 80 * GWEI)
            (asked,) = await w.ask_many(1)
            await ended(store, asked, JobStatus.SENT)
            await _costs(w, 300 * GWEI)
        async with w.relayer(replace(config, max_fee=1000 * GWEI)) as store:

            async def done() -> bool:
                await _costs(w, 300 * GWEI)
                return store.status(asked) is JobStatus.DONE

            await until(done, seconds=20)
            assert _offered(store, asked)[0] == CAP
            assert all(each <= 1000 * GWEI for each in _offered(store, asked))


async def test_a_proof_that_waits_to_be_sent_is_loud_in_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config(max_fee=CAP)) as store:
        asked = await t.ask(window=1_000)
        job = await ended(store, asked, JobStatus.DELIVERED)
        await _costs(t.w, DEAR)
        await t.challenge(job)
        await until(lambda: says(store, asked, "settle waits: gas costs at least"))
        assert not _loud(caplog)
        await t.later(60)  # more than half of proveWithin
        await until(lambda: says(store, asked, "stake at risk: its proof is due in "))
        assert len(_loud(caplog)) == 1
        assert kinds(store, asked) == [TxKind.DELIVER]
        await _costs(t.w, GWEI, mine=False)
        assert (await ended(store, asked, seconds=20)).reason == "settled by us"


async def test_a_proof_that_waits_for_its_block_is_loud_in_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    async with (
        trio(tmp_path) as t,
        t.members(),
        t.w.relayer(t.config(max_fee=CAP, status_port=port)) as store,
    ):
        asked = await t.ask(window=1_000)
        job = await ended(store, asked, JobStatus.DELIVERED)
        await t.w.rpc.call("evm_setAutomine", False)
        challenge = t.w.hub.challenge(job.terms, t.w.operator, hash_of(job))
        await t.w.sender(5).send(challenge, gas=300_000, simulate=False)
        await t.w.rpc.call("evm_mine")
        await until(lambda: _settles(store, asked))
        await _costs(t.w, DEAR)
        await until(lambda: says(store, asked, "settle waits: gas costs at least"), seconds=20)
        await t.later(60)
        await until(lambda: says(store, asked, "stake at risk: its proof is due in "))
        assert len(_loud(caplog)) == 1
        assert list(await _risks(port)) == [f"0x{asked.hex()}"]
        await t.w.rpc.call("evm_setAutomine", True)
        await _costs(t.w, GWEI)
        assert (await ended(store, asked, seconds=20)).reason == "settled by us"
        assert max(_offered(store, asked)) <= CAP
        await until(lambda: _healthy(port))
        assert await _risks(port) == {}


async def _risks(port: int) -> dict[str, str]:
    """Request -> why stake is at risk, as the status server tells it."""
    _, told = await get_json(f"http://127.0.0.1:{port}/healthz")
    risks: dict[str, str] = told["atRisk"]
    return risks


async def _settles(store: Store, request: bytes) -> bool:
    return kinds(store, request) == [TxKind.DELIVER, TxKind.SETTLE]


def _loud(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
