"""The events of one request, from a chain's node that gives them whole, and from one that limits ranges."""

from tests.python.client.conftest import World
from tests.python.client.gaps import Gaps
from tests.python.client.proxy import Call, Reply, proxy
from vouch.chain.events import ChallengedLog, DeliveredLog, RequestedLog, SettledLog
from vouch.chain.rpc import Rpc
from vouch.client import Client
from vouch.client.history import history, newest

LONGEST = 2


async def limit(call: Call) -> Reply | None:
    """A provider that refuses to look for logs in more than two blocks."""
    if call["method"] == "eth_getLogs":
        first, last = (call["params"][0][key] for key in ("fromBlock", "toBlock"))
        if last == "latest" or int(last, 16) - int(first, 16) >= LONGEST:
            return {"error": {"code": -32005, "message": "query returned more than 2 blocks"}}
    return None


async def test_in_order_and_of_this_request_only(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked, other = await gaps.ask(client, window=100), await gaps.ask(client, window=100)
        await gaps.deliver(asked, b"one")
        await gaps.deliver(other, b"two")
        await client.challenge(asked.id)
        await gaps.prove(asked, b"one")
        chain = await client.connection()
        logs = await history(chain, asked.id, asked.block)
        assert [type(log) for log in logs] == [DeliveredLog, ChallengedLog, SettledLog]
        delivered = newest(logs, DeliveredLog)
        assert delivered is not None
        assert delivered.output == b"one"
        assert newest(logs, RequestedLog) is None
        assert await history(chain, asked.id, asked.block, (ChallengedLog,)) == [logs[1]]


async def test_a_node_that_limits_ranges_is_asked_for_less(world: World, gaps: Gaps) -> None:
    async with (
        world.client() as client,
        proxy(world.anvil.http_url, limit) as url,
        Rpc(url) as rpc,
    ):
        asked, other = await gaps.ask(client, prove_within=60), await gaps.ask(client, prove_within=60)
        await gaps.deliver(other, b"two")
        await gaps.deliver(asked, b"one")
        async with Client(rpc, deployment=world.deployment) as reader:
            whole = await history(await client.connection(), asked.id, asked.block)
            assert await history(await reader.connection(), asked.id, asked.block) == whole
            answer = await reader.wait(asked.id, timeout=20)
    assert answer.output == "one"
    assert answer.signature == gaps.signature(asked, b"one")
