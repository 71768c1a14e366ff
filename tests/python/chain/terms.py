"""Terms and seals that several tests ask with."""

from tests.support.terms import deadline_in, make_terms
from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request

MANIFEST = b'{"vouch":1}'


def terms_of(consumer: str, operator: str, *, salt: int = 0) -> Request:
    return make_terms(
        b"in",
        consumer=consumer,
        operator=operator,
        deliver_by=deadline_in(3600),
        model_id=keccak(MANIFEST),
        salt=salt,
    )


def seal_of(key: LocalKey, terms: Request, output: bytes, deployment: Deployment) -> bytes:
    request_id = terms.id(deployment.chain_id, deployment.hub)
    claim = Claim(request_id, terms.model_id, terms.input_hash, keccak(output), key.address)
    return bytes(key.sign_claim(claim, deployment.chain_id, deployment.hub))
