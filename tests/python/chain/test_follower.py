"""Reading every block once, and noticing forks; against a real chain."""

from itertools import pairwise

import pytest

from tests.python.chain.following import Chain, CountingRpc, Notes
from vouch.chain import follower as following
from vouch.chain.contracts import Hub
from vouch.chain.errors import WrongChain
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender


@pytest.fixture
def chain(rpc: Rpc, hub: Hub, sender: TxSender) -> Chain:
    return Chain(rpc, hub, sender)


async def test_everything_is_read_once_from_near_and_far(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_RANGE", 7)
    start = await chain.head() + 1
    await chain.ask(1)
    await chain.mine(30)
    await chain.ask(2)
    await chain.mine(40)
    await chain.ask(3)
    notes = Notes()
    follower = chain.follower(notes, start)
    await follower.read()
    assert notes.salts == [1, 2, 3]
    steps = [after - before for before, after in pairwise(notes.steps)]
    assert (steps[:-2], steps[-1]) == ([7] * 5, 32), "old blocks range by range"
    await follower.read()
    await chain.ask(4)
    await follower.read()
    assert notes.salts == [1, 2, 3, 4]
    assert follower.cursor is not None
    assert (follower.cursor.number, follower.head, notes.steps[-1]) == (await chain.head(),) * 3
    assert notes.rewound == []


async def test_the_first_block_counts_and_earlier_ones_do_not(chain: Chain) -> None:
    await chain.ask(1)
    start = await chain.head() + 1
    await chain.ask(2)
    notes = Notes()
    await chain.follower(notes, start).read()
    assert notes.salts == [2]


async def test_a_follower_may_begin_with_the_chain(chain: Chain) -> None:
    notes = Notes()
    await chain.ask(1)
    await chain.follower(notes, 0).read()
    assert (notes.salts, notes.steps[0]) == ([1], 0)


async def test_what_the_ledger_did_not_take_is_read_again(chain: Chain) -> None:
    start, notes = await chain.head() + 1, Notes()
    await (follower := chain.follower(notes, start)).read()
    await chain.ask(1)
    notes.full = True
    with pytest.raises(OverflowError):
        await follower.read()
    notes.full = False
    await follower.read()
    assert notes.salts == [1]


async def test_blocks_wait_for_their_confirmations(chain: Chain) -> None:
    start = await chain.head() + 1
    notes = Notes()
    follower = chain.follower(notes, start, confirmations=2)
    await chain.ask(1)
    await chain.mine(1)
    await follower.read()
    assert notes.salts == []
    await chain.mine(1)
    await follower.read()
    assert notes.salts == [1]


async def test_a_fork_goes_back_to_what_both_have(chain: Chain) -> None:
    start = await chain.head() + 1
    notes = Notes()
    follower = chain.follower(notes, start)
    for salt in range(1, 4):
        await chain.ask(salt)
    await follower.read()
    common = await chain.head() - 2
    await chain.rpc.call("anvil_reorg", 2, [])
    await follower.read()
    assert (notes.rewound, follower.forks) == ([common], 1)
    await chain.ask(9)
    await follower.read()
    assert notes.salts == [1, 2, 3, 2, 3, 9]  # the sender brought back what was lost
    assert notes.rewound == [common]


async def test_a_fork_deeper_than_the_memory_starts_over(chain: Chain) -> None:
    start = await chain.head() + 1
    notes = Notes()
    follower = chain.follower(notes, start, keep=2)
    await chain.ask(1)
    for _ in range(6):
        await chain.mine(1)
        await follower.read()
    await chain.rpc.call("anvil_reorg", 5, [])
    await follower.read()
    assert (notes.rewound, follower.forks) == ([-1], 1)
    assert notes.salts == [1, 1]


async def test_a_chain_that_is_a_little_behind_is_no_fork(chain: Chain) -> None:
    start = await chain.head() + 1
    notes = Notes()
    follower = chain.follower(notes, start)
    snapshot = await chain.rpc.call("evm_snapshot")
    await chain.mine(3)
    await follower.read()
    ahead = follower.cursor
    # As an answer of another node behind the same address: the blocks are the same, only fewer.
    assert await chain.rpc.call("evm_revert", snapshot)
    await follower.read()
    assert (notes.rewound, follower.cursor, follower.forks) == ([], ahead, 0)


async def test_a_shorter_chain_that_grows_differently_is_one(chain: Chain) -> None:
    start = await chain.head() + 1
    notes = Notes()
    follower = chain.follower(notes, start)
    snapshot = await chain.rpc.call("evm_snapshot")
    await chain.mine(3)
    await follower.read()
    assert await chain.rpc.call("evm_revert", snapshot)
    await chain.ask(1)
    await follower.read()
    assert notes.rewound == [start - 1]
    assert notes.salts == [1]


async def test_a_chain_that_is_younger_than_the_hub(chain: Chain) -> None:
    with pytest.raises(WrongChain, match="block 1000000, the first one to read"):
        await chain.follower(Notes(), 1_000_000).read()


async def test_the_clock_is_the_chains_or_ours_if_that_is_later(chain: Chain) -> None:
    clock = (follower := chain.follower(Notes(), await chain.head() + 1)).clock
    await chain.rpc.call("evm_increaseTime", 100_000)
    await chain.mine(1)
    await follower.read()
    head = await chain.rpc.call("eth_getBlockByNumber", "latest", False)
    assert clock.newest == int(head["timestamp"], 16)
    assert 0 <= clock.probably() - clock.newest < 60


async def test_one_message_per_wake_up(chain: Chain) -> None:
    start, notes = await chain.head() + 1, Notes()
    look = ["eth_getBlockByNumber", "eth_getBlockByNumber", "eth_getLogs"]
    async with CountingRpc(chain.rpc.url) as rpc:
        follower = chain.follower(notes, start, rpc=rpc)

        async def read() -> list[list[str]]:
            rpc.messages.clear()
            await follower.read()
            return list(rpc.messages)

        assert await read() == [look[:2], look], "where to begin, and a look"
        assert await read() == [look], "nothing new"
        await chain.mine(1)
        assert await read() == [look], "an empty block"
        await chain.ask(1)
        assert await read() == [look], "a request"
        await chain.sender.transact(chain.hub.deposit(5, chain.sender.address))
        assert await read() == [look], "a log of the hub that nobody asked for"
        await chain.mine(3)
        assert await read() == [look, look[:1] * 3 + look[2:]]
        await chain.mine(100)
        assert await read() == [look, look[:1], look[2:], look[:1] * 32 + look[2:]]
    assert notes.salts == [1]


async def test_another_contracts_logs_cost_nothing(chain: Chain) -> None:
    start, notes = await chain.head() + 1, Notes()
    async with CountingRpc(chain.rpc.url) as rpc:
        await (follower := chain.follower(notes, start, rpc=rpc, hub=chain.sender.address)).read()
        await chain.ask(1)
        rpc.messages.clear()
        await follower.read()
        assert len(rpc.messages) == 1
    assert (notes.salts, notes.steps[-1]) == ([], start)
