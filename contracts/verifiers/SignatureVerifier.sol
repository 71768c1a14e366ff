// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Claim, ClaimLib} from "../types/Claim.sol";

/// @title The operator's own key signed the claim
/// @notice Assurance "Signed", nothing more: it says who answers for the result, not that a model ran.
/// Seal: 4 bytes route, 65 bytes r ‖ s ‖ v over the claim's EIP-712 digest (low s only, v 27 or 28).
/// Trust: zero admits every operator the hub admits; otherwise the operator's address, right-aligned.
contract SignatureVerifier is IVerifier {
    /// @dev Half the order of secp256k1: of a signature's two forms only the one with low s is accepted (EIP-2).
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice The hub whose claims are checked.
    address public immutable HUB;

    uint256 private immutable _CHAIN_ID;
    bytes32 private immutable _DOMAIN;

    /// @notice A signature seal has 69 bytes.
    error WrongSealLength(uint256 received, uint256 expected);
    /// @notice The consumer trusts another operator.
    error UntrustedOperator(address operator, bytes32 trust);
    /// @notice s is in the upper half of the order: replace it by n - s and flip v.
    error MalleableSignature(bytes32 s);
    /// @notice Another key than the operator's signed, or another claim was signed.
    error WrongSigner(address recovered, address operator);

    constructor(address hub) {
        HUB = hub;
        _CHAIN_ID = block.chainid;
        _DOMAIN = ClaimLib.domainSeparator(hub);
    }

    /// @inheritdoc IVerifier
    function verify(bytes calldata seal, bytes32 trust, Claim calldata claim) external view {
        if (seal.length != 69) revert WrongSealLength(seal.length, 69);
        address operator = claim.operator;
        if (trust != 0 && trust != bytes32(uint256(uint160(operator)))) revert UntrustedOperator(operator, trust);
        // A fork of the chain gets a new id, and must not accept the old chain's claims.
        bytes32 domain = block.chainid == _CHAIN_ID ? _DOMAIN : ClaimLib.domainSeparator(HUB);
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := calldataload(add(seal.offset, 4))
            s := calldataload(add(seal.offset, 36))
            v := byte(0, calldataload(add(seal.offset, 68)))
        }
        if (uint256(s) > HALF_ORDER) revert MalleableSignature(s);
        address signer = ecrecover(claim.digest(domain), v, r, s);
        if (signer != operator || signer == address(0)) revert WrongSigner(signer, operator);
    }
}
