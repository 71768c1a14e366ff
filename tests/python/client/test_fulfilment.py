"""Operator and seal out of calldata."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.terms import make_terms
from vouch.chain.contracts import Fulfilment, Hub
from vouch.chain.rpc import Rpc
from vouch.client.fulfilment import find, fulfilments

HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OPERATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture
def builder() -> Hub:
    return Hub(Rpc("http://127.0.0.1:9"), HUB)


def test_one(builder: Hub) -> None:
    data = builder.fulfil(make_terms(salt=1), OPERATOR, b"output", b"SIGNseal").data
    found = find(data, make_terms(salt=1).id(31337, HUB), 31337, HUB)
    assert found is not None
    assert (found.operator, found.output, found.seal) == (OPERATOR, b"output", b"SIGNseal")
    assert found.request == make_terms(salt=1)
    assert find(data, make_terms(salt=2).id(31337, HUB), 31337, HUB) is None
    assert find(data, make_terms(salt=1).id(1, HUB), 31337, HUB) is None


def test_one_of_many(builder: Hub) -> None:
    items = [Fulfilment(make_terms(salt=i), OPERATOR, b"output %d" % i, b"SIGN%d" % i) for i in range(5)]
    data = builder.fulfil_many(items).data
    assert [f.output for f in fulfilments(data)] == [item.output for item in items]
    found = find(data, make_terms(salt=3).id(31337, HUB), 31337, HUB)
    assert found is not None
    assert (found.output, found.seal) == (b"output 3", b"SIGN3")


def test_other_calls_carry_no_answer(builder: Hub) -> None:
    assert fulfilments(b"") == ()
    assert fulfilments(builder.expire(make_terms(salt=1)).data) == ()
    assert fulfilments(b"\x12\x34\x56\x78" + bytes(1000)) == ()


@given(st.binary(max_size=600))
def test_no_calldata_breaks_it(tail: bytes) -> None:
    hub = Hub(Rpc("http://127.0.0.1:9"), HUB)
    for selector in (
        hub.fulfil(make_terms(salt=1), OPERATOR, b"", b"").data[:4],
        hub.fulfil_many([]).data[:4],
    ):
        fulfilments(selector + tail)
