import json
import pickle
from pathlib import Path

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from vouch.chain.account import BadKey, LocalKey
from vouch.chain.transaction import Call, Fees, Transaction
from vouch.protocol.claim import Claim
from vouch.protocol.seal import recover_signer

SECRET = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
TO = "0x000000000000000000000000000000000000bEEF"
KEY = LocalKey.from_hex(SECRET)


@given(
    chain_id=st.integers(1, 2**40),
    nonce=st.integers(0, 2**40),
    gas=st.integers(21_000, 2**24),
    tip=st.integers(0, 2**60),
    base=st.integers(0, 2**60),
    value=st.integers(0, 2**90),
    data=st.binary(max_size=300),
    create=st.booleans(),
    keys=st.lists(st.binary(min_size=32, max_size=32), max_size=3),
)
def test_type_2_transactions_are_those_of_eth_account(
    chain_id: int,
    nonce: int,
    gas: int,
    tip: int,
    base: int,
    value: int,
    data: bytes,
    create: bool,
    keys: list[bytes],
) -> None:
    to = None if create else TO
    access = ((TO, tuple(keys)),) if keys else ()
    fees = Fees(tip + base, tip)
    ours = KEY.sign(Transaction(chain_id, nonce, gas, fees, Call(to, data, value), access))
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "gas": gas,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": tip + base,
            "to": to or "",
            "value": value,
            "data": data,
            "accessList": [{"address": TO, "storageKeys": ["0x" + k.hex() for k in keys]}] if keys else [],
        },
        SECRET,
    )
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.hash == bytes(theirs.hash)


@given(
    chain_id=st.integers(1, 2**40), nonce=st.integers(0, 2**40), price=st.integers(0, 2**60), data=st.binary()
)
def test_legacy_transactions_are_those_of_eth_account(
    chain_id: int, nonce: int, price: int, data: bytes
) -> None:
    ours = KEY.sign(Transaction(chain_id, nonce, 21_000, Fees(price, price, legacy=True), Call(TO, data, 5)))
    fields = {"chainId": chain_id, "nonce": nonce, "gas": 21_000, "gasPrice": price, "to": TO, "value": 5}
    theirs = Account.sign_transaction({**fields, "data": data}, SECRET)
    assert (ours.raw, ours.hash) == (bytes(theirs.raw_transaction), bytes(theirs.hash))


def test_address_and_claims() -> None:
    assert KEY.address == Account.from_key(SECRET).address
    claim = Claim(b"r" * 32, b"m" * 32, b"i" * 32, b"o" * 32, KEY.address)
    assert recover_signer(KEY.sign_claim(claim, 1, TO), claim, 1, TO) == KEY.address


def test_keystore(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(bytes.fromhex(SECRET), "secret", kdf="pbkdf2", iterations=2)))
    assert LocalKey.from_keystore(path, "secret").address == KEY.address
    with pytest.raises(BadKey, match="wrong password"):
        LocalKey.from_keystore(path, "guess")
    path.write_text("[]")
    with pytest.raises(BadKey, match="no version 3 keystore"):
        LocalKey.from_keystore(path, "secret")
    with pytest.raises(BadKey, match="No such file"):
        LocalKey.from_keystore(tmp_path / "none", "secret")


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", f"0x{SECRET}\n")
    assert LocalKey.from_env("SOME_KEY").address == KEY.address
    monkeypatch.delenv("SOME_KEY")
    with pytest.raises(BadKey, match="SOME_KEY holds no usable private key: it is not set"):
        LocalKey.from_env("SOME_KEY")


@pytest.mark.parametrize("text", ["", "0x", SECRET[:-1], SECRET + "00", "g" * 64, "00" * 32, "ff" * 32])
def test_bad_keys_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(BadKey) as caught:
        LocalKey.from_hex(text)
    assert len(text) < 10 or text not in str(caught.value)


def test_a_key_shows_its_address_and_stays_in_its_process() -> None:
    assert repr(KEY) == str(KEY) == f"LocalKey({KEY.address})"
    with pytest.raises(TypeError, match="does not leave its process"):
        pickle.dumps(KEY)
    assert LocalKey.generate().address != LocalKey.generate().address
