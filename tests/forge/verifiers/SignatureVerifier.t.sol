// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ClaimSignature} from "../../../contracts/libraries/ClaimSignature.sol";
import {Claim, ClaimLib} from "../../../contracts/types/Claim.sol";
import {SignatureVerifier} from "../../../contracts/verifiers/SignatureVerifier.sol";
import {Test} from "../Test.sol";

contract SignatureVerifierTest is Test {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    address private constant HUB = address(0x4b);

    SignatureVerifier private _verifier;

    function setUp() external {
        _verifier = new SignatureVerifier(HUB);
    }

    function testFuzz_accepts(Claim memory claim, uint256 key, bytes4 route) external view {
        bytes memory seal = _signed(claim, key, route);
        _verifier.verify(seal, 0, claim);
        _verifier.verify(seal, bytes32(uint256(uint160(claim.operator))), claim);
    }

    function testFuzz_rejectsAnotherClaim(Claim memory claim, uint256 key, uint256 field, uint256 bit) external {
        bytes memory seal = _signed(claim, key, "SIGN");
        bytes32 flip = bytes32(uint256(1) << (bit % 256));
        field %= 5;
        if (field == 0) claim.requestId ^= flip;
        else if (field == 1) claim.modelId ^= flip;
        else if (field == 2) claim.inputHash ^= flip;
        else if (field == 3) claim.outputHash ^= flip;
        else claim.operator = address(uint160(claim.operator) ^ uint160(1 << (bit % 160)));
        vm.expectPartialRevert(SignatureVerifier.WrongSigner.selector);
        _verifier.verify(seal, 0, claim);
    }

    /// @dev No seal verifies for two claims, however they differ.
    function testFuzz_oneClaimPerSeal(Claim memory claim, Claim memory other, uint256 key) external {
        bytes memory seal = _signed(claim, key, "SIGN");
        vm.assume(keccak256(abi.encode(claim)) != keccak256(abi.encode(other)));
        (bool ok,) = address(_verifier).call(abi.encodeCall(_verifier.verify, (seal, 0, other)));
        assertTrue(!ok, "a seal for two claims");
    }

    /// @dev Every bit of the signature counts; the route bytes are the hub's matter.
    function testFuzz_rejectsAlteredSeals(Claim memory claim, uint256 key, uint256 place, uint8 bit) external {
        bytes memory seal = _signed(claim, key, "SIGN");
        place = 4 + place % 65;
        seal[place] = bytes1(uint8(seal[place]) ^ uint8(1 << (bit % 8)));
        (bool ok, bytes memory reason) = address(_verifier).call(abi.encodeCall(_verifier.verify, (seal, 0, claim)));
        assertTrue(!ok, "an altered seal passed");
        bytes4 selector = selectorOf(reason);
        assertTrue(
            selector == SignatureVerifier.WrongSigner.selector
                || selector == ClaimSignature.MalleableSignature.selector,
            "another error"
        );
    }

    function test_rejectsEveryAlteredByte() external {
        Claim memory claim = Claim("request", "model", "input", "output", address(0));
        bytes memory seal = _signed(claim, 7, "SIGN");
        for (uint256 place = 4; place < 69; ++place) {
            for (uint256 bit; bit < 8; ++bit) {
                seal[place] ^= bytes1(uint8(1 << bit));
                (bool ok,) = address(_verifier).call(abi.encodeCall(_verifier.verify, (seal, 0, claim)));
                assertTrue(!ok, "an altered seal passed");
                seal[place] ^= bytes1(uint8(1 << bit));
            }
        }
        _verifier.verify(seal, 0, claim);
    }

    function testFuzz_rejectsTheOtherForm(Claim memory claim, uint256 key) external {
        claim.operator = vm.addr(_keyOf(key));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keyOf(key), _digest(claim));
        bytes32 high = bytes32(ORDER - uint256(s));
        uint8 other = v == 27 ? 28 : 27;
        assertEq(ecrecover(_digest(claim), other, r, high), claim.operator, "the precompile takes both forms");
        vm.expectRevert(abi.encodeWithSelector(ClaimSignature.MalleableSignature.selector, high));
        _verifier.verify(abi.encodePacked(bytes4("SIGN"), r, high, other), 0, claim);
    }

    /// @dev ecrecover gives zero for nonsense, which is no operator.
    function testFuzz_rejectsNonsenseForTheZeroOperator(Claim memory claim, bytes32 r, bytes32 s, uint8 v) external {
        claim.operator = address(0);
        s = bytes32(uint256(s) >> 1);
        (bool ok,) = address(_verifier)
            .call(abi.encodeCall(_verifier.verify, (abi.encodePacked(bytes4("SIGN"), r, s, v), 0, claim)));
        assertTrue(!ok, "the zero operator signed");
    }

    function testFuzz_rejectsOtherLengths(Claim memory claim, uint256 key, uint256 size) external {
        bytes memory seal = _signed(claim, key, "SIGN");
        size = bound(size, 0, 200);
        vm.assume(size != 69);
        bytes memory other = new bytes(size);
        for (uint256 i; i < size && i < 69; ++i) {
            other[i] = seal[i];
        }
        vm.expectRevert(abi.encodeWithSelector(SignatureVerifier.WrongSealLength.selector, size, 69));
        _verifier.verify(other, 0, claim);
    }

    function testFuzz_rejectsUntrustedOperators(Claim memory claim, uint256 key, bytes32 trust) external {
        bytes memory seal = _signed(claim, key, "SIGN");
        vm.assume(trust != 0 && trust != bytes32(uint256(uint160(claim.operator))));
        vm.expectRevert(abi.encodeWithSelector(SignatureVerifier.UntrustedOperator.selector, claim.operator, trust));
        _verifier.verify(seal, trust, claim);
    }

    /// @dev The upper bits of trust count too: a policy hash that ends in an operator's address names no operator.
    function testFuzz_trustIsTheWholeWord(Claim memory claim, uint256 key, uint256 bit) external {
        bytes memory seal = _signed(claim, key, "SIGN");
        bytes32 trust = bytes32(uint256(uint160(claim.operator)) | 1 << bound(bit, 160, 255));
        vm.expectPartialRevert(SignatureVerifier.UntrustedOperator.selector);
        _verifier.verify(seal, trust, claim);
    }

    function testFuzz_rejectsClaimsOfAnotherHub(Claim memory claim, uint256 key, address hub) external {
        vm.assume(hub != HUB);
        bytes memory seal = _signed(claim, key, "SIGN");
        SignatureVerifier other = new SignatureVerifier(hub);
        vm.expectPartialRevert(SignatureVerifier.WrongSigner.selector);
        other.verify(seal, 0, claim);
    }

    /// @dev A fork gets a new chain id: old claims die with it, new ones live, without a new deployment.
    function testFuzz_forkedChain(Claim memory claim, uint256 key, uint64 chain) external {
        bytes memory before = _signed(claim, key, "SIGN");
        chain = uint64(bound(chain, 1, type(uint64).max - 1));
        vm.assume(chain != block.chainid);
        vm.chainId(chain);
        vm.expectPartialRevert(SignatureVerifier.WrongSigner.selector);
        _verifier.verify(before, 0, claim);
        _verifier.verify(_signed(claim, key, "SIGN"), 0, claim);
    }

    /// @dev Makes the signer the operator of the claim.
    function _signed(Claim memory claim, uint256 key, bytes4 route) private view returns (bytes memory) {
        claim.operator = vm.addr(_keyOf(key));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keyOf(key), _digest(claim));
        return abi.encodePacked(route, r, s, v);
    }

    function _keyOf(uint256 key) private pure returns (uint256) {
        return bound(key, 1, ORDER - 1);
    }

    /// @dev EIP-712, written out with solc's encoder.
    function _digest(Claim memory claim) private view returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(ClaimLib.DOMAIN_TYPEHASH, keccak256("Vouch"), keccak256("1"), block.chainid, HUB));
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(ClaimLib.TYPEHASH, claim))));
    }
}
