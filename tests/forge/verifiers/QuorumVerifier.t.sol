// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Claim, ClaimLib} from "../../../contracts/types/Claim.sol";
import {QuorumVerifier} from "../../../contracts/verifiers/QuorumVerifier.sol";
import {Test} from "../Test.sol";

contract QuorumVerifierTest is Test {
    address private constant HUB = address(0x4b);
    uint256 private constant N = 5;

    QuorumVerifier private _verifier;
    /// @dev Keys by ascending address.
    uint256[] private _keys;
    address[] private _signers;

    function setUp() external {
        _verifier = new QuorumVerifier(HUB);
        for (uint256 key = 1; key <= N; ++key) {
            _keys.push(key);
            _signers.push(vm.addr(key));
            for (uint256 i = key - 1; i > 0 && _signers[i] < _signers[i - 1]; --i) {
                (_signers[i], _signers[i - 1]) = (_signers[i - 1], _signers[i]);
                (_keys[i], _keys[i - 1]) = (_keys[i - 1], _keys[i]);
            }
        }
    }

    /// @dev Any set of at least `threshold` signers passes, no smaller one does.
    function testFuzz_threshold(Claim memory claim, uint256 threshold, uint256 bitmap) external {
        threshold = bound(threshold, 1, N);
        bitmap = bound(bitmap, 0, (1 << N) - 1);
        uint256 signed = _count(bitmap);
        if (signed < threshold) {
            vm.expectRevert(abi.encodeWithSelector(QuorumVerifier.TooFewSignatures.selector, signed, threshold));
        }
        _verifier.verify(_seal(claim, threshold, bitmap), _trust(threshold), claim);
    }

    /// @dev Every bit after the route counts: header, list and signatures.
    function testFuzz_rejectsAlteredSeals(Claim memory claim, uint256 bitmap, uint256 place, uint8 bit) external {
        bitmap = bound(bitmap, 0, (1 << N) - 1) | 3;
        bytes memory seal = _seal(claim, 2, bitmap);
        place = bound(place, 4, seal.length - 1);
        seal[place] = bytes1(uint8(seal[place]) ^ uint8(1 << (bit % 8)));
        assertTrue(!_passes(seal, _trust(2), claim), "an altered seal passed");
    }

    function testFuzz_rejectsOtherLengths(Claim memory claim, uint256 size) external {
        bytes memory seal = _seal(claim, 2, 3);
        size = bound(size, 0, 500);
        vm.assume(size != seal.length);
        bytes memory other = new bytes(size);
        for (uint256 i; i < size && i < seal.length; ++i) {
            other[i] = seal[i];
        }
        vm.expectPartialRevert(QuorumVerifier.WrongSealLength.selector);
        _verifier.verify(other, _trust(2), claim);
    }

    /// @dev No seal verifies for two claims, nor under two policies.
    function testFuzz_oneClaimAndPolicyPerSeal(Claim memory claim, Claim memory other, bytes32 trust) external {
        bytes memory seal = _seal(claim, 3, 7);
        vm.assume(keccak256(abi.encode(claim)) != keccak256(abi.encode(other)) && trust != _trust(3));
        assertTrue(_passes(seal, _trust(3), claim), "the quorum was refused");
        assertTrue(!_passes(seal, _trust(3), other), "a seal for two claims");
        assertTrue(!_passes(seal, trust, claim), "a seal under two policies");
    }

    function testFuzz_forkedChain(Claim memory claim, uint64 chain) external {
        bytes memory before = _seal(claim, 2, 3);
        chain = uint64(bound(chain, 1, type(uint64).max - 1));
        vm.assume(chain != block.chainid);
        vm.chainId(chain);
        assertTrue(!_passes(before, _trust(2), claim), "a claim of the old chain");
        assertTrue(_passes(_seal(claim, 2, 3), _trust(2), claim), "a claim of the new chain");
    }

    function _passes(bytes memory seal, bytes32 trust, Claim memory claim) private returns (bool ok) {
        (ok,) = address(_verifier).call(abi.encodeCall(_verifier.verify, (seal, trust, claim)));
    }

    function _trust(uint256 threshold) private view returns (bytes32) {
        return keccak256(abi.encode(threshold, _signers));
    }

    function _seal(Claim memory claim, uint256 threshold, uint256 bitmap) private view returns (bytes memory seal) {
        seal = abi.encodePacked(bytes4("QRUM"), uint8(threshold), uint8(N), uint64(bitmap));
        for (uint256 i; i < N; ++i) {
            seal = abi.encodePacked(seal, _signers[i]);
        }
        for (uint256 i; i < N; ++i) {
            if (bitmap >> i & 1 == 0) continue;
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keys[i], _digest(claim));
            seal = abi.encodePacked(seal, r, s, v);
        }
    }

    function _count(uint256 bits) private pure returns (uint256 ones) {
        for (uint256 i; i < N; ++i) {
            ones += bits >> i & 1;
        }
    }

    /// @dev EIP-712, written out with solc's encoder.
    function _digest(Claim memory claim) private view returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(ClaimLib.DOMAIN_TYPEHASH, keccak256("Vouch"), keccak256("1"), block.chainid, HUB));
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(ClaimLib.TYPEHASH, claim))));
    }
}
