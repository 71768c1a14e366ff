"""What is said while gas costs more than the cap, and to whom."""

import logging
from dataclasses import replace

import pytest

from tests.python.relayer.making import (
    ANSWER,
    KEEP,
    OTHER_TX,
    UNSEALED,
    block,
    challenged,
    delivered,
    requested,
    seen,
    settled,
)
from vouch.chain.fees import GWEI, FeePolicy
from vouch.chain.rpc import Rpc
from vouch.relayer.fee_wait import FeeWait
from vouch.relayer.job import JobStatus, TxKind
from vouch.relayer.store import Store

CAP = 100 * GWEI
NOW = 1_000


async def cost(rpc: Rpc, fees: FeePolicy, gwei: int) -> None:
    """What the next block asks for, and the policy knows it."""
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(gwei * GWEI))
    await fees.current()


def last(store: Store, request: bytes) -> str:
    return store.steps(request)[-1].reason


def due(store: Store, prove_by: int) -> bytes:
    """A delivered request of ours whose proof somebody demands."""
    request = seen(store)
    store.answered(request, UNSEALED)
    store.advance([block(3)], [delivered(block(3), request, OTHER_TX), challenged(block(3), request)], KEEP)
    store.set_deadline(request, None, prove_by)
    return request


async def test_each_request_is_told_once_and_again_the_next_time(rpc: Rpc, store: Store) -> None:
    fees = FeePolicy(rpc, ttl=0.0, cap=CAP)
    waits, request = FeeWait(fees, store), seen(store)
    store.answered(request, ANSWER)
    waiting = [(TxKind.FULFIL, request)]
    waits.look(waiting, NOW)
    before = len(store.steps(request))
    for count, gwei in ((1, 101), (1, 102), (1, 100), (2, 103)):
        await cost(rpc, fees, gwei)
        waits.look(waiting, NOW)
        assert len(store.steps(request)) == before + count
    assert last(store, request).startswith(
        "fulfil waits: gas costs at least 103 gwei, and the cap is 100 gwei"
    )
    assert store.status(request) is JobStatus.ANSWERED


async def test_a_proof_that_waits_is_loud_when_half_of_its_time_is_over(
    rpc: Rpc, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    fees = FeePolicy(rpc, ttl=0.0, cap=CAP)
    waits, request = FeeWait(fees, store), due(store, NOW + 100)
    waiting = [(TxKind.SETTLE, request)]
    await cost(rpc, fees, 101)
    caplog.clear()
    for now in (NOW, NOW + 49):
        waits.look(waiting, now)
        assert last(store, request).startswith("settle waits: ")
    assert caplog.messages == []
    assert waits.risks == {}
    for now in (NOW + 50, NOW + 51):
        waits.look(waiting, now)
    assert waits.risks[request].startswith("its proof is due in 50 s, and waits: gas costs at least 101 gwei")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert f"request 0x{request.hex()}: " in record.getMessage()
    assert "stake are at risk: its proof is due in 50 s, and waits: gas costs" in record.getMessage()
    assert last(store, request).startswith("stake at risk: its proof is due in 50 s, and waits: ")


@pytest.mark.parametrize("cheap", [False, True])
async def test_a_risk_is_over_when_nothing_waits_any_more(rpc: Rpc, store: Store, cheap: bool) -> None:
    """Gas is cheap again, or somebody else has settled the request."""
    fees = FeePolicy(rpc, ttl=0.0, cap=CAP)
    waits, request = FeeWait(fees, store), due(store, NOW + 2)
    await cost(rpc, fees, 101)
    for now in (NOW, NOW + 1):
        waits.look([(TxKind.SETTLE, request)], now)
    assert list(waits.risks) == [request]
    if cheap:
        await cost(rpc, fees, 99)
    waits.look([(TxKind.SETTLE, request)] if cheap else [], NOW + 1)
    assert waits.risks == {}


async def test_a_settlement_without_a_deadline_risks_nothing(
    rpc: Rpc, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody challenged in its window; the same for what is no settlement."""
    fees = FeePolicy(rpc, ttl=0.0, cap=CAP)
    waits, request = FeeWait(fees, store), seen(store)
    store.answered(request, UNSEALED)
    store.advance([block(3)], [delivered(block(3), request, OTHER_TX)], KEEP)
    await cost(rpc, fees, 101)
    caplog.clear()
    for now in (NOW, NOW + 10**9):
        waits.look([(TxKind.SETTLE, request)], now)
    store.set_deadline(request, None, NOW + 1)
    waits.look([(TxKind.EXPIRE_DELIVERED, request)], NOW + 10**9)
    assert caplog.messages == []


async def test_what_is_over_or_was_never_seen_is_left_alone(rpc: Rpc, store: Store) -> None:
    fees = FeePolicy(rpc, ttl=0.0, cap=CAP)
    log = replace(requested(block(2), salt=7), input=b"")
    store.advance([block(2)], [log, settled(block(2), log.id, OTHER_TX)], KEEP)
    steps = len(store.steps(log.id))
    await cost(rpc, fees, 101)
    FeeWait(fees, store).look([(TxKind.FULFIL, log.id), (TxKind.EXPIRE, b"\1" * 32)], NOW)
    assert len(store.steps(log.id)) == steps
