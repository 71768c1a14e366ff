"""Nodes over real HTTP: what a wrong answer is called, and who is asked next."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from coincurve import PrivateKey
from eth_hash.auto import keccak

from tests.python.relayer.making import CHAIN_ID, HUB, QUESTION, make_job
from tests.support.server import listening
from vouch.chain.hexes import to_hex
from vouch.protocol.claim import Claim
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED, address_of, sign_claim
from vouch.protocol.zk import ZK
from vouch.relayer.config import NodeEndpoint
from vouch.relayer.errors import NodeRefused, NodeUnavailable, WrongNodeAnswer
from vouch.relayer.job import Job
from vouch.relayer.nodes import NodePool
from vouch.relayer.peers import Reach
from vouch.web.ports import free_port

KEY, STRANGER = PrivateKey(b"\1" * 32), PrivateKey(b"\2" * 32)
OPERATOR = address_of(KEY.public_key)
MODEL = make_job().terms.model_id
INFO = {"operator": OPERATOR, "models": [{"modelId": to_hex(MODEL)}], "routes": ["SIGN"]}
Reply = tuple[int, Any]


def answer(job: Job, key: PrivateKey = KEY, output: bytes = b"output") -> dict[str, Any]:
    claim = Claim(job.id, job.terms.model_id, job.terms.input_hash, keccak(output), OPERATOR)
    seal = bytes(sign_claim(key, claim, CHAIN_ID, HUB))
    named = {"requestId": claim.request_id, "modelId": claim.model_id, "inputHash": claim.input_hash}
    named["outputHash"] = claim.output_hash
    told = {**{name: to_hex(value) for name, value in named.items()}, "operator": OPERATOR}
    body = {"output": to_hex(output), "operator": OPERATOR, "claim": told, "seal": to_hex(seal)}
    return {**body, "elapsedMs": 0.5}


@asynccontextmanager
async def node(reply: Callable[[dict[str, Any]], Reply], info: Any = INFO) -> AsyncIterator[str]:
    """A server that answers what it is told to; without the token it refuses."""

    async def answers(http: web.Request) -> web.Response:
        if http.headers.get("Authorization") != "Bearer sesame":
            return web.json_response({"error": {"name": "BadToken", "message": "who are you?"}}, status=401)
        status, body = reply(await http.json())
        if isinstance(body, bytes):
            return web.Response(body=body, status=status)
        return web.json_response(body, status=status)

    async def about(_: web.Request) -> web.Response:
        return web.json_response(info)

    app = web.Application()
    app.router.add_post("/vouch/v1/answers", answers)
    app.router.add_get("/vouch/v1/info", about)
    async with listening(app) as url:
        yield url


def pool_of(*urls: str, token: str | None = "sesame") -> NodePool:
    endpoints = [NodeEndpoint(url, token) for url in urls]
    return NodePool(endpoints, Reach(CHAIN_ID, HUB, timeout=2.0, pause=0.05))


async def ask(reply: Callable[[dict[str, Any]], Reply], token: str | None = "sesame") -> Any:
    async with node(reply) as url, pool_of(url, token=token) as pool:
        await pool.refresh_all(0.0)
        return await pool.ask(pool.nodes[0], make_job())


async def test_a_good_answer() -> None:
    asked: list[dict[str, Any]] = []

    def reply(body: dict[str, Any]) -> Reply:
        asked.append(body)
        return 200, answer(make_job())

    got = await ask(reply)
    assert (got.operator, got.output, got.node_ns) == (OPERATOR, b"output", 500_000)
    assert got.seal[:4] == SIGNED
    job = make_job()
    terms, question = to_hex(job.packed), to_hex(QUESTION)
    assert asked == [{"chainId": CHAIN_ID, "hub": HUB, "terms": terms, "input": question}]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"output": "0x00"}, "claim.outputHash"),
        ({"claim": {**answer(make_job())["claim"], "requestId": "0x" + "00" * 32}}, "claim.requestId"),
        ({"claim": {}}, "answer"),
        ({"output": "0xzz"}, "answer"),
        ({"operator": None}, "answer"),
        ({"elapsedMs": float("nan")}, "answer"),
        ({"elapsedMs": float("inf")}, "answer"),
        ({"seal": to_hex(b"ZKML" + bytes(65))}, "the seal's route"),
        ({"seal": to_hex(SIGNED + bytes(64))}, "the seal"),
        ({"seal": to_hex(SIGNED + b"\xff" * 65)}, "the seal"),
        ({"seal": answer(make_job(), STRANGER)["seal"]}, "the seal's signer"),
        ({"seal": answer(make_job(salt=2))["seal"]}, "the seal's signer"),
    ],
)
async def test_a_wrong_answer_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongNodeAnswer) as wrong:
        await ask(lambda _: (200, answer(make_job()) | change))
    assert wrong.value.field == field


@pytest.mark.parametrize("body", [[], None, "text", 7])
async def test_json_that_is_no_answer(body: Any) -> None:
    with pytest.raises(WrongNodeAnswer):
        await ask(lambda _: (200, body))


async def test_another_operator_than_the_node_said() -> None:
    async with node(lambda _: (200, answer(make_job()))) as url, pool_of(url) as pool:
        await pool.refresh_all(0.0)
        (one,) = pool.nodes
        assert one.info is not None
        one.info = replace(one.info, operator=address_of(STRANGER.public_key))
        with pytest.raises(WrongNodeAnswer, match="operator"):
            await pool.ask(one, make_job())


def partial(job: Job, **changes: Any) -> dict[str, Any]:
    """An answer on the quorum route: the operator's signature, and no seal."""
    whole = answer(job)
    return whole | {"signature": "0x" + whole["seal"][10:], "seal": None} | changes


