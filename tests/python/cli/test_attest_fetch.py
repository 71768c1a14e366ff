"""Nodes that do not give what they were asked for."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import web

from tests.python.cli.attesting import Machine, machine
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.cli.attest_fetch import NotAttested, fetch
from vouch.cli.attest_input import Unreadable
from vouch.cli.enclave_chain import EnclaveChain, enclaves_of
from vouch.cli.node_probe import NodeDown
from vouch.protocol.enclave import nonce


@pytest.fixture(scope="module")
def made() -> Machine:
    return machine(at=int(time.time()))


@pytest_asyncio.fixture(loop_scope="session")
async def chain(rpc: Rpc, deployment: Deployment) -> EnclaveChain:
    """Nothing of it is asked but its blocks."""
    places = dict.fromkeys(("EnclaveKeys", "NitroAttestation"), deployment.hub)
    return enclaves_of(rpc, replace(deployment, enclaves=places))


@asynccontextmanager
async def node(status: int, reply: bytes, asked: list[web.Request]) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        await request.read()
        return web.Response(status=status, body=reply, content_type="application/json")

    app = web.Application()
    app.router.add_post("/vouch/v1/attestations", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_what_it_asks_for_and_gets(chain: EnclaveChain, made: Machine) -> None:
    named, asked = await chain.recent_block(), list[web.Request]()
    document = made.document(nonce=nonce(named.block_number, named.block_hash))
    async with node(200, json.dumps({"document": "0x" + document.raw.hex()}).encode(), asked) as url:
        assert (await fetch(chain, url + "/", "secret")).raw == document.raw
    (request,) = asked
    assert request.headers["authorization"] == "Bearer secret"
    assert await request.json() == {
        "chainId": chain.deployment.chain_id,
        "keys": chain.keys.address,
        "blockNumber": named.block_number,
        "blockHash": "0x" + named.block_hash.hex(),
    }


async def test_a_document_that_was_made_before(chain: EnclaveChain, made: Machine) -> None:
    named = await chain.recent_block()
    old = made.document(nonce=nonce(named.block_number - 1, named.block_hash))
    async with node(200, json.dumps({"document": "0x" + old.raw.hex()}).encode(), []) as url:
        with pytest.raises(NotAttested, match="names another block"):
            await fetch(chain, url, None)


@pytest.mark.parametrize(
    ("status", "reply", "error", "said"),
    [
        (200, b'{"document": "0x8401"}', Unreadable, "UnexpectedType"),
        (200, b'{"document": 3.5}', NotAttested, "its reply has none"),
        (200, b"[]", NotAttested, "its reply has none"),
        (200, b"<html>", NodeDown, "does not answer as a node"),
        (404, b'{"error": {"name": "NotInEnclave", "message": "no"}}', NotAttested, "NotInEnclave: no"),
        (502, b'{"error": "bad gateway"}', NotAttested, "HTTP 502: it does not say why"),
    ],
)
async def test_other_replies(
    chain: EnclaveChain, status: int, reply: bytes, error: type[Exception], said: str
) -> None:
    async with node(status, reply, []) as url:
        with pytest.raises(error, match=said):
            await fetch(chain, url, None)
