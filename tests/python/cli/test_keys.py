"""Keys come from a file or the environment."""

import json
from pathlib import Path

import pytest
from eth_account import Account

from vouch.chain.account import BadKey
from vouch.cli.keys import NoKey, load_key, load_secret

KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOUCH_KEY", raising=False)
    monkeypatch.delenv("VOUCH_PASSWORD", raising=False)


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCH_KEY", "0x" + KEY)
    assert load_key(None, "to test").address == ADDRESS


def test_the_file_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOUCH_KEY", "1" * 64)
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    assert load_secret(path, "to test") == bytes.fromhex(KEY)


def test_keystore(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(bytes.fromhex(KEY), "secret", kdf="pbkdf2", iterations=2)))
    monkeypatch.setenv("VOUCH_PASSWORD", "secret")
    assert load_key(path, "to test").address == ADDRESS
    monkeypatch.setenv("VOUCH_PASSWORD", "guess")
    with pytest.raises(BadKey, match="wrong password"):
        load_key(path, "to test")


def test_none() -> None:
    with pytest.raises(NoKey, match="to pay with"):
        load_key(None, "to pay with")


@pytest.mark.parametrize("text", ["zz", "12", KEY + "00", "{}", "{not json"])
def test_no_key_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("VOUCH_PASSWORD", "x")
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(BadKey) as caught:
        load_key(path, "to test")
    assert KEY not in str(caught.value)
