"""Terms, logs and jobs for the relayer's tests."""

from dataclasses import replace
from typing import Any

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from tests.support import terms
from vouch.chain.blocks import BlockRef
from vouch.chain.events import (
    CallbackFailedLog,
    ChallengedLog,
    DeliveredLog,
    EquivocatedLog,
    ExpiredLog,
    RejectedLog,
    RequestedLog,
    SettledLog,
    UnchallengedLog,
)
from vouch.chain.transaction import Receipt
from vouch.protocol.request import Request
from vouch.protocol.seal import SIGNED
from vouch.relayer.job import Job, NodeAnswer, OutboxTx, TxKind, TxStatus
from vouch.relayer.rows import fresh_job
from vouch.relayer.store import Store

CHAIN_ID = 31337
HUB, OPERATOR = (str(to_checksum_address(f"0x{n:040x}")) for n in (0xBB, 0xDD))
QUESTION = b"how risky?"
KEEP = 8
"""Blocks that a store remembers."""
OTHER_TX = b"\7" * 32
CHALLENGER = str(to_checksum_address(f"0x{0xCA:040x}"))
ANSWER = NodeAnswer(OPERATOR, b"output", SIGNED + bytes(65), None, "http://127.0.0.1:1", 1_000_000)

UNSEALED = replace(ANSWER, seal=None, signature=b"\5" * 65)
"""On a route whose seal is to be collected."""


def make_terms(**changes: Any) -> Request:
    return terms.make_terms(QUESTION, **{"fee": 1_000} | changes)


def block(number: int, fork: str = "") -> BlockRef:
    return BlockRef(number, keccak(f"{fork}{number}".encode()))


def where(ref: BlockRef, tx: bytes) -> dict[str, Any]:
    place = {"block_number": ref.number, "block_hash": ref.hash, "log_index": 0}
    return {"address": HUB, "tx_hash": tx, **place}


def requested(ref: BlockRef, **changes: Any) -> RequestedLog:
    terms = make_terms(**changes)
    request = terms.id(CHAIN_ID, HUB)
    at = where(ref, keccak(b"request" + request))
    return RequestedLog(id=request, model_id=terms.model_id, request=terms, input=QUESTION, **at)


def settled(ref: BlockRef, request: bytes, tx: bytes) -> SettledLog:
    return SettledLog(id=request, operator=OPERATOR, output=b"output", **where(ref, tx))


def delivered(ref: BlockRef, request: bytes, tx: bytes, output: bytes = b"output") -> DeliveredLog:
    return DeliveredLog(id=request, operator=OPERATOR, output=output, **where(ref, tx))


def challenged(ref: BlockRef, request: bytes, tx: bytes = OTHER_TX) -> ChallengedLog:
    return ChallengedLog(id=request, challenger=CHALLENGER, **where(ref, tx))


def unchallenged(ref: BlockRef, request: bytes, tx: bytes) -> UnchallengedLog:
    return UnchallengedLog(id=request, **where(ref, tx))


def rejected(ref: BlockRef, request: bytes, tx: bytes = OTHER_TX) -> RejectedLog:
    return RejectedLog(id=request, operator=OPERATOR, rewarded=CHALLENGER, **where(ref, tx))


def equivocated(ref: BlockRef, request: bytes, tx: bytes = OTHER_TX) -> EquivocatedLog:
    return EquivocatedLog(id=request, operator=OPERATOR, rewarded=CHALLENGER, slashed=7, **where(ref, tx))


def expired(ref: BlockRef, request: bytes, tx: bytes) -> ExpiredLog:
    return ExpiredLog(id=request, **where(ref, tx))


def callback_failed(ref: BlockRef, request: bytes, tx: bytes) -> CallbackFailedLog:
    return CallbackFailedLog(id=request, reason=b"\xab\xcd", **where(ref, tx))


def make_job(**changes: Any) -> Job:
    return fresh_job(requested(block(1), **changes))


def outbox(nonce: int, *jobs: bytes, kind: TxKind = TxKind.FULFIL, fee: int = 0) -> OutboxTx:
    raw = b"raw" + bytes([nonce, fee])
    return OutboxTx(keccak(raw), nonce, kind, raw, TxStatus.SIGNED, tuple(sorted(jobs)))


def receipt(tx: OutboxTx, ref: BlockRef, *, succeeded: bool = True) -> Receipt:
    return Receipt(
        tx_hash=tx.hash,
        block_number=ref.number,
        block_hash=ref.hash,
        index=0,
        succeeded=succeeded,
        gas_used=80_000,
        gas_price=1,
        sender=OPERATOR,
        to=HUB,
        contract=None,
        logs=(),
    )


def seen(store: Store, number: int = 2) -> bytes:
    log = requested(block(number))
    (job,) = store.advance([block(number)], [log], KEEP)
    assert job.id == log.id
    return log.id


def sent(
    store: Store,
    request: bytes,
    nonce: int = 0,
    *,
    kind: TxKind = TxKind.FULFIL,
    answer: NodeAnswer = ANSWER,
) -> OutboxTx:
    store.answered(request, answer)
    tx = outbox(nonce, request, kind=kind)
    store.sign(tx)
    store.broadcast(tx.hash, tx.jobs)
    return tx
