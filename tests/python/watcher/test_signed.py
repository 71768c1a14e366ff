"""Signatures in calldata: only what the hub itself would take."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from tests.python.watcher.making import (
    CHAIN_ID,
    HUB,
    OPERATOR,
    OTHER,
    OUTPUT,
    RIVAL,
    claim,
    make_terms,
    request_id,
    signature,
)
from vouch.chain.abi import function
from vouch.chain.account import LocalKey
from vouch.chain.contracts import Fulfilment, SignedOutput
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import Request
from vouch.protocol.seal import SIGNED
from vouch.watcher.signed import Statement, contradiction, in_calldata, is_signature_of, statement

TERMS = make_terms()
OTHER_KEY = LocalKey(bytes(31) + b"\7")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def deliver(terms: Request = TERMS, output: bytes = OUTPUT, signed: bytes | None = None) -> bytes:
    arguments = (terms.to_abi(), OPERATOR, output, signed or signature(terms, output))
    return function("InferenceHub", "deliver").encode(arguments)


def fulfil(seal: bytes) -> bytes:
    return function("InferenceHub", "fulfil").encode((TERMS.to_abi(), OPERATOR, OUTPUT, seal))


def found(data: bytes) -> list[Statement]:
    return list(in_calldata(data, CHAIN_ID, HUB, "here"))


def of(output: bytes, terms: Request = TERMS) -> Statement:
    signed = SignedOutput(keccak(output), signature(terms, output))
    return Statement(request_id(terms), OPERATOR, signed, "here")


def test_a_delivery_says_who_signed_what() -> None:
    assert found(deliver()) == [of(OUTPUT)]


def test_so_does_a_fulfilment_on_the_signed_route() -> None:
    assert found(fulfil(SIGNED + signature(TERMS))) == [of(OUTPUT)]


def test_a_quorum_seal_does_if_the_operator_is_a_member() -> None:
    policy = Policy.of(1, [OPERATOR, OTHER_KEY.address])
    own = {OPERATOR: signature(TERMS), OTHER_KEY.address: signature(TERMS, key=OTHER_KEY)}
    assert found(fulfil(bytes(QuorumSeal(policy, own).seal))) == [of(OUTPUT)]
    alone = {OTHER_KEY.address: own[OTHER_KEY.address]}
    assert found(fulfil(bytes(QuorumSeal(policy, alone).seal))) == []


def test_each_of_many_fulfilments_counts() -> None:
    terms = [make_terms(salt=n) for n in (1, 2)]
    items = [Fulfilment(t, OPERATOR, OUTPUT, SIGNED + signature(t)) for t in terms]
    arguments = [(i.request.to_abi(), i.operator, i.output, i.seal) for i in items]
    data = function("InferenceHub", "fulfilMany").encode([arguments])
    assert found(data) == [of(OUTPUT, t) for t in terms]


def test_a_signature_of_somebody_else_or_of_something_else_is_none() -> None:
    for signed in (
        signature(TERMS, key=OTHER_KEY),
        signature(TERMS, OTHER),
        signature(make_terms(salt=9)),
        bytes(65),
        signature(TERMS)[:64],
    ):
        assert found(deliver(signed=signed)) == []


def test_only_the_one_form_of_a_signature_that_the_hub_takes() -> None:
    good = signature(TERMS)
    assert is_signature_of(OPERATOR, claim(TERMS), good, CHAIN_ID, HUB)
    s = ORDER - int.from_bytes(good[32:64], "big")
    high = good[:32] + s.to_bytes(32, "big") + bytes([55 - good[64]])
    for bad in (high, good[:64] + bytes([good[64] - 27]), good + b"\0", b"", good[:64] + b"\xff"):
        assert not is_signature_of(OPERATOR, claim(TERMS), bad, CHAIN_ID, HUB)
    assert not is_signature_of(OPERATOR, claim(TERMS), good, CHAIN_ID + 1, HUB)
    assert not is_signature_of(OPERATOR, claim(TERMS), good, CHAIN_ID, RIVAL)
    assert not is_signature_of(RIVAL, replace(claim(TERMS), operator=RIVAL), good, CHAIN_ID, HUB)


@pytest.mark.parametrize("cut", [3, 4, 5, 100, -1])
def test_broken_calldata_says_nothing(cut: int) -> None:
    assert found(deliver()[:cut]) == []


def test_a_gate_that_does_not_exist_says_nothing() -> None:
    values = list(TERMS.to_abi())
    values[11] = 7
    kinds = (
        "address,address,address,address,uint256,uint256,uint256,uint256,uint32,uint32,uint256,uint8,"
        "bytes4,bytes32,bytes32,bytes32,uint256"
    )
    arguments = encode([f"({kinds})", "address", "bytes", "bytes"], [tuple(values), OPERATOR, b"", b""])
    assert found(function("InferenceHub", "deliver").selector + arguments) == []


@given(st.sampled_from(["deliver", "fulfil", "fulfilMany", "settle"]), st.binary(max_size=800))
def test_any_bytes_at_all_are_read_without_an_error(name: str, data: bytes) -> None:
    assert found(function("InferenceHub", name).selector + data) == []
    assert found(fulfil(QUORUM + data)) == []


def test_what_a_node_says_is_checked_the_same_way() -> None:
    good = signature(TERMS, OTHER)
    assert statement(TERMS, OPERATOR, OTHER, good, CHAIN_ID, HUB, "here") == of(OTHER)
    assert statement(TERMS, OPERATOR, OUTPUT, good, CHAIN_ID, HUB, "here") is None


def test_a_contradiction_is_two_outputs_with_the_delivered_one_if_there_is_one() -> None:
    a, b, c = (of(output) for output in (b"a", b"b", b"c"))
    assert contradiction([], None) is None
    assert contradiction([a], None) is None
    assert contradiction([a, a], a.signed.output_hash) is None
    assert contradiction([a, b, c], None) == (a, b)
    assert contradiction([a, b, c], c.signed.output_hash) == (c, a)
    assert contradiction([a, b], keccak(b"somebody else's")) == (a, b)
