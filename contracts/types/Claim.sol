// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice "Operator ran model on input for request and got output", the one statement every seal proves.
struct Claim {
    bytes32 requestId;
    bytes32 modelId;
    bytes32 inputHash;
    bytes32 outputHash;
    address operator;
}

using ClaimLib for Claim global;

/// @title The one digest (EIP-712), the same in `vouch.protocol.claim`
/// @dev Naming the operator makes a copied delivery worthless. The caller computes the digest; a prover never chooses it.
library ClaimLib {
    bytes32 internal constant TYPEHASH =
        keccak256("Claim(bytes32 requestId,bytes32 modelId,bytes32 inputHash,bytes32 outputHash,address operator)");
    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// @notice EIP-712 digest of a claim under a domain separator.
    /// @dev The words are hashed as they came: dirty bits above the operator give a digest that nobody signs.
    function digest(Claim calldata claim, bytes32 domain) internal pure returns (bytes32 result) {
        bytes32 typehash = TYPEHASH;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, typehash)
            calldatacopy(add(p, 0x20), claim, 0xa0)
            let structHash := keccak256(p, 0xc0)
            mstore(p, hex"1901")
            mstore(add(p, 0x02), domain)
            mstore(add(p, 0x22), structHash)
            result := keccak256(p, 0x42)
        }
    }

    /// @notice EIP-712 digest of Claim(requestId, modelId, inputHash, outputHash, operator) under a domain separator.
    function digest(
        bytes32 requestId,
        bytes32 modelId,
        bytes32 inputHash,
        bytes32 outputHash,
        address operator,
        bytes32 domain
    ) internal pure returns (bytes32 result) {
        bytes32 typehash = TYPEHASH;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, typehash)
            mstore(add(p, 0x20), requestId)
            mstore(add(p, 0x40), modelId)
            mstore(add(p, 0x60), inputHash)
            mstore(add(p, 0x80), outputHash)
            mstore(add(p, 0xa0), and(operator, 0xffffffffffffffffffffffffffffffffffffffff))
            let structHash := keccak256(p, 0xc0)
            mstore(p, hex"1901")
            mstore(add(p, 0x02), domain)
            mstore(add(p, 0x22), structHash)
            result := keccak256(p, 0x42)
        }
    }

    /// @notice EIP-712 domain separator: name "Vouch", version "1", this chain, `hub`.
    function domainSeparator(address hub) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("Vouch"), keccak256("1"), block.chainid, hub));
    }
}
