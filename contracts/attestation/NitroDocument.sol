// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Memory} from "../libraries/Memory.sol";
import {Utf8} from "../libraries/Utf8.sol";
import {Span} from "../types/Span.sol";
import {Cbor, Reader} from "./Cbor.sol";

/// @notice What an attestation document says, as positions in it.
struct NitroFields {
    Span moduleId;
    /// Milliseconds since 1970.
    uint64 timestamp;
    /// By number, up to the highest there is; zero for one that is not in the document.
    Span[] pcrs;
    Span certificate;
    /// Root first.
    Span[] cabundle;
    /// Zero if the enclave gave none; this and the next two.
    Span publicKey;
    Span userData;
    Span nonce;
}

/// @title The payload of an AWS Nitro attestation document
/// @notice Nothing is verified here but the form.
///
/// Accepts a map, alone in its bytes, of definite or of indefinite length, with each key once and in any order:
///
/// | key (text) | value | must be there |
/// | --- | --- | --- |
/// | module_id | text, 1..1024 bytes of UTF-8 | yes |
/// | digest | text, "SHA384" | yes |
/// | timestamp | unsigned integer, 1 or more | yes |
/// | pcrs | map of definite count, 1..32 entries: unsigned integer 0..31, each once => 32, 48 or 64 bytes | yes |
/// | certificate | 1..1024 bytes | yes |
/// | cabundle | array of definite count, 1..8 entries of 1..1024 bytes | yes |
/// | public_key | 1..1024 bytes, or null | no |
/// | user_data | 0..1024 bytes, or null | no |
/// | nonce | 0..1024 bytes, or null | no |
///
/// Bytes are byte strings, and all of it in the form that Cbor calls the only one.
///
/// Where AWS's text leaves a choice, or real documents differ from it:
///
///  * "No field content can be null" (3.2.2.1), yet the module writes null for an optional field without a value. Null and
///    a missing key mean the same here, a span of zero. An empty value is a span of length zero at its place.
///  * user_data and nonce have at most 1024 bytes in 2.2 and at most 512 in 3.2.2.2. Documents with all
///    three of 1024 bytes exist.
///  * module_id has no limit there. Its 39 bytes are far from the limit here, which is the other fields'.
///  * cabundle has no upper limit there. AWS's chains have four certificates before the last; eight bounds the work.
///  * PCRs 0..15 are always there so far. AWS says "all locked PCRs", so any may be missing, and whoever needs one must see
///    that it is there: a span of zero is none.
///  * All PCRs of a SHA384 document have 48 bytes in practice; 32 and 64 are AWS's too. Whoever hashes them must see that
///    the lengths are what they expect.
///  * The order of keys is the module's own, not the deterministic one of RFC 8949 (4.2.1). Any order is taken; it is
///    signed, so nobody else can change it.
///
/// Refuses:
///
///  * A key that is not in the table (UnknownField). A field to come may change what the others mean, and a document that
///    two versions read differently is no proof. Also keys that are not text.
///  * A key that comes twice (DuplicateField, DuplicatePcr): readers differ in which of the two they take (RFC 8949, 5.6).
///  * A mandatory key that is missing (MissingField: the first of the table).
///  * Values of other types or sizes, null in a mandatory field, anything after the map.
///
/// The first thing that is wrong, in the order of the bytes, is the one that is named.
///
/// Source: AWS's docs/attestation_process.md (repository aws-nitro-enclaves-nsm-api), sections 2.2 and 3.2.2.
library NitroDocument {
    error UnknownField(uint256 offset, bytes field);
    error DuplicateField(uint256 offset, bytes field);
    error MissingField(bytes field);
    error NotUtf8(uint256 offset);
    error WrongDigest(uint256 offset, bytes received);
    error ZeroTimestamp(uint256 offset);
    error WrongLength(uint256 offset, uint256 received, uint256 least, uint256 most);
    error WrongPcrCount(uint256 offset, uint256 received);
    error WrongPcrIndex(uint256 offset, uint256 received);
    error DuplicatePcr(uint256 offset, uint256 index);
    error WrongPcrLength(uint256 offset, uint256 received);
    error WrongBundleLength(uint256 offset, uint256 received);

    /// @dev In the order in which a missing one is looked for: the mandatory ones first.
    enum Field {
        ModuleId,
        Digest,
        Timestamp,
        Pcrs,
        Certificate,
        Cabundle,
        PublicKey,
        UserData,
        Nonce
    }

    uint256 private constant MANDATORY = 6;
    uint256 private constant MAX_FIELD = 1024;
    uint256 private constant MAX_BUNDLE = 8;
    uint256 private constant MAX_PCRS = 32;

    /// @notice Reads a payload.
    /// @param payload Where it is in the document; the fields' positions are those in the document too.
    function parse(bytes calldata document, Span payload) internal pure returns (NitroFields memory fields) {
        Reader memory reader = Cbor.reader(document, payload);
        uint256 count = reader.openMap(document);
        uint256 seen;
        for (uint256 read; reader.more(document, count, read); ++read) {
            uint256 offset = reader.offset;
            bytes calldata key = reader.text(document).slice(document);
            Field field = _field(offset, key);
            uint256 flag = 1 << uint256(field);
            if (seen & flag != 0) revert DuplicateField(offset, key);
            seen |= flag;
            _take(fields, field, reader, document);
        }
        reader.finish();
        for (uint256 i; i < MANDATORY; ++i) {
            if (seen >> i & 1 == 0) revert MissingField(_name(Field(i)));
        }
    }

    function _field(uint256 offset, bytes calldata key) private pure returns (Field) {
        bytes32 hash = Memory.hash(key);
        if (hash == keccak256("module_id")) return Field.ModuleId;
        if (hash == keccak256("digest")) return Field.Digest;
        if (hash == keccak256("timestamp")) return Field.Timestamp;
        if (hash == keccak256("pcrs")) return Field.Pcrs;
        if (hash == keccak256("certificate")) return Field.Certificate;
        if (hash == keccak256("cabundle")) return Field.Cabundle;
        if (hash == keccak256("public_key")) return Field.PublicKey;
        if (hash == keccak256("user_data")) return Field.UserData;
        if (hash == keccak256("nonce")) return Field.Nonce;
        revert UnknownField(offset, key);
    }

    /// @dev Only of mandatory fields.
    function _name(Field field) private pure returns (bytes memory) {
        if (field == Field.ModuleId) return "module_id";
        if (field == Field.Digest) return "digest";
        if (field == Field.Timestamp) return "timestamp";
        if (field == Field.Pcrs) return "pcrs";
        if (field == Field.Certificate) return "certificate";
        return "cabundle";
    }

    /// @dev Takes the value of a field.
    function _take(NitroFields memory fields, Field field, Reader memory reader, bytes calldata document) private pure {
        if (field == Field.ModuleId) fields.moduleId = _moduleId(reader, document);
        else if (field == Field.Digest) _digest(reader, document);
        else if (field == Field.Timestamp) fields.timestamp = _timestamp(reader, document);
        else if (field == Field.Pcrs) fields.pcrs = _pcrs(reader, document);
        else if (field == Field.Certificate) fields.certificate = _sized(reader, document, 1);
        else if (field == Field.Cabundle) fields.cabundle = _bundle(reader, document);
        else if (field == Field.PublicKey) fields.publicKey = _optional(reader, document, 1);
        else if (field == Field.UserData) fields.userData = _optional(reader, document, 0);
        else fields.nonce = _optional(reader, document, 0);
    }

    function _moduleId(Reader memory reader, bytes calldata document) private pure returns (Span id) {
        uint256 offset = reader.offset;
        id = reader.text(document);
        uint256 size = id.length();
        if (size == 0 || size > MAX_FIELD) revert WrongLength(offset, size, 1, MAX_FIELD);
        if (!Utf8.isValid(id.slice(document))) revert NotUtf8(offset);
    }

    function _digest(Reader memory reader, bytes calldata document) private pure {
        uint256 offset = reader.offset;
        bytes calldata digest = reader.text(document).slice(document);
        if (Memory.hash(digest) != keccak256("SHA384")) revert WrongDigest(offset, digest);
    }

    function _timestamp(Reader memory reader, bytes calldata document) private pure returns (uint64 timestamp) {
        uint256 offset = reader.offset;
        timestamp = reader.unsigned(document);
        if (timestamp == 0) revert ZeroTimestamp(offset);
    }

    function _pcrs(Reader memory reader, bytes calldata document) private pure returns (Span[] memory pcrs) {
        uint256 offset = reader.offset;
        uint256 count = reader.head(document, Cbor.MAP);
        if (count == 0 || count > MAX_PCRS) revert WrongPcrCount(offset, count);
        pcrs = new Span[](MAX_PCRS);
        uint256 length;
        for (uint256 i; i < count; ++i) {
            offset = reader.offset;
            uint256 index = reader.unsigned(document);
            if (index >= MAX_PCRS) revert WrongPcrIndex(offset, index);
            if (pcrs[index].length() != 0) revert DuplicatePcr(offset, index);
            offset = reader.offset;
            Span pcr = reader.byteString(document);
            uint256 size = pcr.length();
            if (size != 32 && size != 48 && size != 64) revert WrongPcrLength(offset, size);
            pcrs[index] = pcr;
            if (index >= length) length = index + 1;
        }
        assembly ("memory-safe") {
            mstore(pcrs, length)
        }
    }

    function _bundle(Reader memory reader, bytes calldata document) private pure returns (Span[] memory cabundle) {
        uint256 offset = reader.offset;
        uint256 count = reader.head(document, Cbor.ARRAY);
        if (count == 0 || count > MAX_BUNDLE) revert WrongBundleLength(offset, count);
        cabundle = new Span[](count);
        for (uint256 i; i < count; ++i) {
            cabundle[i] = _sized(reader, document, 1);
        }
    }

    function _optional(Reader memory reader, bytes calldata document, uint256 least) private pure returns (Span value) {
        if (!reader.takeNull(document)) value = _sized(reader, document, least);
    }

    function _sized(Reader memory reader, bytes calldata document, uint256 least) private pure returns (Span value) {
        uint256 offset = reader.offset;
        value = reader.byteString(document);
        uint256 size = value.length();
        if (size < least || size > MAX_FIELD) revert WrongLength(offset, size, least, MAX_FIELD);
    }
}
