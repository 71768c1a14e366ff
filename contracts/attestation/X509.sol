// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Memory} from "../libraries/Memory.sol";
import {Span, SpanLib} from "../types/Span.sol";
import {Cursor, Der} from "./Der.sol";

/// @notice What a certificate says; spans are positions in its bytes.
struct Certificate {
    /// What is signed: the whole TBSCertificate.
    Span tbs;
    /// The whole Name, to be compared byte for byte.
    Span issuer;
    Span subject;
    /// x ‖ y, 48 bytes each.
    Span key;
    /// Unix seconds, the first and the last one in which it is valid.
    uint40 notBefore;
    uint40 notAfter;
    /// Whether the key may sign certificates, if `keyUsage` says so too.
    bool ca;
    /// How many authorities may follow at most before the last certificate; X509.NO_PATH_LEN for any number.
    uint8 pathLen;
    /// Bit i is the one that RFC 5280 numbers i: 0 digitalSignature, 5 keyCertSign, 6 cRLSign.
    uint16 keyUsage;
    /// r ‖ s, 48 bytes each.
    bytes signature;
}

/// @title Reader of the one kind of X.509 certificate that AWS Nitro attestation uses
/// @notice Says what a certificate says, not whether it is true: signature, dates, issuer, path length and key usage
/// are the caller's to check, together with the certificate above. r, s and the key's coordinates are any 384-bit
/// numbers here; `P384` checks their ranges and that the key is on the curve.
///
/// Accepts (RFC 5280 section 4.1; all of it in DER, as `Der` describes) a Certificate with nothing behind it:
///
///  * version: v3, written as [0] { INTEGER 2 }.
///  * serialNumber: 1 to 2**160 - 1 (4.1.2.2). AWS draws all 160 bits, so 21 octets with the sign's do occur.
///  * signature and signatureAlgorithm: ecdsa-with-SHA384 without parameters (RFC 5758, 3.2), in both places.
///  * issuer and subject: at least one RelativeDistinguishedName, each with exactly one attribute of a type and a value
///    of any type. Values are not looked at: names are identifiers that the caller compares byte for byte, which is
///    stricter than 7.1 and never mistakes two names for one.
///  * validity: two times. That the first is not later than the second is not checked: no moment is in between then.
///  * subjectPublicKeyInfo: id-ecPublicKey with secp384r1 (RFC 5480, 2.1.1), an uncompressed point of 97 octets (SEC 1,
///    2.3.3).
///  * extensions (4.2): at most 16, no two with the same OID, `critical` left out or TRUE. Understood, critical or not:
///     - keyUsage (4.2.1.3), which must be there: bits 0 to 8, at least one of them.
///     - basicConstraints (4.2.1.9): cA left out or TRUE; pathLenConstraint only with cA, 0 to 254. Left out: no CA.
///    Every other extension is skipped if it is not critical (4.2), its value not looked at: key identifiers and CRL
///    distribution points, which AWS has; certificate policies, policy mappings, alternative names and information
///    access, which only add to what a certificate says. CRLs are not read: `NitroAttestation`'s guard revokes.
///  * signatureValue: r and s, at most 48 octets each without the sign's (RFC 3279, 2.2.3).
///
/// Refuses everything else, particularly:
///
///  * issuerUniqueID and subjectUniqueID (as WrongTag): conforming CAs must not use them (4.1.2.8).
///  * Any other critical extension: UnknownCriticalExtension.
///  * Extensions that narrow what a certificate is for, even where a careless CA made them not critical, as skipping
///    them would allow more than the CA did: nameConstraints, policyConstraints and inhibitAnyPolicy, which must be
///    critical (4.2.1.10, 4.2.1.11, 4.2.1.14), and extendedKeyUsage, which binds whether critical or not (4.2.1.12) and
///    has no purpose for attestation: RestrictingExtension. AWS has none of them.
///  * Names with several attributes in one set: DER's order of a set (X.690, 11.6) then never has to be checked.
///
/// A certificate of AWS costs 48,000 to 60,000 gas, a third of it for the two names.
///
/// Sources: RFC 5280; RFC 5480; RFC 5758; RFC 3279; SEC 1 v2; X.690. AWS: "Verifying the root of trust" in the AWS
/// Nitro Enclaves user guide, and attestation_process.md in aws-nitro-enclaves-nsm-api.
library X509 {
    error WrongVersion(uint256 received);
    error WrongSerial(uint256 received);
    error WrongSignatureAlgorithm(bytes received);
    error EmptyName(uint256 offset);
    error WrongKeyAlgorithm(bytes received);
    error WrongKeySize(uint256 received);
    error CompressedKey(uint8 received);
    error TooManyExtensions(uint256 most);
    error DuplicateExtension(bytes oid);
    error RestrictingExtension(bytes oid);
    error UnknownCriticalExtension(bytes oid);
    error PathLenWithoutCa(uint256 offset);
    error PathLenTooLong(uint256 received, uint256 most);
    error WrongKeyUsage(uint16 received);
    error MissingKeyUsage();

    /// @notice `pathLen` of a certificate without pathLenConstraint.
    uint8 internal constant NO_PATH_LEN = type(uint8).max;

    uint8 private constant VERSION = 0xa0;
    uint8 private constant EXTENSIONS = 0xa3;
    uint256 private constant VERSION_3 = 2;
    uint256 private constant MAX_SERIAL = type(uint160).max;
    uint256 private constant MAX_EXTENSIONS = 16;
    uint16 private constant KEY_USAGES = 0x1ff;
    uint8 private constant UNCOMPRESSED = 0x04;
    uint256 private constant COORDINATE = 48;

    // Content of the AlgorithmIdentifiers: ecdsa-with-SHA384; id-ecPublicKey, secp384r1.
    bytes32 private constant ECDSA_WITH_SHA384 = keccak256(hex"06082a8648ce3d040303");
    bytes32 private constant EC_P384 = keccak256(hex"06072a8648ce3d020106052b81040022");
    // id-ce, 2.5.29, and the extension's number.
    bytes32 private constant KEY_USAGE = keccak256(hex"551d0f");
    bytes32 private constant BASIC_CONSTRAINTS = keccak256(hex"551d13");
    bytes32 private constant NAME_CONSTRAINTS = keccak256(hex"551d1e");
    bytes32 private constant POLICY_CONSTRAINTS = keccak256(hex"551d24");
    bytes32 private constant EXTENDED_KEY_USAGE = keccak256(hex"551d25");
    bytes32 private constant INHIBIT_ANY_POLICY = keccak256(hex"551d36");

    /// @notice Reads a certificate, which must be all of `data`.
    function parse(bytes calldata data) internal pure returns (Certificate memory certificate) {
        Cursor memory cursor = Der.cursor(SpanLib.span(0, data.length));
        uint256 end = cursor.enter(data, Der.SEQUENCE);
        uint256 start = cursor.offset;
        _readTbs(data, cursor, certificate);
        certificate.tbs = cursor.since(start);
        _checkSignatureAlgorithm(data, cursor);
        certificate.signature = _signature(data, cursor);
        cursor.exit(end);
        cursor.close();
    }

    /// @dev TBSCertificate.
    function _readTbs(bytes calldata data, Cursor memory cursor, Certificate memory certificate) private pure {
        uint256 end = cursor.enter(data, Der.SEQUENCE);
        _checkVersion(data, cursor);
        uint256 serial = cursor.number(data, 32);
        if (serial == 0 || serial > MAX_SERIAL) revert WrongSerial(serial);
        _checkSignatureAlgorithm(data, cursor);
        certificate.issuer = _name(data, cursor);
        (certificate.notBefore, certificate.notAfter) = _validity(data, cursor);
        certificate.subject = _name(data, cursor);
        certificate.key = _key(data, cursor);
        _readExtensions(data, cursor, certificate);
        cursor.exit(end);
    }

    function _checkVersion(bytes calldata data, Cursor memory cursor) private pure {
        uint256 end = cursor.enter(data, VERSION);
        uint256 version = cursor.number(data, 1);
        if (version != VERSION_3) revert WrongVersion(version);
        cursor.exit(end);
    }

    function _checkSignatureAlgorithm(bytes calldata data, Cursor memory cursor) private pure {
        bytes calldata algorithm = cursor.take(data, Der.SEQUENCE).slice(data);
        if (Memory.hash(algorithm) != ECDSA_WITH_SHA384) revert WrongSignatureAlgorithm(algorithm);
    }

    /// @dev The whole Name.
    function _name(bytes calldata data, Cursor memory cursor) private pure returns (Span) {
        uint256 start = cursor.offset;
        uint256 end = cursor.enter(data, Der.SEQUENCE);
        if (cursor.done()) revert EmptyName(start);
        while (!cursor.done()) {
            uint256 endOfName = cursor.enter(data, Der.SET);
            uint256 endOfSet = cursor.enter(data, Der.SEQUENCE);
            cursor.oid(data);
            cursor.next(data);
            cursor.exit(endOfSet);
            cursor.exit(endOfName);
        }
        cursor.exit(end);
        return cursor.since(start);
    }

    function _validity(bytes calldata data, Cursor memory cursor)
        private
        pure
        returns (uint40 notBefore, uint40 notAfter)
    {
        uint256 end = cursor.enter(data, Der.SEQUENCE);
        notBefore = cursor.time(data);
        notAfter = cursor.time(data);
        cursor.exit(end);
    }

    /// @dev x ‖ y of a SubjectPublicKeyInfo.
    function _key(bytes calldata data, Cursor memory cursor) private pure returns (Span) {
        uint256 end = cursor.enter(data, Der.SEQUENCE);
        bytes calldata algorithm = cursor.take(data, Der.SEQUENCE).slice(data);
        if (Memory.hash(algorithm) != EC_P384) revert WrongKeyAlgorithm(algorithm);
        Span point = cursor.octetString(data);
        cursor.exit(end);
        uint8 form = uint8(point.slice(data)[0]);
        if (form != UNCOMPRESSED) revert CompressedKey(form);
        if (point.length() != 1 + 2 * COORDINATE) revert WrongKeySize(point.length());
        return SpanLib.span(point.start() + 1, 2 * COORDINATE);
    }

    function _readExtensions(bytes calldata data, Cursor memory cursor, Certificate memory certificate) private pure {
        certificate.pathLen = NO_PATH_LEN;
        uint256 end = cursor.enter(data, EXTENSIONS);
        uint256 endOfWrapper = cursor.enter(data, Der.SEQUENCE);
        bytes32[] memory seen = new bytes32[](MAX_EXTENSIONS + 1);
        for (uint256 count; !cursor.done(); ++count) {
            if (count == MAX_EXTENSIONS) revert TooManyExtensions(MAX_EXTENSIONS);
            seen[count] = _readExtension(data, cursor, seen, certificate);
        }
        cursor.exit(endOfWrapper);
        cursor.exit(end);
        if (certificate.keyUsage == 0) revert MissingKeyUsage();
    }

    /// @param seen Hashes of the OIDs so far, then zeros.
    /// @return id Hash of this one.
    function _readExtension(
        bytes calldata data,
        Cursor memory cursor,
        bytes32[] memory seen,
        Certificate memory certificate
    ) private pure returns (bytes32 id) {
        uint256 end = cursor.enter(data, Der.SEQUENCE);
        bytes calldata oid = cursor.oid(data).slice(data);
        bool critical = cursor.flag(data);
        Span value = cursor.take(data, Der.OCTET_STRING);
        id = Memory.hash(oid);
        for (uint256 i; seen[i] != 0; ++i) {
            if (seen[i] == id) revert DuplicateExtension(oid);
        }
        if (id == KEY_USAGE) {
            certificate.keyUsage = _keyUsage(data, cursor, value);
        } else if (id == BASIC_CONSTRAINTS) {
            _readBasicConstraints(data, cursor, value, certificate);
        } else {
            if (_restricts(id)) revert RestrictingExtension(oid);
            if (critical) revert UnknownCriticalExtension(oid);
        }
        cursor.exit(end);
    }

    /// @dev Whether skipping the extension would allow what the issuer did not.
    function _restricts(bytes32 id) private pure returns (bool) {
        return
            id == NAME_CONSTRAINTS || id == POLICY_CONSTRAINTS || id == EXTENDED_KEY_USAGE || id == INHIBIT_ANY_POLICY;
    }

    function _keyUsage(bytes calldata data, Cursor memory cursor, Span value) private pure returns (uint16 usage) {
        uint256 end = cursor.enter(value);
        usage = cursor.namedBits(data);
        if (usage == 0 || usage > KEY_USAGES) revert WrongKeyUsage(usage);
        cursor.exit(end);
    }

    function _readBasicConstraints(
        bytes calldata data,
        Cursor memory cursor,
        Span value,
        Certificate memory certificate
    ) private pure {
        uint256 end = cursor.enter(value);
        uint256 endOfValue = cursor.enter(data, Der.SEQUENCE);
        certificate.ca = cursor.flag(data);
        if (!cursor.done()) {
            if (!certificate.ca) revert PathLenWithoutCa(cursor.offset);
            uint256 pathLen = cursor.number(data, 32);
            if (pathLen >= NO_PATH_LEN) revert PathLenTooLong(pathLen, NO_PATH_LEN - 1);
            certificate.pathLen = uint8(pathLen);
        }
        cursor.exit(endOfValue);
        cursor.exit(end);
    }

    /// @dev r ‖ s of an ECDSA-Sig-Value, 48 bytes each.
    function _signature(bytes calldata data, Cursor memory cursor) private pure returns (bytes memory) {
        uint256 end = cursor.enter(cursor.octetString(data));
        uint256 endOfBits = cursor.enter(data, Der.SEQUENCE);
        Span r = cursor.integer(data, COORDINATE);
        Span s = cursor.integer(data, COORDINATE);
        cursor.exit(endOfBits);
        cursor.exit(end);
        return bytes.concat(
            new bytes(COORDINATE - r.length()), r.slice(data), new bytes(COORDINATE - s.length()), s.slice(data)
        );
    }
}
