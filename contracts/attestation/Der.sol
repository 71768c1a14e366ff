// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Span, SpanLib} from "../types/Span.sol";

/// @notice A reader of some bytes calldata: the next position, and the end of the element around it.
struct Cursor {
    uint256 offset;
    uint256 end;
}

using Der for Cursor global;

/// @title Strict reader of DER
/// @notice Gives back positions in the bytes, never copies. What has several encodings in BER has one here, so that the
/// bytes of an element and what it means stand for each other. Every error names the offset of what is wrong.
///
/// Accepts (X.690, 02/2021):
///
///  * An element of one tag octet, one to three length octets and as many content octets as they say (8.1), all of them
///    inside of the element around it. Lengths are definite and as short as they can be (10.1): 0..127 in one octet,
///    128..255 in two, 256..65535 in three.
///  * BOOLEAN: one octet, 0xff. FALSE is the default wherever certificates have a BOOLEAN, and so is left out (11.5).
///  * INTEGER, not negative: at least one octet, the first nine bits not all zero (8.3). `integer` gives the octets
///    without the zero in front that only says "not negative"; zero stays one octet.
///  * BIT STRING of whole octets (keys, signatures): zero unused bits, at least one octet (8.6).
///  * BIT STRING with named bits (keyUsage): at most 16; ends with a set bit, whatever follows in its octet is zero and
///    counted as unused (11.2). Without bits: one octet, zero.
///  * OBJECT IDENTIFIER: at least one octet, subidentifiers without zeros in front, the last one complete (8.19).
///  * UTCTime: YYMMDDHHMMSSZ (11.8); 50..99 is 1950..1999, 00..49 is 2000..2049 (RFC 5280, 4.1.2.5.1).
///  * GeneralizedTime: YYYYMMDDHHMMSSZ, without fraction (11.7; RFC 5280, 4.1.2.5.2), of 2050 and later only, because
///    earlier years have UTCTime (RFC 5280, 4.1.2.5).
///    Both: a day of the Gregorian calendar, 00..23 hours, 00..59 minutes and seconds (no leap seconds, unix time has
///    none), 1970 and later, since times are unix seconds without a sign.
///
/// Refuses everything else, particularly:
///
///  * Indefinite lengths, lengths with octets to spare, lengths of 65536 and more, content that ends behind its parent.
///  * Tag numbers of 31 and more, which have further octets (8.1.2.4): no certificate needs them.
///  * Anything between the last element of a parent and the parent's end (`close`).
///  * Times with another zone than Z, without seconds, with a fraction; 29 February of common years; 24:00:00.
///
/// Leaves to the caller: which elements must be there, and in which order. `next` takes elements of any type, which the
/// caller then must not rely on. SET OF is not compared for order (11.6): the caller allows one element in each.
///
/// Sources: ITU-T X.690 (02/2021); RFC 5280 sections 4.1.2.5 and 4.2.1.3. Days of a date: Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
library Der {
    error Truncated(uint256 offset);
    error WrongTag(uint256 offset, uint8 received, uint8 expected);
    error LongTag(uint256 offset);
    error IndefiniteLength(uint256 offset);
    error NonMinimalLength(uint256 offset);
    error LengthTooLong(uint256 offset);
    error TrailingBytes(uint256 offset);
    error WrongSize(uint256 offset, uint256 received, uint256 expected);
    error NotTrue(uint256 offset, uint8 received);
    error EmptyInteger(uint256 offset);
    error NegativeInteger(uint256 offset);
    error NonMinimalInteger(uint256 offset);
    error IntegerTooLong(uint256 offset, uint256 received, uint256 most);
    error EmptyBitString(uint256 offset);
    error UnusedBits(uint256 offset, uint8 received);
    error TooManyNamedBits(uint256 offset, uint256 octets);
    error NonCanonicalNamedBits(uint256 offset);
    error BadOid(uint256 offset);
    error NotDigits(uint256 offset);
    error NotUtc(uint256 offset, uint8 received);
    error NoSuchTime(uint256 offset);
    error NeedsUtcTime(uint256 offset, uint256 year);
    error Before1970(uint256 offset, uint256 year);

    uint8 internal constant BOOLEAN = 0x01;
    uint8 internal constant INTEGER = 0x02;
    uint8 internal constant BIT_STRING = 0x03;
    uint8 internal constant OCTET_STRING = 0x04;
    uint8 internal constant OBJECT_IDENTIFIER = 0x06;
    uint8 internal constant UTC_TIME = 0x17;
    uint8 internal constant GENERALIZED_TIME = 0x18;
    uint8 internal constant SEQUENCE = 0x30;
    uint8 internal constant SET = 0x31;

    uint8 private constant LONG_TAG = 0x1f;
    uint256 private constant HIGH_BITS = 0x8080808080808080808080808080808080808080808080808080808080808080;
    uint256 private constant MAX_LENGTH_OCTETS = 2;

    /// @notice Reader of a span of some bytes.
    function cursor(Span span) internal pure returns (Cursor memory) {
        return Cursor(span.start(), span.end());
    }

    /// @notice Whether nothing is left of the element around.
    function done(Cursor memory self) internal pure returns (bool) {
        return self.offset == self.end;
    }

    /// @notice Fails unless nothing is left of the element around.
    function close(Cursor memory self) internal pure {
        if (self.offset != self.end) revert TrailingBytes(self.offset);
    }

    /// @notice Goes into the next element, which must have this tag. Nothing behind its end is read until `exit`.
    /// @return end Of the element around, for `exit`.
    function enter(Cursor memory self, bytes calldata data, uint8 tag) internal pure returns (uint256 end) {
        return self.enter(self.take(data, tag));
    }

    /// @notice Goes back into what was taken last.
    /// @return end Of the element around, for `exit`.
    function enter(Cursor memory self, Span content) internal pure returns (uint256 end) {
        end = self.end;
        self.offset = content.start();
        unchecked {
            self.end = content.start() + content.length();
        }
    }

    /// @notice Goes out of an element, of which nothing may be left.
    /// @param end What `enter` gave.
    function exit(Cursor memory self, uint256 end) internal pure {
        self.close();
        self.end = end;
    }

    /// @notice What was read since position `start`, the tags and lengths included.
    function since(Cursor memory self, uint256 start) internal pure returns (Span) {
        return SpanLib.span(start, self.offset - start);
    }

    /// @notice Tag of the next element; zero, which is no tag in DER, if there is none.
    function peek(Cursor memory self, bytes calldata data) internal pure returns (uint8) {
        return self.offset == self.end ? 0 : _octet(data, self.offset);
    }

    /// @notice Takes the next element, whatever it is.
    function next(Cursor memory self, bytes calldata data) internal pure returns (Span) {
        uint8 tag = self.peek(data);
        if (tag & LONG_TAG == LONG_TAG) revert LongTag(self.offset);
        return self.take(data, tag);
    }

    /// @notice Takes the next element, which must have this tag.
    function take(Cursor memory self, bytes calldata data, uint8 tag) internal pure returns (Span) {
        uint256 offset = self.offset;
        uint256 word = _word(data, offset);
        // Positions are of calldata and lengths have two octets, so that sums stay far below 2**256.
        unchecked {
            uint256 left = self.end - offset;
            if (left < 2) revert Truncated(offset);
            if (word >> 248 != tag) revert WrongTag(offset, uint8(word >> 248), tag);
            uint256 length = uint8(word >> 240);
            uint256 header = 2;
            if (length > 0x7f) {
                uint256 octets = length - 0x80;
                if (octets == 0) revert IndefiniteLength(offset);
                if (octets > MAX_LENGTH_OCTETS) revert LengthTooLong(offset);
                header += octets;
                if (left < header) revert Truncated(offset);
                length = octets == 1 ? uint8(word >> 232) : uint16(word >> 224);
                if (length < (octets == 1 ? 0x80 : 0x100)) revert NonMinimalLength(offset);
            }
            if (left < header + length) revert Truncated(offset);
            self.offset = offset + header + length;
            return SpanLib.span(offset + header, length);
        }
    }

    /// @notice Takes a BOOLEAN DEFAULT FALSE: false if the next element is none.
    function flag(Cursor memory self, bytes calldata data) internal pure returns (bool) {
        if (self.peek(data) != BOOLEAN) return false;
        Span content = self.next(data);
        uint256 offset = content.start();
        if (content.length() != 1) revert WrongSize(offset, content.length(), 1);
        uint8 received = _octet(data, offset);
        if (received != 0xff) revert NotTrue(offset, received);
        return true;
    }

    /// @notice Takes an INTEGER that is not negative: its octets, `most` of them at most, without the sign's.
    function integer(Cursor memory self, bytes calldata data, uint256 most) internal pure returns (Span) {
        Span content = self.take(data, INTEGER);
        uint256 offset = content.start();
        uint256 length = content.length();
        if (length == 0) revert EmptyInteger(offset);
        uint8 first = _octet(data, offset);
        if (first >= 0x80) revert NegativeInteger(offset);
        if (first == 0 && length > 1) {
            ++offset;
            --length;
            if (_octet(data, offset) < 0x80) revert NonMinimalInteger(offset - 1);
        }
        if (length > most) revert IntegerTooLong(offset, length, most);
        return SpanLib.span(offset, length);
    }

    /// @notice Takes an INTEGER from 0 to 2**(8 * most) - 1.
    /// @param most Octets, 32 at most.
    function number(Cursor memory self, bytes calldata data, uint256 most) internal pure returns (uint256) {
        Span octets = self.integer(data, most);
        return _word(data, octets.start()) >> (256 - 8 * octets.length());
    }

    /// @notice Takes a BIT STRING of whole octets.
    function octetString(Cursor memory self, bytes calldata data) internal pure returns (Span) {
        Span content = self.take(data, BIT_STRING);
        uint256 offset = content.start();
        if (content.length() < 2) revert EmptyBitString(offset);
        uint8 unused = _octet(data, offset);
        if (unused != 0) revert UnusedBits(offset, unused);
        return SpanLib.span(offset + 1, content.length() - 1);
    }

    /// @notice Takes a BIT STRING of named bits: bit i of the result is the one that X.690 numbers i.
    function namedBits(Cursor memory self, bytes calldata data) internal pure returns (uint16 bits) {
        Span content = self.take(data, BIT_STRING);
        uint256 offset = content.start();
        uint256 length = content.length();
        if (length == 0) revert EmptyBitString(offset);
        if (length > 3) revert TooManyNamedBits(offset, length - 1);
        uint8 unused = _octet(data, offset);
        if (unused > 7) revert UnusedBits(offset, unused);
        if (length == 1) {
            if (unused != 0) revert UnusedBits(offset, unused);
            return 0;
        }
        uint256 word = _word(data, offset + 1) >> (256 - 8 * (length - 1));
        // The lowest bit that is set must be the last one that is used.
        if (word & ((2 << unused) - 1) != 1 << unused) revert NonCanonicalNamedBits(offset);
        for (uint256 i = 8 * (length - 1); i != 0; word >>= 1) {
            --i;
            bits |= uint16((word & 1) << i);
        }
    }

    /// @notice Takes an OBJECT IDENTIFIER.
    function oid(Cursor memory self, bytes calldata data) internal pure returns (Span content) {
        content = self.take(data, OBJECT_IDENTIFIER);
        uint256 end = self.offset;
        uint256 offset = content.start();
        if (offset == end || _octet(data, end - 1) > 0x7f) revert BadOid(end);
        // An octet with its high bit is followed by another one of the same subidentifier. In `continued` an octet's
        // high bit says that of the octet before it.
        uint256 continued;
        unchecked {
            for (; offset < end; offset += 32) {
                uint256 word = _word(data, offset);
                if (end - offset < 32) word &= ~(type(uint256).max >> (8 * (end - offset)));
                uint256 high = word & HIGH_BITS;
                continued |= high >> 8;
                // Adding 0x7f to what an octet has below its high bit sets that bit unless there was nothing.
                if (high & ~((word & ~HIGH_BITS) + ~HIGH_BITS) & ~continued != 0) revert BadOid(offset);
                continued = high << 248;
            }
        }
    }

    /// @notice Takes a UTCTime or a GeneralizedTime: unix seconds.
    function time(Cursor memory self, bytes calldata data) internal pure returns (uint40) {
        uint256 year;
        bool general = self.peek(data) == GENERALIZED_TIME;
        Span content = self.take(data, general ? GENERALIZED_TIME : UTC_TIME);
        uint256 offset = content.start();
        uint256 expected = general ? 15 : 13;
        if (content.length() != expected) revert WrongSize(offset, content.length(), expected);
        uint8 zone = _octet(data, content.end() - 1);
        if (zone != 0x5a) revert NotUtc(offset, zone);
        if (general) {
            year = 100 * _digits(data, offset) + _digits(data, offset + 2);
            if (year < 2050) revert NeedsUtcTime(offset, year);
            offset += 4;
        } else {
            year = _digits(data, offset);
            year += year < 50 ? 2000 : 1900;
            if (year < 1970) revert Before1970(offset, year);
            offset += 2;
        }
        return _unix(data, offset, year);
    }

    /// @dev Unix seconds of MMDDHHMMSS at a position.
    function _unix(bytes calldata data, uint256 offset, uint256 year) private pure returns (uint40) {
        uint256 month = _digits(data, offset);
        uint256 day = _digits(data, offset + 2);
        uint256 hour = _digits(data, offset + 4);
        uint256 minute = _digits(data, offset + 6);
        uint256 second = _digits(data, offset + 8);
        if (month == 0 || month > 12 || day == 0 || day > _daysIn(year, month)) revert NoSuchTime(offset);
        if (hour > 23 || minute > 59 || second > 59) revert NoSuchTime(offset);
        return uint40(_days(year, month, day) * 1 days + hour * 1 hours + minute * 1 minutes + second);
    }

    /// @dev Days of a month of the Gregorian calendar, `month` from 1 to 12.
    function _daysIn(uint256 year, uint256 month) private pure returns (uint256) {
        if (month != 2) return 30 + ((month + month / 8) & 1);
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    }

    /// @dev Days since 1970-01-01. The year begins in March here, so that the leap day is the last of it.
    function _days(uint256 year, uint256 month, uint256 day) private pure returns (uint256) {
        if (month < 3) --year;
        uint256 dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        // 719,468 days lie between 1 March of the year 0 and 1970.
        return 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear - 719468;
    }

    /// @dev Two decimal digits.
    function _digits(bytes calldata data, uint256 offset) private pure returns (uint256) {
        uint256 tens = uint256(_octet(data, offset)) ^ 0x30;
        uint256 ones = uint256(_octet(data, offset + 1)) ^ 0x30;
        if (tens > 9 || ones > 9) revert NotDigits(offset);
        return 10 * tens + ones;
    }

    function _octet(bytes calldata data, uint256 offset) private pure returns (uint8) {
        return uint8(_word(data, offset) >> 248);
    }

    /// @dev The 32 bytes at a position. What lies behind the end is not data, and the caller must not look at it.
    function _word(bytes calldata data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }
}
