"""Questions through the hub, with a real node and relayer where an answer is expected."""

import asyncio
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.python.client.conftest import PRICE, RISK_FILE, World
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Hub, ModelRegistry, NodeRegistry
from vouch.chain.deploy import deploy
from vouch.chain.deployment import NoDeployment
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc, RpcUnavailable
from vouch.chain.sender import TxSender
from vouch.client import Client
from vouch.client.errors import (
    DeadlineInPast,
    InsufficientFee,
    InsufficientFunds,
    NoAccount,
    NoOperator,
    RequestExpired,
    UnknownModel,
    UnknownRequest,
    UnknownRoute,
    WrongInput,
)
from vouch.protocol.codec import WrongShape, encode_tensors
from vouch.protocol.fixed import NotFinite
from vouch.protocol.manifest import Artefact, Limits, Manifest
from vouch.protocol.seal import SIGNED, recover_signer
from vouch.protocol.status import Status
from vouch.runtimes.echo import EchoRuntime

LOAN = [62.0, 0.31, 1.4, 1.0, 7.0]


async def test_infer_asks_waits_and_decodes(live: World, hub: Hub) -> None:
    async with live.client() as client:
        answer = await client.infer("risk", {"x": LOAN}, timeout=20)

    session = onnxruntime.InferenceSession(str(RISK_FILE), providers=["CPUExecutionProvider"])
    (direct,) = session.run(["risk"], {"x": np.array([LOAN], dtype=np.float32)})
    assert isinstance(answer.output, dict)
    assert answer.output["risk"].tobytes() == direct.tobytes()
    assert answer.output_bytes == encode_tensors(live.risk.outputs, {"risk": direct})
    assert answer.operator == live.operator.address == answer.claim.operator
    assert (answer.status, answer.level) == (Status.SETTLED, "Signed")
    assert answer.seal is not None
    assert answer.seal.route == SIGNED
    assert recover_signer(answer.seal, answer.claim, 31337, hub.address) == live.operator.address
    assert await hub.is_answer(answer.id, answer.operator, answer.claim.output_hash)
    assert await hub.credit_of(answer.operator) == PRICE == answer.request.fee
    assert answer.gas.request is not None
    assert answer.gas.fulfil is not None
    assert min(answer.gas.request, answer.gas.fulfil) > 21_000
    assert (answer.gap, answer.deliver_tx, answer.proven) == (None, None, True)
    assert answer.fulfil_tx == answer.settle_tx
    assert answer.signature == answer.seal.proof


async def test_text_goes_in_and_comes_out_as_text(live: World) -> None:
    async with live.client() as client:
        answer = await client.infer("echo", "Grüezi", timeout=20)
    assert answer.output == "Grüezi"


async def test_many_questions_at_once_get_their_own_answers(live: World) -> None:
    async with live.client() as client, asyncio.TaskGroup() as tasks:
        texts = [f"question {i}" for i in range(12)]
        asked = [tasks.create_task(client.infer("echo", text, timeout=30)) for text in texts]
        answers = [await task for task in asked]
    assert [answer.output for answer in answers] == texts
    # Several answers share a transaction then; each finds its own seal in it.
    assert all(answer.seal is not None for answer in answers)
    assert len({answer.id for answer in answers}) == len(texts)


async def test_an_answer_is_found_again_by_its_id(live: World) -> None:
    async with live.client() as client:
        first = await client.infer("echo", "again", timeout=20)
    async with live.client(account=5) as other:
        second = await other.wait("0x" + first.id.hex(), timeout=20)
    assert (second.output, second.claim, second.seal) == ("again", first.claim, first.seal)
    assert second.gas.request is None


async def test_the_settlement_handle_returns_at_once_when_there_is_no_gap(live: World) -> None:
    async with live.client() as client:
        answer = await client.infer("echo", "x", timeout=20)
        settled = await asyncio.wait_for(answer.settled(), 20)
        assert settled == await answer.refresh()
    assert settled.assurance.settled_at == settled.assurance.delivered_at > 0


