from vouch.chain.account import LocalKey
from vouch.chain.nonces import NonceLane
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Call, Fees, SentTx, Transaction

KEY = LocalKey.generate()


def signed(nonce: int) -> SentTx:
    return KEY.sign(Transaction(1, nonce, 21_000, Fees(2, 1), Call(KEY.address, b"")))


async def test_nonces_come_in_order_and_gaps_first(rpc: Rpc) -> None:
    lane = NonceLane(rpc, KEY.address)
    assert [await lane.take() for _ in range(5)] == [0, 1, 2, 3, 4]
    assert lane.give_back(1)
    assert lane.give_back(3)
    assert lane.give_back(4)  # 1 is still left out
    assert [await lane.take() for _ in range(3)] == [1, 3, 4]
    assert not lane.give_back(4)
    assert await lane.take() == 4


async def test_idle_while_nothing_is_open(rpc: Rpc) -> None:
    lane = NonceLane(rpc, KEY.address)
    seen = [lane.idle]
    tx = signed(await lane.take())
    lane.signed(tx)
    seen.append(lane.idle)
    assert lane.attempts(0) == [tx]
    lane.close(tx)
    assert [*seen, lane.idle] == [True, False, True]
    assert lane.attempts(0) == []


async def test_gaps_are_what_the_node_misses(rpc: Rpc) -> None:
    lane = NonceLane(rpc, KEY.address)
    for _ in range(4):
        await lane.take()
    announced, closed = signed(1), signed(2)
    lane.signed(announced)
    lane.announced(announced)
    lane.signed(closed)
    lane.close(closed)
    lane.drop(3)
    assert await lane.gaps() == [(1, announced), (2, closed), (3, None)]  # 0 is being signed
    assert lane.claim(3)
    assert not lane.claim(3)
    await rpc.call("anvil_setNonce", KEY.address, "0x2")
    assert await lane.gaps() == [(2, closed)]


async def test_adopted_ones_leave_room_before_them(rpc: Rpc) -> None:
    lane = NonceLane(rpc, KEY.address)
    lane.signed(signed(2))
    assert [await lane.take() for _ in range(3)] == [0, 1, 3]
    lane.signed(signed(6))
    assert [await lane.take() for _ in range(3)] == [4, 5, 7]


async def test_resync_follows_the_node_both_ways(rpc: Rpc) -> None:
    lane = NonceLane(rpc, KEY.address)
    assert await lane.take() == 0
    await rpc.call("anvil_setNonce", KEY.address, "0x9")
    await lane.resync()
    assert await lane.take() == 9
    lane.drop(0)
    lane.drop(9)
    await rpc.call("anvil_setNonce", KEY.address, "0x3")
    await lane.resync()
    assert await lane.take() == 3


async def test_what_was_adopted_and_got_lost_is_a_gap_before_anything_is_taken(rpc: Rpc) -> None:
    lane = NonceLane(rpc, KEY.address)
    adopted = signed(0)
    lane.signed(adopted)
    lane.announced(adopted)
    assert await lane.gaps() == [(0, adopted)]
