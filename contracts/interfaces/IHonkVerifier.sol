// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IProofVerifier} from "./IProofVerifier.sol";

/// @title A verifier of UltraHonk proofs, as Barretenberg generates it for one verifying key
/// @notice Why it refuses a proof. All of it says that the proof is not one of these public inputs, or none at all.
interface IHonkVerifier is IProofVerifier {
    /// @notice The proof has another length than this circuit's (2**logN gates), in bytes.
    error ProofLengthWrongWithLogN(uint256 logN, uint256 actualLength, uint256 expectedLength);
    error PublicInputsLengthWrong();
    /// @notice A scalar of the proof, or a public input, is not below the order of the field.
    error ValueGeFieldOrder();
    /// @notice A coordinate of the proof is not below the modulus of the curve, or a point is not on it.
    error ValueGeGroupOrder();
    error ValueGeLimbMax();
    error SumcheckFailed();
    error ShpleminiFailed();

    /// @notice Which reference string the verifying key belongs to: "aztec-ignition", or "dev-srs", with which anyone can
    /// forge proofs.
    function srs() external view returns (bytes32);
}
