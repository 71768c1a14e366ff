"""Blooms against a real block, and forks that are deeper than the memory; the rest is in tests/e2e."""

from pathlib import Path

import pytest

from tests.python.relayer.making import HUB
from vouch.chain.contracts import Hub
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.relayer.clock import ChainClock
from vouch.relayer.errors import ReorganisedTooDeep, WrongChain
from vouch.relayer.intake import Header, Intake, bloom_of
from vouch.relayer.store import Store


async def test_the_bloom_of_a_block_announces_the_address_that_logged(
    rpc: Rpc, hub: Hub, sender: TxSender
) -> None:
    receipt = await sender.transact(hub.deposit(5, sender.address))
    header = Header.from_rpc(await rpc.call("eth_getBlockByNumber", hex(receipt.block_number), False))
    announced = bloom_of(to_bytes(hub.address))
    assert header.bloom & announced == announced
    assert header.bloom & bloom_of(to_bytes(HUB)) != bloom_of(to_bytes(HUB))


async def test_a_fork_deeper_than_the_memory_is_an_error(rpc: Rpc, hub: Hub, tmp_path: Path) -> None:
    with Store(tmp_path / "relayer.sqlite") as store:
        start = int(await rpc.call("eth_blockNumber"), 16)
        intake = Intake(rpc, hub.address, store, ChainClock(), start_block=start, keep_blocks=2)
        for _ in range(6):
            await rpc.call("evm_mine")
            assert await intake.read() == []
        await rpc.call("anvil_reorg", 5, [])
        with pytest.raises(ReorganisedTooDeep) as deep:
            await intake.read()
        assert deep.value.oldest == start + 4


async def test_a_chain_that_is_younger_than_the_hub(rpc: Rpc, hub: Hub, tmp_path: Path) -> None:
    with Store(tmp_path / "relayer.sqlite") as store:
        intake = Intake(rpc, hub.address, store, ChainClock(), start_block=1_000_000)
        with pytest.raises(WrongChain, match="block 1000000"):
            await intake.read()
