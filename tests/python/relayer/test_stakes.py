"""How much of a stake is left for another delivery, on a real registry."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from tests.python.relayer.making import KEEP, UNSEALED, block, delivered, outbox, requested
from vouch.chain.account import LocalKey
from vouch.chain.contracts import NodeRegistry, Stake
from vouch.chain.sender import TxSender
from vouch.protocol.request import NATIVE
from vouch.relayer.job import Job, TxKind
from vouch.relayer.stakes import Stakes
from vouch.relayer.store import Store

STAKE = 1_000


def job(store: Store, operator: str, at_stake: int, salt: int = 1, **terms: object) -> Job:
    log = requested(block(2), exposure=at_stake - 1, bond=1, salt=salt, **terms)
    store.advance([block(2)], [log], KEEP)
    store.answered(log.id, replace(UNSEALED, operator=operator))
    made = store.get(log.id)
    assert made is not None
    return made


async def why(stakes: Stakes, wanted: Job, *queued: Job) -> str:
    assert wanted.answer is not None
    return await stakes.why_uncovered(wanted, wanted.answer.operator, lambda: queued)


async def test_the_whole_free_stake_and_no_more(
    store: Store, nodes: NodeRegistry, operator: LocalKey, sender_of: Callable[[LocalKey], TxSender]
) -> None:
    await sender_of(operator).transact(nodes.stake(STAKE))
    stakes = Stakes(nodes, store, 60.0, None)
    assert await why(stakes, job(store, operator.address, STAKE)) == ""
    told = await why(stakes, job(store, operator.address, STAKE + 1, salt=2))
    assert told == f"it takes 1001 of the stake of {operator.address}, 1000 is free"
    told = await why(stakes, job(store, operator.address, 1, salt=3, token=operator.address))
    assert told.endswith("0 is free"), "stake in one token covers nothing in another"


async def test_nothing_at_stake_asks_nobody(store: Store, nodes: NodeRegistry) -> None:
    free = replace(job(store, UNSEALED.operator, 1), terms=requested(block(2)).request)
    assert free.at_stake == 0
    assert await why(Stakes(nodes, store, 60.0, None), free) == ""


async def test_what_is_decided_signed_or_in_the_pool_counts_once(
    store: Store, nodes: NodeRegistry, operator: LocalKey, sender_of: Callable[[LocalKey], TxSender]
) -> None:
    await sender_of(operator).transact(nodes.stake(STAKE))
    stakes = Stakes(nodes, store, 60.0, None)
    first, second = job(store, operator.address, 600), job(store, operator.address, 500, salt=2)
    fits = job(store, operator.address, 400, salt=3)
    other = job(store, UNSEALED.operator, 900, salt=4)
    assert await why(stakes, second, other) == "", "another operator's is another stake"
    assert "400 is free" in await why(stakes, second, first)
    tx = outbox(0, first.id, kind=TxKind.DELIVER)
    store.sign(tx)
    assert "400 is free" in await why(stakes, second, first)
    assert await why(stakes, fits, first) == ""
    assert await why(stakes, first, first) == "", "not against itself"
    came = replace(delivered(block(3), first.id, tx.hash), operator=operator.address)
    store.advance([block(3)], [came], KEEP)
    assert await why(stakes, second) == "", "the registry counts it now"


async def test_what_was_decided_while_the_registry_was_asked_counts(
    store: Store, nodes: NodeRegistry, operator: LocalKey, sender_of: Callable[[LocalKey], TxSender]
) -> None:
    await sender_of(operator).transact(nodes.stake(STAKE))
    stakes, queued = Stakes(nodes, store, 60.0, None), list[Job]()

    async def decide(wanted: Job) -> str:
        told = await stakes.why_uncovered(wanted, operator.address, lambda: queued)
        if not told:
            queued.append(wanted)
        return told

    jobs = [job(store, operator.address, 600, salt=salt) for salt in (1, 2, 3)]
    told = await asyncio.gather(*map(decide, jobs))
    assert [("400 is free" in why) for why in sorted(told)] == [False, True, True]
    assert len(queued) == 1


async def test_a_stake_is_believed_for_a_while_and_within_one_block(
    store: Store, nodes: NodeRegistry, operator: LocalKey, sender_of: Callable[[LocalKey], TxSender]
) -> None:
    lane = sender_of(operator)
    await lane.transact(nodes.stake(STAKE))
    wanted = job(store, operator.address, STAKE)
    stakes, fresh = Stakes(nodes, store, 60.0, None), Stakes(nodes, store, -1.0, None)
    assert await why(stakes, wanted) == await why(fresh, wanted) == ""
    await lane.transact(nodes.unbond(1))
    assert await why(stakes, wanted) == ""
    assert "999 is free" in await why(fresh, wanted)
    store.advance([block(3)], [], KEEP)
    assert "999 is free" in await why(stakes, wanted)


class Slow(NodeRegistry):
    """A registry whose first answer is so late that another block was read meanwhile."""

    def __init__(self, real: NodeRegistry, store: Store) -> None:
        super().__init__(real.rpc, real.address)
        self._store, self.asked = store, 0

    async def stake_of(self, operator: str, token: str = NATIVE) -> Stake:
        self.asked += 1
        found = await super().stake_of(operator, token)
        if self.asked == 1:
            self._store.advance([block(3)], [], KEEP)
            return found
        return replace(found, exposed=STAKE)


async def test_an_answer_from_before_the_last_block_is_not_believed(
    store: Store, nodes: NodeRegistry, operator: LocalKey, sender_of: Callable[[LocalKey], TxSender]
) -> None:
    await sender_of(operator).transact(nodes.stake(STAKE))
    registry = Slow(nodes, store)
    stakes = Stakes(registry, store, 60.0, None)
    assert "0 is free" in await why(stakes, job(store, operator.address, 1))
    assert registry.asked == 2


async def test_the_operator_can_keep_some_of_it_back(
    store: Store, nodes: NodeRegistry, operator: LocalKey, sender_of: Callable[[LocalKey], TxSender]
) -> None:
    await sender_of(operator).transact(nodes.stake(STAKE))
    stakes = Stakes(nodes, store, 60.0, 500)
    first, second = job(store, operator.address, 300), job(store, operator.address, 201, salt=2)
    assert await why(stakes, second) == ""
    assert await why(stakes, second, first) == (
        "it takes 201 beside the 300 that is locked, at most 500 shall be"
    )
    assert await why(stakes, job(store, operator.address, 200, salt=3), first) == ""
