from dataclasses import fields, replace
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given

from tests.support.terms import addresses, requests
from vouch.protocol.request import NATIVE, REQUEST_TYPE, Request
from vouch.protocol.status import Gate

HUB = "0x00000000000000000000000000000000000000AA"
TERMS = Request(
    consumer="0x0000000000000000000000000000000000000001",
    operator="0x0000000000000000000000000000000000000002",
    refund_to=NATIVE,
    token=NATIVE,
    fee=3,
    exposure=4,
    bond=5,
    deliver_by=6,
    prove_within=7,
    window=8,
    callback_gas=9,
    gate=Gate.ON_DELIVERY,
    route=b"SIGN",
    trust=b"\x0a" * 32,
    model_id=b"\x0b" * 32,
    input_hash=b"\x0c" * 32,
    salt=13,
)


@given(terms=requests)
def test_abi_there_and_back(terms: Request) -> None:
    (values,) = decode([REQUEST_TYPE], encode([REQUEST_TYPE], [terms.to_abi()]))
    assert Request.from_abi(values) == terms


CHANGES: dict[str, Any] = {
    "gate": Gate.ON_SETTLEMENT,
    "route": b"SIGM",
    "trust": b"\1" * 32,
    "model_id": b"\1" * 32,
    "input_hash": b"\1" * 32,
} | dict.fromkeys(("consumer", "operator", "refund_to", "token"), HUB)


@pytest.mark.parametrize("name", [field.name for field in fields(Request)])
def test_every_field_counts_for_the_id(name: str) -> None:
    other = replace(TERMS, **{name: CHANGES.get(name, 99)})
    assert other.id(1, HUB) != TERMS.id(1, HUB)


def test_chain_and_hub_count_for_the_id() -> None:
    assert len({TERMS.id(1, HUB), TERMS.id(2, HUB), TERMS.id(1, NATIVE)}) == 3


@given(terms=requests, someone=addresses)
def test_beneficiary(terms: Request, someone: str) -> None:
    assert replace(terms, refund_to=NATIVE).beneficiary == terms.consumer
    if someone != NATIVE:
        assert replace(terms, refund_to=someone).beneficiary == someone
