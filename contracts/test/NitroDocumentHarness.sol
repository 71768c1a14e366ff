// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Cbor, Reader} from "../attestation/Cbor.sol";
import {CoseSign1, Sign1} from "../attestation/CoseSign1.sol";
import {NitroDocument, NitroFields} from "../attestation/NitroDocument.sol";
import {Utf8} from "../libraries/Utf8.sol";
import {Span} from "../types/Span.sol";

/// @title Cbor, CoseSign1 and NitroDocument behind an ABI: many inputs per eth_call, positions as they are, gas
contract NitroDocumentHarness {
    /// @notice Calls this contract once per item and gives each outcome, so that one eth_call checks many examples.
    function batch(bytes[] calldata calls) external view returns (bool[] memory oks, bytes[] memory results) {
        oks = new bool[](calls.length);
        results = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (oks[i], results[i]) = address(this).staticcall(calls[i]);
        }
    }

    function parse(bytes calldata document) external pure returns (Sign1 memory message, NitroFields memory fields) {
        message = CoseSign1.parse(document);
        fields = NitroDocument.parse(document, message.payload);
    }

    function parseMessage(bytes calldata document) external pure returns (Sign1 memory) {
        return CoseSign1.parse(document);
    }

    function parsePayload(bytes calldata document, Span payload) external pure returns (NitroFields memory) {
        return NitroDocument.parse(document, payload);
    }

    function toBeSigned(bytes calldata document) external pure returns (bytes memory) {
        return CoseSign1.toBeSigned(document, CoseSign1.parse(document));
    }

    /// @notice Gas of both parsers, the measurement's own few units included.
    function gasOf(bytes calldata document) external view returns (uint256 used) {
        used = gasleft();
        NitroDocument.parse(document, CoseSign1.parse(document).payload);
        used -= gasleft();
    }

    function head(bytes calldata data, Span part, uint8 major)
        external
        pure
        returns (uint256 argument, uint256 offset)
    {
        Reader memory reader = Cbor.reader(data, part);
        argument = reader.head(data, major);
        offset = reader.offset;
    }

    function unsigned(bytes calldata data, Span part) external pure returns (uint64 value, uint256 offset) {
        Reader memory reader = Cbor.reader(data, part);
        value = reader.unsigned(data);
        offset = reader.offset;
    }

    function byteString(bytes calldata data, Span part) external pure returns (Span value, uint256 offset) {
        Reader memory reader = Cbor.reader(data, part);
        value = reader.byteString(data);
        offset = reader.offset;
    }

    function text(bytes calldata data, Span part) external pure returns (Span value, uint256 offset) {
        Reader memory reader = Cbor.reader(data, part);
        value = reader.text(data);
        offset = reader.offset;
    }

    function takeNull(bytes calldata data, Span part) external pure returns (bool taken, uint256 offset) {
        Reader memory reader = Cbor.reader(data, part);
        taken = reader.takeNull(data);
        offset = reader.offset;
    }

    /// @notice Reads a map of unsigned integers to unsigned integers, alone in its part: how many entries it has.
    function countMap(bytes calldata data, Span part) external pure returns (uint256 count, uint256 read) {
        Reader memory reader = Cbor.reader(data, part);
        count = reader.openMap(data);
        for (; reader.more(data, count, read); ++read) {
            reader.unsigned(data);
            reader.unsigned(data);
        }
        reader.finish();
    }

    function slice(bytes calldata data, Span part) external pure returns (bytes memory) {
        return part.slice(data);
    }

    function isUtf8(bytes calldata data) external pure returns (bool) {
        return Utf8.isValid(data);
    }
}
