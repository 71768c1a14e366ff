"""Blooms against a real block."""

from vouch.chain.blocks import Header, bloom_of
from vouch.chain.contracts import Hub
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender

OTHER = bytes(19) + b"\xbb"


async def test_the_bloom_of_a_block_announces_the_address_that_logged(
    rpc: Rpc, hub: Hub, sender: TxSender
) -> None:
    receipt = await sender.transact(hub.deposit(5, sender.address))
    header = Header.from_rpc(await rpc.call("eth_getBlockByNumber", hex(receipt.block_number), False))
    assert (header.ref.number, header.ref.hash) == (receipt.block_number, receipt.block_hash)
    announced = bloom_of(to_bytes(hub.address))
    assert header.bloom & announced == announced
    assert header.bloom & bloom_of(OTHER) != bloom_of(OTHER)
