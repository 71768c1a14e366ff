// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title A verifier whose proofs rest on another route
/// @notice Announced by ERC-165. The router asks it which route that is, so that a request can be ended without a penalty
/// also when the tombstone is on the inner route.
interface INestedVerifier {
    /// @notice The route that `trust` rests on. A pure function of `trust`; never reverts.
    function innerRouteOf(bytes32 trust) external pure returns (bytes4);
}
