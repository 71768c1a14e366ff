// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Span, SpanLib} from "../types/Span.sol";

/// @notice A reader between two positions of some bytes calldata; `offset` never passes `end`, and `end` never their size.
struct Reader {
    uint256 offset;
    uint256 end;
}

using Cbor for Reader global;

/// @title Strict reader of CBOR
/// @notice Gives back numbers and positions in the bytes, never copies. CBOR lets one value be written in several ways;
/// here each has one, so that two readers of the same bytes cannot see different things. Every error names the offset of
/// what is wrong with it, from the beginning of the bytes.
///
/// An item begins with a head (RFC 8949, 3): three bits of major type, five bits of additional information, and an argument
/// of none to eight bytes. What the argument means is the major type's: the number itself, a length, or a count.
///
/// Accepts:
///
///  * Arguments 0..23 in the first byte, 24..2**8 - 1 in one more, then in two, four or eight: as short as it can be
///    (preferred serialization, 4.1; required by 4.2.1).
///  * Unsigned integers of 64 bits (major type 0).
///  * Byte strings (2) and text strings (3) of definite length, all of which lies inside of what is read.
///  * Arrays (4) and maps (5) of definite count: `head` gives the count, and the caller reads as many items.
///  * Maps of indefinite length, ended by a break (3.2.2), only where the caller asks by `openMap`: there is one place in
///    Nitro's documents where newer machines write it.
///  * null (0xf6), where the caller asks by `takeNull`.
///
/// Refuses:
///
///  * The same numbers in more bytes than needed (NonMinimal). As a map's keys are compared as bytes, this also keeps two
///    forms of one key out.
///  * Any item of another major type than the caller expects (UnexpectedType): so negative integers, tags (also those for
///    bignums, that would be a second form of integers), floats, true, false, undefined, and every simple value other than
///    null. A break has major type 7 and is refused likewise wherever no map of indefinite length can end: instead of a
///    value, inside of an array, in a map of definite count.
///  * Strings and arrays of indefinite length (IndefiniteLength), and maps too where the caller takes `head`.
///  * The additional information 28..30, which means nothing (ReservedInfo).
///  * What ends before it is complete (Truncated). Lengths up to 2**64 - 1 are compared with what is left, never added to
///    a position first, so none wraps.
///
/// Leaves to the caller:
///
///  * That nothing follows: `finish`.
///  * Keys that come twice, and keys nobody knows. Their order is free: Nitro's documents do not follow that of 4.2.1.
///  * Whether text is UTF-8 (3.1): whoever compares it with a constant need not ask.
///  * Depth: nothing here calls itself, so it nests as deep as the caller's own code, and no input makes it deeper.
///  * A count is only a number until the items are read: a loop over it ends with Truncated at the latest.
///
/// Source: RFC 8949 (STD 94).
library Cbor {
    error Truncated(uint256 offset);
    error UnexpectedType(uint256 offset, uint8 received, uint8 expected);
    error IndefiniteLength(uint256 offset);
    error ReservedInfo(uint256 offset, uint8 info);
    error NonMinimal(uint256 offset);
    error TrailingBytes(uint256 offset, uint256 end);

    // Major types.
    uint8 internal constant UNSIGNED = 0;
    uint8 internal constant BYTES = 2;
    uint8 internal constant TEXT = 3;
    uint8 internal constant ARRAY = 4;
    uint8 internal constant MAP = 5;

    /// @notice The count of a map that a break ends; no count in a head is as large.
    uint256 internal constant INDEFINITE = type(uint256).max;

    uint256 private constant ONE_BYTE = 24;
    uint256 private constant EIGHT_BYTES = 27;
    uint256 private constant INDEFINITE_INFO = 31;
    uint256 private constant INDEFINITE_MAP = 0xbf;
    uint256 private constant NULL = 0xf6;
    uint256 private constant BREAK = 0xff;

    /// @notice Reads this part of the bytes; reverts with SpanLib.OutOfBounds if it is not one.
    function reader(bytes calldata data, Span part) internal pure returns (Reader memory) {
        part.slice(data);
        return Reader(part.start(), part.end());
    }

    /// @notice The next byte, which is not taken.
    function peek(Reader memory self, bytes calldata data) internal pure returns (uint256) {
        if (self.offset == self.end) revert Truncated(self.offset);
        return _word(data, self.offset) >> 248;
    }

    /// @notice Takes the next item's head: the argument, if the item has this major type. Below 2**64.
    function head(Reader memory self, bytes calldata data, uint8 expected) internal pure returns (uint256 argument) {
        uint256 start = self.offset;
        uint256 first = peek(self, data);
        if (first >> 5 != expected) revert UnexpectedType(start, uint8(first >> 5), expected);
        argument = first & 31;
        self.offset = start + 1;
        if (argument < ONE_BYTE) return argument;
        if (argument == INDEFINITE_INFO) revert IndefiniteLength(start);
        if (argument > EIGHT_BYTES) revert ReservedInfo(start, uint8(argument));

        uint256 size = 1 << argument - ONE_BYTE;
        uint256 offset = _skip(self, size);
        argument = _word(data, offset) >> 256 - 8 * size;
        // What half as many bytes can hold, or the first byte alone.
        if (argument < (size == 1 ? ONE_BYTE : 1 << 4 * size)) revert NonMinimal(start);
    }

    /// @notice Takes an unsigned integer.
    function unsigned(Reader memory self, bytes calldata data) internal pure returns (uint64) {
        return uint64(head(self, data, UNSIGNED));
    }

    /// @notice Takes a byte string.
    function byteString(Reader memory self, bytes calldata data) internal pure returns (Span) {
        return _string(self, head(self, data, BYTES));
    }

    /// @notice Takes a text string, UTF-8 or not.
    function text(Reader memory self, bytes calldata data) internal pure returns (Span) {
        return _string(self, head(self, data, TEXT));
    }

    /// @notice Takes a null, if that is what comes next.
    function takeNull(Reader memory self, bytes calldata data) internal pure returns (bool) {
        return _takeByte(self, data, NULL);
    }

    /// @notice Takes the head of a map: the count of its entries, or INDEFINITE.
    function openMap(Reader memory self, bytes calldata data) internal pure returns (uint256) {
        return _takeByte(self, data, INDEFINITE_MAP) ? INDEFINITE : head(self, data, MAP);
    }

    /// @notice Whether another entry of the map follows after so many; takes the break that ends an INDEFINITE one.
    function more(Reader memory self, bytes calldata data, uint256 count, uint256 read) internal pure returns (bool) {
        return count == INDEFINITE ? !_takeByte(self, data, BREAK) : read < count;
    }

    /// @notice Fails unless there is nothing left.
    function finish(Reader memory self) internal pure {
        if (self.offset != self.end) revert TrailingBytes(self.offset, self.end);
    }

    function _takeByte(Reader memory self, bytes calldata data, uint256 wanted) private pure returns (bool taken) {
        taken = peek(self, data) == wanted;
        if (taken) self.offset += 1;
    }

    function _string(Reader memory self, uint256 length) private pure returns (Span) {
        return SpanLib.span(_skip(self, length), length);
    }

    /// @dev Takes `size` bytes, and says where they begin.
    function _skip(Reader memory self, uint256 size) private pure returns (uint256 offset) {
        offset = self.offset;
        if (size > self.end - offset) revert Truncated(offset);
        self.offset = offset + size;
    }

    /// @dev 32 bytes from `offset` on, of which those behind `end` mean nothing.
    function _word(bytes calldata data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }
}
