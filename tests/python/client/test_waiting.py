"""Every end of a trust gap, reached by waiting: triggered by the client that waits, and by others."""

import asyncio
import time

import pytest

from tests.python.client.conftest import PRICE, World
from tests.python.client.gaps import BOND, EXPOSURE, Gaps
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import ModelRegistry, NodeRegistry
from vouch.chain.deploy import deploy
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.client import Answer, Client
from vouch.client.errors import RequestExpired, RequestRejected
from vouch.client.terms import Options
from vouch.protocol.request import ANYONE
from vouch.protocol.status import Status
from vouch.runtimes.echo import EchoRuntime

PROVEN: Options = {"prove_within": 60}
OPTIMISTIC: Options = {"window": 100, "prove_within": 60}


async def delivered(client: Client, gaps: Gaps, options: Options) -> Answer:
    asked = await gaps.ask(client, **options)
    await gaps.deliver(asked)
    return await client.wait(asked, timeout=20)


async def still_open(answer: Answer) -> None:
    """It is not ended by waiting for it a little."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(answer.settled(), 0.4)
    assert (await answer.refresh()).status is answer.status


def delivered_at(answer: Answer) -> int:
    return answer.assurance.delivered_at


async def test_proven(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        answer = await delivered(client, gaps, PROVEN)
        waiting = asyncio.create_task(answer.settled())
        await gaps.prove(answer.asked)
        final = await waiting
        assert (final.output, final.status, final.proven) == ("hello", Status.SETTLED, True)
        assert (await gaps.credit(final.operator), await gaps.exposed()) == (PRICE, 0)
        assert (await final.settled()).status is Status.SETTLED


async def test_a_window_that_nobody_used(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        answer = await delivered(client, gaps, OPTIMISTIC)
        assert answer.gap is not None
        assert (answer.gap.challenge_by, answer.gap.prove_by) == (delivered_at(answer) + 100, None)
        await gaps.mine(delivered_at(answer) + 60)
        await still_open(answer)
        await gaps.mine(delivered_at(answer) + 101)
        final = await asyncio.wait_for(answer.settled(), 20)
        assert (final.status, final.proven, final.seal) == (Status.SETTLED, False, None)
        assert final.settle_tx is not None
        sent = await world.rpc.call("eth_getTransactionByHash", final.settle_tx)
        assert int(sent["from"], 16) == int(client.address, 16), "the client ended it itself"
        assert (await gaps.credit(final.operator), await gaps.exposed()) == (PRICE, 0)


async def test_a_window_that_somebody_else_closes(world: World, gaps: Gaps) -> None:
    async with world.client() as client, Client(world.rpc, deployment=world.deployment) as reader:
        answer = await delivered(client, gaps, OPTIMISTIC)
        await gaps.mine(delivered_at(answer) + 101)
        mine = await reader.wait(answer.id)
        waiting = asyncio.create_task(mine.settled())
        await still_open(mine)
        await gaps.send(gaps.hub.settle(answer.request, answer.operator, b"hello"))
        assert not (await waiting).proven


async def test_a_challenge_that_is_not_answered(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        answer = await delivered(client, gaps, OPTIMISTIC)
        await client.challenge(answer)
        challenged, now = await answer.refresh(), await gaps.time()
        assert challenged.gap is not None
        assert (challenged.status, challenged.gap.challenger) == (Status.CHALLENGED, client.address)
        assert (challenged.gap.challenge_by, challenged.gap.prove_by) == (None, now + 60)
        await gaps.mine(now + 20)
        await still_open(challenged)
        await gaps.mine(now + 61)
        with pytest.raises(RequestRejected) as caught:
            await asyncio.wait_for(challenged.settled(), 20)
        assert caught.value.rewarded == client.address
        assert await client.credit() == PRICE + EXPOSURE + 2 * BOND


async def test_a_challenge_that_is_answered(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        answer = await delivered(client, gaps, OPTIMISTIC)
        await client.challenge(answer)
        waiting = asyncio.create_task(answer.settled())
        await gaps.prove(answer.asked)
        final = await waiting
        assert (final.status, final.proven) == (Status.SETTLED, True)
        assert final.gap is not None
        assert final.gap.challenger == client.address, "who demanded the proof is known afterwards, too"
        assert (await gaps.credit(final.operator), await gaps.exposed()) == (PRICE + BOND, 0)


async def test_a_proof_that_never_comes(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        answer = await delivered(client, gaps, PROVEN)
        await gaps.mine(delivered_at(answer) + 20)
        await still_open(answer)
        await gaps.mine(delivered_at(answer) + 61)
        with pytest.raises(RequestRejected, match="its proof never came") as caught:
            await asyncio.wait_for(answer.settled(), 20)
        rejected = caught.value
        assert (rejected.fee, rejected.exposure, rejected.credited) == (PRICE, EXPOSURE, PRICE + EXPOSURE)
        assert (rejected.beneficiary, rejected.rewarded) == (client.address, client.address)
        assert rejected.tx_hash is not None
        assert f"transaction 0x{rejected.tx_hash.hex()}" in str(rejected)
        assert await client.credit() == PRICE + EXPOSURE + BOND
        assert await gaps.status(answer.asked) is Status.REJECTED


async def test_a_proof_that_never_comes_and_somebody_else_rejects(world: World, gaps: Gaps) -> None:
    async with world.client() as client, Client(world.rpc, deployment=world.deployment) as reader:
        answer = await delivered(client, gaps, PROVEN)
        mine = await reader.wait(answer.id)
        await gaps.mine(delivered_at(answer) + 61)
        await still_open(mine)
        waiting = asyncio.create_task(mine.settled())
        await gaps.reject(answer.asked)
        with pytest.raises(RequestRejected) as caught:
            await waiting
        assert (caught.value.tx_hash, caught.value.equivocated) == (None, False)
        assert (caught.value.beneficiary, caught.value.rewarded) == (client.address, gaps.stranger.address)
        with pytest.raises(RequestRejected):
            await client.wait(answer.id, timeout=30)


async def test_a_challenger_gets_the_bond_whoever_rejects(world: World, gaps: Gaps) -> None:
    async with world.client() as client, world.client(account=5) as challenger:
        answer = await delivered(client, gaps, OPTIMISTIC)
        await challenger.challenge(answer)
        await gaps.mine(await gaps.time() + 61)
        with pytest.raises(RequestRejected) as caught:
            await asyncio.wait_for(answer.settled(), 20)
        assert caught.value.rewarded == challenger.address
        assert (await challenger.credit(), await client.credit()) == (2 * BOND, PRICE + EXPOSURE)


async def test_equivocation_ends_it(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        answer = await delivered(client, gaps, PROVEN)
        waiting = asyncio.create_task(answer.settled())
        await asyncio.sleep(0)
        async with world.client(account=5) as witness:
            await witness.report_equivocation(answer, gaps.pulled(answer.asked, b"no"))
            with pytest.raises(RequestRejected, match="signed two different ones") as caught:
                await waiting
            assert (caught.value.equivocated, caught.value.tx_hash) == (True, None)
            assert caught.value.rewarded == witness.address
            assert (await witness.credit(), await client.credit()) == (BOND, PRICE + EXPOSURE)


async def test_another_operators_equivocation_is_not_the_answers(world: World, gaps: Gaps) -> None:
    """Anyone may answer; one contradicts itself, another's answer is delivered and never proven."""
    async with world.client() as client:
        asked = await gaps.ask(client, operator=ANYONE, prove_within=60)
        await client.report_equivocation(gaps.pulled(asked, b"one"), gaps.pulled(asked, b"two"))
        assert await gaps.status(asked) is Status.REQUESTED, "nothing of it was delivered, so it goes on"
        assert await client.credit() == EXPOSURE + BOND
        await gaps.deliver(asked)
        answer = await client.wait(asked, timeout=20)
        await gaps.mine(delivered_at(answer) + 61)
        with pytest.raises(RequestRejected) as caught:
            await asyncio.wait_for(answer.settled(), 20)
        assert not caught.value.equivocated


