"""Outputs that operators put their name to, found in calldata and in what nodes say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vouch.chain.abi import BadAbiData, function
from vouch.chain.contracts import SignedOutput
from vouch.protocol.claim import Claim
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, QuorumSeal
from vouch.protocol.request import Request
from vouch.protocol.seal import SIGNED, Seal, recover_signer

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True, slots=True)
class Statement:
    """An operator's signature under one output for one request, checked as the hub would check it."""

    request: bytes
    operator: str
    signed: SignedOutput
    source: str
    """Where it was seen, for people."""


def in_calldata(data: bytes, chain_id: int, hub: str, source: str) -> Iterator[Statement]:
    """What deliver, fulfil and fulfilMany carry; nothing for any other bytes."""
    for terms, operator, output, signature in _answers(data):
        made = statement(terms, operator, output, signature, chain_id, hub, source)
        if made is not None:
            yield made


def statement(
    terms: Request, operator: str, output: bytes, signature: bytes, chain_id: int, hub: str, source: str
) -> Statement | None:
    """The signature as a statement, or None if the hub would not take it for the operator's."""
    request = terms.id(chain_id, hub)
    claim = Claim(request, terms.model_id, terms.input_hash, keccak(output), operator)
    if not is_signature_of(operator, claim, signature, chain_id, hub):
        return None
    return Statement(request, operator, SignedOutput(claim.output_hash, signature), source)


def is_signature_of(operator: str, claim: Claim, signature: bytes, chain_id: int, hub: str) -> bool:
    """65 bytes r ‖ s ‖ v, low s, v 27 or 28, by the operator (`contracts/libraries/ClaimSignature.sol`)."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return False
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return False
    try:
        return recover_signer(Seal(SIGNED, signature), claim, chain_id, hub) == operator
    except ValueError:  # no point of the curve
        return False


def contradiction(
    statements: Sequence[Statement], delivered: bytes | None
) -> tuple[Statement, Statement] | None:
    """Two statements of one operator about one request with different outputs.

    One of them is the delivered one (`delivered` is its hash) if possible, because that ends the request.
    """
    first = next((s for s in statements if s.signed.output_hash == delivered), None) or next(
        iter(statements), None
    )
    if first is None:
        return None
    for other in statements:
        if other.signed.output_hash != first.signed.output_hash:
            return first, other
    return None


def _answers(data: bytes) -> Iterator[tuple[Request, str, bytes, bytes]]:
    """(terms, operator, output, signature) of every answer in calldata."""
    try:
        match data[:4]:
            case s if s == _selector("deliver"):
                terms, operator, output, signature = _arguments("deliver", data)
                yield Request.from_abi(terms), operator, output, signature
            case s if s == _selector("fulfil"):
                terms, operator, output, seal = _arguments("fulfil", data)
                yield Request.from_abi(terms), operator, output, _own_signature(seal, operator)
            case s if s == _selector("fulfilMany"):
                for terms, operator, output, seal in _arguments("fulfilMany", data)[0]:
                    yield Request.from_abi(terms), operator, output, _own_signature(seal, operator)
    except (BadAbiData, ValueError):  # other bytes behind the same selector, or a gate that does not exist
        return


def _own_signature(seal: bytes, operator: str) -> bytes:
    """The operator's own signature in a seal; empty if there is none."""
    if seal[:4] == SIGNED:
        return seal[4:]
    if seal[:4] == QUORUM:
        try:
            return QuorumSeal.parse(Seal.parse(seal)).signatures.get(operator, b"")
        except VouchError:
            return b""
    return b""


def _selector(name: str) -> bytes:
    return function("InferenceHub", name).selector


def _arguments(name: str, data: bytes) -> tuple[Any, ...]:
    return function("InferenceHub", name).decode_input(data)
