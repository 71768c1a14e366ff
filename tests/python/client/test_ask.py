"""Pull mode: straight from a real node, and from one that cheats."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.python.client.conftest import PRICE, World
from tests.python.client.gaps import BOND, EXPOSURE, Gaps
from tests.support.server import listening
from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.sender import TxSender
from vouch.client.ask import ask_node
from vouch.client.errors import BadAnswer, NodeRefused, NodeUnreachable
from vouch.client.terms import Prepared
from vouch.protocol.manifest import Artefact, Limits, Manifest
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.protocol.status import Status

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
LOAN = [62.0, 0.31, 1.4, 1.0, 7.0]


class Cheat:
    """A node whose reply is whatever the test says."""

    def __init__(self) -> None:
        self.reply: Any = {}
        self.status = 200
        self.url = ""

    async def answer(self, _: web.Request) -> web.Response:
        if isinstance(self.reply, bytes):
            return web.Response(body=self.reply, status=self.status)
        return web.json_response(self.reply, status=self.status)


def other_form(signature: bytes) -> bytes:
    """The form of the same signature that the hub refuses: s negated, v flipped."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest_asyncio.fixture(loop_scope="session")
async def cheat() -> AsyncIterator[Cheat]:
    node = Cheat()
    app = web.Application()
    app.router.add_post("/vouch/v1/answers", node.answer)
    async with listening(app) as node.url:
        yield node


async def test_an_answer_with_its_proof_in_one_call(live: World, hub: Hub) -> None:
    assert live.url is not None
    async with live.client() as client:
        answer = await client.ask_node(live.url, "risk", {"x": LOAN})
    assert isinstance(answer.output, dict)
    assert answer.output["risk"].shape == (1, 1)
    assert answer.operator == live.operator.address
    assert answer.seal == Seal(SIGNED, answer.signature)
    assert recover_signer(answer.seal, answer.claim, 31337, hub.address) == live.operator.address
    assert answer.request.fee == PRICE
    assert await hub.status_of(answer.claim.request_id) is Status.NONE, "nothing is on chain yet"


async def test_whoever_asked_settles_it_on_chain(live: World, hub: Hub) -> None:
    """No relayer is needed: output and seal go to the hub in the asker's own transaction."""
    assert live.url is not None
    other = live.anvil.accounts[5]
    async with live.client(account=5) as client:
        prepared = await client.prepare("echo", "mine")
        answer = await ask_node(live.url, prepared, 31337, hub.address, None)
        assert answer.seal is not None
        sender = TxSender(live.rpc, other)
        await live.rpc.call("evm_setAutomine", False)
        asked = await sender.send(hub.request(answer.request, prepared.input))
        call = hub.fulfil(answer.request, answer.operator, answer.output_bytes, bytes(answer.seal))
        settled = await sender.send(call, gas=300_000, simulate=False)
        await live.rpc.call("evm_mine")
        await live.rpc.call("evm_setAutomine", True)
        assert (await sender.wait(asked)).succeeded
        assert (await sender.wait(settled)).succeeded
        ended = await client.wait(answer.claim.request_id, timeout=20)
    assert (ended.output, ended.claim, ended.seal) == ("mine", answer.claim, answer.seal)
    assert ended.fulfil_tx == settled.hash


async def test_a_cheating_node_is_found_out(live: World, hub: Hub, cheat: Cheat) -> None:
    assert live.url is not None
    async with live.client() as client:
        prepared = await client.prepare("echo", "hello")
    honest = await ask_node(live.url, prepared, 31337, hub.address, None)
    assert honest.seal is not None
    good = {
        "output": "0x" + honest.output_bytes.hex(),
        "signature": "0x" + honest.signature.hex(),
        "seal": "0x" + bytes(honest.seal).hex(),
        "operator": honest.operator,
        "elapsedMs": 1.0,
    }
    cheat.reply = good
    assert (await ask_node(cheat.url, prepared, 31337, hub.address, None)).claim == honest.claim
    cheat.reply = {**good, "operator": honest.operator.lower()}
    assert (await ask_node(cheat.url, prepared, 31337, hub.address, None)).claim == honest.claim
    for change in (
        {"output": "0x" + b"other".hex()},
        {"operator": live.anvil.accounts[9].address},
        {"seal": "0x" + (b"NOPE" + bytes(65)).hex()},
        {"seal": "0x" + (b"SIGN" + bytes(65)).hex()},
        {"seal": "0x" + (b"SIGN" + b"\xff" * 65).hex()},
        {"seal": "0x" + b"SIGN short".hex()},
        {"seal": "0x5349"},
        {"seal": "zz"},
        {"seal": None},
        {"signature": None},
        {"signature": "0x" + bytes(65).hex()},
        {"signature": "0x" + other_form(honest.signature).hex()},
        {"seal": "0x" + bytes(Seal(SIGNED, other_form(honest.signature))).hex()},
        {"operator": "0x12"},
        {"output": None},
        {"elapsedMs": "soon"},
    ):
        cheat.reply = {**good, **change}
        with pytest.raises(BadAnswer):
            await ask_node(cheat.url, prepared, 31337, hub.address, None)
    cheat.reply = ["no object"]
    with pytest.raises(BadAnswer):
        await ask_node(cheat.url, prepared, 31337, hub.address, None)


