// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Request} from "../../../contracts/types/Request.sol";

/// @title The library behind an ABI that takes the words as they come
contract Terms {
    function isCanonical(Request calldata terms) external pure returns (bool) {
        return terms.isCanonical();
    }

    /// @dev solc's own decoder, which refuses any word that is no value of its field's type.
    function decode(Request memory terms) external pure returns (uint256) {
        return terms.fee;
    }
}

/// @title For every word of the terms at once: they are taken if each is a value of its field's type, and only then
/// @dev Run by halmos (scripts/test --deep).
contract RequestCheck {
    Terms private immutable _terms = new Terms();

    function check_isCanonical(uint256[17] memory words) external view {
        bool typed = words[0] >> 160 == 0 && words[1] >> 160 == 0 && words[2] >> 160 == 0 && words[3] >> 160 == 0
            && words[8] >> 32 == 0 && words[9] >> 32 == 0 && words[11] < 2 && words[12] << 32 == 0;
        (bool ok, bytes memory result) = address(_terms).staticcall(abi.encodePacked(Terms.isCanonical.selector, words));
        assert(ok);
        assert((abi.decode(result, (uint256)) == 1) == typed);
    }

    /// @dev What the hub took, every later call can read again.
    function check_whatIsCanonicalCanBeRead(uint256[17] memory words) external view {
        (bool ok, bytes memory result) = address(_terms).staticcall(abi.encodePacked(Terms.isCanonical.selector, words));
        assert(ok);
        (bool reads,) = address(_terms).staticcall(abi.encodePacked(Terms.decode.selector, words));
        assert((abi.decode(result, (uint256)) == 1) == reads);
    }
}
