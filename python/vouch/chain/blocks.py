"""Blocks as a reader of logs sees them."""

from dataclasses import dataclass
from typing import Any, Self

from vouch.chain.hexes import to_bytes
from vouch.protocol.keccak import keccak


@dataclass(frozen=True, slots=True)
class BlockRef:
    """Number and hash of a block."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What is needed of a block to read its logs; time in unix seconds."""

    ref: BlockRef
    parent: bytes
    time: int
    bloom: int

    @classmethod
    def from_rpc(cls, block: dict[str, Any]) -> Self:
        return cls(
            BlockRef(int(block["number"], 16), to_bytes(block["hash"])),
            to_bytes(block["parentHash"]),
            int(block["timestamp"], 16),
            int(block["logsBloom"], 16),
        )


def bloom_of(item: bytes) -> int:
    """The three bits of an address or topic in a block's 2048-bit bloom (Ethereum Yellow Paper, 4.3.1)."""
    digest = keccak(item)
    bits = 0
    for i in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[i : i + 2], "big") & 2047)
    return bits
