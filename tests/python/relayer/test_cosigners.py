"""Co-signers over real HTTP: one signature at a time, and everything that is none."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from coincurve import PrivateKey

from tests.python.relayer.making import CHAIN_ID, HUB, OPERATOR, QUESTION, make_job
from tests.support.server import listening
from vouch.chain.hexes import to_hex
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import address_of, sign_claim
from vouch.relayer.config import CosignerEndpoint
from vouch.relayer.cosigners import CosignerPool
from vouch.relayer.errors import NodeRefused, NodeUnavailable, WrongNodeAnswer
from vouch.relayer.peers import Reach

KEY, STRANGER = PrivateKey(b"\1" * 32), PrivateKey(b"\2" * 32)
SIGNER = address_of(KEY.public_key)
JOB = make_job(route=QUORUM)
OUTPUT = b"output"
CLAIM = Claim(JOB.id, JOB.terms.model_id, JOB.terms.input_hash, keccak(OUTPUT), OPERATOR)
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
Reply = tuple[int, Any]


def signature(key: PrivateKey = KEY, claim: Claim = CLAIM) -> bytes:
    return sign_claim(key, claim, CHAIN_ID, HUB).proof


def high_s(made: bytes) -> bytes:
    """The other signature of the same key and claim, which no contract takes."""
    s = _ORDER - int.from_bytes(made[32:64], "big")
    return made[:32] + s.to_bytes(32, "big") + bytes([55 - made[64]])


def reply(**changes: Any) -> dict[str, Any]:
    named = {"requestId": CLAIM.request_id, "modelId": CLAIM.model_id, "inputHash": CLAIM.input_hash}
    named["outputHash"] = CLAIM.output_hash
    told = {**{name: to_hex(value) for name, value in named.items()}, "operator": OPERATOR}
    return {"signer": SIGNER, "signature": to_hex(signature()), "claim": told} | changes


@asynccontextmanager
async def cosigner(answer: Callable[[dict[str, Any]], Reply]) -> AsyncIterator[str]:
    async def cosignatures(http: web.Request) -> web.Response:
        status, body = answer(await http.json())
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_post("/vouch/v1/cosignatures", cosignatures)
    async with listening(app) as url:
        yield url


async def ask(answer: Callable[[dict[str, Any]], Reply]) -> bytes:
    async with cosigner(answer) as url:
        reach = Reach(CHAIN_ID, HUB, timeout=2.0, pause=0.05)
        async with CosignerPool([CosignerEndpoint(url)], reach) as pool:
            return await pool.cosign(pool.nodes[0], SIGNER, JOB, CLAIM, OUTPUT)


async def test_a_signature_of_this_claim() -> None:
    asked: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> Reply:
        asked.append(body)
        return 200, reply()

    assert await ask(answer) == signature()
    terms, question = to_hex(JOB.packed), to_hex(QUESTION)
    about = {"chainId": CHAIN_ID, "hub": HUB, "terms": terms, "input": question}
    assert asked == [about | {"operator": OPERATOR, "output": to_hex(OUTPUT)}]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"signature": to_hex(signature(STRANGER))}, "the signature"),
        ({"signature": to_hex(high_s(signature()))}, "the signature"),
        ({"signature": to_hex(signature()[:64])}, "the signature"),
        ({"signature": to_hex(signature()[:64] + bytes([signature()[64] - 27]))}, "the signature"),
        ({"signature": to_hex(b"\xff" * 65)}, "the signature"),
        ({"signature": "0xzz"}, "answer"),
        ({"signature": None}, "answer"),
        ({"claim": {}}, "answer"),
        ({"claim": None}, "answer"),
        ({"claim": reply()["claim"] | {"operator": SIGNER}}, "claim.operator"),
        ({"claim": reply()["claim"] | {"outputHash": "0x" + "00" * 32}}, "claim.outputHash"),
    ],
)
async def test_what_is_no_signature_of_this_claim(change: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongNodeAnswer) as wrong:
        await ask(lambda _: (200, reply(**change)))
    assert wrong.value.field == field


def refusal(name: str, *, retryable: bool = False) -> dict[str, Any]:
    return {"error": {"name": name, "message": "because", "details": {}, "retryable": retryable}}


async def test_a_refusal_keeps_its_name() -> None:
    with pytest.raises(NodeRefused) as refused:
        await ask(lambda _: (409, refusal("Disagrees")))
    assert (refused.value.name, refused.value.message) == ("Disagrees", "because")


@pytest.mark.parametrize(
    ("status", "body"),
    [(503, refusal("Overloaded", retryable=True)), (403, refusal("NotCosigning")), (500, {}), (200, "0x")],
)
async def test_what_may_pass(status: int, body: Any) -> None:
    with pytest.raises((NodeUnavailable, WrongNodeAnswer)) as passing:
        await ask(lambda _: (status, body))
    assert isinstance(passing.value, NodeUnavailable) == (status != 200)
