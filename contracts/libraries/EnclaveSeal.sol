// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import {Curve} from "../interfaces/IEnclaveKeys.sol";
import {ClaimSignature} from "./ClaimSignature.sol";

/// @title Seals that an enclave's key signed
/// @notice Both are over the claim's EIP-712 digest, and of a signature's two forms only the one with low s is accepted:
///
/// | curve | bytes | after the route (4 bytes) |
/// | --- | --- | --- |
/// | secp256k1 | 69 | r ‖ s ‖ v, v 27 or 28 |
/// | P-256 | 132 | x ‖ y ‖ r ‖ s |
library EnclaveSeal {
    using ClaimSignature for bytes;

    uint256 private constant _SECP256K1 = 69;
    uint256 private constant _P256 = 132;

    /// @notice Seals of this route have 69 bytes (secp256k1) or 132 (P-256).
    error WrongSealLength(uint256 received);
    /// @notice The key in the seal did not sign this claim, or s is not low.
    error NotItsSignature(address key);

    /// @notice The id of the key that signed. secp256k1: zero, or nobody's id, if the signature is none.
    /// @dev Reverts with WrongSealLength, NotItsSignature (P-256), ClaimSignature.MalleableSignature (secp256k1), and with
    /// OpenZeppelin's MissingPrecompile where the chain lacks P256VERIFY.
    function signer(bytes calldata seal, bytes32 digest) internal view returns (address key, Curve curve) {
        if (seal.length == _SECP256K1) return (seal.signer(4, digest), Curve.Secp256k1);
        if (seal.length != _P256) revert WrongSealLength(seal.length);
        (bytes32 x, bytes32 y, bytes32 r, bytes32 s) = abi.decode(seal[4:], (bytes32, bytes32, bytes32, bytes32));
        key = address(uint160(uint256(keccak256(abi.encode(x, y)))));
        if (!P256.verifyNative(digest, r, s, x, y)) revert NotItsSignature(key);
        curve = Curve.P256;
    }
}
