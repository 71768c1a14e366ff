// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice A slice of some bytes calldata, by position: start << 128 | length. Zero: nothing is there.
/// @dev Parsers give these back instead of copies. A span knows not whose slice it is, so whoever keeps one says that.
type Span is uint256;

using SpanLib for Span global;

/// @title Packing of `Span`
library SpanLib {
    /// @notice The bytes [start, start + length) are not inside of bytes of this size.
    error OutOfBounds(uint256 start, uint256 length, uint256 size);

    /// @notice Start and length are below 2**128; nothing is checked.
    function span(uint256 start_, uint256 length_) internal pure returns (Span) {
        return Span.wrap(start_ << 128 | length_);
    }

    function start(Span self) internal pure returns (uint256) {
        return Span.unwrap(self) >> 128;
    }

    function length(Span self) internal pure returns (uint256) {
        return uint128(Span.unwrap(self));
    }

    /// @notice The position after the last byte.
    function end(Span self) internal pure returns (uint256) {
        return start(self) + length(self);
    }

    /// @notice This slice of the bytes; reverts with OutOfBounds if they have no such slice.
    function slice(Span self, bytes calldata data) internal pure returns (bytes calldata part) {
        (uint256 from, uint256 size) = (start(self), length(self));
        if (from + size > data.length) revert OutOfBounds(from, size, data.length);
        assembly ("memory-safe") {
            part.offset := add(data.offset, from)
            part.length := size
        }
    }
}
