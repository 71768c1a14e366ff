"""The outbox: every signed transaction is stored with what it is for, and followed to its end."""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from vouch.chain.account import LocalKey
from vouch.chain.contracts import Hub
from vouch.chain.deployment import Deployment
from vouch.chain.errors import FeeOverCap
from vouch.chain.fees import GWEI
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import SentTx
from vouch.protocol.request import NATIVE
from vouch.watcher.config import Patience
from vouch.watcher.finding import Finding, Kind, Teller
from vouch.watcher.lane import Lane, Move
from vouch.watcher.store import Store

QUICK = Patience(check_up=0.1, replace=60.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "watch.sqlite") as opened:
        yield opened


class Ends:
    """What a lane says and gives back."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.again: list[Move] = []

    @asynccontextmanager
    async def lane(
        self, key: LocalKey, hub: Hub, deployment: Deployment, store: Store, patience: Patience = QUICK
    ) -> Any:
        teller = Teller(self.findings.append)
        lane = Lane(key, hub, deployment.chain_id, store, patience, 500 * GWEI, teller, self.again.append)
        running = asyncio.create_task(lane.run())
        await asyncio.sleep(0)
        try:
            yield lane
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def settled(lane: Lane, request: bytes) -> None:
    async with asyncio.timeout(20):
        while lane.busy(request):  # noqa: ASYNC110 - there is nobody to set an event
            await asyncio.sleep(0.01)


def move(call: Any, request: bytes = b"r", kind: Kind = Kind.REJECT, what: bytes = b"w") -> Move:
    return Move(kind, request, what, call, NATIVE)


async def test_moves_at_the_same_time_do_not_mix_up(
    rpc: Rpc, hub: Hub, deployment: Deployment, accounts: tuple[LocalKey, ...], store: Store
) -> None:
    key = accounts[8]
    await rpc.call("evm_setAutomine", False)
    async with Ends().lane(key, hub, deployment, store) as lane:
        moves = [move(hub.deposit(n, key.address), bytes([n]), what=bytes([n])) for n in range(1, 9)]
        hashes = await asyncio.gather(*(lane.send(each, 100_000) for each in moves))
        stored = {sent.hash: sent for sent in store.sent()}
        assert len(stored) == len(set(hashes)) == 8
        for tx_hash, each in zip(hashes, moves, strict=True):
            assert stored[tx_hash].request == each.request
            assert SentTx.parse(stored[tx_hash].raw).transaction.call == each.call
            assert lane.busy(each.request)
        await rpc.call("evm_mine")
        for each in moves:
            await settled(lane, each.request)
        assert all(sent.mined for sent in store.sent())
        assert await hub.credit_of(key.address) == sum(range(1, 9))


async def test_the_same_move_is_not_sent_twice(
    rpc: Rpc, hub: Hub, deployment: Deployment, accounts: tuple[LocalKey, ...], store: Store
) -> None:
    key = accounts[8]
    await rpc.call("evm_setAutomine", False)
    async with Ends().lane(key, hub, deployment, store) as lane:
        first = await lane.send(move(hub.deposit(1, key.address)), 100_000)
        assert await lane.send(move(hub.deposit(1, key.address)), 100_000) == first
        assert await lane.send(move(hub.deposit(1, key.address), what=b"other"), 100_000) != first
        assert not lane.busy(b"r", Kind.CHALLENGE)
        assert lane.busy(b"r", Kind.REJECT)


async def test_what_was_mined_as_a_replacement_is_found_after_a_restart(
    rpc: Rpc, hub: Hub, deployment: Deployment, accounts: tuple[LocalKey, ...], store: Store
) -> None:
    key, ends = accounts[8], Ends()
    await rpc.call("evm_setAutomine", False)
    hasty = Patience(check_up=0.1, replace=0.1)
    async with ends.lane(key, hub, deployment, store, hasty) as lane:
        await lane.send(move(hub.deposit(1, key.address)), 100_000)
        async with asyncio.timeout(20):
            while len(store.sent()) < 2:  # noqa: ASYNC110 - there is nobody to set an event
                await asyncio.sleep(0.01)
    await rpc.call("evm_mine")
    async with ends.lane(key, hub, deployment, store) as lane:
        await settled(lane, b"r")
    assert {sent.nonce for sent in store.sent()} == {store.sent()[0].nonce}
    assert all(sent.mined for sent in store.sent())
    assert (ends.findings, ends.again) == ([], [])


async def test_what_keeps_reverting_is_given_up(
    hub: Hub, deployment: Deployment, accounts: tuple[LocalKey, ...], store: Store
) -> None:
    ends = Ends()
    bad = move(hub.withdraw(5, accounts[8].address))
    async with ends.lane(accounts[8], hub, deployment, store) as lane:
        with pytest.raises(Reverted, match="InsufficientCredit"):
            await lane.try_out(bad.call)
        for attempt in range(1, 4):
            assert not lane.gave_up(bad.kind, bad.request)
            await lane.send(bad, 100_000)
            await settled(lane, b"r")
            assert len(ends.again) == min(attempt, 2)
        assert lane.gave_up(bad.kind, bad.request)
        assert not lane.gave_up(Kind.CHALLENGE, bad.request)
    assert [finding.kind for finding in ends.findings] == [Kind.TROUBLE, Kind.TROUBLE]
    assert "its transaction reverted: InsufficientCredit" in ends.findings[0].text
    assert ends.findings[1].text.endswith("; given up")
    assert store.sent() == []


async def test_a_refused_broadcast_leaves_nothing_behind(
    rpc: Rpc, hub: Hub, deployment: Deployment, accounts: tuple[LocalKey, ...], store: Store
) -> None:
    poor = LocalKey.generate()
    async with Ends().lane(poor, hub, deployment, store) as lane:
        with pytest.raises(Exception, match="cannot pay for this transaction"):
            await lane.send(move(hub.deposit(1, poor.address)), 100_000)
        assert store.sent() == []
        assert not lane.busy(b"r")
        await rpc.call("anvil_setBalance", poor.address, hex(10**18))
        await lane.send(move(hub.deposit(1, poor.address)), 100_000)
        await settled(lane, b"r")
    assert await hub.credit_of(poor.address) == 1
    assert accounts[0].address != poor.address


async def test_no_more_is_paid_for_gas_than_was_allowed(
    rpc: Rpc, hub: Hub, deployment: Deployment, accounts: tuple[LocalKey, ...], store: Store
) -> None:
    call = hub.deposit(1, accounts[8].address)
    await _costs(rpc, 400 * GWEI)
    async with Ends().lane(accounts[8], hub, deployment, store) as lane:
        trial = await lane.try_out(call)
        assert trial.cost == trial.gas * 500 * GWEI, "twice the base fee would be 800 gwei"
    await _costs(rpc, 800 * GWEI)
    async with Ends().lane(accounts[8], hub, deployment, store) as lane:
        with pytest.raises(FeeOverCap, match="the cap is 500 gwei"):
            await lane.try_out(call)


async def _costs(rpc: Rpc, wei: int) -> None:
    """The base fee of a block that is mined now."""
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(wei))
    await rpc.call("evm_mine")
