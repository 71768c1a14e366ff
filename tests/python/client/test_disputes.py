"""Challenges, explicit ends and reports, and what is said when they are refused."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.python.client.conftest import PRICE, World
from tests.python.client.gaps import BOND, EXPOSURE, STAKE, Gaps
from tests.support.contract import Contract, creation
from vouch.chain.account import LocalKey
from vouch.chain.contracts import NodeRegistry
from vouch.chain.reverts import Reverted
from vouch.chain.sender import TxSender
from vouch.client import Answer, Client
from vouch.client.errors import (
    AlreadyChallenged,
    BadAnswer,
    InsufficientCredit,
    InsufficientFunds,
    NoAccount,
    NoContradiction,
    NoGap,
    NoWindow,
    TooEarly,
    WindowPassed,
)
from vouch.protocol.seal import SIGNED, Seal
from vouch.protocol.status import Status

WINDOW = 100
PROVE_WITHIN = 60


@pytest_asyncio.fixture(loop_scope="session")
async def client(world: World) -> AsyncIterator[Client]:
    async with world.client() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def optimistic(client: Client, gaps: Gaps) -> Answer:
    """Delivered, with an open window."""
    asked = await gaps.ask(client, window=WINDOW, prove_within=PROVE_WITHIN)
    await gaps.deliver(asked)
    return await client.wait(asked, timeout=20)


@pytest_asyncio.fixture(loop_scope="session")
async def due(client: Client, gaps: Gaps) -> Answer:
    """Delivered, to be proven."""
    asked = await gaps.ask(client, prove_within=PROVE_WITHIN)
    await gaps.deliver(asked)
    return await client.wait(asked, timeout=20)


def by(answer: Answer, seconds: int) -> int:
    return answer.assurance.delivered_at + seconds


# challenge


async def test_a_challenge_takes_the_bond_along(client: Client, gaps: Gaps, optimistic: Answer) -> None:
    await client.deposit(BOND)
    balance = int(await gaps.rpc.call("eth_getBalance", client.address, "latest"), 16)
    receipt = await client.challenge(optimistic)
    spent = balance - int(await gaps.rpc.call("eth_getBalance", client.address, "latest"), 16)
    assert spent == BOND + receipt.gas_used * receipt.gas_price
    assert await client.credit() == BOND
    assert await gaps.status(optimistic.asked) is Status.CHALLENGED


async def test_an_id_means_what_is_delivered_now(client: Client, gaps: Gaps, optimistic: Answer) -> None:
    await client.challenge("0x" + optimistic.id.hex())
    gap = await client.gap(optimistic.id)
    assert gap is not None
    assert gap.challenger == client.address


async def test_a_second_challenge(client: Client, optimistic: Answer) -> None:
    await client.challenge(optimistic)
    with pytest.raises(AlreadyChallenged, match="was demanded already"):
        await client.challenge(optimistic)


async def test_a_result_that_must_be_proven_anyway(client: Client, due: Answer) -> None:
    with pytest.raises(NoWindow, match=r"client\.reject"):
        await client.challenge(due)


async def test_the_windows_last_second(client: Client, gaps: Gaps, optimistic: Answer) -> None:
    call = gaps.hub.challenge(optimistic.request, optimistic.operator, optimistic.claim.output_hash)
    await gaps.send(call, at=by(optimistic, WINDOW))
    assert await gaps.status(optimistic.asked) is Status.CHALLENGED


async def test_the_second_after_the_window(client: Client, gaps: Gaps, optimistic: Answer) -> None:
    await gaps.mine(by(optimistic, WINDOW + 1))
    with pytest.raises(WindowPassed, match=r"closed at .* s before the chain's time") as caught:
        await client.challenge(optimistic)
    assert caught.value.challenge_by == by(optimistic, WINDOW)
    assert caught.value.now >= by(optimistic, WINDOW + 1)


async def test_a_challenge_that_is_too_late_on_its_way(
    client: Client, gaps: Gaps, optimistic: Answer
) -> None:
    """The window closes between the look and the block."""
    await gaps.rpc.call("evm_setNextBlockTimestamp", by(optimistic, WINDOW + 5))
    with pytest.raises(WindowPassed) as caught:
        await client.challenge(optimistic)
    assert caught.value.now >= by(optimistic, WINDOW + 5)
    assert await gaps.status(optimistic.asked) is Status.DELIVERED


async def test_what_has_ended_cannot_be_challenged(client: Client, gaps: Gaps, optimistic: Answer) -> None:
    await gaps.prove(optimistic.asked)
    for answer in (optimistic, optimistic.id):
        with pytest.raises(NoGap, match="settled"):
            await client.challenge(answer)


async def test_nobody_challenges_without_an_account(world: World, optimistic: Answer) -> None:
    async with Client(world.rpc, deployment=world.deployment) as reader:
        with pytest.raises(NoAccount):
            await reader.challenge(optimistic)
        with pytest.raises(NoAccount):
            await reader.reject(optimistic)


async def test_an_account_without_the_bond(world: World, optimistic: Answer) -> None:
    key = LocalKey.generate()
    await world.rpc.call("anvil_setBalance", key.address, hex(BOND // 2))
    async with Client(world.rpc, key, deployment=world.deployment) as poor:
        with pytest.raises(InsufficientFunds) as caught:
            await poor.challenge(optimistic)
    assert caught.value.received == BOND // 2 < BOND < caught.value.expected


async def test_the_bond_in_a_token_comes_from_credit(world: World, gaps: Gaps) -> None:
    made = await gaps.owner.transact(creation("HostileToken"))
    assert made.contract is not None
    token = Contract(world.rpc, "HostileToken", made.contract)
    operator, nodes = TxSender(world.rpc, world.operator), NodeRegistry(world.rpc, world.deployment.nodes)
    await operator.transact(token.call("mint", world.operator.address, STAKE))
    await operator.transact(token.call("approve", nodes.address, STAKE))
    await operator.transact(nodes.stake(STAKE, token.address))
    await operator.transact(nodes.set_price(world.echo.model_id, 0, token=token.address))
    async with world.client() as client:
        asked = await gaps.ask(client, token=token.address, window=WINDOW)
        await gaps.deliver(asked)
        answer = await client.wait(asked, timeout=20)
        with pytest.raises(InsufficientCredit, match=r"client\.deposit") as caught:
            await client.challenge(answer)
        assert (caught.value.token, caught.value.received) == (token.address, 0)
        assert caught.value.expected == BOND
        account = TxSender(world.rpc, world.anvil.accounts[5])
        await account.transact(token.call("mint", account.address, BOND))
        await account.transact(token.call("approve", gaps.hub.address, BOND))
        await account.transact(gaps.hub.deposit(BOND, client.address, token.address))
        await client.challenge(answer)
        assert await client.credit(token.address) == 0


# explicit ends


async def test_rejecting_when_the_proof_is_late(client: Client, gaps: Gaps, due: Answer) -> None:
    with pytest.raises(TooEarly, match=r"try again in \d+ s") as caught:
        await client.reject(due)
    assert caught.value.due == by(due, PROVE_WITHIN) > caught.value.now >= by(due, 0)
    await gaps.mine(by(due, PROVE_WITHIN + 1))
    await client.reject(due)
    assert await client.credit() == PRICE + EXPOSURE + BOND
    with pytest.raises(NoGap, match="rejected"):
        await client.reject(due)


async def test_nothing_is_late_before_a_challenge(client: Client, gaps: Gaps, optimistic: Answer) -> None:
    await gaps.mine(by(optimistic, WINDOW + PROVE_WITHIN))
    with pytest.raises(Reverted, match="NotChallenged"):
        await client.reject(optimistic)


async def test_settling_what_nobody_challenged(client: Client, gaps: Gaps, optimistic: Answer) -> None:
    with pytest.raises(TooEarly) as caught:
        await client.settle(optimistic)
    assert caught.value.due == by(optimistic, WINDOW)
    await gaps.mine(by(optimistic, WINDOW + 1))
    await client.settle(optimistic.id)
    assert not (await optimistic.refresh()).proven


async def test_settling_with_a_seal(client: Client, gaps: Gaps, due: Answer) -> None:
    with pytest.raises(Reverted, match="SealRequired"):
        await client.settle(due)
    assert due.signature is not None
    with pytest.raises(Reverted, match="WrongRoute"):
        await client.settle(due, Seal(SIGNED, due.signature))
    await client.settle(due, gaps.seal(due.asked))
    final = await due.refresh()
    assert (final.proven, final.seal) == (True, gaps.seal(due.asked))


async def test_only_a_withdrawn_route_expires_what_is_delivered(
    client: Client, gaps: Gaps, due: Answer
) -> None:
    with pytest.raises(Reverted, match="RouteIsLive"):
        await client.expire_delivered(due)
    await gaps.tombstone()
    await gaps.mine(by(due, PROVE_WITHIN + 1))
    with pytest.raises(Reverted, match="RouteIsTombstoned"):
        await client.reject(due)
    await client.expire_delivered(due.id)
    assert (await client.credit(), await gaps.exposed()) == (PRICE, 0)


# equivocation


async def test_a_contradiction_costs_the_stake(client: Client, gaps: Gaps, due: Answer) -> None:
    await client.report_equivocation(gaps.pulled(due.asked, b"other"), due)
    assert await gaps.status(due.asked) is Status.REJECTED
    assert await client.credit() == PRICE + EXPOSURE + BOND
    with pytest.raises(NoGap, match="rejected"):
        await client.report_equivocation(gaps.pulled(due.asked, b"other"), due)


async def test_a_contradiction_in_pulled_answers_counts_once(client: Client, gaps: Gaps) -> None:
    asked = await gaps.ask(client, prove_within=PROVE_WITHIN)
    first, second = gaps.pulled(asked, b"one"), gaps.pulled(asked, b"two")
    await client.report_equivocation(first, second)
    assert (await client.credit(), await gaps.status(asked)) == (EXPOSURE + BOND, Status.REQUESTED)
    with pytest.raises(Reverted, match="AlreadyReported"):
        await client.report_equivocation(first, second)


async def test_what_is_no_contradiction_is_not_sent(world: World, gaps: Gaps, due: Answer) -> None:
    async with world.client() as client:
        other = await gaps.ask(client, prove_within=PROVE_WITHIN)
        lie = gaps.pulled(due.asked, b"lie")
        sent = await world.rpc.call("eth_getTransactionCount", client.address, "latest")
        with pytest.raises(NoContradiction, match="same output"):
            await client.report_equivocation(due, gaps.pulled(due.asked, b"hello"))
        with pytest.raises(NoContradiction, match="two requests"):
            await client.report_equivocation(due, gaps.pulled(other, b"lie"))
        with pytest.raises(NoContradiction, match="not known"):
            await client.report_equivocation(replace(due, signature=None), lie)
        with pytest.raises(NoContradiction, match="another chain"):
            await client.report_equivocation(due, replace(lie, request=replace(lie.request, salt=1)))
        rival = gaps.member
        claim = replace(lie.claim, operator=rival.address)
        signature = rival.sign_claim(claim, 31337, gaps.hub.address).proof
        with pytest.raises(NoContradiction, match="two operators"):
            await client.report_equivocation(due, replace(lie, claim=claim, signature=signature))
        forged = gaps.signature(due.asked, b"lie", rival)
        with pytest.raises(BadAnswer, match="signer of the claim"):
            await client.report_equivocation(due, replace(lie, signature=forged))
        with pytest.raises(BadAnswer, match="low s"):
            await client.report_equivocation(due, replace(lie, signature=lie.signature[:64]))
        assert await world.rpc.call("eth_getTransactionCount", client.address, "latest") == sent
        assert await gaps.status(due.asked) is Status.DELIVERED
        await client.report_equivocation(due, lie)
