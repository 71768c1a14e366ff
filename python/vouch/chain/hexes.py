"""Hexadecimal as JSON-RPC writes it, and addresses as people read them."""

from functools import lru_cache

from eth_utils.address import to_checksum_address as _checksum


def to_hex(data: bytes) -> str:
    """0x and lower-case hex of bytes."""
    return "0x" + data.hex()


def to_bytes(text: str) -> bytes:
    """Bytes of 0x hex; raises ValueError if it is none."""
    return bytes.fromhex(text.removeprefix("0x"))


@lru_cache(maxsize=4096)
def checksum(address: str | bytes) -> str:
    """Checksummed address (EIP-55) of 20 bytes or 0x hex; raises ValueError if it is none."""
    return _checksum(address)
