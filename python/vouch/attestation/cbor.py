"""Strict CBOR, as `contracts/attestation/Cbor.sol` reads it: one form for every value.

Of RFC 8949 it takes the deterministic encoding (section 4.2.1) of unsigned and negative integers, byte and
text strings, arrays and maps, null, and one map of indefinite length where the caller says so. Keys of maps
may come in any order. Offsets in errors count from the beginning of `data`.
"""

from enum import IntEnum
from typing import Final

from vouch.attestation.errors import NotADocument

BREAK: Final = 0xFF
NULL: Final = 0xF6
_INDEFINITE: Final = 31
_ONE_BYTE: Final = 24


class Major(IntEnum):
    """Major types, the first three bits of an item."""

    UNSIGNED = 0
    NEGATIVE = 1
    BYTES = 2
    TEXT = 3
    ARRAY = 4
    MAP = 5
    TAG = 6
    SIMPLE = 7


class Reader:
    """Reads items one after the other, from `at` up to `end`."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data, self.at, self.end = data, at, len(data) if end is None else end

    def peek(self) -> int:
        """The next byte. Raises NotADocument (Truncated)."""
        if self.at >= self.end:
            raise NotADocument("Truncated", self.at)
        return self.data[self.at]

    def head(self, expected: Major) -> int:
        """The argument of the next item: a number, a length or a count.

        Raises:
            NotADocument: UnexpectedType, IndefiniteLength, ReservedInfo, NonMinimal, Truncated.
        """
        start, first = self.at, self.peek()
        if first >> 5 != expected:
            raise NotADocument("UnexpectedType", start, first >> 5, int(expected))
        info = first & 0x1F
        if info == _INDEFINITE:
            raise NotADocument("IndefiniteLength", start)
        if info > _ONE_BYTE + 3:
            raise NotADocument("ReservedInfo", start, info)
        self.at += 1
        if info < _ONE_BYTE:
            return info
        size = 1 << (info - _ONE_BYTE)
        value = int.from_bytes(self._take(size), "big")
        if value < (_ONE_BYTE if size == 1 else 1 << (4 * size)):
            raise NotADocument("NonMinimal", start)
        return value

    def unsigned(self) -> int:
        return self.head(Major.UNSIGNED)

    def byte_string(self) -> bytes:
        """A byte string of definite length."""
        return self._take(self.head(Major.BYTES))

    def text(self) -> bytes:
        """A text string of definite length, as its bytes."""
        return self._take(self.head(Major.TEXT))

    def at_null(self) -> bool:
        """Whether a null comes next, which is taken then."""
        if self.peek() != NULL:
            return False
        self.at += 1
        return True

    def open_map(self) -> int | None:
        """The number of entries, or None if the map ends with a break."""
        if self.peek() == Major.MAP << 5 | _INDEFINITE:
            self.at += 1
            return None
        return self.head(Major.MAP)

    def more(self, count: int | None, read: int) -> bool:
        """Whether another entry follows; takes the break that ends a map of indefinite length."""
        if count is not None:
            return read < count
        if self.peek() != BREAK:
            return True
        self.at += 1
        return False

    def finish(self) -> None:
        """Raises NotADocument (TrailingBytes) if anything is left."""
        if self.at != self.end:
            raise NotADocument("TrailingBytes", self.at, self.end)

    def _take(self, size: int) -> bytes:
        if size > self.end - self.at:
            raise NotADocument("Truncated", self.at)
        self.at += size
        return self.data[self.at - size : self.at]
