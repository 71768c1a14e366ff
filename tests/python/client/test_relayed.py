"""The trust gap with a real relayer and node, which deliver and prove by themselves."""

import asyncio

from tests.python.client.conftest import PRICE, World
from tests.python.client.gaps import BOND, EXPOSURE, STAKE
from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.sender import TxSender
from vouch.client.terms import Options
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.status import Status


async def insured(live: World) -> Options:
    """Stakes for the operator; terms that its relayer delivers on."""
    nodes = NodeRegistry(live.rpc, live.deployment.nodes)
    await TxSender(live.rpc, live.operator).transact(nodes.stake(STAKE))
    policy = Policy.of(1, [live.operator.address])
    return {"route": QUORUM, "trust": policy.trust, "exposure": EXPOSURE, "bond": BOND}


async def test_the_proof_follows_the_answer(live: World, hub: Hub) -> None:
    options = await insured(live)
    options["prove_within"] = 60
    async with live.client() as client:
        answer = await client.infer("echo", "hello", **options, timeout=20)
        assert answer.output == "hello"
        final = await asyncio.wait_for(answer.settled(), 20)
    assert (final.status, final.proven, final.output) == (Status.SETTLED, True, "hello")
    assert final.deliver_tx is not None
    assert final.settle_tx not in (None, final.deliver_tx)
    assert final.gap is not None
    assert final.seal is not None
    QuorumSeal.parse(final.seal).check(final.request.trust, final.claim, 31337, hub.address)
    assert QuorumSeal.parse(final.seal).signatures[live.operator.address] == final.signature
    assert await hub.credit_of(live.operator.address) == PRICE


async def test_a_challenge_makes_the_operator_prove(live: World, hub: Hub) -> None:
    options = await insured(live)
    options["window"] = 3000
    async with live.client() as client:
        answer = await client.infer("echo", "hello", **options, timeout=20)
        assert answer.status is Status.DELIVERED
        await client.challenge(answer)
        final = await asyncio.wait_for(answer.settled(), 20)
        assert final.gap is not None
        assert (final.proven, final.gap.challenger) == (True, client.address)
    assert await hub.credit_of(live.operator.address) == PRICE + BOND