async def test_nobody_answers_and_the_fee_comes_back(world: World, hub: Hub) -> None:
    async with world.client() as client:
        asked = await client.request("risk", {"x": LOAN}, deliver_within=60)
        assert await client.credit() == 0
        await world.rpc.call("evm_mine", asked.request.deliver_by + 1)
        with pytest.raises(RequestExpired, match="withdraw") as caught:
            await client.wait(asked, timeout=20)
        assert caught.value.tx_hash is not None
        assert (caught.value.fee, caught.value.beneficiary) == (PRICE, client.address)
        assert await hub.status_of(asked.id) is Status.EXPIRED
        assert await client.credit() == PRICE
        receipt = await client.withdraw()
        assert receipt is not None
        assert receipt.succeeded
        assert await client.credit() == 0
        assert await client.withdraw() is None
        with pytest.raises(RequestExpired) as again:
            await client.wait(asked.id)
        assert again.value.tx_hash is None


async def test_the_fee_comes_back_on_a_chain_that_makes_no_blocks_by_itself() -> None:
    """Its newest block is older than the deadline, and stays so until somebody sends something."""
    async with Anvil() as anvil, Rpc(anvil.http_url) as rpc:
        owner = TxSender(rpc, anvil.accounts[0])
        deployment = await deploy(rpc, owner)
        echo, nodes = EchoRuntime().manifest, NodeRegistry(rpc, deployment.nodes)
        await owner.transact(ModelRegistry(rpc, deployment.models).publish("echo", bytes(echo)))
        await owner.transact(nodes.register("http://127.0.0.1:9"))
        await owner.transact(nodes.set_price(echo.model_id, PRICE))
        # Every block counts a second here, so the clock has to catch up first.
        ahead = await Client(rpc, deployment=deployment).connection()
        await asyncio.sleep(max(0, await ahead.time() - time.time()))
        async with Client(rpc, anvil.accounts[4], deployment=deployment, poll=0.1) as client:
            asked = await client.request("echo", "x", deliver_within=1)
            block = await rpc.call("eth_blockNumber")
            with pytest.raises(RequestExpired):
                await client.wait(asked, timeout=30)
            assert int(await rpc.call("eth_blockNumber"), 16) == int(block, 16) + 1
            assert await client.credit() == PRICE


async def test_a_timeout_leaves_the_request_open(world: World, hub: Hub) -> None:
    async with world.client() as client:
        asked = await client.request("risk", {"x": LOAN})
        with pytest.raises(TimeoutError):
            await client.wait(asked, timeout=0.3)
        assert await hub.status_of(asked.id) is Status.REQUESTED
        with pytest.raises(Reverted, match="DeliverByNotPassed"):
            await client.expire(asked.request)


