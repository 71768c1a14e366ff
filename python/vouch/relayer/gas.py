"""Gas limits of the relayer's transactions. Computed, not asked for: what is not used is not paid."""

from vouch.chain.transaction import MAX_TX_GAS, Call
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.request import Request
from vouch.protocol.status import Gate
from vouch.protocol.zk import ZK
from vouch.relayer.job import Job

BASE = 21_000
EXPIRE = 120_000
_FULFILMENT = 65_000
"""Everything of one fulfilment but the callback and what grows with the output: measured 45,000."""
_DELIVERY = 80_000
"""The same of a delivery: measured 30,000, and 17,000 more where stake is locked for the first time."""
_SETTLEMENT = 110_000
"""The same of a settlement: measured 44,000, and 17,000 more for an operator's first credit."""
_EXPIRE_DELIVERED = 150_000
_RESERVE = 15_000
"""The hub keeps 12,000 for recording the callback's outcome."""
SIGNATURE_SEAL = 69
"""Bytes of a seal that is one signature; checking it is in the figures above."""
_ENCLAVE = 12_000
"""What an enclave's seal takes beyond that: measured 9,100, on P-256 14,700 with its longer seal."""
_PER_SEAL_BYTE = 80
"""A signature of a quorum (65 bytes) is measured at 3,500, a name on its list (20 bytes) at 550."""
_ZK = 850_000
"""What a zk seal takes beyond that: measured 510,000 for 2^12 gates, 555,000 for 2^13, and so on."""
_PER_ZK_BYTE = 8
"""Of the packed tensors, which are hashed."""
_TERMS = 544 + 5 * 32
"""Calldata bytes of an item beside its output and seal, at most 16 gas each."""


def limit(call: Call, execution: int) -> int:
    """Gas limit of a transaction, the floor price of its calldata included (EIP-7623)."""
    zeros = call.data.count(0)
    tokens = zeros + 4 * (len(call.data) - zeros)
    # The limits are generous, so one that is over the cap may still do; trying it says so.
    return min(max(BASE + 4 * tokens + execution, BASE + 10 * tokens), MAX_TX_GAS)


def fulfilment(terms: Request, output_size: int, seal_size: int = SIGNATURE_SEAL) -> int:
    """Execution gas of one fulfilment, without its calldata."""
    return _FULFILMENT + _callback(terms) + _grows(output_size) + _seal(terms, seal_size)


def delivery(terms: Request, output_size: int) -> int:
    """Execution gas of a delivery, without its calldata."""
    callback = _callback(terms) if terms.gate is Gate.ON_DELIVERY else 0
    return _DELIVERY + callback + _grows(output_size)


def settlement(terms: Request, output_size: int, seal_size: int) -> int:
    """Execution gas of a settlement, without its calldata."""
    return _SETTLEMENT + _callback(terms) + _grows(output_size) + _seal(terms, seal_size)


def expiry_of_delivered(terms: Request) -> int:
    """Execution gas of `expireDelivered`, without its calldata."""
    return _EXPIRE_DELIVERED + _callback(terms)


def expected(terms: Request, output_size: int = 32, *, seal_size: int = SIGNATURE_SEAL) -> int:
    """What bringing answer and seal costs at most, before they are there."""
    total = BASE + 16 * (_TERMS + output_size + seal_size) + fulfilment(terms, output_size, seal_size)
    if seal_size > SIGNATURE_SEAL and (terms.window or terms.prove_within):
        total += BASE + 16 * (_TERMS + output_size) + delivery(terms, output_size)
    return total


def upper(job: Job) -> int:
    """What a job adds to a batch at most, its calldata included."""
    answer = job.answer
    size = 0 if answer is None else len(answer.output)
    seal = SIGNATURE_SEAL if answer is None or answer.seal is None else len(answer.seal)
    # 40 gas per byte is the floor price, which counts only for large outputs with small callbacks.
    return BASE + 40 * (_TERMS + size + seal) + fulfilment(job.terms, size, seal)


def _callback(terms: Request) -> int:
    # EIP-150: the hub must still hold 64/63 of the callback's gas when it calls.
    return _RESERVE + terms.callback_gas + terms.callback_gas // 63 + 1


def _grows(output_size: int) -> int:
    words = output_size // 32 + 1
    return 8 * output_size + 24 * words + words * words // 512


def _seal(terms: Request, size: int) -> int:
    if terms.route == ZK and size:
        return _ZK + _PER_ZK_BYTE * size
    looked_up = _ENCLAVE if terms.route == ENCLAVE and size else 0
    return looked_up + _PER_SEAL_BYTE * max(0, size - SIGNATURE_SEAL)
