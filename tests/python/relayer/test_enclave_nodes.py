"""What nodes in enclaves say of themselves, their seals and their documents, over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.python.relayer.making import CHAIN_ID, HUB, OPERATOR, make_job
from tests.support.server import listening
from vouch.chain.hexes import to_hex
from vouch.node.enclave_key import SealingKey, make_key
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import ENCLAVE, Curve
from vouch.protocol.keccak import keccak
from vouch.relayer.config import NodeEndpoint
from vouch.relayer.errors import NodeRefused, NodeUnavailable, WrongNodeAnswer
from vouch.relayer.job import Job
from vouch.relayer.nodes import NodePool
from vouch.relayer.peers import EnclaveInfo, Reach

IMAGE = b"\7" * 32
KEYS = "0x2222222222222222222222222222222222222222"


def info(key: SealingKey, /, **changes: Any) -> dict[str, Any]:
    curve = key.identity.curve.name.lower()
    inside = {"kind": "dev", "key": key.identity.id, "curve": curve, "imageId": to_hex(IMAGE)} | changes
    models = [{"modelId": to_hex(make_job().terms.model_id)}]
    return {"operator": OPERATOR, "models": models, "routes": ["SIGN", "ENCL"], "enclave": inside}


def answer(job: Job, seal: bytes | None) -> dict[str, Any]:
    claim = claim_of(job)
    named = {"requestId": claim.request_id, "modelId": claim.model_id, "inputHash": claim.input_hash}
    named["outputHash"] = claim.output_hash
    told = {**{name: to_hex(value) for name, value in named.items()}, "operator": OPERATOR}
    body = {"output": to_hex(b"output"), "operator": OPERATOR, "claim": told, "signature": "0x" + "00" * 65}
    return {**body, "seal": None if seal is None else to_hex(seal)}


def claim_of(job: Job) -> Claim:
    return Claim(job.id, job.terms.model_id, job.terms.input_hash, keccak(b"output"), OPERATOR)


@asynccontextmanager
async def pool(about: Any, status: int = 200, body: Any = None, asked: Any = None) -> AsyncIterator[NodePool]:
    """A node that says what it is, and answers every question with `body`."""

    async def reply(http: web.Request) -> web.Response:
        if asked is not None:
            asked.append((http.path, await http.json()))
        return web.json_response(body, status=status)

    async def tell(_: web.Request) -> web.Response:
        return web.json_response(about)

    app = web.Application()
    app.router.add_post("/vouch/v1/{what}", reply)
    app.router.add_get("/vouch/v1/info", tell)
    async with listening(app) as url:
        async with NodePool([NodeEndpoint(url)], Reach(CHAIN_ID, HUB, timeout=2.0, pause=0.05)) as made:
            await made.refresh_all(0.0)
            yield made


@pytest.mark.parametrize("curve", Curve)
async def test_what_a_node_runs_in(curve: Curve) -> None:
    key = make_key(curve)
    async with pool(info(key)) as nodes:
        (node,) = nodes.nodes
        assert node.info is not None
        assert node.info.enclave == EnclaveInfo("dev", key.identity.id, curve, IMAGE)
    async with pool({**info(key), "enclave": None}) as nodes:
        assert nodes.nodes[0].info is not None
        assert nodes.nodes[0].info.enclave is None


@pytest.mark.parametrize(
    "change", [{"key": "0x12"}, {"curve": "ed25519"}, {"imageId": "0x07"}, {"kind": None}]
)
async def test_an_enclave_that_makes_no_sense(change: dict[str, Any]) -> None:
    about = info(make_key(Curve.SECP256K1), **change)
    if change == {"kind": None}:
        del about["enclave"]["kind"]
    async with pool(about) as nodes:
        assert "makes no sense" in nodes.unknown[0].trouble


@pytest.mark.parametrize("curve", Curve)
async def test_an_enclaves_seal(curve: Curve) -> None:
    key, job = make_key(curve), make_job(route=ENCLAVE)
    seal = key.seal(claim_of(job), CHAIN_ID, HUB)
    async with pool(info(key), body=answer(job, seal)) as nodes:
        got = await nodes.ask(nodes.nodes[0], job)
        assert got.seal == seal
        assert got.signature is None
        assert nodes.sealer_of(job, got) == key.identity.id


@pytest.mark.parametrize("part", ["route", "length", "claim", "none"])
async def test_a_wrong_seal_is_named(part: str) -> None:
    key, job = make_key(Curve.P256), make_job(route=ENCLAVE)
    seal = key.seal(claim_of(job), CHAIN_ID, HUB)
    wrong = {
        "route": b"SIGN" + seal[4:],
        "length": seal[:-1],
        "claim": key.seal(claim_of(make_job(route=ENCLAVE, salt=2)), CHAIN_ID, HUB),
        "none": None,
    }[part]
    async with pool(info(key), body=answer(job, wrong)) as nodes:
        with pytest.raises(WrongNodeAnswer) as error:
            await nodes.ask(nodes.nodes[0], job)
    assert error.value.field == ("the seal's route" if part == "route" else "the seal")


async def test_a_document_is_asked_for() -> None:
    asked: list[Any] = []
    async with pool(info(make_key(Curve.P256)), body={"document": "0x0102"}, asked=asked) as nodes:
        assert await nodes.attest(nodes.nodes[0], KEYS, 7, b"\3" * 32) == b"\1\2"
    named = {"chainId": CHAIN_ID, "keys": KEYS, "blockNumber": 7, "blockHash": "0x" + "03" * 32}
    assert asked == [("/vouch/v1/attestations", named)]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, {}, WrongNodeAnswer),
        (200, [], WrongNodeAnswer),
        (200, {"document": 7}, WrongNodeAnswer),
        (200, {"document": "0xzz"}, WrongNodeAnswer),
        (404, {"error": {"name": "NotInEnclave", "message": "start it in one"}}, NodeRefused),
        (503, {"error": {"name": "NotAttested", "message": "no module", "retryable": True}}, NodeUnavailable),
    ],
)
async def test_no_document(status: int, body: Any, error: type[Exception]) -> None:
    async with pool(info(make_key(Curve.P256)), status=status, body=body) as nodes:
        with pytest.raises(error):
            await nodes.attest(nodes.nodes[0], KEYS, 7, b"\3" * 32)
