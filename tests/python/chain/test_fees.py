import logging

import pytest

from tests.python.chain.proxy import Fate, proxy
from vouch.chain.anvil import Anvil
from vouch.chain.errors import FeeOverCap
from vouch.chain.fees import GWEI, FeePolicy
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Fees


async def base_fee(rpc: Rpc, wei: int) -> None:
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(wei))
    await rpc.call("evm_mine")


async def test_twice_the_base_fee_and_the_tip(rpc: Rpc) -> None:
    await base_fee(rpc, 7 * 10**9)
    tip = int(await rpc.call("eth_maxPriorityFeePerGas"), 16)
    assert await FeePolicy(rpc).current() == Fees(14 * 10**9 + tip, tip)


async def test_cached_until_forgotten(rpc: Rpc) -> None:
    policy = FeePolicy(rpc, ttl=600)
    first = await policy.current()
    await base_fee(rpc, 50 * 10**9)
    assert await policy.current() is first
    policy.forget()
    assert (await policy.current()).max_fee > 100 * 10**9


async def test_replacements_pay_an_eighth_more_and_follow_the_chain(rpc: Rpc) -> None:
    policy = FeePolicy(rpc)
    bumped = await policy.bumped(Fees(80 * 10**9, 8 * 10**9))
    assert bumped == Fees(90 * 10**9 + 1, 9 * 10**9 + 1)
    await base_fee(rpc, 500 * 10**9)
    bumped = await policy.bumped(Fees(80 * 10**9, 8 * 10**9))
    assert bumped is not None
    assert bumped.max_fee > 1000 * 10**9


async def test_the_cap_holds(rpc: Rpc) -> None:
    policy = FeePolicy(rpc, cap=2 * 10**9)
    await base_fee(rpc, 500 * 10**9)
    assert (await policy.current()).max_fee == 2 * 10**9
    assert await policy.bumped(Fees(19 * 10**8, 1)) is None


async def test_no_base_fee_means_a_gas_price() -> None:
    async with Anvil(hardfork="berlin") as old, Rpc(old.http_url) as rpc:
        policy = FeePolicy(rpc)
        fees = await policy.current()
        assert fees.legacy
        assert fees.max_fee == fees.priority == int(await rpc.call("eth_gasPrice"), 16)
        bumped = await policy.bumped(Fees(8 * 10**12, 8 * 10**12, legacy=True))
        assert bumped == Fees(9 * 10**12 + 1, 9 * 10**12 + 1, legacy=True)


async def test_a_node_that_suggests_no_tip(rpc: Rpc) -> None:
    async with proxy(rpc.url) as gate, Rpc(gate.url) as other:
        gate.judge_batch = lambda method: (
            {"code": -32601, "message": "no such method"}
            if method == "eth_maxPriorityFeePerGas"
            else Fate.PASS
        )
        assert (await FeePolicy(other, default_priority=5).current()).priority == 5


async def test_a_base_fee_over_the_cap_is_said_once_and_so_is_its_end(
    rpc: Rpc, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vouch.chain.fees")
    policy = FeePolicy(rpc, ttl=0.0, cap=100 * GWEI)
    await policy.check()
    assert policy.trouble == ""
    await base_fee(rpc, 1000 * GWEI)
    for _ in range(2):
        with pytest.raises(FeeOverCap, match=r"at least \d+\.?\d* gwei, and the cap is 100 gwei") as over:
            await policy.check()
        assert (over.value.received > over.value.cap, over.value.cap) == (True, 100 * GWEI)
        assert policy.trouble == str(over.value)
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(100 * GWEI))
    await policy.check()
    assert policy.trouble == ""
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.messages[1] == "gas costs 100 gwei, within the cap again: transactions go on"


async def test_it_is_the_next_block_that_counts(rpc: Rpc) -> None:
    policy = FeePolicy(rpc, ttl=0.0, cap=100 * GWEI)
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(101 * GWEI))
    with pytest.raises(FeeOverCap, match="at least 101 gwei"):
        await policy.check()


async def test_a_node_without_a_fee_history_is_asked_for_its_newest_block(rpc: Rpc) -> None:
    await base_fee(rpc, 101 * GWEI)
    async with proxy(rpc.url) as gate, Rpc(gate.url) as other:
        gate.judge_batch = lambda method: (
            {"code": -32601, "message": "no such method"} if method == "eth_feeHistory" else Fate.PASS
        )
        with pytest.raises(FeeOverCap, match="at least 101 gwei"):
            await FeePolicy(other, cap=100 * GWEI).check()


async def test_nothing_is_offered_that_no_replacement_fits_above(rpc: Rpc) -> None:
    """Below the cap, but less than an eighth: it could never be replaced, and wait there for ever."""
    tip = int(await rpc.call("eth_maxPriorityFeePerGas"), 16)
    await base_fee(rpc, 46 * GWEI - tip // 2)
    assert (await FeePolicy(rpc, cap=100 * GWEI).current()).max_fee == 100 * GWEI
    assert (await FeePolicy(rpc, cap=110 * GWEI).current()).max_fee == 92 * GWEI
    bumped = await FeePolicy(rpc, cap=110 * GWEI).bumped(Fees(92 * GWEI, 1))
    assert bumped is not None
    assert bumped.max_fee == 110 * GWEI


async def test_what_waits_at_the_cap_though_gas_is_cheaper_is_said(
    rpc: Rpc, caplog: pytest.LogCaptureFixture
) -> None:
    policy = FeePolicy(rpc, ttl=0.0, cap=100 * GWEI)
    await base_fee(rpc, 40 * GWEI)
    assert await policy.bumped(Fees(100 * GWEI, 1)) is None
    assert caplog.messages == [
        "a transaction that offers 100 gwei waits: a higher offer is over the cap, 100 (--max-fee)"
    ]
    await base_fee(rpc, 1000 * GWEI)
    assert await policy.bumped(Fees(100 * GWEI, 1)) is None
    assert len(caplog.messages) == 2
    assert caplog.messages[1].startswith("gas costs at least ")


async def test_a_gas_price_over_the_cap() -> None:
    async with Anvil(hardfork="berlin") as old, Rpc(old.http_url) as rpc:
        policy = FeePolicy(rpc, cap=GWEI)
        with pytest.raises(FeeOverCap):
            await policy.check()
        assert (await policy.current()).max_fee == GWEI
