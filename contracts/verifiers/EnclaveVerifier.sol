// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Curve, EnclaveKey, IEnclaveKeys} from "../interfaces/IEnclaveKeys.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";
import {EnclaveSeal} from "../libraries/EnclaveSeal.sol";
import {Claim} from "../types/Claim.sol";
import {ClaimDomain} from "./ClaimDomain.sol";

/// @title The key of an attested enclave signed the claim
/// @notice Assurance "Attested": the code that the consumer named ran, on hardware that AWS vouches for.
/// Trust: the image id, keccak256(PCR0 ‖ PCR1 ‖ PCR2).
/// Seal: see `EnclaveSeal`. The key's expiry and revocation are looked at now, at settlement, not when the claim was signed.
contract EnclaveVerifier is IVerifier, ClaimDomain {
    using EnclaveSeal for bytes;

    /// @notice The keys that count.
    IEnclaveKeys public immutable KEYS;

    /// @notice No such key was let in: register it, or another claim was signed.
    error UnknownEnclaveKey(address key);
    /// @notice The consumer trusts another image.
    error WrongImage(bytes32 imageId, bytes32 trust);
    /// @notice The enclave works for another operator than the claim names.
    error WrongOperator(address received, address expected);
    /// @notice The key's certificates have expired: the enclave has to attest it anew.
    error EnclaveKeyExpired(address key, uint256 expiry);
    error EnclaveKeyRevoked(address key);

    constructor(address hub, IEnclaveKeys keys) ClaimDomain(hub) {
        KEYS = keys;
    }

    /// @inheritdoc IVerifier
    function verify(bytes calldata seal, bytes32 trust, Claim calldata claim) external view {
        (address id, Curve curve) = seal.signer(_digest(claim));
        EnclaveKey memory key = KEYS.keyOf(id);
        if (key.imageId == 0 || key.curve != curve) revert UnknownEnclaveKey(id);
        if (key.imageId != trust) revert WrongImage(key.imageId, trust);
        if (key.operator != claim.operator) revert WrongOperator(claim.operator, key.operator);
        if (block.timestamp > key.expiry) revert EnclaveKeyExpired(id, key.expiry);
        if (key.revoked) revert EnclaveKeyRevoked(id);
    }
}
