"""Operator, seal and signature out of calldata."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.terms import make_terms
from vouch.chain.contracts import Fulfilment, Hub
from vouch.chain.rpc import Rpc
from vouch.client.fulfilment import Brought, brought, find

HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OPERATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture
def builder() -> Hub:
    return Hub(Rpc("http://127.0.0.1:9"), HUB)


def test_one(builder: Hub) -> None:
    data = builder.fulfil(make_terms(salt=1), OPERATOR, b"output", b"SIGNseal").data
    found = find(data, make_terms(salt=1).id(31337, HUB), 31337, HUB)
    assert found == Brought(make_terms(salt=1), OPERATOR, b"output", seal=b"SIGNseal")
    assert find(data, make_terms(salt=2).id(31337, HUB), 31337, HUB) is None
    assert find(data, make_terms(salt=1).id(1, HUB), 31337, HUB) is None


def test_one_of_many(builder: Hub) -> None:
    items = [Fulfilment(make_terms(salt=i), OPERATOR, b"output %d" % i, b"SIGN%d" % i) for i in range(5)]
    data = builder.fulfil_many(items).data
    assert [b.output for b in brought(data)] == [item.output for item in items]
    found = find(data, make_terms(salt=3).id(31337, HUB), 31337, HUB)
    assert found is not None
    assert (found.output, found.seal) == (b"output 3", b"SIGN3")


def test_a_delivery_has_a_signature_and_no_seal(builder: Hub) -> None:
    data = builder.deliver(make_terms(salt=1), OPERATOR, b"output", b"r, s and v").data
    assert brought(data) == (Brought(make_terms(salt=1), OPERATOR, b"output", signature=b"r, s and v"),)


def test_a_settlement_has_a_seal_unless_nobody_challenged(builder: Hub) -> None:
    data = builder.settle(make_terms(salt=1), OPERATOR, b"output", b"QRUMseal").data
    assert brought(data) == (Brought(make_terms(salt=1), OPERATOR, b"output", seal=b"QRUMseal"),)
    assert brought(builder.settle(make_terms(salt=1), OPERATOR, b"output").data)[0].seal == b""


def test_other_calls_carry_no_answer(builder: Hub) -> None:
    assert brought(b"") == ()
    assert brought(builder.expire(make_terms(salt=1)).data) == ()
    assert brought(builder.reject(make_terms(salt=1), OPERATOR, bytes(32)).data) == ()
    assert brought(b"\x12\x34\x56\x78" + bytes(1000)) == ()


def test_terms_that_no_request_can_have_carry_no_answer(builder: Hub) -> None:
    """The gate is the twelfth word of the terms: there is no third one."""
    data = bytearray(builder.fulfil(make_terms(salt=1), OPERATOR, b"output", b"SIGN").data)
    data[4 + 32 * 11 + 31] = 2
    assert brought(bytes(data)) == ()


@given(st.binary(max_size=600))
def test_no_calldata_breaks_it(tail: bytes) -> None:
    hub, terms = Hub(Rpc("http://127.0.0.1:9"), HUB), make_terms(salt=1)
    for call in (
        hub.fulfil(terms, OPERATOR, b"", b""),
        hub.fulfil_many([]),
        hub.deliver(terms, OPERATOR, b"", b""),
        hub.settle(terms, OPERATOR, b""),
    ):
        brought(call.data[:4] + tail)
