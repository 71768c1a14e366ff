// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sha384} from "./Sha384.sol";

/// @title SHA-384 to be called
/// @notice Unrolled, the library is some ten kilobytes: too much to share a contract with the parsers (EIP-170).
contract Sha384Hash {
    /// @notice The digest's first 32 bytes and its last 16, see `Sha384`.
    function hash(bytes calldata data) external pure returns (bytes32 head, bytes16 tail) {
        return Sha384.hash(data);
    }
}
