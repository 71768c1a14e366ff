// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Cursor, Der} from "../attestation/Der.sol";
import {Certificate, X509} from "../attestation/X509.sol";
import {Span, SpanLib} from "../types/Span.sol";

/// @notice A certificate with the bytes behind its spans.
struct Fields {
    bytes tbs;
    bytes issuer;
    bytes subject;
    bytes key;
    uint40 notBefore;
    uint40 notAfter;
    bool ca;
    uint8 pathLen;
    uint16 keyUsage;
    bytes signature;
}

/// @title Der and X509 behind an ABI
/// @dev Parsers of parts take one element, which must be all of the bytes.
contract X509Harness {
    /// @notice Calls this contract once per item and gives each outcome, so that one eth_call checks many examples.
    function batch(bytes[] calldata calls) external view returns (bool[] memory oks, bytes[] memory results) {
        oks = new bool[](calls.length);
        results = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (oks[i], results[i]) = address(this).staticcall(calls[i]);
        }
    }

    function parse(bytes calldata data) external pure returns (Fields memory fields) {
        Certificate memory certificate = X509.parse(data);
        fields.tbs = certificate.tbs.slice(data);
        fields.issuer = certificate.issuer.slice(data);
        fields.subject = certificate.subject.slice(data);
        fields.key = certificate.key.slice(data);
        fields.notBefore = certificate.notBefore;
        fields.notAfter = certificate.notAfter;
        fields.ca = certificate.ca;
        fields.pathLen = certificate.pathLen;
        fields.keyUsage = certificate.keyUsage;
        fields.signature = certificate.signature;
    }

    /// @notice Gas of reading one certificate, the measurement's own few units included.
    function gasOf(bytes calldata data) external view returns (uint256 used) {
        used = gasleft();
        X509.parse(data);
        used -= gasleft();
    }

    /// @return content Of the one element, whatever it is.
    function next(bytes calldata data) external pure returns (bytes memory content) {
        Cursor memory cursor = _cursor(data);
        content = cursor.next(data).slice(data);
        cursor.close();
    }

    /// @notice Content of the element with this tag that begins at `start` and may not go beyond `end`.
    function take(bytes calldata data, uint256 start, uint256 end, uint8 tag) external pure returns (bytes memory) {
        return Der.cursor(SpanLib.span(start, end - start)).take(data, tag).slice(data);
    }

    /// @return value Of a BOOLEAN DEFAULT FALSE.
    function flag(bytes calldata data) external pure returns (bool value) {
        Cursor memory cursor = _cursor(data);
        value = cursor.flag(data);
        cursor.close();
    }

    function integer(bytes calldata data, uint256 most) external pure returns (bytes memory octets) {
        Cursor memory cursor = _cursor(data);
        octets = cursor.integer(data, most).slice(data);
        cursor.close();
    }

    function number(bytes calldata data, uint256 most) external pure returns (uint256 value) {
        Cursor memory cursor = _cursor(data);
        value = cursor.number(data, most);
        cursor.close();
    }

    function octetString(bytes calldata data) external pure returns (bytes memory octets) {
        Cursor memory cursor = _cursor(data);
        octets = cursor.octetString(data).slice(data);
        cursor.close();
    }

    function namedBits(bytes calldata data) external pure returns (uint16 bits) {
        Cursor memory cursor = _cursor(data);
        bits = cursor.namedBits(data);
        cursor.close();
    }

    function oid(bytes calldata data) external pure returns (bytes memory octets) {
        Cursor memory cursor = _cursor(data);
        octets = cursor.oid(data).slice(data);
        cursor.close();
    }

    function time(bytes calldata data) external pure returns (uint40 seconds_) {
        Cursor memory cursor = _cursor(data);
        seconds_ = cursor.time(data);
        cursor.close();
    }

    function _cursor(bytes calldata data) private pure returns (Cursor memory) {
        return Der.cursor(SpanLib.span(0, data.length));
    }
}
