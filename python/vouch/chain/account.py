"""The one object that holds a sending key."""

import json
import os
from pathlib import Path
from typing import Self

from coincurve import PrivateKey

from vouch.chain.errors import ChainError
from vouch.chain.hexes import to_bytes
from vouch.chain.transaction import SentTx, Transaction
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import Seal, address_of, sign_claim


class BadKey(ChainError):
    """Something is no private key; the message never repeats it."""

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(f"{source} holds no usable private key: {reason}")


class LocalKey:
    """A secp256k1 key in this process's memory: signs transactions and claims, shows its address only."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        """From 32 bytes; raises BadKey for zero, the group order and above, or another length."""
        self._key = _key(secret, "the given key")
        self.address = address_of(self._key.public_key)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """From 64 hex digits, with or without 0x; raises BadKey."""
        return cls(unhex_key(text, "the given key"))

    @classmethod
    def from_env(cls, name: str = "VOUCH_KEY") -> Self:
        """From an environment variable with 64 hex digits; raises BadKey."""
        text = os.environ.get(name)
        if not text:
            raise BadKey(f"environment variable {name}", "it is not set; set it to 64 hex digits")
        return cls(unhex_key(text, f"environment variable {name}"))

    @classmethod
    def from_keystore(cls, path: Path, password: str) -> Self:
        """From a Web3 Secret Storage (version 3) file, as geth, clef and `cast wallet` write it.

        Takes about a second, because the format is slow on purpose; raises BadKey.
        """
        try:
            text = path.read_text()
        except OSError as unreadable:
            raise BadKey(str(path), unreadable.strerror or str(unreadable)) from unreadable
        return cls(decrypt_keystore(text, password, str(path)))

    @classmethod
    def generate(cls) -> Self:
        """A new random key."""
        return cls(PrivateKey().secret)

    def sign(self, transaction: Transaction) -> SentTx:
        """The transaction signed (low s), ready to broadcast."""
        signature = self._key.sign_recoverable(transaction.payload(), hasher=keccak)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        raw = transaction.payload((signature[64], r, s))
        return SentTx(keccak(raw), raw, transaction.nonce, transaction)

    def sign_claim(self, claim: Claim, chain_id: int, hub: str) -> Seal:
        """Seal of the route SIGNED for a claim."""
        return sign_claim(self._key, claim, chain_id, hub)

    def __repr__(self) -> str:
        return f"LocalKey({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a key does not leave its process: hand over the file or variable that it came from")


def unhex_key(text: str, source: str) -> bytes:
    """32 key bytes from hex digits, with or without 0x; raises BadKey, naming `source`."""
    try:
        secret = to_bytes(text.strip())
    except ValueError:
        raise BadKey(source, "it is not hexadecimal") from None  # the cause could repeat the key
    if len(secret) != 32:
        raise BadKey(source, f"a key has 32 bytes, not {len(secret)}")
    return secret


def _key(secret: bytes, source: str) -> PrivateKey:
    if len(secret) != 32:
        raise BadKey(source, f"a key has 32 bytes, not {len(secret)}")
    try:
        return PrivateKey(secret)
    except ValueError as bad:
        raise BadKey(source, "it is zero or not below the group order") from bad


def decrypt_keystore(text: str, password: str, source: str) -> bytes:
    """32 key bytes from the text of a Web3 Secret Storage (version 3) file.

    Raises BadKey, naming `source`, for a wrong password or another format.
    """
    from eth_account import Account  # a second of imports that other keys can do without

    try:
        return bytes(Account.decrypt(json.loads(text), password))
    except (ValueError, TypeError, KeyError, NotImplementedError) as refused:
        reason = "wrong password" if "MAC" in str(refused) else f"no version 3 keystore ({refused})"
        raise BadKey(source, reason) from refused