@pytest.mark.parametrize("options", [PROVEN, OPTIMISTIC], ids=["due", "in its window"])
async def test_a_route_that_was_withdrawn(world: World, gaps: Gaps, options: Options) -> None:
    async with world.client() as client:
        answer = await delivered(client, gaps, options)
        await still_open(answer)
        await gaps.tombstone()
        with pytest.raises(RequestExpired, match="its route was withdrawn") as caught:
            await asyncio.wait_for(answer.settled(), 20)
        assert (caught.value.delivered, caught.value.fee) == (True, PRICE)
        assert caught.value.tx_hash is not None
        assert (await client.credit(), await gaps.exposed()) == (PRICE, 0), "nobody is punished"


async def test_a_withdrawn_route_that_somebody_else_ends(world: World, gaps: Gaps) -> None:
    async with world.client() as client, Client(world.rpc, deployment=world.deployment) as reader:
        answer = await delivered(client, gaps, PROVEN)
        mine = await reader.wait(answer.id)
        await gaps.tombstone()
        waiting = asyncio.create_task(mine.settled())
        await still_open(mine)
        claim = answer.claim
        await gaps.send(gaps.hub.expire_delivered(answer.request, claim.operator, claim.output_hash))
        with pytest.raises(RequestExpired, match="withdrawn") as caught:
            await waiting
        assert (caught.value.delivered, caught.value.tx_hash) == (True, None)


