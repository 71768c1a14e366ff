// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Claim} from "../types/Claim.sol";

/// @title Checks that a seal proves a claim
interface IVerifier {
    /// @notice Returns if the seal proves the claim under `trust`, reverts otherwise.
    /// @param seal Proof bytes; the first four name the route.
    /// @param trust 32 bytes that the consumer chose and the verifier must find in the seal.
    /// @param claim The statement; its digest is computed here or by the caller, never by the prover.
    function verify(bytes calldata seal, bytes32 trust, Claim calldata claim) external view;
}
