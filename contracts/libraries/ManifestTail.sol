// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title The circuits that a manifest names
/// @notice A manifest is canonical JSON (RFC 8785): one object with sorted keys, and "zk" is the last of them. So the last
/// bytes are ,"zk":"<64 hex digits for each id>"} and cannot be anything else: the closing brace is that of the object, and
/// the string that ends before it is the value of its last member.
library ManifestTail {
    bytes16 private constant _DIGITS = "0123456789abcdef";

    /// @notice True if the manifest names exactly these circuits, in this order, and at least one.
    function names(bytes calldata manifest, bytes32[] calldata ids) internal pure returns (bool) {
        bytes memory tail = new bytes(7 + 64 * ids.length + 2);
        uint256 to;
        for (bytes memory head = ',"zk":"'; to < 7; ++to) {
            tail[to] = head[to];
        }
        for (uint256 i; i < ids.length; ++i) {
            for (uint256 j; j < 32; ++j) {
                uint8 value = uint8(ids[i][j]);
                tail[to++] = _DIGITS[value >> 4];
                tail[to++] = _DIGITS[value & 0x0f];
            }
        }
        tail[to++] = '"';
        tail[to] = "}";
        if (ids.length == 0 || manifest.length < tail.length) return false;
        return keccak256(manifest[manifest.length - tail.length:]) == keccak256(tail);
    }
}