async def test_a_proof_that_is_late_on_a_withdrawn_route_punishes_nobody(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        answer = await delivered(client, gaps, PROVEN)
        await gaps.tombstone()
        await gaps.mine(delivered_at(answer) + 61)
        with pytest.raises(RequestExpired):
            await asyncio.wait_for(answer.settled(), 20)


async def test_a_window_that_passed_settles_on_a_withdrawn_route_too(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        answer = await delivered(client, gaps, OPTIMISTIC)
        await gaps.tombstone()
        await gaps.mine(delivered_at(answer) + 101)
        assert (await asyncio.wait_for(answer.settled(), 20)).status is Status.SETTLED


async def test_two_who_wait_do_not_hinder_each_other(world: World, gaps: Gaps) -> None:
    async with world.client() as client, world.client(account=5) as other:
        answer = await delivered(client, gaps, OPTIMISTIC)
        theirs = await other.wait(answer.id)
        await gaps.mine(delivered_at(answer) + 101)
        async with asyncio.timeout(20):
            finals = await asyncio.gather(answer.settled(), answer.settled(), theirs.settled())
        assert {final.status for final in finals} == {Status.SETTLED}
        assert len({final.settle_tx for final in finals}) == 1


async def idle_chain(rpc: Rpc, anvil: Anvil) -> tuple[Gaps, Client]:
    """A fresh deployment on a chain that makes a block for a transaction only, and whose time is now."""
    owner, operator = TxSender(rpc, anvil.accounts[0]), anvil.accounts[1]
    deployment = await deploy(rpc, owner)
    echo, nodes = EchoRuntime().manifest, NodeRegistry(rpc, deployment.nodes)
    await owner.transact(ModelRegistry(rpc, deployment.models).publish("echo", bytes(echo)))
    own = TxSender(rpc, operator)
    await own.transact(nodes.register("http://127.0.0.1:9"))
    await own.transact(nodes.set_price(echo.model_id, PRICE))
    gaps = await Gaps.open(rpc, deployment, operator, anvil.accounts)
    # Every block counts a second here, so the clock has to catch up first.
    await asyncio.sleep(max(0, await gaps.time() - time.time()))
    return gaps, Client(rpc, anvil.accounts[4], deployment=deployment, poll=0.1)


@pytest.mark.parametrize("options", [{"prove_within": 1}, {"window": 1}], ids=["proof", "window"])
async def test_the_end_comes_on_a_chain_that_makes_no_blocks_by_itself(options: Options) -> None:
    """Its newest block is older than the deadline, and stays so until somebody sends something."""
    async with Anvil() as anvil, Rpc(anvil.http_url) as rpc:
        gaps, client = await idle_chain(rpc, anvil)
        async with client:
            answer = await delivered(client, gaps, options)
            block = int(await rpc.call("eth_blockNumber"), 16)
            async with asyncio.timeout(30):
                if "window" in options:
                    assert not (await answer.settled()).proven
                else:
                    with pytest.raises(RequestRejected):
                        await answer.settled()
            assert int(await rpc.call("eth_blockNumber"), 16) == block + 1


async def test_the_end_can_be_called_on_such_a_chain_too() -> None:
    async with Anvil() as anvil, Rpc(anvil.http_url) as rpc:
        gaps, client = await idle_chain(rpc, anvil)
        async with client:
            answer = await delivered(client, gaps, {"prove_within": 1})
            ignored = await gaps.ask(client, prove_within=1, deliver_within=1)
            block = int(await rpc.call("eth_blockNumber"), 16)
            await asyncio.sleep(ignored.request.deliver_by + 1 - time.time())
            await client.expire(ignored.request)
            assert int(await rpc.call("eth_blockNumber"), 16) == block + 1
            await client.reject(answer)
            assert await client.credit() == 2 * PRICE + EXPOSURE + BOND