async def test_on_a_quorums_route_one_node_makes_no_seal(live: World, hub: Hub, cheat: Cheat) -> None:
    assert live.url is not None
    policy = Policy.of(1, [live.operator.address])
    async with live.client() as client:
        prepared = await client.prepare("echo", "hello", route=QUORUM, trust=policy.trust)
    answer = await ask_node(live.url, prepared, 31337, hub.address, None)
    assert (answer.output, answer.seal) == ("hello", None)
    made = QuorumSeal.collect(policy, answer.claim, 31337, hub.address, [Seal(SIGNED, answer.signature)])
    cheat.reply = {
        "output": "0x" + answer.output_bytes.hex(),
        "signature": "0x" + answer.signature.hex(),
        "seal": "0x" + bytes(made.seal).hex(),
        "operator": answer.operator,
        "elapsedMs": 1.0,
    }
    assert (await ask_node(cheat.url, prepared, 31337, hub.address, None)).seal == made.seal
    cheat.reply["seal"] = "0x" + bytes(Seal(SIGNED, answer.signature)).hex()
    with pytest.raises(BadAnswer, match="route of the seal"):
        await ask_node(cheat.url, prepared, 31337, hub.address, None)


async def test_a_node_that_answers_twice_pays_for_it(
    world: World, gaps: Gaps, hub: Hub, cheat: Cheat
) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        prepared = Prepared(asked.request, asked.input, asked.manifest)
        pulled = []
        for output in (b"yes", b"no"):
            signature = gaps.signature(asked, output)
            cheat.reply = {
                "output": "0x" + output.hex(),
                "signature": "0x" + signature.hex(),
                "seal": None,
                "operator": world.operator.address,
                "elapsedMs": 1.0,
            }
            pulled.append(await ask_node(cheat.url, prepared, 31337, hub.address, None))
        assert [answer.output for answer in pulled] == ["yes", "no"]
        await client.report_equivocation(*pulled)
        assert await client.credit() == EXPOSURE + BOND


async def test_a_node_that_refuses_says_why(live: World) -> None:
    assert live.url is not None
    other = Manifest("other", "text", Artefact("echo"), Limits(100))
    nodes = NodeRegistry(live.rpc, live.deployment.nodes)
    async with live.client() as client:
        await client.publish(other)
        await TxSender(live.rpc, live.operator).transact(nodes.set_price(other.model_id, PRICE))
        with pytest.raises(NodeRefused, match="not served here") as caught:
            await client.ask_node(live.url, other.model_id, "x")
    assert (caught.value.status, caught.value.name, caught.value.retryable) == (404, "UnknownModel", False)


async def test_trouble_that_passes_is_told_from_trouble_that_stays(
    world: World, hub: Hub, cheat: Cheat
) -> None:
    async with world.client() as client:
        prepared = await client.prepare("echo", "x")
    cheat.status = 503
    cheat.reply = {"error": {"name": "Overloaded", "message": "busy", "details": {}, "retryable": True}}
    with pytest.raises(NodeRefused, match="try again") as caught:
        await ask_node(cheat.url, prepared, 31337, hub.address, None)
    assert caught.value.retryable
    cheat.reply = b""
    with pytest.raises(NodeRefused, match="no reason"):
        await ask_node(cheat.url, prepared, 31337, hub.address, None)
    cheat.reply = b"[" * 100_000
    with pytest.raises(NodeUnreachable, match="nested deeper"):
        await ask_node(cheat.url, prepared, 31337, hub.address, None)
    cheat.reply = "a proxy's page"
    with pytest.raises(NodeRefused, match="a proxy's page") as caught:
        await ask_node(cheat.url, prepared, 31337, hub.address, None)
    assert caught.value.retryable


async def test_a_node_that_is_not_there(world: World) -> None:
    async with world.client() as client:
        with pytest.raises(NodeUnreachable):
            await client.ask_node("http://127.0.0.1:9", "echo", "x")
