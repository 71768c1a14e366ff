"""Accounts from keys, hex and files."""

import json
from pathlib import Path

import pytest
from eth_account import Account

from vouch.chain.account import BadKey, LocalKey
from vouch.client.account import open_account

KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.mark.parametrize("text", [KEY, "0x" + KEY, "0x" + KEY.upper()])
def test_hex(text: str) -> None:
    assert open_account(text).address == ADDRESS


def test_a_key_is_itself() -> None:
    key = LocalKey.from_hex(KEY)
    assert open_account(key) is key


def test_hex_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"0x{KEY}\n")
    assert open_account(path).address == ADDRESS
    assert open_account(str(path)).address == ADDRESS


def test_keystore(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(bytes.fromhex(KEY), "secret", kdf="pbkdf2", iterations=2)))
    assert open_account(path, "secret").address == ADDRESS
    with pytest.raises(BadKey, match="password"):
        open_account(path)
    with pytest.raises(BadKey, match="wrong password"):
        open_account(path, "guess")


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff\xfe", b"0x1234"])
def test_a_file_without_a_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(BadKey):
        open_account(path)


def test_errors_never_repeat_the_key() -> None:
    almost = KEY[:-1] + "x"
    with pytest.raises(BadKey) as caught:
        open_account(almost)
    assert almost not in str(caught.value)
    assert almost[:20] not in str(caught.value)
