"""Registrations one by one: refused, too dear right now, and on their way."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from vouch.chain.account import LocalKey
from vouch.chain.contracts import Hub
from vouch.chain.errors import ChainError, FeeOverCap
from vouch.chain.fees import GWEI
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Call
from vouch.relayer.config import Patience
from vouch.relayer.errands import Registration
from vouch.relayer.job import TxKind
from vouch.relayer.lane import Lane
from vouch.relayer.registrations import Registrations
from vouch.relayer.store import Store


@pytest_asyncio.fixture(loop_scope="session")
async def lane(rpc: Rpc, accounts: tuple[LocalKey, ...], store: Store) -> AsyncIterator[Lane]:
    patience = Patience(rebroadcast=0.1)
    made = Lane(rpc, accounts[2], 31337, store, patience, 100 * GWEI, lambda: None, lambda *_: None)
    async with made:
        yield made
        made.read_up_to(10**9)  # what was sent has come to its end


def free(_: TxKind) -> bool:
    return True


async def test_what_the_chain_refuses_is_dropped_and_a_later_one_counts(
    lane: Lane, store: Store, hub: Hub, accounts: tuple[LocalKey, ...]
) -> None:
    first: list[ChainError] = []
    second: list[ChainError] = []
    queue, call = Registrations(lane, store), hub.withdraw(5, accounts[2].address)
    queue.put(Registration("key", call, first.append))
    queue.put(Registration("key", call, second.append))
    await queue.send(free)
    assert first == []
    assert [type(why) for why in second] == [Reverted]
    assert not queue
    assert not queue.under_way


async def test_while_gas_is_too_dear_it_stays_queued(
    lane: Lane, rpc: Rpc, store: Store, hub: Hub, accounts: tuple[LocalKey, ...]
) -> None:
    queue = Registrations(lane, store)
    queue.put(_deposit(hub, accounts[2]))
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(101 * GWEI))
    with pytest.raises(FeeOverCap):
        await queue.send(free)
    assert (bool(queue), queue.under_way, store.pending()) == (True, True, [])
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    lane.fees.forget()
    await queue.send(free)
    assert (bool(queue), queue.under_way) == (False, True)
    assert [tx.kind for tx in store.pending()] == [TxKind.REGISTER]


async def test_none_goes_while_the_lane_is_full(
    lane: Lane, store: Store, hub: Hub, accounts: tuple[LocalKey, ...]
) -> None:
    queue = Registrations(lane, store)
    queue.put(_deposit(hub, accounts[2]))
    await queue.send(lambda _: False)
    assert queue
    assert store.pending() == []


def _deposit(hub: Hub, key: LocalKey) -> Registration:
    call: Call = hub.deposit(1, key.address)
    return Registration("key", call, _never)


def _never(why: ChainError) -> None:
    raise AssertionError(f"nothing refuses it: {why}")
