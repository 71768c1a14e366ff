"""Answers in their trust gap and after it, read back from the chain."""

import asyncio
from math import inf

import pytest

from tests.python.client.conftest import PRICE, World
from tests.python.client.gaps import BOND, EXPOSURE, Gaps
from tests.python.client.proxy import Lag, before, proxy
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.client import Client, settlement
from vouch.client.errors import AnswerReplaced, NoGap, RequestRejected, UnknownRequest
from vouch.client.settlement import tag_of
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Status


async def test_a_provisional_answer(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        waiting = asyncio.create_task(client.wait(asked, timeout=20))
        receipt = await gaps.deliver(asked)
        answer = await waiting
        assert (answer.output, answer.status, answer.proven) == ("hello", Status.DELIVERED, False)
        assert (answer.seal, answer.level) == (None, "Quorum")
        assert answer.signature == gaps.signature(asked, b"hello")
        assert (answer.deliver_tx, answer.settle_tx, answer.fulfil_tx) == (receipt.tx_hash, None, None)
        assert (answer.gas.deliver, answer.gas.settle, answer.gas.fulfil) == (receipt.gas_used, None, None)
        assert (answer.request.fee, answer.request.exposure, answer.request.bond) == (PRICE, EXPOSURE, BOND)

        gap, delivered_at = answer.gap, await gaps.time()
        assert gap is not None
        assert (gap.open, gap.status, gap.delivered_at) == (True, Status.DELIVERED, delivered_at)
        assert (gap.prove_by, gap.challenge_by, gap.closed_at) == (delivered_at + 60, None, None)
        assert (gap.insured, gap.challenger, gap.settled_at) == (EXPOSURE, None, None)
        await gaps.mine(delivered_at + 40)
        assert gap.seconds < 40
        later = (await answer.refresh()).gap
        assert later is not None
        assert later.seconds >= 40


async def test_a_proven_answer_remembers_its_gap(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        delivery = await gaps.deliver(asked)
        provisional = await client.wait(asked, timeout=20)
        settlement = await gaps.prove(asked, at=await gaps.time() + 25)
        answer = await provisional.refresh()
        assert (answer.status, answer.proven, answer.seal) == (Status.SETTLED, True, gaps.seal(asked))
        assert answer.signature == provisional.signature
        assert (answer.deliver_tx, answer.settle_tx) == (delivery.tx_hash, settlement.tx_hash)
        assert (answer.gas.deliver, answer.gas.settle) == (delivery.gas_used, settlement.gas_used)
        assert answer.fulfil_tx is None
        gap = answer.gap
        assert gap is not None
        assert (gap.open, gap.seconds, gap.insured, gap.prove_by) == (False, 25, 0, None)
        assert gap.closed_at == gap.settled_at == answer.assurance.settled_at == await gaps.time()
        await gaps.mine(await gaps.time() + 1000)
        assert await answer.refresh() == answer, "a closed gap does not grow"
        assert await client.gap(asked.id) == gap
        assert await client.wait(asked.id, timeout=30) == await client.wait(asked.id, timeout=5)


async def test_the_record_names_the_answer(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        await gaps.deliver(asked)
        assert (await gaps.record(asked)).answer == tag_of(gaps.claim(asked, b"hello"))


async def test_there_is_no_gap_before_a_delivery(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        assert await client.gap(asked) is None
        with pytest.raises(NoGap, match="requested"):
            await client.challenge(asked)


async def test_a_retracted_answer_says_so(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        await gaps.deliver(asked)
        answer = await client.wait(asked, timeout=20)
        assert answer.gap is not None
        await gaps.reject(asked, at=answer.gap.delivered_at + 61)
        after = await answer.refresh()
        assert (after.status, after.proven, after.output) == (Status.REJECTED, False, "hello")
        assert after.gap is not None
        assert (after.gap.open, after.gap.settled_at, after.gap.seconds) == (False, None, 61)
        assert after.gap.closed_at == await gaps.time()


async def test_a_reorganisation_replaces_the_answer(world: World, gaps: Gaps) -> None:
    """What was seen is not what is there: nothing that names it may touch what is."""
    async with world.client() as client:
        asked = await gaps.ask(client, window=600)
        before = await world.rpc.call("evm_snapshot")
        await gaps.deliver(asked, b"first")
        first = await client.wait(asked, timeout=20)

        assert await world.rpc.call("evm_revert", before)
        undone = await first.refresh()
        assert (undone.status, undone.gap) == (Status.REQUESTED, None)
        with pytest.raises(NoGap, match="requested"):
            await client.challenge(first)

        waiting = asyncio.create_task(first.settled())
        # Another lane: the first one counts the transaction that is gone.
        other = TxSender(world.rpc, world.anvil.accounts[9])
        await other.transact(gaps.delivery(asked, b"second"))
        with pytest.raises(AnswerReplaced):
            await waiting
        with pytest.raises(AnswerReplaced, match=first.claim.output_hash.hex()):
            await first.refresh()
        with pytest.raises(AnswerReplaced, match=r"client\.wait"):
            await client.challenge(first)
        assert await gaps.status(asked) is Status.DELIVERED
        second = await client.wait(asked, timeout=20)
        await client.challenge(second)
        assert await gaps.status(asked) is Status.CHALLENGED


def forwarder(target: str, skipped: int) -> bytes:
    """Creation code of a contract that calls `target` with its own calldata from byte `skipped` on."""
    skip = b"\x61" + skipped.to_bytes(2, "big")
    body = skip + b"\x36\x03" + skip + b"\x3d\x37"  # calldatacopy(0, skipped, calldatasize - skipped)
    body += b"\x3d\x3d" + skip + b"\x36\x03" + b"\x3d\x34\x73" + to_bytes(target) + b"\x5a\xf1"
    end = len(body) + 9
    body += b"\x60" + bytes([end - 1]) + b"\x57\x60\x00\x60\x00\xfd\x5b\x00"
    return b"\x60" + bytes([len(body)]) + b"\x80\x60\x09\x3d\x39\x3d\xf3" + body


async def test_calldata_of_other_contracts_is_not_believed(world: World, gaps: Gaps) -> None:
    """Somebody shows one signature and passes on another: what is shown must not spoil a good answer."""
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        operator = world.operator.address
        shown = gaps.hub.deliver(asked.request, operator, b"hello", b"\1" * 65).data
        made = await gaps.stranger.transact(Call(None, forwarder(gaps.hub.address, len(shown))))
        await gaps.stranger.transact(Call(made.contract, shown + gaps.delivery(asked).data))
        answer = await client.wait(asked, timeout=20)
        assert (answer.output, answer.status, answer.signature) == ("hello", Status.DELIVERED, None)

        seal = gaps.seal(asked)
        shown = gaps.hub.settle(asked.request, operator, b"hello", SIGNED + b"\1" * 65).data
        passed = gaps.hub.settle(asked.request, operator, b"hello", bytes(seal)).data
        made = await gaps.stranger.transact(Call(None, forwarder(gaps.hub.address, len(shown))))
        await gaps.stranger.transact(Call(made.contract, shown + passed))
        final = await answer.settled()
        assert (final.proven, final.seal) == (True, None)


async def test_reading_takes_no_account(world: World, gaps: Gaps) -> None:
    async with world.client() as asking, Rpc(world.anvil.http_url) as rpc:
        asked = await gaps.ask(asking, prove_within=60)
        await gaps.deliver(asked)
        async with Client(rpc, deployment=world.deployment) as client:
            answer = await client.wait(asked.id, timeout=30)
            assert answer.status is Status.DELIVERED
            gap = await client.gap("0x" + asked.id.hex())
            assert gap is not None
            assert gap.insured == EXPOSURE


async def test_the_chain_moves_on_while_the_gap_is_read(world: World, gaps: Gaps) -> None:
    """Record and gap come in two calls; a challenge between them must not mix what they say."""
    async with world.client() as client:
        asked = await gaps.ask(client, window=600, prove_within=60)
        await gaps.deliver(asked)
        act = before("gapOf", 1, lambda: client.challenge(asked.id))
        async with proxy(world.anvil.http_url, act) as url, Rpc(url) as rpc:
            answer = await Client(rpc, deployment=world.deployment).wait(asked.id, timeout=20)
        assert answer.gap is not None
        assert answer.status is answer.gap.status is Status.CHALLENGED
        assert answer.gap.prove_by is not None


async def test_an_answer_that_is_retracted_while_it_is_read(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        await gaps.deliver(asked)

        async def reject() -> None:
            await gaps.reject(asked, at=await gaps.time() + 61)

        # The first look finds it delivered, the second one reads it.
        async with (
            proxy(world.anvil.http_url, before("assuranceOf", 2, reject)) as url,
            Rpc(url) as rpc,
        ):
            with pytest.raises(RequestRejected):
                await Client(rpc, deployment=world.deployment).wait(asked.id, timeout=20)


async def test_an_end_that_a_reorganisation_undoes_is_none(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        await gaps.deliver(asked)
        answer = await client.wait(asked, timeout=20)
        snapshot = await world.rpc.call("evm_snapshot")
        await gaps.prove(asked)
        undone = asyncio.Event()

        async def undo() -> None:
            await world.rpc.call("evm_revert", snapshot)
            undone.set()

        async with (
            proxy(world.anvil.http_url, before("assuranceOf", 2, undo)) as url,
            Rpc(url) as rpc,
            Client(rpc, deployment=world.deployment, poll=0.05) as reader,
        ):
            waiting = asyncio.create_task(reader.settled(answer))
            await undone.wait()
            # Another lane: the first one counts the transaction that is gone.
            other = TxSender(world.rpc, world.anvil.accounts[9])
            seal = bytes(gaps.seal(asked))
            await other.transact(gaps.hub.settle(asked.request, answer.operator, b"hello", seal))
            final = await asyncio.wait_for(waiting, 20)
        assert (final.status, final.proven) == (Status.SETTLED, True)


async def test_logs_that_lag_behind_the_state_are_waited_for(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        await gaps.deliver(asked)
        lag = Lag(3)
        async with proxy(world.anvil.http_url, lag.meddle) as url, Rpc(url) as rpc:
            reader = Client(rpc, deployment=world.deployment)
            answer = await reader.wait(asked, timeout=20)
            assert (answer.output, lag.left) == ("hello", 0)
            await client.report_equivocation(answer, gaps.pulled(asked, b"lie"))
            lag.left = 3
            with pytest.raises(RequestRejected, match="signed two different ones") as caught:
                await reader.wait(asked, timeout=20)
            assert (caught.value.rewarded, lag.left) == (client.address, 0)


async def test_a_node_that_forgot_the_events(
    world: World, gaps: Gaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "LOG_PATIENCE", 0.1)
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=60)
        await gaps.deliver(asked)
        async with proxy(world.anvil.http_url, Lag(inf).meddle) as url, Rpc(url) as rpc:
            reader = Client(rpc, deployment=world.deployment)
            with pytest.raises(UnknownRequest, match="keeps logs"):
                await reader.wait(asked, timeout=20)
            await gaps.reject(asked, at=await gaps.time() + 61)
            with pytest.raises(RequestRejected, match="stake is somebody's") as caught:
                await reader.wait(asked, timeout=20)
        assert (caught.value.rewarded, caught.value.credited) == (None, PRICE + EXPOSURE)
