// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Hashing in scratch memory, where solc's own code would allocate and keep
library Memory {
    /// @notice keccak256(data), without keeping a copy of the data.
    function hash(bytes calldata data) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            calldatacopy(p, data.offset, data.length)
            result := keccak256(p, data.length)
        }
    }

    /// @notice keccak256(abi.encode(a, b, c)).
    function hash(bytes32 a, address b, bytes32 c) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, a)
            mstore(add(p, 0x20), b)
            mstore(add(p, 0x40), c)
            result := keccak256(p, 0x60)
        }
    }
}
