// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sha384} from "../attestation/Sha384.sol";

/// @title Sha384 behind an ABI: many messages per eth_call, memory made dirty and checked, gas
contract Sha384Harness {
    /// @notice Digests, 48 bytes each, of data[start:start + size] for every size.
    function slices(bytes calldata data, uint256 start, uint256[] calldata sizes)
        external
        pure
        returns (bytes memory digests)
    {
        digests = new bytes(48 * sizes.length);
        for (uint256 i; i < sizes.length; ++i) {
            (bytes32 head, bytes16 tail) = Sha384.hash(data[start:start + sizes[i]]);
            _put(digests, i, head, tail);
        }
    }

    /// @notice The same of copies in memory.
    function slicesInMemory(bytes calldata data, uint256 start, uint256[] calldata sizes)
        external
        pure
        returns (bytes memory digests)
    {
        digests = new bytes(48 * sizes.length);
        for (uint256 i; i < sizes.length; ++i) {
            bytes memory copy = data[start:start + sizes[i]];
            (bytes32 head, bytes16 tail) = Sha384.hashMemory(copy);
            _put(digests, i, head, tail);
        }
    }

    /// @notice Digest of data where every free byte of memory was 0xff, scratch memory included, and the free memory
    /// pointer `shift` bytes further than solc left it.
    /// @return digest 48 bytes.
    /// @return untouched True if the pointer and everything in memory that is owned are what they were.
    function dirty(bytes calldata data, uint256 shift, bool inMemory)
        external
        pure
        returns (bytes memory digest, bool untouched)
    {
        digest = new bytes(48);
        bytes memory copy = data;
        bytes32 head;
        bytes16 tail;
        bytes32 before = _soil(shift, data.length + 0x1000);
        if (inMemory) (head, tail) = Sha384.hashMemory(copy);
        else (head, tail) = Sha384.hash(data);
        untouched = _owned() == before;
        _put(digest, 0, head, tail);
    }

    /// @notice Gas of one hash of calldata, the measurement's own few units included.
    function gasOf(bytes calldata data) external view returns (uint256 used) {
        used = gasleft();
        Sha384.hash(data);
        used -= gasleft();
    }

    function _put(bytes memory digests, uint256 index, bytes32 head, bytes16 tail) private pure {
        assembly ("memory-safe") {
            let p := add(add(digests, 0x20), mul(index, 48))
            mstore(p, head)
            let q := add(p, 0x20)
            for { let i := 0 } lt(i, 16) { i := add(i, 1) } { mstore8(add(q, i), byte(i, tail)) }
        }
    }

    /// @dev Moves the free memory pointer, soils `size` bytes behind it, and returns what _owned does then.
    function _soil(uint256 shift, uint256 size) private pure returns (bytes32) {
        assembly ("memory-safe") {
            let free := add(mload(0x40), shift)
            mstore(0x40, free)
            for { let end := add(free, size) } lt(free, end) { free := add(free, 0x20) } { mstore(free, not(0)) }
            mstore(0x00, not(0))
            mstore(0x20, not(0))
        }
        return _owned();
    }

    /// @dev Hash of memory from the free memory pointer's own slot to where it points.
    function _owned() private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(0x40, sub(mload(0x40), 0x40))
        }
    }
}
