// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title What a proof system generates for one circuit
interface IProofVerifier {
    /// @notice True, or a revert, or false, as the generator likes it; only true counts.
    /// @param proof As the proof system encodes it.
    /// @param publicInputs Field elements, in the circuit's order.
    function verify(bytes calldata proof, bytes32[] calldata publicInputs) external view returns (bool);
}
