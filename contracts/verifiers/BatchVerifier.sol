// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {INestedVerifier} from "../interfaces/INestedVerifier.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";
import {IVerifierRouter} from "../interfaces/IVerifierRouter.sol";
import {Memory} from "../libraries/Memory.sol";
import {Claim} from "../types/Claim.sol";
import {ClaimDomain} from "./ClaimDomain.sol";

/// @title One seal for any number of claims: a Merkle root sealed once, and inclusion proofs
/// @notice Assurance "Batched": as much as the route that sealed the root is worth, which the consumer names in its trust.
///
/// Tree: OpenZeppelin's standard tree over one bytes32 per claim, its EIP-712 digest. The leaf is
/// keccak256(keccak256(digest)): 32 bytes hashed can never be the 64 bytes of an inner node, and the digest names chain,
/// hub, request and operator, so a leaf is good for one claim only.
///
/// Root: sealed as Claim(0, BATCH, 0, root, operator) by any route. No request has the id 0, so that nobody is made to sign
/// a root by asking a question, and two roots are no contradiction.
///
/// Trust: what the root must have been sealed with: 4 bytes innerRoute, then the first 28 bytes of
/// keccak256(abi.encode(bytes4 innerRoute, bytes32 innerTrust)). The route is legible, so that the hub sees when it is dead.
///
/// Seal: 4 bytes route, 4 bytes innerRoute, 32 bytes innerTrust, then 32 bytes for each level of the tree, from the leaf up.
///
/// A root counts as long as its inner route lives; a key that the inner verifier gives up later does not unseal it.
contract BatchVerifier is IVerifier, INestedVerifier, ERC165, ClaimDomain {
    /// @notice The "model" of the claim that seals a root.
    bytes32 public constant BATCH = keccak256("vouch.batch.v1");

    uint256 private constant _HEADER = 40;

    /// @notice The hub's router: names the verifiers that seal roots.
    IVerifierRouter public immutable ROUTER;

    mapping(bytes32 key => uint256 time) private _sealedAt;

    event RootSealed(bytes32 indexed root, address indexed operator, bytes4 indexed innerRoute, bytes32 innerTrust);

    /// @notice A batch seal has 40 bytes and 32 for each level of the tree.
    error NotABatchSeal(uint256 length);
    /// @notice The consumer trusts other roots than those of this inner route and inner trust.
    error WrongPolicy(bytes32 received, bytes32 expected);
    /// @notice Call `sealRoot` first; if that was done, then the proof is of another claim, or of another tree.
    error RootNotSealed(bytes32 root, address operator, bytes32 policy);

    /// @notice A root of roots would rest on a route that its trust does not show: seal the root by another route.
    error BatchOfBatches(bytes4 innerRoute);

    constructor(IInferenceHub hub) ClaimDomain(address(hub)) {
        ROUTER = hub.ROUTER();
    }

    /// @notice Seals a root, for all later proofs under it. Anyone may call; to seal it again changes nothing.
    /// Reverts as the inner route's verifier does, and with BatchOfBatches.
    /// @param root Root of a standard tree over the digests of the operator's claims.
    /// @param operator Whom the claims name.
    /// @param innerTrust What the inner verifier must find in the seal.
    /// @param innerSeal Seal of Claim(0, BATCH, 0, root, operator); its first four bytes are the inner route.
    function sealRoot(bytes32 root, address operator, bytes32 innerTrust, bytes calldata innerSeal) external {
        ROUTER.verify(innerSeal, innerTrust, Claim(0, BATCH, 0, root, operator));
        bytes4 innerRoute = bytes4(innerSeal);
        if (address(ROUTER.verifierOf(innerRoute)) == address(this)) revert BatchOfBatches(innerRoute);
        bytes32 key = Memory.hash(root, operator, _policy(innerRoute, innerTrust));
        if (_sealedAt[key] != 0) return;

        _sealedAt[key] = block.timestamp;
        emit RootSealed(root, operator, innerRoute, innerTrust);
    }

    /// @inheritdoc IVerifier
    function verify(bytes calldata seal, bytes32 trust, Claim calldata claim) external view {
        if (seal.length < _HEADER || seal.length % 32 != _HEADER % 32) revert NotABatchSeal(seal.length);
        bytes4 innerRoute = bytes4(seal[4:8]);
        bytes32 policy = _policy(innerRoute, bytes32(seal[8:_HEADER]));
        if (policy != trust) revert WrongPolicy(policy, trust);
        bytes32[] calldata proof;
        assembly ("memory-safe") {
            proof.offset := add(seal.offset, _HEADER)
            proof.length := shr(5, sub(seal.length, _HEADER))
        }
        bytes32 leaf = keccak256(bytes.concat(keccak256(bytes.concat(_digest(claim)))));
        bytes32 root = MerkleProof.processProofCalldata(proof, leaf);
        if (_sealedAt[Memory.hash(root, claim.operator, policy)] == 0) {
            revert RootNotSealed(root, claim.operator, policy);
        }
        ROUTER.verifierOf(innerRoute);
    }

    /// @notice When the operator's root was first sealed, unix seconds; zero if it was not.
    /// @param policy The trust of its leaves.
    function sealedAt(bytes32 root, address operator, bytes32 policy) external view returns (uint256) {
        return _sealedAt[Memory.hash(root, operator, policy)];
    }

    /// @inheritdoc INestedVerifier
    function innerRouteOf(bytes32 trust) external pure returns (bytes4) {
        return bytes4(trust);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(INestedVerifier).interfaceId || super.supportsInterface(interfaceId);
    }

    function _policy(bytes4 innerRoute, bytes32 innerTrust) private pure returns (bytes32) {
        return bytes32(innerRoute) | keccak256(abi.encode(innerRoute, innerTrust)) >> 32;
    }
}
