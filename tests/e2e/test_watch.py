"""A watcher with the real model, on a real chain: the honest are left alone, liars lose their bond to it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.e2e.watch_world import BOND, DAY, ETHER, RISK, until, world
from tests.support.server import listening
from vouch.protocol.manifest import Artefact, Limits, Manifest
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Status
from vouch.watcher.config import Believed, Models
from vouch.watcher.finding import Kind


async def test_an_honest_answer_is_left_alone(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        terms = await w.ask()
        request = await w.deliver(terms, w.honest)
        line = await watched.said(Kind.SAME, request)
        assert "risk says so too" in line.text
        assert w.operator.address in line.text
        await w.later(DAY + 1)
        await asyncio.sleep(0.5)
        # Neither challenged nor settled: nobody asked it to.
        assert await w.hub.status_of(request) is Status.DELIVERED
        assert await w.sent(w.account) == 0


async def test_a_lie_is_challenged_and_rejected_and_the_watcher_has_the_bond(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        before = await w.balance(w.account)
        terms = await w.ask()
        request = await w.deliver(terms, w.moved(0.2))
        line = await watched.said(Kind.CHALLENGE, request)
        assert "0.01 ether put up; to win 0.01 ether" in line.text
        assert "risk says something else: tensor 'risk', element 0: 0.14" in line.text
        await until(lambda: w.has(request, Status.CHALLENGED))
        gap = await w.hub.gap_of(terms)
        assert gap.challenger == w.account.address
        # The operator may still prove up to and with this second.
        await w.rpc.call("evm_setNextBlockTimestamp", gap.prove_by)
        await w.rpc.call("evm_mine")
        await w.later(1)
        await watched.said(Kind.WON, request)
        assert await w.hub.status_of(request) is Status.REJECTED
        # What was put up is back, and the operator's bond on top; the consumer has the exposure and its fee.
        assert await w.hub.credit_of(w.account.address) == 2 * BOND
        assert before - await w.balance(w.account) == BOND + await w.gas_spent(w.account)
        assert await w.hub.credit_of(terms.consumer) == terms.fee + terms.exposure
        stake = await w.nodes.stake_of(w.operator.address)
        assert stake.bonded == 10 * ETHER - terms.exposure - BOND
        assert await w.sent(w.account) == 2


async def test_without_a_window_nothing_can_be_challenged_and_a_late_proof_is_rejected(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        terms = await w.ask(window=0)
        request = await w.deliver(terms, w.moved(0.2))
        line = await watched.said(Kind.DIFFERENT, request)
        assert "no window, so nothing can be challenged: it must be proven by 20" in line.text
        await w.later(3601)
        await watched.said(Kind.REJECT, request, "brings 0.01 ether")
        await until(lambda: w.has(request, Status.REJECTED))
        assert await w.hub.credit_of(w.account.address) == BOND


async def test_a_late_proof_of_an_honest_answer_is_rejected_too(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        request = await w.deliver(await w.ask(window=0), w.honest)
        await watched.said(Kind.SAME, request, "must be proven by")
        await w.later(3601)
        await until(lambda: w.has(request, Status.REJECTED))


async def test_a_chain_whose_clock_is_years_behind_ours(tmp_path: Path) -> None:
    async with world(tmp_path, args=["--timestamp", "1600000000"]) as w, w.watcher() as watched:
        request = await w.deliver(await w.ask(), w.moved(0.2))
        await until(lambda: w.has(request, Status.CHALLENGED))
        await asyncio.sleep(0.5)
        assert await w.hub.status_of(request) is Status.CHALLENGED
        await w.later(3601)
        await watched.said(Kind.WON, request)
        assert Kind.TROUBLE not in watched.kinds(request)


async def test_tolerance_is_respected(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        loose = replace(w.manifest, name="loose", deterministic=False, tolerance=0.05)
        await w.publish(loose)
        within = await w.deliver(await w.ask(model_id=loose.model_id), w.moved(0.04))
        beyond = await w.deliver(await w.ask(model_id=loose.model_id), w.moved(0.06))
        assert "within the tolerance" in (await watched.said(Kind.SAME, within)).text
        await watched.said(Kind.CHALLENGE, beyond)
        await until(lambda: w.has(beyond, Status.CHALLENGED))
        assert await w.hub.status_of(within) is Status.DELIVERED


async def test_what_the_slack_allows_is_told_and_not_challenged(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher(w.config(slack=1e-5)) as watched:
        request = await w.deliver(await w.ask(), w.moved(1e-6))
        assert w.moved(1e-6) != w.honest
        await watched.said(Kind.CLOSE, request)
        assert await w.sent(w.account) == 0
    async with world(tmp_path) as w, w.watcher(w.config(name="strict")) as watched:
        request = await w.deliver(await w.ask(), w.moved(1e-6))
        await watched.said(Kind.CHALLENGE, request)


async def test_what_cannot_be_judged_is_not_challenged(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        random = replace(w.manifest, name="random", deterministic=False)
        foreign = replace(w.manifest, name="foreign", artefact=replace(w.manifest.artefact, sha256="0" * 64))
        await w.publish(random)
        await w.publish(foreign)
        for model, why in (
            (random.model_id, "not deterministic and names no tolerance"),
            (foreign.model_id, "we have no copy of model 'foreign'"),
            (b"\7" * 32, "was never published"),
        ):
            request = await w.deliver(await w.ask(model_id=model), w.moved(0.2))
            assert why in (await watched.said(Kind.UNJUDGED, request)).text
        # An input that the model refuses: no run, no verdict.
        w.input = w.input[:-1]
        broken = await w.deliver(await w.ask(), w.moved(0.2))
        assert "our own run failed" in (await watched.said(Kind.UNJUDGED, broken)).text
        assert await w.sent(w.account) == 0


async def test_a_file_serves_under_the_name_it_was_published_with(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        renamed = replace(w.manifest, name="credit-v3")
        # Neither published nor known by the file's name: only the command line can say so.
        unpublished = replace(w.manifest, name="private")
        await w.publish(renamed)
        models = Models(onnx=(("private", RISK),))
        async with w.watcher(w.config(models=models)) as watched:
            for manifest in (renamed, unpublished):
                request = await w.deliver(await w.ask(model_id=manifest.model_id), w.honest)
                await watched.said(Kind.SAME, request, manifest.name)


async def test_a_dry_run_needs_no_key_and_sends_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        config = w.config(dry_run=True, status_port=0, ws_url=None)
        async with w.watcher(config) as watched, aiohttp.ClientSession() as http:
            lie = await w.deliver(await w.ask(), w.moved(0.2))
            late = await w.deliver(await w.ask(window=0), w.honest)
            assert "would challenge: 0.01 ether put up" in (await watched.said(Kind.DIFFERENT, lie)).text
            await w.later(3601)
            await watched.said(Kind.REJECT, late, "would reject")
            async with http.get(f"{watched.url}/healthz") as reply:
                assert reply.status == 200
                health = await reply.json()
            assert health["ok"]
            assert (health["requests"], health["lines"]["reject"]) == (2, 1)
            assert await w.hub.status_of(lie) is await w.hub.status_of(late) is Status.DELIVERED


async def test_unchallenged_answers_are_settled_on_demand_but_not_lies(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        config = w.config(settle=True, believed=Believed())
        async with w.watcher(config) as watched:
            honest = await w.deliver(await w.ask(), w.honest)
            lie = await w.deliver(await w.ask(), w.moved(0.2))
            await watched.said(Kind.SAME, honest)
            await watched.said(Kind.DIFFERENT, lie)
            await w.later(DAY + 1)
            await watched.said(Kind.SETTLE, honest)
            await until(lambda: w.has(honest, Status.SETTLED))
            await w.later(1)
            await asyncio.sleep(0.5)
            assert await w.hub.status_of(lie) is Status.DELIVERED


async def test_a_dead_route_gives_the_bond_back(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher() as watched:
        terms = await w.ask()
        request = await w.deliver(terms, w.moved(0.2))
        await until(lambda: w.has(request, Status.CHALLENGED))
        await w.kill_route(terms.route)
        await watched.said(Kind.EXPIRE, request, "brings 0.01 ether")
        await until(lambda: w.has(request, Status.EXPIRED))
        assert await w.hub.credit_of(w.account.address) == BOND
        await watched.said(Kind.GONE, request, "the bond of 0.01 ether is back")
        assert watched.watcher.report()["atRisk"] == {NATIVE: "0"}


async def test_nothing_is_challenged_on_a_dead_route(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        terms = await w.ask()
        request = await w.deliver(terms, w.moved(0.2))
        await w.kill_route(terms.route)
        async with w.watcher() as watched:
            assert "its route is dead" in (await watched.said(Kind.DIFFERENT, request)).text
            assert await w.sent(w.account) == 0


async def test_a_delivery_is_judged_when_it_is_confirmed(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.watcher(w.config(confirmations=2)) as watched:
        request = await w.deliver(await w.ask(), w.honest)
        await w.rpc.call("evm_mine")
        await asyncio.sleep(0.5)
        assert not watched.kinds(request)
        await w.rpc.call("evm_mine")
        await watched.said(Kind.SAME, request)


async def test_text_is_judged_bit_for_bit_once_its_server_answers(tmp_path: Path) -> None:
    statuses = [200]

    async def chat(http: web.Request) -> web.Response:
        body = await http.json()
        assert (body["model"], body["temperature"]) == ("gpt", 0)
        return web.json_response({"choices": [{"message": {"content": "a"}}]}, status=statuses[-1])

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    exact = Manifest("exact", "text", Artefact("openai", model="gpt"), Limits(1000))
    (tmp_path / "exact.json").write_bytes(bytes(exact))
    async with listening(app) as url, world(tmp_path) as w:
        config = w.config(models=Models(texts=((tmp_path / "exact.json", url),)))
        w.input = b"what comes first?"
        async with w.watcher(config) as watched:
            statuses.append(503)
            never = await w.deliver(await w.ask(model_id=exact.model_id), b"a")
            line = await watched.said(Kind.UNJUDGED, never)
            assert "given up after 6 tries" in line.text
            honest = await w.deliver(await w.ask(model_id=exact.model_id), b"a")
            statuses.append(200)
            await watched.said(Kind.SAME, honest)
            lie = await w.deliver(await w.ask(model_id=exact.model_id), b"b")
            await watched.said(Kind.CHALLENGE, lie, "the texts differ from byte 0 on")