async def test_the_cheapest_operator_is_asked(world: World) -> None:
    cheap = TxSender(world.rpc, world.anvil.accounts[6])
    registry = NodeRegistry(world.rpc, world.deployment.nodes)
    await cheap.transact(registry.register("http://127.0.0.1:9"))
    await cheap.transact(registry.set_price(world.risk.model_id, PRICE // 2))
    async with world.client() as client:
        asked = await client.request("risk", {"x": LOAN})
        named = await client.request("risk", {"x": LOAN}, operator=world.operator.address)
        await cheap.transact(registry.retire())
        after = await client.request("risk", {"x": LOAN})
    assert (asked.request.operator, asked.request.fee) == (cheap.address, PRICE // 2)
    assert (named.request.operator, named.request.fee) == (world.operator.address, PRICE)
    assert after.request.operator == world.operator.address


async def test_wrong_questions_have_named_errors_and_cost_nothing(world: World) -> None:
    async with world.client() as client:
        before = await world.rpc.call("eth_getTransactionCount", client.address, "latest")
        with pytest.raises(WrongShape, match=r"\[batch, 5\]"):
            await client.request("risk", {"x": [1, 2]})
        with pytest.raises(NotFinite):
            await client.request("risk", {"x": [1, 2, 3, 4, float("nan")]})
        with pytest.raises(WrongInput, match="arrays by name: x"):
            await client.request("risk", "a question")
        with pytest.raises(WrongInput, match="text"):
            await client.request("echo", {"x": LOAN})
        with pytest.raises(UnknownModel, match="nothing as 'nope'"):
            await client.request("nope", {"x": LOAN})
        with pytest.raises(UnknownModel, match="no such manifest"):
            await client.request(bytes(32), {"x": LOAN})
        with pytest.raises(UnknownModel, match="32 bytes, not 3"):
            await client.request(b"abc", {"x": LOAN})
        with pytest.raises(UnknownRoute, match="SIGN") as route:
            await client.request("risk", {"x": LOAN}, route=b"NOPE")
        assert route.value.route == b"NOPE"
        with pytest.raises(InsufficientFee) as fee:
            await client.request("risk", {"x": LOAN}, operator=world.operator.address, fee=PRICE - 1)
        assert (fee.value.received, fee.value.expected) == (PRICE - 1, PRICE)
        with pytest.raises(DeadlineInPast):
            await client.request("risk", {"x": LOAN}, deliver_within=-5)
        with pytest.raises(Reverted, match="UnregisteredOperator"):
            await client.request("risk", {"x": LOAN}, operator=world.anvil.accounts[7].address)
        assert await world.rpc.call("eth_getTransactionCount", client.address, "latest") == before


async def test_a_model_that_nobody_offers(world: World) -> None:
    manifest = Manifest("lonely", "text", Artefact("echo"), Limits(100))
    async with world.client() as client:
        published = await client.publish(manifest)
        assert published.gas is not None
        with pytest.raises(NoOperator) as caught:
            await client.request(f"{client.address}/lonely", "hello")
        assert caught.value.model_id == manifest.model_id
        assert (await client.publish(manifest)).gas is None


async def test_an_account_without_money(world: World) -> None:
    async with world.client() as client:
        await world.rpc.call("anvil_setBalance", client.address, hex(10**9))
        with pytest.raises(InsufficientFunds) as caught:
            await client.request("risk", {"x": LOAN})
    assert caught.value.received == 10**9 < caught.value.expected


async def test_an_unknown_request(world: World) -> None:
    async with world.client() as client:
        with pytest.raises(UnknownRequest):
            await client.wait(b"\x01" * 32, timeout=30)


async def test_reading_needs_no_account(live: World) -> None:
    async with live.client() as asking:
        answer = await asking.infer("echo", "x", timeout=20)
    async with Client(live.rpc, deployment=live.deployment) as client:
        assert (await client.wait(answer.id, timeout=30)).output == "x"
        with pytest.raises(NoAccount):
            await client.request("echo", "x")
        with pytest.raises(NoAccount):
            _ = client.address


async def test_deposit_and_withdraw(world: World) -> None:
    async with world.client() as client:
        await client.deposit(10**15)
        assert await client.credit() == 10**15
        await client.withdraw(10**14)
        assert await client.credit() == 9 * 10**14
        with pytest.raises(Reverted, match="InsufficientCredit"):
            await client.withdraw(10**15)


async def test_a_chain_without_deployment_or_answer(world: World, tmp_path: Path) -> None:
    with pytest.raises(NoDeployment):
        await Client(world.anvil.http_url, deployments=tmp_path / "none").models()
    with pytest.raises(RpcUnavailable):
        await Client("http://127.0.0.1:9", deployments=tmp_path).models()


async def test_close_and_use_again(world: World) -> None:
    client = Client(world.anvil.http_url, world.anvil.accounts[4], deployment=world.deployment)
    assert len(await client.models()) == 2
    await client.close()
    assert len(await client.models()) == 2
    await client.close()
