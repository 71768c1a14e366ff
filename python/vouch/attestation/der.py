"""Strict DER (X.690), as `contracts/attestation/Der.sol` reads it and explains: one form for every value.

Methods, their order of checks, and the offsets in errors (from the beginning of `data`) are the contract's.
"""

from calendar import monthrange
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

from vouch.attestation.errors import NotACertificate

_LONG_TAG: Final = 0x1F
_LONG_LENGTH: Final = 0x80
_MAX_LENGTH_OCTETS: Final = 2


class Tag(IntEnum):
    """Identifier octets: class, whether constructed, number."""

    BOOLEAN = 0x01
    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    OBJECT_IDENTIFIER = 0x06
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    SEQUENCE = 0x30
    SET = 0x31


class Cursor:
    """A reader from `at` up to `end`."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data, self.at, self.end = data, at, len(data) if end is None else end

    def done(self) -> bool:
        return self.at == self.end

    @property
    def rest(self) -> bytes:
        """What was not read yet."""
        return self.data[self.at : self.end]

    def close(self) -> None:
        """Raises NotACertificate (TrailingBytes) unless there is nothing left."""
        if not self.done():
            raise NotACertificate("TrailingBytes", self.at)

    def since(self, start: int) -> bytes:
        """What was read since position `start`, the tags and lengths included."""
        return self.data[start : self.at]

    def peek(self) -> int:
        """Tag of the next element; zero, which is no tag in DER, if there is none."""
        return 0 if self.done() else self.data[self.at]

    def next(self) -> "Cursor":
        """Over the content of the next element, whatever it is."""
        tag = self.peek()
        if tag & _LONG_TAG == _LONG_TAG:
            raise NotACertificate("LongTag", self.at)
        return self.enter(tag)

    def enter(self, tag: int) -> "Cursor":
        """Over the content of the next element, which must have this tag."""
        at, left = self.at, self.end - self.at
        if left < 2:
            raise NotACertificate("Truncated", at)
        if self.data[at] != tag:
            raise NotACertificate("WrongTag", at, self.data[at], int(tag))
        length, header = self.data[at + 1], 2
        if length >= _LONG_LENGTH:
            octets = length - _LONG_LENGTH
            if octets == 0:
                raise NotACertificate("IndefiniteLength", at)
            if octets > _MAX_LENGTH_OCTETS:
                raise NotACertificate("LengthTooLong", at)
            header += octets
            if left < header:
                raise NotACertificate("Truncated", at)
            length = int.from_bytes(self.data[at + 2 : at + header], "big")
            if length < (_LONG_LENGTH if octets == 1 else 0x100):
                raise NotACertificate("NonMinimalLength", at)
        if left < header + length:
            raise NotACertificate("Truncated", at)
        self.at = at + header + length
        return Cursor(self.data, at + header, self.at)

    def flag(self) -> bool:
        """A BOOLEAN DEFAULT FALSE: false if the next element is none."""
        if self.peek() != Tag.BOOLEAN:
            return False
        content = self.next()
        if len(content.rest) != 1:
            raise NotACertificate("WrongSize", content.at, len(content.rest), 1)
        if content.rest != b"\xff":
            raise NotACertificate("NotTrue", content.at, content.rest[0])
        return True

    def integer(self, most: int) -> bytes:
        """An INTEGER that is not negative: its octets, `most` of them at most, without the sign's."""
        content = self.enter(Tag.INTEGER)
        raw, at = content.rest, content.at
        if not raw:
            raise NotACertificate("EmptyInteger", at)
        if raw[0] >= 0x80:
            raise NotACertificate("NegativeInteger", at)
        if raw[0] == 0 and len(raw) > 1:
            if raw[1] < 0x80:
                raise NotACertificate("NonMinimalInteger", at)
            raw, at = raw[1:], at + 1
        if len(raw) > most:
            raise NotACertificate("IntegerTooLong", at, len(raw), most)
        return raw

    def number(self, most: int) -> int:
        """An INTEGER from 0 to 2**(8 * most) - 1."""
        return int.from_bytes(self.integer(most), "big")

    def octet_string(self) -> "Cursor":
        """A BIT STRING of whole octets."""
        content = self.enter(Tag.BIT_STRING)
        if len(content.rest) < 2:
            raise NotACertificate("EmptyBitString", content.at)
        if content.rest[0] != 0:
            raise NotACertificate("UnusedBits", content.at, content.rest[0])
        return Cursor(self.data, content.at + 1, content.end)

    def named_bits(self) -> int:
        """A BIT STRING of named bits: bit i of the result is the one that X.690 numbers i."""
        content = self.enter(Tag.BIT_STRING)
        raw, at = content.rest, content.at
        if not raw:
            raise NotACertificate("EmptyBitString", at)
        if len(raw) > 3:
            raise NotACertificate("TooManyNamedBits", at, len(raw) - 1)
        unused, width = raw[0], 8 * (len(raw) - 1)
        if unused > 7 or (unused and not width):
            raise NotACertificate("UnusedBits", at, unused)
        bits = int.from_bytes(raw[1:], "big")
        # The lowest bit that is set must be the last one that is used.
        if width and bits & ((2 << unused) - 1) != 1 << unused:
            raise NotACertificate("NonCanonicalNamedBits", at)
        return sum(1 << i for i in range(width) if bits >> (width - 1 - i) & 1)

    def oid(self) -> bytes:
        """The content of an OBJECT IDENTIFIER."""
        content = self.enter(Tag.OBJECT_IDENTIFIER)
        if content.done() or content.rest[-1] >= 0x80:
            raise NotACertificate("BadOid", content.end)
        begins = True
        for at in range(content.at, content.end):
            if begins and self.data[at] == 0x80:
                # The contract looks at 32 octets at once, and names the first of them.
                raise NotACertificate("BadOid", at - (at - content.at) % 32)
            begins = self.data[at] < 0x80
        return content.rest

    def time(self) -> int:
        """A UTCTime or a GeneralizedTime: unix seconds."""
        general = self.peek() == Tag.GENERALIZED_TIME
        content = self.enter(Tag.GENERALIZED_TIME if general else Tag.UTC_TIME)
        at, size = content.at, 15 if general else 13
        if len(content.rest) != size:
            raise NotACertificate("WrongSize", at, len(content.rest), size)
        if content.rest[-1:] != b"Z":
            raise NotACertificate("NotUtc", at, content.rest[-1])
        if general:
            year = 100 * self._digits(at) + self._digits(at + 2)
            if year < 2050:
                raise NotACertificate("NeedsUtcTime", at, year)
            at += 4
        else:
            year = self._digits(at)
            year += 2000 if year < 50 else 1900
            if year < 1970:
                raise NotACertificate("Before1970", at, year)
            at += 2
        month, day, hour, minute, second = (self._digits(at + 2 * i) for i in range(5))
        if not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
            raise NotACertificate("NoSuchTime", at)
        if hour > 23 or minute > 59 or second > 59:
            raise NotACertificate("NoSuchTime", at)
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())

    def _digits(self, at: int) -> int:
        """Two decimal digits."""
        raw = self.data[at : at + 2]
        if not raw.isdigit():
            raise NotACertificate("NotDigits", at)
        return int(raw)
