"""The chain takes blocks back: what vanished is dropped, what came instead judged, two answers reported."""

import asyncio
from pathlib import Path

from aiohttp import web

from tests.e2e.watch_world import BOND, ETHER, Watched, World, until, world
from tests.support.server import listening
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Artefact, Limits, Manifest
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Status
from vouch.watcher.config import Models
from vouch.watcher.finding import Kind
from vouch.watcher.store import Store


async def test_a_delivery_that_vanished_is_dropped_and_judged_again_when_it_returns(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        terms = await w.ask()
        request = await w.deliver(terms, w.honest)
        await watched.said(Kind.SAME, request)
        await w.rpc.call("anvil_reorg", 1, [])
        await watched.said(Kind.GONE, request)
        assert await w.hub.status_of(request) is Status.REQUESTED
        await w.deliver(terms, w.honest)
        await until(lambda: _twice(watched.kinds(request)))


async def test_a_challenge_that_vanished_goes_out_again_with_the_same_bytes(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        request = await w.deliver(await w.ask(), w.moved(0.2))
        line = await watched.said(Kind.CHALLENGE, request)
        await until(lambda: w.has(request, Status.CHALLENGED))
        await until(lambda: _read_all(w, watched))
        await w.rpc.call("anvil_reorg", 1, [])
        assert await w.hub.status_of(request) is Status.DELIVERED
        await until(lambda: w.has(request, Status.CHALLENGED))
        logs = await w.rpc.call(
            "eth_getLogs", {"address": w.hub.address, "fromBlock": "0x0", "topics": [None, request]}
        )
        assert logs[-1]["transactionHash"] in line.text
        assert await w.sent(w.account) == 1
        await w.later(3601)
        await watched.said(Kind.WON, request)


async def test_a_loss_that_vanished_is_none(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        terms = await w.ask()
        request = await w.deliver(terms, w.moved(0.2))
        await watched.said(Kind.CHALLENGE, request)
        await until(lambda: w.has(request, Status.CHALLENGED))
        await w.prove(terms, w.moved(0.2))
        await watched.said(Kind.LOST, request)
        await w.rpc.call("anvil_reorg", 1, [])
        await w.later(3601)
        await watched.said(Kind.WON, request)
        assert watched.watcher.report()["lost"] == {NATIVE: "0"}


async def test_a_verdict_about_what_vanished_meanwhile_is_not_one_about_what_came(tmp_path: Path) -> None:
    running, go = asyncio.Event(), asyncio.Event()

    async def chat(_: web.Request) -> web.Response:
        running.set()
        await go.wait()
        return web.json_response({"choices": [{"message": {"content": "a"}}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    exact = Manifest("exact", "text", Artefact("openai", model="gpt"), Limits(1000))
    (tmp_path / "exact.json").write_bytes(bytes(exact))
    async with listening(app) as url, world(tmp_path) as w:
        honest = w.anvil.accounts[2]
        await w.sender(2).transact(w.nodes.register("http://127.0.0.1:9"))
        await w.sender(2).transact(w.nodes.stake(ETHER))
        config = w.config(models=Models(texts=((tmp_path / "exact.json", url),)))
        async with w.watcher(config) as watched:
            w.input = b"what comes first?"
            terms = await w.ask(model_id=exact.model_id)
            request = await w.deliver(terms, b"b")
            await running.wait()
            await w.rpc.call("anvil_reorg", 1, [])
            signed = Claim(request, terms.model_id, terms.input_hash, keccak(b"a"), honest.address)
            proof = honest.sign_claim(signed, w.anvil.chain_id, w.hub.address).proof
            await w.sender(2).transact(w.hub.deliver(terms, honest.address, b"a", proof))
            await until(lambda: _read_all(w, watched))
            go.set()
            line = await watched.said(Kind.SAME, request)
            assert honest.address in line.text
            assert await w.hub.status_of(request) is Status.DELIVERED
            assert await w.sent(w.account) == 0


async def test_two_deliveries_on_two_forks_are_reported(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        terms = await w.ask()
        request = await w.deliver(terms, w.honest)
        await watched.said(Kind.SAME, request)
        await until(lambda: _kept(w, request))
        await w.rpc.call("anvil_reorg", 1, [])
        await w.deliver(terms, w.moved(1e-7))  # the smallest contradiction is one
        line = await watched.said(Kind.REPORT, request, "reported in 0x")
        assert line.text.count("(transaction 0x") == 2
        await until(lambda: w.has(request, Status.REJECTED))
        assert await w.hub.credit_of(w.account.address) == BOND
        assert await w.hub.credit_of(terms.consumer) == terms.fee + terms.exposure


async def test_evidence_survives_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        terms = await w.ask()
        async with w.watcher() as watched:
            request = await w.deliver(terms, w.honest)
            await watched.said(Kind.SAME, request)
            await until(lambda: _kept(w, request))
        await w.rpc.call("anvil_reorg", 1, [])
        await w.deliver(terms, w.moved(1e-7))
        async with w.watcher() as watched:
            await watched.said(Kind.REPORT, request, "reported in 0x")
            await until(lambda: w.has(request, Status.REJECTED))


async def test_an_operator_whose_deliveries_both_vanished_loses_free_stake_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        terms = await w.ask()
        async with w.watcher(w.config(dry_run=True)) as watched:
            request = await w.deliver(terms, w.honest)
            await until(lambda: _kept(w, request))
            await w.rpc.call("anvil_reorg", 1, [])
            await w.deliver(terms, w.moved(0.2))
            await watched.said(Kind.REPORT, request, "would report it")
            await w.rpc.call("anvil_reorg", 1, [])
        assert await w.hub.status_of(request) is Status.REQUESTED
        for _ in range(2):
            async with w.watcher() as watched:
                await until(lambda: _earned(w, BOND))
                await w.later(1)
                await until(lambda: _read_all(w, watched))
        # The request goes on; the consumer has its insurance, the watcher the bond.
        assert await w.hub.status_of(request) is Status.REQUESTED
        assert await w.hub.credit_of(terms.consumer) == terms.exposure
        assert await w.hub.credit_of(w.account.address) == BOND
        assert (await w.nodes.stake_of(w.operator.address)).bonded == 10 * ETHER - terms.exposure - BOND
        assert await w.sent(w.account) == 1


async def _twice(kinds: list[Kind]) -> bool:
    return kinds.count(Kind.SAME) == 2


async def _kept(w: World, request: bytes, count: int = 1) -> bool:
    """Whether the watcher has stored so many of the operator's signatures."""
    with Store(w.folder / "watch.sqlite") as store:
        return len(store.statements(request, w.operator.address)) == count


async def _earned(w: World, amount: int) -> bool:
    return await w.hub.credit_of(w.account.address) == amount


async def _read_all(w: World, watched: Watched) -> bool:
    return bool(watched.watcher.report()["cursor"] == int(await w.rpc.call("eth_blockNumber"), 16))
