// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title UTF-8 (RFC 3629), which the EVM takes on trust
library Utf8 {
    /// @notice Whether the bytes are well-formed UTF-8: the shortest form of every code point, no surrogates, nothing
    /// above U+10FFFF (RFC 3629 section 4, Unicode table 3-7). No bytes are well-formed, and zero is a character.
    function isValid(bytes calldata text) internal pure returns (bool) {
        uint256 i;
        while (i < text.length) {
            uint256 first = uint8(text[i]);
            uint256 size = _size(first);
            if (size == 0 || size > text.length - i) return false;
            if (size > 1 && !_follows(first, uint8(text[i + 1]))) return false;
            for (uint256 j = 2; j < size; ++j) {
                if (uint8(text[i + j]) & 0xc0 != 0x80) return false;
            }
            i += size;
        }
        return true;
    }

    /// @dev Bytes of the character that begins so; zero: none does.
    function _size(uint256 first) private pure returns (uint256) {
        if (first < 0x80) return 1;
        if (first < 0xc2) return 0;
        if (first < 0xe0) return 2;
        if (first < 0xf0) return 3;
        return first < 0xf5 ? 4 : 0;
    }

    /// @dev Whether the second byte continues the first: not too long a form, no surrogate, not too high.
    function _follows(uint256 first, uint256 second) private pure returns (bool) {
        if (second & 0xc0 != 0x80) return false;
        if (first == 0xe0) return second >= 0xa0;
        if (first == 0xed) return second < 0xa0;
        if (first == 0xf0) return second >= 0x90;
        return first != 0xf4 || second < 0x90;
    }
}
