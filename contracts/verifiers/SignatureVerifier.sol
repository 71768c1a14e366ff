// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {ClaimSignature} from "../libraries/ClaimSignature.sol";
import {Claim} from "../types/Claim.sol";
import {ClaimDomain} from "./ClaimDomain.sol";

/// @title The operator's own key signed the claim
/// @notice Assurance "Signed", nothing more: it says who answers for the result, not that a model ran.
/// Seal: 4 bytes route, 65 bytes r ‖ s ‖ v over the claim's EIP-712 digest (low s only, v 27 or 28).
/// Trust: zero admits every operator the hub admits; otherwise the operator's address, right-aligned.
contract SignatureVerifier is IVerifier, ClaimDomain {
    using ClaimSignature for bytes;

    /// @notice A signature seal has 69 bytes.
    error WrongSealLength(uint256 received, uint256 expected);
    /// @notice The consumer trusts another operator.
    error UntrustedOperator(address operator, bytes32 trust);
    /// @notice Another key than the operator's signed, or another claim was signed.
    error WrongSigner(address recovered, address operator);

    constructor(address hub) ClaimDomain(hub) {}

    /// @inheritdoc IVerifier
    function verify(bytes calldata seal, bytes32 trust, Claim calldata claim) external view {
        if (seal.length != 69) revert WrongSealLength(seal.length, 69);
        address operator = claim.operator;
        if (trust != 0 && trust != bytes32(uint256(uint160(operator)))) revert UntrustedOperator(operator, trust);
        address signer = seal.signer(4, _digest(claim));
        if (signer != operator || signer == address(0)) revert WrongSigner(signer, operator);
    }
}
