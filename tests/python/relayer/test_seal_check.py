"""What a chain's node says to a seal, and what of that is about the seal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.python.relayer.making import HUB, OPERATOR
from tests.support.server import listening
from vouch.chain.abi import function
from vouch.chain.errors import RpcError, RpcUnavailable
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.zk import ZK
from vouch.relayer.seal_check import SealCheck

CLAIM = Claim(b"\1" * 32, b"\2" * 32, b"\3" * 32, b"\4" * 32, OPERATOR)
SEAL, TRUST = ZK + bytes(99), b"\5" * 32


@asynccontextmanager
async def check(answer: dict[str, Any], asked: list[Any] | None = None) -> AsyncIterator[SealCheck]:
    """Against a chain's node that always answers so."""

    async def reply(http: web.Request) -> web.Response:
        body = await http.json()
        if asked is not None:
            asked.append(body["params"])
        return web.json_response({"jsonrpc": "2.0", "id": body["id"], **answer})

    app = web.Application()
    app.router.add_post("/", reply)
    async with listening(app) as url, Rpc(url) as rpc:
        yield SealCheck(rpc, HUB)


def reverts(signature: str, word: bytes) -> dict[str, Any]:
    data = keccak(signature.encode())[:4] + word.ljust(32, b"\0")
    return {"error": {"code": 3, "message": "execution reverted", "data": f"0x{data.hex()}"}}


async def test_a_seal_that_is_taken_is_asked_about_in_full() -> None:
    asked: list[Any] = []
    async with check({"result": "0x"}, asked) as made:
        assert await made.why_refused(SEAL, TRUST, CLAIM) == ""
    ((call, block),) = asked
    assert (call["to"].lower(), block) == (HUB.lower(), "latest")
    values = function("VerifierRouter", "verify").decode_input(to_bytes(call.get("data") or call["input"]))
    fields = (CLAIM.request_id, CLAIM.model_id, CLAIM.input_hash, CLAIM.output_hash)
    seal, trust, (*told, operator) = values
    assert (seal, trust, tuple(told), operator.lower()) == (SEAL, TRUST, fields, OPERATOR.lower())


async def test_a_seal_that_is_refused_is_refused_by_name() -> None:
    async with check(reverts("ProofRejected(address)", bytes(32))) as made:
        assert (await made.why_refused(SEAL, TRUST, CLAIM)).startswith("ProofRejected")


@pytest.mark.parametrize("error", ["UnknownRoute(bytes4)", "RouteIsTombstoned(bytes4)"])
async def test_a_dead_route_says_nothing_about_the_seal(error: str) -> None:
    async with check(reverts(error, ZK)) as made:
        assert await made.why_refused(SEAL, TRUST, CLAIM) == ""


async def test_a_node_in_trouble_says_nothing_at_all() -> None:
    async with check({"error": {"code": -32005, "message": "too many requests"}}) as made:
        with pytest.raises((RpcError, RpcUnavailable)):
            await made.why_refused(SEAL, TRUST, CLAIM)
