// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Memory} from "../libraries/Memory.sol";
import {Span, SpanLib} from "../types/Span.sol";
import {Cbor, Reader} from "./Cbor.sol";

/// @notice Parts of a signed message, as positions in it: the content of each byte string, without its head.
struct Sign1 {
    Span protectedHeader;
    Span payload;
    Span signature;
}

/// @title COSE_Sign1 with ES384, as the Nitro Secure Module makes it
/// @notice A payload under one signature: ECDSA over P-384, of the SHA-384 digest of what `toBeSigned` gives. Nothing is
/// verified here.
///
/// Accepts, as the whole input, and in the form that Cbor calls the only one:
///
/// | bytes | what (RFC 9052, 4.2) |
/// | --- | --- |
/// | none, or d2 | tag 18 for COSE_Sign1 (RFC 9052, 2, table 1). The module leaves it out, and AWS's documentation shows it |
/// | 84 | array of four |
/// | 44 a1013822 | protected header, a byte string of the map {1: -35}: algorithm ES384 (RFC 9053, 2.1) |
/// | a0 | unprotected header, an empty map |
/// | 40.. to 5b.. | payload, a byte string |
/// | 5860 | signature, a byte string of 96 bytes: r and s, 48 bytes each (RFC 9053, 2.1) |
///
/// Refuses:
///
///  * A protected header with anything else in it. Other algorithms are not implemented; a critical header (crit) or a
///    content type would have to be understood; and the map {1: -35} has no other form in minimal CBOR. Comparing bytes
///    needs no parser for what is inside.
///  * An unprotected header with anything in it. The signature does not cover it, so whoever passes the document on could
///    put in what they like: one document would have many forms, and the next reader of it might take a key id or a
///    certificate chain from there.
///  * A payload of null, that would be sent by another way (detached), and is the only null that COSE allows here.
///  * A signature of other than 96 bytes. Their values are P384's matter. As it takes (r, n - s) as well as (r, s), nobody
///    must know a document by the hash of all its bytes.
///  * Anything after the array.
///
/// The tag is not part of what is signed either: with and without it, a document has the same fields.
///
/// Sources: RFC 9052 sections 2, 4.2 and 4.4; RFC 9053 section 2.1; AWS's docs/attestation_process.md (repository
/// aws-nitro-enclaves-nsm-api), section 3.1.
library CoseSign1 {
    error WrongArrayLength(uint256 offset, uint256 received);
    error WrongProtectedHeader(bytes received);
    error UnprotectedHeaderNotEmpty(uint256 offset, uint256 count);
    error WrongSignatureLength(uint256 received);

    uint256 private constant TAG = 0xd2;
    uint256 private constant SIGNATURE_SIZE = 96;
    bytes private constant PROTECTED = hex"a1013822";
    // Sig_structure up to the payload: an array of four, "Signature1", the protected header, no external data.
    bytes private constant CONTEXT = hex"846a5369676e61747572653144a101382240";

    /// @notice Takes a whole message apart.
    function parse(bytes calldata document) internal pure returns (Sign1 memory message) {
        Reader memory reader = Cbor.reader(document, SpanLib.span(0, document.length));
        if (reader.peek(document) == TAG) reader.offset += 1;
        uint256 offset = reader.offset;
        uint256 count = reader.head(document, Cbor.ARRAY);
        if (count != 4) revert WrongArrayLength(offset, count);

        message.protectedHeader = reader.byteString(document);
        bytes calldata header = message.protectedHeader.slice(document);
        if (Memory.hash(header) != keccak256(PROTECTED)) revert WrongProtectedHeader(header);
        offset = reader.offset;
        count = reader.head(document, Cbor.MAP);
        if (count != 0) revert UnprotectedHeaderNotEmpty(offset, count);
        message.payload = reader.byteString(document);
        message.signature = reader.byteString(document);
        uint256 size = message.signature.length();
        if (size != SIGNATURE_SIZE) revert WrongSignatureLength(size);
        reader.finish();
    }

    /// @notice What the signature is over: Sig_structure (RFC 9052, 4.4), without external data.
    /// @param message What `parse` made of the same document.
    function toBeSigned(bytes calldata document, Sign1 memory message) internal pure returns (bytes memory) {
        // The payload goes in with its head. That begins after the unprotected header, which is one byte.
        return abi.encodePacked(CONTEXT, document[message.protectedHeader.end() + 1:message.payload.end()]);
    }
}
