# gas of the callbacks in a gap: for every gas limit of the transaction
# ├── too little .... InsufficientGas, nothing happens
# └── enough ........ the transition, with its callback; and where the consumer burns everything, its record

import pytest

from tests.contracts.gaps import books
from tests.contracts.test_inference_hub_callback import BURN, REVERT_LONG
from tests.contracts.test_inference_hub_callback_gap import (
    MOVES,
    STEPS,
    Prepare,
    Step,
    convicting,
    delivering,
    hostile,
    proving_challenged,
    rejecting_challenged,
    settling_unchallenged,
    withdrawing_the_route_challenged,
)
from tests.contracts.test_inference_hub_callback_gas import RESERVE
from tests.support.world import World
from vouch.chain.errors import RpcError
from vouch.chain.reverts import Reverted, reverted
from vouch.chain.transaction import MAX_TX_GAS
from vouch.protocol.status import Gate

DEAREST: list[Prepare] = [
    delivering,
    proving_challenged,
    settling_unchallenged,
    rejecting_challenged,
    convicting,
    withdrawing_the_route_challenged,
]
"""One step for each place that calls back, with the most to do around it."""


async def tried(world: World, step: Step, gas: int) -> Reverted | RpcError | None:
    """How the step ends at its time with this gas limit; None: well."""
    tx = step.call.to_rpc(world.stranger.address, gas)
    try:
        await world.rpc.call("eth_call", tx, "latest", {}, {"time": hex(step.time)})
    except RpcError as refused:
        return reverted(refused) or refused
    return None


async def least(world: World, step: Step) -> int:
    """The least gas limit with which the step can be made, by bisection."""
    low, high = 30_000, MAX_TX_GAS
    while low + 1 < high:
        middle = (low + high) // 2
        refused = await tried(world, step, middle)
        # Anything else than "too little gas" would send the bisection astray.
        if isinstance(refused, RpcError) and "gas" not in refused.message.lower():
            raise refused
        low, high = (low, middle) if refused is None else (middle, high)
    return high


@pytest.mark.parametrize("prepare", DEAREST)
@pytest.mark.parametrize("mode", [BURN, REVERT_LONG])
@pytest.mark.parametrize("gas", [30_000, 5_000_000])
async def test_never_starved(world: World, prepare: Prepare, mode: int, gas: int) -> None:
    """The reserve pays for the bookkeeping even when the consumer leaves nothing."""
    consumer = await hostile(world)
    step = await prepare(world, consumer, gate=Gate.ON_DELIVERY, callback_gas=gas)
    await world.send(consumer.call("setMode", mode))
    limit = await least(world, step)
    required = gas + gas // 63 + RESERVE
    short = await tried(world, step, limit - 1)
    assert isinstance(short, Reverted)
    assert (short.error.name, dict(short.error.args)) == (
        "InsufficientGas",
        {"available": required - 1, "required": required},
    )
    for more in (0, 1, 500, 5_000, 50_000):
        assert await tried(world, step, limit + more) is None

    before = await books(world, consumer=consumer.address)
    await world.rpc.call("evm_setNextBlockTimestamp", step.time)
    sent = step.call.to_rpc(world.stranger.address, limit)
    receipt = await world.rpc.call("eth_sendTransactionSync", sent)
    assert int(receipt["status"], 16) == 1
    assert await before.moved() == MOVES[prepare]
    assurance = await world.hub.assurance_of(world.id(step.terms))
    assert (assurance.status, assurance.callback_failed) == (STEPS[prepare][1], True)
