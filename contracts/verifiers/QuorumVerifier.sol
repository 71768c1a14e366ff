// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {ClaimSignature} from "../libraries/ClaimSignature.sol";
import {Claim} from "../types/Claim.sol";
import {ClaimDomain} from "./ClaimDomain.sol";

/// @title M of N named accounts signed the claim
/// @notice Assurance "Quorum": so many of the consumer's own list say the same output. All of them sign one digest, that of
/// the claim which names the operator who is paid; the signers need no registration.
/// Trust: keccak256(abi.encode(uint256 threshold, address[] signers)), signers strictly ascending, so that a list has one
/// hash and nobody is in it twice; 1 <= threshold <= signers <= 64.
/// Seal, packed without padding:
///
/// | bytes | content |
/// | --- | --- |
/// | 0 to 3 | route |
/// | 4 | threshold |
/// | 5 | n, number of signers in the list |
/// | 6 to 13 | who signed: bit i, counted from the lowest bit of this big-endian word, is signer i |
/// | 14 to 13 + 20n | the list, 20 bytes each |
/// | then 65 for each bit | r ‖ s ‖ v of each that signed, in the list's order (low s only, v 27 or 28) |
///
/// A signature is the same 65 bytes as in a "Signed" seal, so a quorum is collected from those.
contract QuorumVerifier is IVerifier, ClaimDomain {
    using ClaimSignature for bytes;

    /// @notice Longest list: one bit each.
    uint256 public constant MAX_SIGNERS = 64;

    uint256 private constant _HEADER = 14;

    /// @notice The seal has another length than its first 14 bytes say (or not even those).
    error WrongSealLength(uint256 received, uint256 expected);
    /// @notice A policy asks for at least one signature, at most all, of a list of at most 64.
    error BadPolicy(uint256 threshold, uint256 signers);
    /// @notice The consumer trusts another policy than the seal was made under.
    error WrongPolicy(bytes32 received, bytes32 expected);
    /// @notice Sort the list by address and name nobody twice, nor the zero address.
    error SignersNotAscending(uint256 index, address previous, address signer);
    /// @notice Fewer signed than the policy asks for.
    error TooFewSignatures(uint256 received, uint256 threshold);
    /// @notice A bit stands for nobody on the list.
    error NoSuchSigner(uint256 bitmap, uint256 signers);
    /// @notice Another key than that of signer `index` signed, or another claim was signed.
    error WrongSignerAt(uint256 index, address recovered, address expected);

    constructor(address hub) ClaimDomain(hub) {}

    /// @inheritdoc IVerifier
    function verify(bytes calldata seal, bytes32 trust, Claim calldata claim) external view {
        if (seal.length < _HEADER) revert WrongSealLength(seal.length, _HEADER);
        uint256 threshold = uint8(seal[4]);
        uint256 n = uint8(seal[5]);
        uint256 bitmap = uint64(bytes8(seal[6:_HEADER]));
        if (threshold == 0 || threshold > n || n > MAX_SIGNERS) revert BadPolicy(threshold, n);
        if (bitmap >> n != 0) revert NoSuchSigner(bitmap, n);
        uint256 signed = _count(bitmap);
        if (signed < threshold) revert TooFewSignatures(signed, threshold);
        uint256 start = _HEADER + 20 * n;
        uint256 size = start + ClaimSignature.SIZE * signed;
        if (seal.length != size) revert WrongSealLength(seal.length, size);
        address[] memory signers = _signers(seal, n);
        bytes32 policy = keccak256(abi.encode(threshold, signers));
        if (policy != trust) revert WrongPolicy(policy, trust);

        bytes32 digest = _digest(claim);
        for (uint256 i; i < n; ++i) {
            if (bitmap >> i & 1 == 0) continue;
            address recovered = seal.signer(start, digest);
            // No signer is zero, so what ecrecover says of nonsense is nobody's signature.
            if (recovered != signers[i]) revert WrongSignerAt(i, recovered, signers[i]);
            start += ClaimSignature.SIZE;
        }
    }

    function _signers(bytes calldata seal, uint256 n) private pure returns (address[] memory signers) {
        signers = new address[](n);
        address previous;
        for (uint256 i; i < n; ++i) {
            address signer = address(bytes20(seal[_HEADER + 20 * i:]));
            if (signer <= previous) revert SignersNotAscending(i, previous, signer);
            signers[i] = signer;
            previous = signer;
        }
    }

    function _count(uint256 bits) private pure returns (uint256 ones) {
        for (; bits != 0; bits &= bits - 1) {
            ++ones;
        }
    }
}
