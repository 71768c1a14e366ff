"""Reading every block once, and noticing forks; against a real chain."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web

from tests.e2e.relayer_proxy import Call, Proxy
from tests.support.server import listening
from tests.support.terms import INPUT, make_terms
from vouch.chain.contracts import Hub
from vouch.chain.events import RequestedLog
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.watcher import follower as following
from vouch.watcher.docket import KINDS
from vouch.watcher.errors import WrongChain
from vouch.watcher.follower import Follower, HubLog


class Notes:
    """What a follower says."""

    def __init__(self) -> None:
        self.salts: list[int] = []
        self.rewound: list[int] = []
        self.blocks: dict[int, list[int]] = {}
        self.up_to = -1

    def take(self, logs: Sequence[HubLog], up_to: int) -> None:
        for log in logs:
            assert isinstance(log, RequestedLog)
            self.salts.append(log.request.salt)
            self.blocks.setdefault(log.block_number, []).append(log.request.salt)
        self.up_to = up_to

    def rewind(self, block: int) -> None:
        self.rewound.append(block)


class Chain:
    """Asks, mines and forks."""

    def __init__(self, rpc: Rpc, hub: Hub, sender: TxSender) -> None:
        self.rpc, self.hub, self.sender = rpc, hub, sender

    async def head(self) -> int:
        return int(await self.rpc.call("eth_blockNumber"), 16)

    async def ask(self, salt: int) -> None:
        head = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        deadline = int(head["timestamp"], 16) + 3600
        terms = make_terms(consumer=self.sender.address, salt=salt, deliver_by=deadline)
        await self.sender.transact(self.hub.request(terms, INPUT))

    async def mine(self, blocks: int) -> None:
        await self.rpc.call("anvil_mine", hex(blocks))

    def follower(self, notes: Notes, start: int, **changes: int) -> Follower:
        return Follower(self.rpc, self.hub.address, KINDS, notes, start=start, **changes)


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
    await follower.read()
    await chain.ask(4)
    await follower.read()
    assert notes.salts == [1, 2, 3, 4]
    assert (follower.cursor, follower.head, notes.up_to) == (await chain.head(),) * 3
    assert notes.rewound == []


async def test_the_first_block_counts_and_earlier_ones_do_not(chain: Chain) -> None:
    await chain.ask(1)
    start = await chain.head() + 1
    await chain.ask(2)
    notes = Notes()
    await chain.follower(notes, start).read()
    assert notes.salts == [2]


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
    assert notes.rewound == [common]
    await chain.ask(9)
    await follower.read()
    assert notes.salts == [1, 2, 3, 2, 3, 9]  # the sender brought back what was lost
    assert notes.rewound == [common]


async def test_a_fork_deeper_than_the_memory_starts_over(chain: Chain) -> None:
    start = await chain.head() + 1
    notes = Notes()
    follower = chain.follower(notes, start, keep_blocks=2)
    await chain.ask(1)
    for _ in range(6):
        await chain.mine(1)
        await follower.read()
    await chain.rpc.call("anvil_reorg", 5, [])
    await follower.read()
    assert notes.rewound == [start - 1]
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
    assert (notes.rewound, follower.cursor) == ([], ahead)


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


async def test_blocks_that_do_not_hang_together_are_not_taken(chain: Chain) -> None:
    start = await chain.head() + 1
    await chain.ask(1)
    await chain.ask(2)
    between = hex(start + 1)

    def forked(call: Call, answer: Any) -> Any:
        if call["method"] == "eth_getBlockByNumber" and call["params"][0] == between and torn:
            return {**answer, "result": {**answer["result"], "parentHash": "0x" + "11" * 32}}
        return answer

    torn = [True]
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/", Proxy(chain.rpc.url, forked).handle)
    notes = Notes()
    async with listening(app) as url, Rpc(url) as rpc:
        follower = Follower(rpc, chain.hub.address, KINDS, notes, start=start)
        await follower.read()
        assert (notes.salts, follower.cursor) == ([], start - 1)
        torn.clear()
        await follower.read()
        assert notes.salts == [1, 2]


async def test_a_chain_that_is_younger_than_the_hub(chain: Chain) -> None:
    with pytest.raises(WrongChain, match="1000000, the first one to read"):
        await chain.follower(Notes(), 1_000_000).read()


async def test_the_clock_is_the_chains_or_ours_if_that_is_later(chain: Chain) -> None:
    follower = chain.follower(Notes(), await chain.head() + 1)
    await chain.rpc.call("evm_increaseTime", 100_000)
    await chain.mine(1)
    await follower.read()
    head = await chain.rpc.call("eth_getBlockByNumber", "latest", False)
    assert follower.time == int(head["timestamp"], 16)
    assert 0 <= follower.now() - follower.time < 60
