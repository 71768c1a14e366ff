// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

import {Curve, IEnclaveKeys} from "../interfaces/IEnclaveKeys.sol";

/// @title An enclave's public key, as its attestation document has it
/// @notice Accepts DER SubjectPublicKeyInfo (RFC 5480) of an uncompressed point (SEC 1 section 2.3.3), in exactly two forms:
///
/// | curve | bytes | before 04 ‖ x ‖ y |
/// | --- | --- | --- |
/// | secp256k1 | 88 | 3056301006072a8648ce3d020106052b8104000a034200 |
/// | P-256 | 91 | 3059301306072a8648ce3d020106082a8648ce3d030107034200 |
///
/// Both coordinates are below the field's prime and the point is on the curve: a key that is none could not sign, but
/// a typing error should be seen at once. For P-256 the chain must have P256VERIFY (EIP-7951), or its keys would be
/// let in and never count.
library PublicKey {
    uint256 private constant _P = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;

    /// @notice The id (last 20 bytes of keccak256(x ‖ y)) and the curve.
    /// @dev Reverts with NotAKey, and with OpenZeppelin's MissingPrecompile for P-256 where the chain lacks it.
    function parse(bytes memory spki) internal view returns (address id, Curve curve) {
        bytes32 head;
        bytes32 x;
        bytes32 y;
        assembly ("memory-safe") {
            let end := add(add(spki, 0x20), mload(spki))
            head := mload(add(spki, 0x20))
            if gt(mload(spki), 64) {
                x := mload(sub(end, 64))
                y := mload(sub(end, 32))
            }
        }
        if (spki.length == 88 && bytes24(head) == hex"3056301006072a8648ce3d020106052b8104000a03420004") {
            if (!_onSecp256k1(uint256(x), uint256(y))) revert IEnclaveKeys.NotAKey(spki);
        } else if (spki.length == 91 && bytes27(head) == hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004") {
            if (!P256.isValidPublicKey(x, y)) revert IEnclaveKeys.NotAKey(spki);
            // It says what it thinks of a signature that is none; what matters is that it does not revert.
            P256.verifyNative(0, bytes32(uint256(1)), bytes32(uint256(1)), x, y);
            curve = Curve.P256;
        } else {
            revert IEnclaveKeys.NotAKey(spki);
        }
        id = address(uint160(uint256(keccak256(abi.encode(x, y)))));
    }

    function _onSecp256k1(uint256 x, uint256 y) private pure returns (bool) {
        return x < _P && y < _P && mulmod(y, y, _P) == addmod(mulmod(mulmod(x, x, _P), x, _P), 7, _P);
    }
}