@pytest.mark.parametrize("route", [QUORUM, ZK])
async def test_an_answer_whose_seal_is_still_to_be_collected(route: bytes) -> None:
    job = make_job(route=route)
    async with node(lambda _: (200, partial(job))) as url, pool_of(url) as pool:
        await pool.refresh_all(0.0)
        got = await pool.ask(pool.nodes[0], job)
    assert got.seal is None
    assert got.signature == bytes.fromhex(partial(job)["signature"][2:])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"signature": None}, "answer"),
        ({"signature": "0x" + answer(make_job(route=QUORUM), STRANGER)["seal"][10:]}, "the signature"),
        ({"signature": "0x" + "ff" * 65}, "the signature"),
        ({"signature": "0x" + "ff" * 64}, "the signature"),
        ({"seal": to_hex(SIGNED + bytes(65))}, "the seal's route"),
    ],
)
async def test_a_wrong_part_of_a_seal_is_named(change: dict[str, Any], field: str) -> None:
    job = make_job(route=QUORUM)
    async with node(lambda _: (200, partial(job, **change))) as url, pool_of(url) as pool:
        await pool.refresh_all(0.0)
        with pytest.raises(WrongNodeAnswer) as wrong:
            await pool.ask(pool.nodes[0], job)
    assert wrong.value.field == field


async def test_a_proof_does_not_come_with_the_answer() -> None:
    """Nobody could check it here, and without the operator's signature the answer cannot be delivered."""
    job = make_job(route=ZK)
    given = partial(job, seal=to_hex(ZK + bytes(99)))
    async with node(lambda _: (200, given)) as url, pool_of(url) as pool:
        await pool.refresh_all(0.0)
        with pytest.raises(WrongNodeAnswer, match="the seal is 103 bytes, not null: provers make it"):
            await pool.ask(pool.nodes[0], job)


async def test_where_the_node_makes_the_seal_there_has_to_be_one() -> None:
    with pytest.raises(WrongNodeAnswer) as wrong:
        await ask(lambda _: (200, partial(make_job())))
    assert wrong.value.field == "the seal"


async def test_what_a_node_says_of_itself() -> None:
    other = "0x" + "22" * 32
    models = [{"modelId": to_hex(MODEL), "reproducible": True}, {"modelId": other}]
    info = {**INFO, "models": models, "routes": ["SIGN", "QRUM"], "cosigns": True}
    async with node(lambda _: (200, {}), info) as url, pool_of(url) as pool:
        await pool.refresh_all(0.0)
        known = pool.nodes[0].info
    assert known is not None
    assert known.cosigns
    assert known.routes == {SIGNED, QUORUM}
    assert known.models == {MODEL, bytes.fromhex("22" * 32)}
    assert known.reproducible == {MODEL}, "what is not said is not so"


def error(name: str, *, retryable: bool) -> dict[str, Any]:
    return {"error": {"name": name, "message": "because", "details": {}, "retryable": retryable}}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, error("Busy", retryable=True)),
        (500, {}),
        (429, {}),
        (409, error("Later", retryable=True)),
        (200, b"{"),
        (200, b"[" * 100_000),
    ],
)
async def test_troubles_that_pass(status: int, body: Any) -> None:
    with pytest.raises(NodeUnavailable):
        await ask(lambda _: (status, body))


async def test_troubles_that_stay() -> None:
    with pytest.raises(NodeRefused, match="ArtefactChanged: because"):
        await ask(lambda _: (422, error("ArtefactChanged", retryable=False)))


async def test_a_wrong_token_is_no_fault_of_the_request() -> None:
    with pytest.raises(NodeUnavailable, match="BadToken"):
        await ask(lambda _: (200, answer(make_job())), token=None)


async def test_nobody_listens() -> None:
    async with pool_of(f"http://127.0.0.1:{free_port()}") as pool:
        await pool.refresh_all(0.0)
        (one,) = pool.unknown
        assert "Cannot connect" in one.trouble
        assert one.down
        assert pool.operators == []


@pytest.mark.parametrize(
    "info", [{}, [], {"operator": "me", "models": []}, {**INFO, "models": [{"modelId": 3}]}]
)
async def test_a_node_that_does_not_say_what_it_is_stays_unknown(info: Any) -> None:
    async with node(lambda _: (200, {}), info) as url, pool_of(url) as pool:
        await pool.refresh_all(0.0)
        assert len(pool.unknown) == 1


async def test_turns_and_those_who_are_down() -> None:
    async with node(lambda _: (503, {})) as one, node(lambda _: (503, {})) as two, pool_of(one, two) as pool:
        await pool.refresh_all(0.0)
        serving = pool.serving(MODEL, SIGNED)
        assert len(serving) == 2
        assert pool.serving(b"\0" * 32, SIGNED) == pool.serving(MODEL, b"ZKML") == []
        assert {pool.pick(serving).url for _ in range(2)} == {one, two}
        with pytest.raises(NodeUnavailable):
            await pool.ask(pool.nodes[0], make_job())
        assert {pool.pick(serving).url for _ in range(4)} == {two}
        pool.nodes[0].worked()
        assert {pool.pick(serving).url for _ in range(2)} == {one, two}
