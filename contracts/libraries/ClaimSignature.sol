// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Signatures in seals: 65 bytes r ‖ s ‖ v, low s only, v 27 or 28
library ClaimSignature {
    uint256 internal constant SIZE = 65;

    /// @dev Half the order of secp256k1: of a signature's two forms only the one with low s is accepted (EIP-2).
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice s is in the upper half of the order: replace it by n - s and flip v.
    error MalleableSignature(bytes32 s);

    /// @notice The account that signed the digest; zero if the bytes are no signature.
    /// @dev The caller has checked that the seal has SIZE bytes from `start`.
    function signer(bytes calldata seal, uint256 start, bytes32 digest) internal pure returns (address) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            let p := add(seal.offset, start)
            r := calldataload(p)
            s := calldataload(add(p, 32))
            v := byte(0, calldataload(add(p, 64)))
        }
        if (uint256(s) > HALF_ORDER) revert MalleableSignature(s);
        return ecrecover(digest, v, r, s);
    }
}
