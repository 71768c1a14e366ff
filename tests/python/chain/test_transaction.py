import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouch.chain.account import LocalKey
from vouch.chain.transaction import BadTransaction, Call, Fees, SentTx, Transaction

KEY = LocalKey.generate()
TO = "0x000000000000000000000000000000000000bEEF"

transactions = st.builds(
    Transaction,
    st.integers(1, 2**60),
    st.integers(0, 2**60),
    st.integers(0, 2**30),
    st.one_of(
        st.builds(Fees, st.integers(0, 2**60), st.integers(0, 2**60)),
        st.integers(0, 2**60).map(lambda price: Fees(price, price, legacy=True)),
    ),
    st.builds(Call, st.sampled_from([None, TO]), st.binary(max_size=200), st.integers(0, 2**128)),
)


@given(transactions)
def test_signed_bytes_parse_to_what_was_signed(transaction: Transaction) -> None:
    sent = KEY.sign(transaction)
    assert SentTx.parse(sent.raw) == sent


@given(st.binary(max_size=120))
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(BadTransaction):
        SentTx.parse(raw)


@given(transactions, st.data())
def test_cut_bytes_are_refused(transaction: Transaction, data: st.DataObject) -> None:
    raw = KEY.sign(transaction).raw
    with pytest.raises(BadTransaction):
        SentTx.parse(raw[: data.draw(st.integers(0, len(raw) - 1))])


def test_call_objects_name_only_what_is_there() -> None:
    assert Call(None, b"\x01").to_rpc() == {"data": "0x01"}
    assert Call(TO, b"", 16).to_rpc(KEY.address, 21_000) == {
        "data": "0x",
        "to": TO,
        "value": "0x10",
        "from": KEY.address,
        "gas": "0x5208",
    }
