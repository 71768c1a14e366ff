// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Span} from "../types/Span.sol";
import {CoseSign1, Sign1} from "./CoseSign1.sol";
import {NitroDocument, NitroFields} from "./NitroDocument.sol";

/// @title Reads attestation documents, and believes nothing of them
/// @notice What form they must have, and how they are refused, is in `CoseSign1` and `NitroDocument`. A contract of its own
/// because the parsers of documents and of certificates do not fit into one (EIP-170).
contract NitroReader {
    /// @notice Where things are in a document, and what its signature has to be of.
    /// @return fields Positions in the document.
    /// @return signature Of r ‖ s, 96 bytes, in the document.
    /// @return toBeSigned Sig_structure of RFC 9052 section 4.4.
    function read(bytes calldata document)
        external
        pure
        returns (NitroFields memory fields, Span signature, bytes memory toBeSigned)
    {
        Sign1 memory message = CoseSign1.parse(document);
        fields = NitroDocument.parse(document, message.payload);
        signature = message.signature;
        toBeSigned = CoseSign1.toBeSigned(document, message);
    }
}
