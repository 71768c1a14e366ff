// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {Attestation, INitroAttestation} from "../interfaces/INitroAttestation.sol";
import {Span, SpanLib} from "../types/Span.sol";
import {NitroFields} from "./NitroDocument.sol";
import {NitroReader} from "./NitroReader.sol";
import {P384} from "./P384.sol";
import {Sha384Hash} from "./Sha384Hash.sol";
import {Certificate, X509} from "./X509.sol";

/// @title Checks AWS Nitro attestation documents and remembers their certificates
contract NitroAttestation is INitroAttestation, Ownable2Step {
    /// @dev What is known of a chain of verified certificates; one slot, never zero.
    struct Verified {
        uint40 notBefore;
        uint40 notAfter;
        // How many authorities may still follow; X509.NO_PATH_LEN for any number.
        uint8 pathLeft;
        bool authority;
        bool signer;
    }

    /// @dev Where a walk along a chain has come to.
    struct Walk {
        Verified known;
        // Parsed only when the next certificate has to be checked against it.
        Certificate certificate;
        bytes32[] hashes;
        bytes32[] chains;
    }

    uint16 private constant DIGITAL_SIGNATURE = 1;
    uint16 private constant KEY_CERT_SIGN = 1 << 5;

    /// @inheritdoc INitroAttestation
    bytes32 public immutable ROOT_FINGERPRINT;
    /// @notice Knows the form of documents.
    NitroReader public immutable READER;
    /// @notice Hashes what is signed.
    Sha384Hash public immutable HASH;
    /// @notice Checks the signatures.
    P384 public immutable SIGNATURES;

    /// @inheritdoc INitroAttestation
    mapping(bytes32 certificate => uint40) public revokedAt;
    // By the hash of all certificates from the root on: a certificate is verified under its issuers, not by itself.
    mapping(bytes32 chain => Verified) private _verified;

    /// @param guard May revoke certificates, and hand that over or give it up.
    constructor(NitroReader reader, Sha384Hash hash, P384 signatures, bytes32 rootFingerprint, address guard)
        Ownable(guard)
    {
        (READER, HASH, SIGNATURES, ROOT_FINGERPRINT) = (reader, hash, signatures, rootFingerprint);
    }

    /// @inheritdoc INitroAttestation
    function verify(bytes calldata document, bytes[] calldata hints) external returns (Attestation memory) {
        (NitroFields memory fields, Span signature, bytes memory toBeSigned) = READER.read(document);
        uint256 last = fields.cabundle.length;
        if (hints.length != last + 1) revert WrongHintsCount(hints.length, last + 1);
        Span[] memory chain = new Span[](last + 1);
        for (uint256 i; i < last; ++i) {
            chain[i] = fields.cabundle[i];
        }
        chain[last] = fields.certificate;

        Walk memory walk = _walk(document, chain, hints);
        if (!walk.known.signer) revert NotASigner(last);
        bytes calldata leaf = chain[last].slice(document);
        _checkSignature(
            last + 1, toBeSigned, _certificate(walk, leaf).key.slice(leaf), signature.slice(document), hints[last]
        );
        return _attestation(document, fields, walk);
    }

    /// @inheritdoc INitroAttestation
    function verifyCertificates(bytes[] calldata chain, bytes[] calldata hints) external {
        if (chain.length < 2) revert ChainTooShort(chain.length);
        if (hints.length != chain.length - 1) revert WrongHintsCount(hints.length, chain.length - 1);
        Span[] memory spans = new Span[](chain.length);
        for (uint256 i; i < chain.length; ++i) {
            bytes calldata certificate = chain[i];
            uint256 start;
            assembly ("memory-safe") {
                start := certificate.offset
            }
            spans[i] = SpanLib.span(start, certificate.length);
        }
        _walk(msg.data, spans, hints);
    }

    /// @inheritdoc INitroAttestation
    function revokeCertificate(bytes32 certificate) external onlyOwner {
        if (revokedAt[certificate] != 0) revert AlreadyRevoked(certificate);
        revokedAt[certificate] = uint40(block.timestamp);
        emit CertificateRevoked(certificate);
    }

    /// @inheritdoc INitroAttestation
    function isVerified(bytes32[] calldata certificates) external view returns (bool) {
        bytes32 chain;
        for (uint256 i; i < certificates.length; ++i) {
            chain = _extended(chain, certificates[i]);
        }
        return _verified[chain].notAfter != 0;
    }

    /// @dev From the longest part that is known to the end of the chain, whose state it leaves in `known`.
    function _walk(bytes calldata data, Span[] memory chain, bytes[] calldata hints)
        private
        returns (Walk memory walk)
    {
        uint256 length = chain.length;
        _identify(data, chain, walk);
        uint256 i = length;
        while (--i != 0) {
            walk.known = _verified[walk.chains[i]];
            if (walk.known.notAfter != 0) break;
        }
        if (i == 0) {
            Certificate memory root = X509.parse(chain[0].slice(data));
            walk.certificate = root;
            walk.known = Verified({
                notBefore: root.notBefore,
                notAfter: root.notAfter,
                pathLeft: root.pathLen,
                authority: _isAuthority(root),
                signer: false
            });
        }
        _checkDates(i, walk.known);
        while (++i < length) {
            _extend(walk, i, chain[i - 1].slice(data), chain[i].slice(data), hints[i - 1]);
        }
    }

    /// @dev Hashes of the certificates and of the chains that end with them.
    function _identify(bytes calldata data, Span[] memory chain, Walk memory walk) private view {
        bytes32 fingerprint = sha256(chain[0].slice(data));
        if (fingerprint != ROOT_FINGERPRINT) revert WrongRoot(fingerprint, ROOT_FINGERPRINT);
        walk.hashes = new bytes32[](chain.length);
        walk.chains = new bytes32[](chain.length);
        bytes32 above;
        for (uint256 i; i < chain.length; ++i) {
            bytes32 certificate = keccak256(chain[i].slice(data));
            if (revokedAt[certificate] != 0) revert CertificateIsRevoked(i, certificate);
            above = _extended(above, certificate);
            (walk.hashes[i], walk.chains[i]) = (certificate, above);
        }
    }

    /// @dev One certificate more.
    function _extend(Walk memory walk, uint256 i, bytes calldata issuer, bytes calldata data, bytes calldata hint)
        private
    {
        Verified memory above = walk.known;
        if (hint.length == 0) revert HintsMissing(i, walk.hashes[i]);
        if (!above.authority) revert NotAnAuthority(i - 1);
        Certificate memory parent = _certificate(walk, issuer);
        Certificate memory certificate = X509.parse(data);
        if (keccak256(certificate.issuer.slice(data)) != keccak256(parent.subject.slice(issuer))) {
            revert WrongIssuer(i);
        }
        Verified memory known = Verified({
            notBefore: certificate.notBefore > above.notBefore ? certificate.notBefore : above.notBefore,
            notAfter: certificate.notAfter < above.notAfter ? certificate.notAfter : above.notAfter,
            pathLeft: above.pathLeft,
            authority: _isAuthority(certificate),
            signer: !certificate.ca && certificate.keyUsage & DIGITAL_SIGNATURE != 0
        });
        if (certificate.ca) {
            if (above.pathLeft == 0) revert PathTooLong(i);
            uint8 left = above.pathLeft == X509.NO_PATH_LEN ? X509.NO_PATH_LEN : above.pathLeft - 1;
            known.pathLeft = certificate.pathLen < left ? certificate.pathLen : left;
        }
        _checkDates(i, known);
        _checkSignature(i, bytes(certificate.tbs.slice(data)), parent.key.slice(issuer), certificate.signature, hint);

        (walk.known, walk.certificate) = (known, certificate);
        _verified[walk.chains[i]] = known;
        emit CertificateVerified(walk.hashes[i], walk.hashes[i - 1], known.notAfter);
    }

    function _checkDates(uint256 i, Verified memory known) private view {
        if (block.timestamp < known.notBefore) revert CertificateNotYetValid(i, known.notBefore);
        if (block.timestamp > known.notAfter) revert CertificateExpired(i, known.notAfter);
    }

    function _checkSignature(
        uint256 i,
        bytes memory message,
        bytes calldata key,
        bytes memory signature,
        bytes calldata hint
    ) private view {
        (bytes32 head, bytes16 tail) = HASH.hash(message);
        try SIGNATURES.verify(abi.encodePacked(head, tail), key, signature, hint) {}
        catch (bytes memory reason) {
            revert WrongSignature(i, reason);
        }
    }

    /// @dev The last certificate walked over; parsed if it was known.
    function _certificate(Walk memory walk, bytes calldata data) private pure returns (Certificate memory) {
        if (walk.certificate.notAfter == 0) walk.certificate = X509.parse(data);
        return walk.certificate;
    }

    function _isAuthority(Certificate memory certificate) private pure returns (bool) {
        return certificate.ca && certificate.keyUsage & KEY_CERT_SIGN != 0;
    }

    function _extended(bytes32 chain, bytes32 certificate) private pure returns (bytes32) {
        return keccak256(abi.encode(chain, certificate));
    }

    function _attestation(bytes calldata document, NitroFields memory fields, Walk memory walk)
        private
        pure
        returns (Attestation memory)
    {
        bytes[] memory pcrs = new bytes[](fields.pcrs.length);
        for (uint256 i; i < pcrs.length; ++i) {
            pcrs[i] = fields.pcrs[i].slice(document);
        }
        return Attestation({
            moduleId: string(fields.moduleId.slice(document)),
            timestamp: fields.timestamp,
            pcrs: pcrs,
            publicKey: fields.publicKey.slice(document),
            userData: fields.userData.slice(document),
            nonce: fields.nonce.slice(document),
            expiry: walk.known.notAfter,
            certificates: walk.hashes
        });
    }
}
