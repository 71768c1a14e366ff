"""Terms, logs and jobs for the relayer's tests."""

from dataclasses import replace
from typing import Any

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from vouch.chain.events import CallbackFailedLog, ExpiredLog, RequestedLog, SettledLog
from vouch.chain.transaction import Receipt
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Gate
from vouch.relayer.job import BlockRef, Job, NodeAnswer, OutboxTx, TxKind, TxStatus
from vouch.relayer.rows import fresh_job, pack

CHAIN_ID = 31337
HUB, CONSUMER, OPERATOR = (str(to_checksum_address(f"0x{n:040x}")) for n in (0xBB, 0xCC, 0xDD))
QUESTION = b"how risky?"
ANSWER = NodeAnswer(OPERATOR, b"output", SIGNED + bytes(65), "http://127.0.0.1:1", 1_000_000)


def make_terms(**changes: Any) -> Request:
    made = Request(
        consumer=CONSUMER,
        operator=NATIVE,
        refund_to=NATIVE,
        token=NATIVE,
        fee=1_000,
        exposure=0,
        bond=0,
        deliver_by=2_000_000_000,
        prove_within=0,
        window=0,
        callback_gas=0,
        gate=Gate.ON_SETTLEMENT,
        route=SIGNED,
        trust=bytes(32),
        model_id=b"\1" * 32,
        input_hash=keccak(QUESTION),
        salt=1,
    )
    return replace(made, **changes)


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


def expired(ref: BlockRef, request: bytes, tx: bytes) -> ExpiredLog:
    return ExpiredLog(id=request, **where(ref, tx))


def callback_failed(ref: BlockRef, request: bytes, tx: bytes) -> CallbackFailedLog:
    return CallbackFailedLog(id=request, reason=b"\xab\xcd", **where(ref, tx))


def make_job(**changes: Any) -> Job:
    log = requested(block(1), **changes)
    return fresh_job(log, pack(log.request))


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
