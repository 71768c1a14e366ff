// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Vm} from "./Vm.sol";

/// @title Assertions that say which value was wrong, and helpers for fuzzed numbers
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error NotEqual(string what, uint256 received, uint256 expected);
    error NotEqualWords(string what, bytes32 received, bytes32 expected);
    error NotEqualBytes(string what, bytes received, bytes expected);
    error NotTrue(string what);

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    function assertEq(uint256 received, uint256 expected, string memory what) internal pure {
        if (received != expected) revert NotEqual(what, received, expected);
    }

    function assertEq(bytes32 received, bytes32 expected, string memory what) internal pure {
        if (received != expected) revert NotEqualWords(what, received, expected);
    }

    function assertEq(address received, address expected, string memory what) internal pure {
        assertEq(uint256(uint160(received)), uint256(uint160(expected)), what);
    }

    function assertEq(bytes memory received, bytes memory expected, string memory what) internal pure {
        if (keccak256(received) != keccak256(expected)) revert NotEqualBytes(what, received, expected);
    }

    function assertEq(int256 received, int256 expected, string memory what) internal pure {
        assertEq(bytes32(uint256(received)), bytes32(uint256(expected)), what);
    }

    /// @dev A number in [min, max], spread over the whole range.
    function bound(uint256 x, uint256 min, uint256 max) internal pure returns (uint256) {
        if (x >= min && x <= max) return x;
        uint256 size = max - min + 1;
        return size == 0 ? x : min + x % size;
    }

    /// @dev A choice in [0, n), independent for every label.
    function pick(uint256 seed, bytes32 label, uint256 n) internal pure returns (uint256) {
        return reseed(seed, label) % n;
    }

    /// @dev Another seed, independent of the first.
    function reseed(uint256 seed, bytes32 label) internal pure returns (uint256 other) {
        assembly ("memory-safe") {
            mstore(0, seed)
            mstore(0x20, label)
            other := keccak256(0, 0x40)
        }
    }

    /// @dev The characters of a literal, without the zeros behind them.
    function text(bytes32 literal) internal pure returns (string memory) {
        uint256 size;
        while (size < 32 && literal[size] != 0) ++size;
        bytes memory characters = abi.encodePacked(literal);
        assembly ("memory-safe") {
            mstore(characters, size)
        }
        return string(characters);
    }

    /// @dev First four bytes of what a call reverted with.
    function selectorOf(bytes memory reason) internal pure returns (bytes4) {
        return reason.length < 4 ? bytes4(0) : bytes4(reason);
    }
}
