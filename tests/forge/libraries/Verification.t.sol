// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IVerifier} from "../../../contracts/interfaces/IVerifier.sol";
import {Verification} from "../../../contracts/libraries/Verification.sol";
import {Claim} from "../../../contracts/types/Claim.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Test} from "../Test.sol";

/// @title Gives back the calldata it was called with, as a revert: a static call can leave nothing else
contract RecordingVerifier {
    fallback() external {
        assembly ("memory-safe") {
            let p := mload(0x40)
            calldatacopy(p, 0, calldatasize())
            revert(p, calldatasize())
        }
    }
}

/// @title Accepts everything, returning what nobody asked for
contract ContentVerifier {
    fallback(bytes calldata) external returns (bytes memory) {
        return "fine";
    }
}

contract VerificationHarness {
    using Verification for IVerifier;

    function routeOf(bytes calldata seal) external pure returns (bytes4) {
        return Verification.routeOf(seal);
    }

    /// @dev The word on the stack, with whatever is behind the four bytes.
    function routeWord(bytes calldata seal) external pure returns (bytes32 word) {
        bytes4 route = Verification.routeOf(seal);
        assembly ("memory-safe") {
            word := route
        }
    }

    /// @param tail Unused; stands behind the seal in calldata, where a careless copy would read it.
    function check(
        IVerifier verifier,
        bytes calldata seal,
        Request calldata terms,
        bytes32 id,
        bytes32 outputHash,
        address operator,
        bytes calldata tail
    ) external view returns (bytes32) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            for { let i := 0 } lt(i, 0x400) { i := add(i, 0x20) } { mstore(add(p, i), not(0)) }
        }
        verifier.check(seal, terms, id, outputHash, operator);
        return keccak256(tail);
    }
}

contract VerificationTest is Test {
    VerificationHarness private immutable _lib = new VerificationHarness();
    IVerifier private immutable _recorder = IVerifier(address(new RecordingVerifier()));
    IVerifier private immutable _content = IVerifier(address(new ContentVerifier()));

    function testFuzz_check(
        bytes memory seal,
        bytes32[3] memory words,
        bytes32 id,
        bytes32 outputHash,
        address operator
    ) external view {
        Request memory terms;
        (terms.trust, terms.modelId, terms.inputHash) = (words[0], words[1], words[2]);
        _check(seal, terms, id, outputHash, operator);
    }

    function test_checkEveryLength() external view {
        Request memory terms;
        (terms.trust, terms.modelId, terms.inputHash) = ("trust", "model", "input");
        for (uint256 size; size <= 200; ++size) {
            _check(_filled(size), terms, bytes32(size), "output", address(this));
        }
    }

    function testFuzz_acceptsWhatTheVerifierAccepts(bytes memory seal, bytes memory tail) external view {
        Request memory terms;
        bytes32 result = _lib.check(_content, seal, terms, "id", "output", address(this), tail);
        assertEq(result, keccak256(tail), "went on after the check");
    }

    function testFuzz_routeOf(bytes memory seal, bytes4 route) external view {
        assertEq(bytes32(_lib.routeOf(seal)), bytes32(seal.length < 4 ? bytes4(0) : bytes4(seal)), "any seal");
        assertEq(bytes32(_lib.routeOf(abi.encodePacked(route, seal))), bytes32(route), "route in front");
        assertEq(_lib.routeWord(abi.encodePacked(route, seal)), bytes32(route), "nothing behind it");
    }

    /// @dev Nothing behind a short seal is taken for a part of it.
    function test_routeOfShortSeals() external view {
        for (uint256 size; size < 4; ++size) {
            bytes memory data = abi.encodePacked(_lib.routeOf.selector, uint256(32), size, type(uint256).max);
            (bool ok, bytes memory result) = address(_lib).staticcall(data);
            assertTrue(ok, "routeOf reverted");
            assertEq(abi.decode(result, (bytes32)), 0, "short seal");
        }
    }

    function _check(bytes memory seal, Request memory terms, bytes32 id, bytes32 outputHash, address operator)
        private
        view
    {
        (bool ok, bytes memory received) = address(_lib)
            .staticcall(abi.encodeCall(_lib.check, (_recorder, seal, terms, id, outputHash, operator, _filled(64))));
        assertTrue(!ok, "the verifier's revert was lost");
        Claim memory claim = Claim(id, terms.modelId, terms.inputHash, outputHash, operator);
        assertEq(received, abi.encodeCall(IVerifier.verify, (seal, terms.trust, claim)), "calldata");
    }

    function _filled(uint256 size) private pure returns (bytes memory data) {
        data = new bytes(size);
        for (uint256 i; i < size; ++i) {
            data[i] = 0xff;
        }
    }
}
