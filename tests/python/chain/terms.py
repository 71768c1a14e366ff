"""Terms and seals that several tests ask with."""

import time

from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Gate

MANIFEST = b'{"vouch":1}'


def terms_of(
    consumer: str, operator: str, *, salt: int = 0, fee: int = 10**15, input_: bytes = b"in"
) -> Request:
    return Request(
        consumer=consumer,
        operator=operator,
        refund_to=NATIVE,
        token=NATIVE,
        fee=fee,
        exposure=0,
        bond=0,
        deliver_by=int(time.time()) + 3600,
        prove_within=0,
        window=0,
        callback_gas=0,
        gate=Gate.ON_SETTLEMENT,
        route=SIGNED,
        trust=bytes(32),
        model_id=keccak(MANIFEST),
        input_hash=keccak(input_),
        salt=salt,
    )


def seal_of(key: LocalKey, terms: Request, output: bytes, deployment: Deployment) -> bytes:
    request_id = terms.id(deployment.chain_id, deployment.hub)
    claim = Claim(request_id, terms.model_id, terms.input_hash, keccak(output), key.address)
    return bytes(key.sign_claim(claim, deployment.chain_id, deployment.hub))
