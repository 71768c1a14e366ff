// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Claim} from "../types/Claim.sol";

/// @notice The curve of an enclave's key: ECDSA by `ecrecover`, or by P256VERIFY (EIP-7951) where the chain has it.
enum Curve {
    Secp256k1,
    P256
}

/// @notice A key that was made inside of an enclave. `imageId` is keccak256(PCR0 ‖ PCR1 ‖ PCR2), zero for no key.
/// `operator` is who runs the enclave and is paid for what it signs. `expiry` is the last second at which it counts.
struct EnclaveKey {
    bytes32 imageId;
    address operator;
    uint40 expiry;
    Curve curve;
    bool revoked;
}

/// @title Keys of enclaves, let in by their attestation documents alone
/// @notice Nobody decides which image is good: the consumer names an image id in its request's trust. A key's id is the
/// address made of it: the last 20 bytes of keccak256(x ‖ y), on either curve.
///
/// What an enclave has to put into its document:
///
/// | field | content | else |
/// | --- | --- | --- |
/// | `public_key` | DER SubjectPublicKeyInfo (RFC 5480), uncompressed: 88 bytes for secp256k1, 91 for P-256 | `NotAKey` |
/// | `user_data` | chain id (32 bytes) ‖ this contract (20) ‖ operator (20) ‖ anything, such as the hash of a TLS key | `WrongUserData`, `WrongChain`, `WrongContract` |
/// | `nonce` | number of a block (8 bytes) ‖ its hash (32) | `WrongNonce`, `UnknownBlock` |
///
/// The block is one of the last 256, or of the last 8,191 where the chain keeps them (EIP-2935): the document was made
/// after it. Its timestamp is at most MAX_AGE old, and at most SKEW ahead. Documents of images in debug mode, whose
/// PCRs are zero, are refused: anybody can read such an enclave's memory.
///
/// A key ends
///
/// | when | by whom |
/// | --- | --- |
/// | its `expiry` passes: the first end of its certificates, some three hours after the enclave was started | by itself; the enclave attests the same key anew before |
/// | its operator says so | `revoke` |
/// | it signed two outputs for one request | anybody, with both: `revokeEquivocation` |
/// | the guard of the attestation contract revoked one of its certificates, REVOCATION_DELAY seconds ago | anybody: `revokeByCertificate` |
///
/// An end cannot be undone: a revoked key is never let in again. What was settled before stays settled.
interface IEnclaveKeys {
    /// @param extra What followed in the user data.
    /// @param certificates keccak256 of each certificate's DER, root first: what `revokeByCertificate` will want.
    event KeyRegistered(
        address indexed key,
        address indexed operator,
        bytes32 indexed imageId,
        Curve curve,
        uint40 expiry,
        bytes extra,
        bytes32[] certificates
    );
    event KeyRevoked(address indexed key, address indexed by);

    /// @notice A debug image proves nothing: run the enclave without --debug-mode.
    error DebugImage();
    /// @notice PCR0, PCR1 and PCR2 have 48 bytes (SHA-384) each.
    error PcrMissing(uint256 index, uint256 length);
    /// @notice The document is of `timestamp` (seconds): older than MAX_AGE, or more than SKEW ahead.
    error NotFresh(uint256 timestamp, uint256 from, uint256 to);
    error NotAKey(bytes publicKey);
    error WrongUserData(uint256 length);
    error WrongChain(uint256 received, uint256 expected);
    error WrongContract(address received, address expected);
    error WrongNonce(uint256 length);
    /// @notice No such block, or it is too old for this chain to remember its hash (then `expected` is zero).
    error UnknownBlock(uint256 number, bytes32 received, bytes32 expected);
    /// @notice The key is another operator's or image's already: an enclave's key is its own.
    error KeyTaken(address key, address operator, bytes32 imageId);
    error KeyIsRevoked(address key);
    error UnknownKey(address key);
    error NotTheOperator(address caller, address operator);
    /// @notice Both claims must be about one request and have different outputs.
    error NoEquivocation();
    /// @notice The two claims were signed by different keys.
    error TwoKeys(address a, address b);
    /// @notice These are not the certificates that the key was registered with.
    error WrongCertificates();
    /// @notice The guard did not revoke this certificate (`from` is zero), or the delay has not passed.
    error NotYetRevocable(bytes32 certificate, uint256 from);

    /// @notice Lets in the key that the document attests, or prolongs it; anybody may send it. A document that expires
    /// no later than what is known changes nothing.
    /// @param hints As `INitroAttestation.verify` wants them.
    /// @return key Its id.
    function register(bytes calldata document, bytes[] calldata hints) external returns (address key);

    /// @notice Ends a key. Its operator only.
    function revoke(address key) external;

    /// @notice Ends a key that signed two claims about one request with different outputs.
    /// @param sealA Seal of the enclave route over claim `a`; so `sealB` over `b`.
    function revokeEquivocation(bytes calldata sealA, Claim calldata a, bytes calldata sealB, Claim calldata b) external;

    /// @notice Ends a key one of whose certificates was revoked long enough ago.
    /// @param certificates As in the key's last `KeyRegistered`.
    /// @param index Which of them was revoked.
    function revokeByCertificate(address key, bytes32[] calldata certificates, uint256 index) external;

    /// @notice All zero for an id that was never registered.
    function keyOf(address key) external view returns (EnclaveKey memory);

    /// @notice Seconds that a document may be old, and ahead of the chain's clock.
    function MAX_AGE() external view returns (uint40);
    function SKEW() external view returns (uint40);

    /// @notice Seconds between a certificate's revocation and the end of the keys that came with it: time to attest anew.
    function REVOCATION_DELAY() external view returns (uint40);
}
