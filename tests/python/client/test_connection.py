"""What time it is, on chains whose clock is not ours and with nodes that do not say."""

import asyncio

import pytest

from tests.python.client.conftest import World
from tests.python.client.proxy import Call, Reply, proxy
from tests.python.client.test_waiting import delivered, idle_chain
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc
from vouch.client import Client
from vouch.protocol.status import Status

LONG_AGO = 1_600_000_000


async def test_a_chain_whose_clock_is_years_behind() -> None:
    """Deadlines are the chain's: neither too far away for the hub nor passed before their time."""
    async with Anvil(args=("--timestamp", str(LONG_AGO))) as anvil, Rpc(anvil.http_url) as rpc:
        gaps, client = await idle_chain(rpc, anvil)
        async with client:
            answer = await delivered(client, gaps, {"prove_within": 3000})
            assert answer.gap is not None
            assert answer.gap.seconds < 3000
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(answer.settled(), 0.3)
            await gaps.prove(answer.asked)
            assert (await answer.settled()).status is Status.SETTLED


@pytest.mark.parametrize(
    "reply", [{"result": None}, {"error": {"code": -32000, "message": "pending is not available"}}]
)
async def test_a_node_without_a_pending_block(world: World, reply: Reply) -> None:
    async def meddle(call: Call) -> Reply | None:
        return reply if call["method"] == "eth_getBlockByNumber" and call["params"][0] == "pending" else None

    async with proxy(world.anvil.http_url, meddle) as url, Rpc(url) as rpc:
        chain = await Client(rpc, deployment=world.deployment).connection()
        ahead = await chain.time() + 10**9
        await world.rpc.call("evm_mine", ahead)
        assert await chain.now() == ahead, "the newest block is ahead of the clock here"
