"""Operator and seal out of calldata."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouch.chain.contracts import Fulfilment, Hub
from vouch.chain.rpc import Rpc
from vouch.client.fulfilment import find, fulfilments
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.status import Gate

HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OPERATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def terms(salt: int) -> Request:
    return Request(
        consumer=HUB,
        operator=NATIVE,
        refund_to=NATIVE,
        token=NATIVE,
        fee=5,
        exposure=0,
        bond=0,
        deliver_by=2_000_000_000,
        prove_within=0,
        window=0,
        callback_gas=0,
        gate=Gate.ON_SETTLEMENT,
        route=b"SIGN",
        trust=bytes(32),
        model_id=b"\x01" * 32,
        input_hash=b"\x02" * 32,
        salt=salt,
    )


@pytest.fixture
def builder() -> Hub:
    return Hub(Rpc("http://127.0.0.1:9"), HUB)


def test_one(builder: Hub) -> None:
    data = builder.fulfil(terms(1), OPERATOR, b"output", b"SIGNseal").data
    found = find(data, terms(1).id(31337, HUB), 31337, HUB)
    assert found is not None
    assert (found.operator, found.output, found.seal) == (OPERATOR, b"output", b"SIGNseal")
    assert found.request == terms(1)
    assert find(data, terms(2).id(31337, HUB), 31337, HUB) is None
    assert find(data, terms(1).id(1, HUB), 31337, HUB) is None


def test_one_of_many(builder: Hub) -> None:
    items = [Fulfilment(terms(i), OPERATOR, b"output %d" % i, b"SIGN%d" % i) for i in range(5)]
    data = builder.fulfil_many(items).data
    assert [f.output for f in fulfilments(data)] == [item.output for item in items]
    found = find(data, terms(3).id(31337, HUB), 31337, HUB)
    assert found is not None
    assert (found.output, found.seal) == (b"output 3", b"SIGN3")


def test_other_calls_carry_no_answer(builder: Hub) -> None:
    assert fulfilments(b"") == ()
    assert fulfilments(builder.expire(terms(1)).data) == ()
    assert fulfilments(b"\x12\x34\x56\x78" + bytes(1000)) == ()


@given(st.binary(max_size=600))
def test_no_calldata_breaks_it(tail: bytes) -> None:
    hub = Hub(Rpc("http://127.0.0.1:9"), HUB)
    for selector in (hub.fulfil(terms(1), OPERATOR, b"", b"").data[:4], hub.fulfil_many([]).data[:4]):
        fulfilments(selector + tail)
