// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice What an attestation document says, once its signature and its chain of certificates have been checked.
/// `timestamp` is in milliseconds since 1970, as the hypervisor's clock had it. `pcrs` by number, up to the highest that
/// the document has; empty where it has none. `publicKey`, `userData` and `nonce` are what the enclave asked to be
/// attested; empty where it gave none. `expiry` is the last second at which every certificate of the chain is valid.
/// `certificates` are keccak256 of each certificate's DER, root first, the one that signed the document last.
struct Attestation {
    string moduleId;
    uint64 timestamp;
    bytes[] pcrs;
    bytes publicKey;
    bytes userData;
    bytes nonce;
    uint40 expiry;
    bytes32[] certificates;
}

/// @title AWS Nitro attestation documents, checked in full by the EVM
/// @notice A document is accepted if it is a COSE_Sign1 (ES384) over an attestation payload, signed by the last of a chain of
/// X.509 certificates that starts with the pinned root. No administrator, oracle or proof of another kind is involved.
///
/// Of the chain is asked (RFC 5280 section 6.1; certificates are counted from the root, which is 0):
///
/// | certificate | rule | else |
/// | --- | --- | --- |
/// | 0 | its SHA-256 is ROOT_FINGERPRINT; being pinned, its own signature says nothing and is not checked | `WrongRoot` |
/// | every | valid at the time of the block, both ends included | `CertificateNotYetValid`, `CertificateExpired` |
/// | every | the guard has not revoked it | `CertificateIsRevoked` |
/// | all but the last | basicConstraints cA, keyUsage keyCertSign | `NotAnAuthority` |
/// | all but the last | at most as many authorities below it as its pathLen says | `PathTooLong` |
/// | all but the first | its issuer is the subject of the one above it, byte for byte | `WrongIssuer` |
/// | all but the first | signed by the key of the one above it | `WrongSignature` |
/// | the last | no authority; keyUsage digitalSignature | `NotASigner` |
///
/// What a document and a certificate may look like, and how they are refused, is in `CoseSign1`, `NitroDocument`, `X509`.
/// A certificate that was verified is remembered, together with all that are above it, so that it costs a signature
/// once. It is not remembered as valid: the dates of the whole chain and the revocations are checked every time.
///
/// Signatures come with hints (see `P384`), which `vouch attest` makes. Hints are not trusted.
interface INitroAttestation {
    event CertificateVerified(bytes32 indexed certificate, bytes32 indexed issuer, uint40 notAfter);
    event CertificateRevoked(bytes32 indexed certificate);

    /// @notice The chain starts with another root: fingerprints are SHA-256 of the DER, as AWS publishes its own.
    error WrongRoot(bytes32 received, bytes32 expected);
    /// @notice One entry for each certificate after the root, which may be empty where `isVerified`, then the document's.
    error WrongHintsCount(uint256 received, uint256 expected);
    /// @notice This certificate was never verified, and came without hints: make them with `vouch attest hints`.
    error HintsMissing(uint256 index, bytes32 certificate);
    /// @notice `index` is that of the certificate, or their number for the document. `reason` is the error of P384; a
    /// valid signature is also refused if its hints are wrong or gas ran short (then `reason` is empty).
    error WrongSignature(uint256 index, bytes reason);
    error WrongIssuer(uint256 index);
    error NotAnAuthority(uint256 index);
    error NotASigner(uint256 index);
    error PathTooLong(uint256 index);
    /// @notice Some certificate up to `index` begins later than now. `notBefore` is the latest beginning among them.
    error CertificateNotYetValid(uint256 index, uint256 notBefore);
    /// @notice Some certificate up to `index` has expired. `notAfter` is the earliest end among them.
    error CertificateExpired(uint256 index, uint256 notAfter);
    error CertificateIsRevoked(uint256 index, bytes32 certificate);
    /// @notice A chain is the root and at least one more.
    error ChainTooShort(uint256 length);
    /// @notice Revoked once is revoked for ever.
    error AlreadyRevoked(bytes32 certificate);

    /// @notice Checks a document with its whole chain, and remembers the certificates that were new.
    /// @param document COSE_Sign1 as the Nitro Secure Module made it, tagged or not.
    /// @param hints For each certificate after the root, in order (empty for those that are verified), then for the document.
    function verify(bytes calldata document, bytes[] calldata hints) external returns (Attestation memory);

    /// @notice Checks and remembers the first certificates of a chain, so that it need not be done in one transaction.
    /// @param chain DER, root first: as many of a document's certificates as one likes, from two on.
    /// @param hints One entry for each after the root, empty for those that are verified.
    function verifyCertificates(bytes[] calldata chain, bytes[] calldata hints) external;

    /// @notice Whether a chain was verified at some time, whatever its dates and revocations are now.
    /// @param certificates keccak256 of each certificate's DER, root first.
    function isVerified(bytes32[] calldata certificates) external view returns (bool);

    /// @notice From now on no document is accepted whose chain has this certificate. The owner only, who can do nothing else.
    /// @param certificate keccak256 of its DER.
    function revokeCertificate(bytes32 certificate) external;

    /// @notice When the guard revoked a certificate, in seconds since 1970; 0 if it did not.
    function revokedAt(bytes32 certificate) external view returns (uint40);

    /// @notice SHA-256 of the pinned root's DER. AWS's is
    /// 0x641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b; any other is a development authority's.
    function ROOT_FINGERPRINT() external view returns (bytes32);
}
