// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Test} from "../Test.sol";
import {Vm} from "../Vm.sol";

/// @title The library behind an ABI that takes the words as they come
contract RequestHarness {
    function id(Request calldata terms, address hub) external view returns (bytes32) {
        return terms.id(hub);
    }

    function isCanonical(Request calldata terms) external pure returns (bool) {
        return terms.isCanonical();
    }

    function beneficiary(Request calldata terms) external pure returns (address) {
        return terms.beneficiary();
    }

    /// @param salt Makes the free memory dirty, so that padding left to chance shows.
    function log(Request calldata terms, bytes32 requestId, bytes calldata input, uint256 salt) external {
        assembly ("memory-safe") {
            let p := mload(0x40)
            for { let i := 0 } lt(i, 0x800) { i := add(i, 0x20) } { mstore(add(p, i), not(salt)) }
        }
        terms.log(requestId, IInferenceHub.Requested.selector, input);
    }

    /// @dev solc's own decoder, which refuses any word that is no value of its field's type.
    function decode(Request memory terms) external pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }
}

contract RequestTest is Test {
    uint256 private constant WORDS = 17;

    RequestHarness private immutable _lib = new RequestHarness();

    function testFuzz_id(uint256[WORDS] memory words, address hub, uint64 chain) external {
        Request memory terms = _typed(words);
        vm.chainId(bound(chain, 1, type(uint64).max - 1));
        assertEq(_lib.id(terms, hub), keccak256(abi.encode(block.chainid, hub, terms)), "id");
    }

    /// @dev Every single field counts.
    function testFuzz_idChangesWithEveryWord(uint256[WORDS] memory words, uint256 index, uint256 bit) external view {
        bytes32 before = _idOf(words);
        words[index % WORDS] ^= 1 << (bit % 256);
        assertTrue(_idOf(words) != before, "another word, the same id");
    }

    function testFuzz_canonicalWhenTyped(uint256[WORDS] memory words) external view {
        assertTrue(_lib.isCanonical(_typed(words)), "typed terms");
    }

    /// @dev Mostly small words, or nearly none would be canonical.
    function testFuzz_canonicalWhenEveryWordIs(uint256[WORDS] memory words, uint256 shrink, uint256 routeShift)
        external
        view
    {
        for (uint256 i; i < WORDS; ++i) {
            uint256 how = (shrink >> (i * 4)) & 0xf;
            if (how != 0) words[i] &= type(uint256).max >> (256 - _bits(i));
            if (how == 1) words[i] |= 1 << (_bits(i) % 256); // the first bit that does not belong to the field
        }
        words[12] = routeShift % 4 == 0 ? words[12] : words[12] << 224;
        bool expected = true;
        for (uint256 i; i < WORDS; ++i) {
            expected = expected && _inRange(i, words[i]);
        }
        (bool ok, bytes memory result) = address(_lib).staticcall(abi.encodePacked(_lib.isCanonical.selector, words));
        assertTrue(ok, "isCanonical reverted");
        assertTrue(abi.decode(result, (bool)) == expected, "isCanonical");
        (bool decodes,) = address(_lib).staticcall(abi.encodePacked(_lib.decode.selector, words));
        assertTrue(decodes == expected, "solc disagrees");
    }

    /// @dev Each field's lowest foreign bit alone makes the terms malformed, and its highest own bit does not.
    function test_canonicalAtTheEdges() external view {
        for (uint256 i; i < WORDS; ++i) {
            uint256[WORDS] memory words;
            uint256 bits = _bits(i);
            words[i] = i == 12 ? 1 << 224 : 1 << (bits - 1);
            assertTrue(_isCanonical(words), "highest bit of a field");
            if (bits == 256) continue;
            words[i] = i == 12 ? 1 << 223 : 1 << bits;
            assertTrue(!_isCanonical(words), "lowest bit beyond a field");
            words[i] = i == 12 ? 1 : 1 << 255;
            assertTrue(!_isCanonical(words), "last bit of a word");
        }
    }

    function testFuzz_beneficiary(uint256[WORDS] memory words, bool named) external view {
        Request memory terms = _typed(words);
        if (!named) terms.refundTo = address(0);
        address expected = terms.refundTo == address(0) ? terms.consumer : terms.refundTo;
        assertEq(_lib.beneficiary(terms), expected, "beneficiary");
    }

    function testFuzz_log(uint256[WORDS] memory words, bytes32 requestId, bytes memory input, uint256 salt) external {
        _checkLog(_typed(words), requestId, input, salt);
    }

    function test_logOfEveryLength() external {
        Request memory terms;
        terms.modelId = "model";
        terms.salt = type(uint256).max;
        for (uint256 size; size <= 100; ++size) {
            bytes memory input = new bytes(size);
            for (uint256 i; i < size; ++i) {
                input[i] = 0xff;
            }
            _checkLog(terms, bytes32(size), input, 0);
        }
    }

    function _checkLog(Request memory terms, bytes32 requestId, bytes memory input, uint256 salt) private {
        vm.recordLogs();
        _lib.log(terms, requestId, input, salt);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "logs");
        assertEq(logs[0].topics.length, 3, "topics");
        assertEq(logs[0].topics[0], IInferenceHub.Requested.selector, "topic 0");
        assertEq(logs[0].topics[1], requestId, "topic 1");
        assertEq(logs[0].topics[2], terms.modelId, "topic 2");
        assertEq(logs[0].data, abi.encode(terms, input), "data");
    }

    /// @dev Terms with these words, cut to their fields: the fuzzer makes no valid enums.
    function _typed(uint256[WORDS] memory words) private pure returns (Request memory) {
        for (uint256 i; i < WORDS; ++i) {
            words[i] &= type(uint256).max >> (256 - _bits(i));
        }
        words[12] <<= 224;
        return abi.decode(abi.encodePacked(words), (Request));
    }

    function _idOf(uint256[WORDS] memory words) private view returns (bytes32) {
        (bool ok, bytes memory result) =
            address(_lib).staticcall(abi.encodePacked(_lib.id.selector, words, abi.encode(address(this))));
        assertTrue(ok, "id reverted");
        return abi.decode(result, (bytes32));
    }

    function _isCanonical(uint256[WORDS] memory words) private view returns (bool) {
        (bool ok, bytes memory result) = address(_lib).staticcall(abi.encodePacked(_lib.isCanonical.selector, words));
        assertTrue(ok, "isCanonical reverted");
        return abi.decode(result, (bool));
    }

    /// @dev Sizes of the fields as the struct names them.
    function _bits(uint256 index) private pure returns (uint256) {
        if (index < 4) return 160;
        if (index == 8 || index == 9) return 32;
        if (index == 11) return 1;
        if (index == 12) return 32;
        return 256;
    }

    function _inRange(uint256 index, uint256 word) private pure returns (bool) {
        if (index == 12) return word << 32 == 0; // a bytes4 stands at the left
        return _bits(index) == 256 || word >> _bits(index) == 0;
    }
}
