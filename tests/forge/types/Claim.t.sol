// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Claim, ClaimLib} from "../../../contracts/types/Claim.sol";
import {Test} from "../Test.sol";

contract ClaimHarness {
    function digest(Claim calldata claim, bytes32 domain) external pure returns (bytes32) {
        return claim.digest(domain);
    }

    function digestOfWords(Claim calldata c, bytes32 domain) external pure returns (bytes32) {
        return ClaimLib.digest(c.requestId, c.modelId, c.inputHash, c.outputHash, c.operator, domain);
    }

    /// An address is twenty bytes of a word; what is in the others is nobody's promise.
    function digestOfDirtyWords(Claim calldata c, bytes32 domain, uint96 dirt) external pure returns (bytes32) {
        address operator = c.operator;
        assembly ("memory-safe") {
            operator := or(operator, shl(160, dirt))
        }
        return ClaimLib.digest(c.requestId, c.modelId, c.inputHash, c.outputHash, operator, domain);
    }

    function domainSeparator(address hub) external view returns (bytes32) {
        return ClaimLib.domainSeparator(hub);
    }
}

contract ClaimTest is Test {
    ClaimHarness private immutable _lib = new ClaimHarness();

    /// @dev EIP-712, written out with solc's encoder.
    function testFuzz_digest(Claim memory claim, address hub, uint64 chain) external {
        vm.chainId(bound(chain, 1, type(uint64).max - 1));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Vouch"),
                keccak256("1"),
                block.chainid,
                hub
            )
        );
        assertEq(_lib.domainSeparator(hub), domain, "domain");
        bytes32 hash = keccak256(
            abi.encode(
                keccak256(
                    "Claim(bytes32 requestId,bytes32 modelId,bytes32 inputHash,bytes32 outputHash,address operator)"
                ),
                claim.requestId,
                claim.modelId,
                claim.inputHash,
                claim.outputHash,
                claim.operator
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, hash));
        assertEq(_lib.digest(claim, domain), digest, "digest");
        assertEq(_lib.digestOfWords(claim, domain), digest, "digest of its words");
    }

    function testFuzz_onlyTheAddressOfTheOperatorCounts(Claim memory claim, bytes32 domain, uint96 dirt) external view {
        assertEq(_lib.digestOfDirtyWords(claim, domain, dirt), _lib.digest(claim, domain), "digest");
    }

    /// @dev Another chain, another hub or any other bit of the claim: another digest.
    function testFuzz_digestChangesWithEveryWord(bytes32[5] memory words, bytes32 domain, uint256 index, uint256 bit)
        external
        view
    {
        bytes32 before = _digest(words, domain);
        bytes32 flip = bytes32(uint256(1) << (bit % 256));
        assertTrue(_digest(words, domain ^ flip) != before, "another domain, the same digest");
        words[index % 5] ^= flip;
        assertTrue(_digest(words, domain) != before, "another claim, the same digest");
    }

    function _digest(bytes32[5] memory words, bytes32 domain) private view returns (bytes32) {
        (bool ok, bytes memory result) = address(_lib).staticcall(abi.encodePacked(_lib.digest.selector, words, domain));
        assertTrue(ok, "digest reverted");
        return abi.decode(result, (bytes32));
    }
}
