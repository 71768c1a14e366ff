// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Request} from "../types/Request.sol";

/// @title The call to a verifier
library Verification {
    /// @notice The route a seal belongs to; zero (which no verifier has) if it is shorter than that.
    function routeOf(bytes calldata seal) internal pure returns (bytes4 route) {
        assembly ("memory-safe") {
            route := mul(and(calldataload(seal.offset), shl(224, 0xffffffff)), gt(seal.length, 3))
        }
    }

    /// @notice Calls verifier.verify(seal, terms.trust, Claim(id, terms.modelId, terms.inputHash, outputHash, operator))
    /// and passes its revert on.
    /// @dev Encoded by hand from calldata, half the price of solc's encoder. The router admits only verifiers with code,
    /// so a silent success of an empty account cannot happen.
    function check(
        IVerifier verifier,
        bytes calldata seal,
        Request calldata terms,
        bytes32 id,
        bytes32 outputHash,
        address operator
    ) internal view {
        bytes4 selector = IVerifier.verify.selector;
        bytes32 trust = terms.trust;
        bytes32 modelId = terms.modelId;
        bytes32 inputHash = terms.inputHash;
        assembly ("memory-safe") {
            let p := mload(0x40)
            let padded := and(add(seal.length, 0x1f), not(0x1f))
            mstore(p, selector)
            mstore(add(p, 0x04), 0xe0)
            mstore(add(p, 0x24), trust)
            mstore(add(p, 0x44), id)
            mstore(add(p, 0x64), modelId)
            mstore(add(p, 0x84), inputHash)
            mstore(add(p, 0xa4), outputHash)
            mstore(add(p, 0xc4), operator)
            mstore(add(p, 0xe4), seal.length)
            mstore(add(p, add(0xe4, padded)), 0)
            calldatacopy(add(p, 0x104), seal.offset, seal.length)
            if iszero(staticcall(gas(), verifier, p, add(0x104, padded), 0, 0)) {
                returndatacopy(p, 0, returndatasize())
                revert(p, returndatasize())
            }
        }
    }
}
