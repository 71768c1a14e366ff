from dataclasses import fields, replace
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given

from tests.support.strategies import addresses, requests
from tests.support.terms import make_terms
from vouch.protocol.request import NATIVE, REQUEST_TYPE, Request
from vouch.protocol.status import Gate

HUB = "0x00000000000000000000000000000000000000AA"
TERMS = make_terms()


@given(terms=requests)
def test_abi_there_and_back(terms: Request) -> None:
    assert bytes(terms) == encode([REQUEST_TYPE], [terms.to_abi()])
    assert Request.from_bytes(bytes(terms)) == terms


CHANGES: dict[str, Any] = {
    "gate": Gate.ON_DELIVERY,
    "route": b"SIGM",
    "trust": b"\2" * 32,
    "model_id": b"\2" * 32,
    "input_hash": b"\2" * 32,
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


@pytest.mark.parametrize(
    ("terms", "runs"),
    [
        ({}, 1),
        ({"gate": Gate.ON_DELIVERY}, 1),  # no gap, so no delivery
        ({"window": 1}, 1),
        ({"prove_within": 1}, 1),
        ({"gate": Gate.ON_DELIVERY, "window": 1}, 2),
        ({"gate": Gate.ON_DELIVERY, "prove_within": 1}, 2),
        ({"gate": Gate.ON_DELIVERY, "window": 1, "prove_within": 1}, 2),
    ],
)
def test_callbacks_that_are_paid(terms: dict[str, Any], runs: int) -> None:
    assert replace(TERMS, callback_gas=1, **terms).callbacks == runs
    assert replace(TERMS, callback_gas=0, **terms).callbacks == 0
