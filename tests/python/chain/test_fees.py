from tests.python.chain.proxy import Fate, proxy
from vouch.chain.anvil import Anvil
from vouch.chain.fees import FeePolicy
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
