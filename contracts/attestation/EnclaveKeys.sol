// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";

import {Curve, EnclaveKey, IEnclaveKeys} from "../interfaces/IEnclaveKeys.sol";
import {Attestation, INitroAttestation} from "../interfaces/INitroAttestation.sol";
import {EnclaveSeal} from "../libraries/EnclaveSeal.sol";
import {Claim} from "../types/Claim.sol";
import {ClaimDomain} from "../verifiers/ClaimDomain.sol";
import {PublicKey} from "./PublicKey.sol";

/// @title Lets in, prolongs and ends the keys of enclaves
contract EnclaveKeys is IEnclaveKeys, ClaimDomain {
    using EnclaveSeal for bytes;

    uint256 private constant _BINDING = 72;
    uint256 private constant _NONCE = 40;
    uint256 private constant _PCR = 48;

    /// @notice Checks the documents.
    INitroAttestation public immutable ATTESTATION;
    /// @inheritdoc IEnclaveKeys
    uint40 public immutable MAX_AGE;
    /// @inheritdoc IEnclaveKeys
    uint40 public immutable SKEW;
    /// @inheritdoc IEnclaveKeys
    uint40 public immutable REVOCATION_DELAY;

    mapping(address key => EnclaveKey) private _keys;
    mapping(address key => bytes32) private _certificates;

    constructor(INitroAttestation attestation, address hub, uint40 maxAge, uint40 skew, uint40 revocationDelay)
        ClaimDomain(hub)
    {
        (ATTESTATION, MAX_AGE, SKEW, REVOCATION_DELAY) = (attestation, maxAge, skew, revocationDelay);
    }

    /// @inheritdoc IEnclaveKeys
    function register(bytes calldata document, bytes[] calldata hints) external returns (address key) {
        Attestation memory attestation = ATTESTATION.verify(document, hints);
        _checkTime(attestation.timestamp / 1000);
        _checkNonce(attestation.nonce);
        (address operator, bytes memory extra) = _checkUserData(attestation.userData);
        bytes32 imageId = _imageId(attestation.pcrs);
        Curve curve;
        (key, curve) = PublicKey.parse(attestation.publicKey);

        EnclaveKey storage known = _keys[key];
        if (known.revoked) revert KeyIsRevoked(key);
        if (known.imageId != 0 && (known.operator != operator || known.imageId != imageId)) {
            revert KeyTaken(key, known.operator, known.imageId);
        }
        if (attestation.expiry <= known.expiry) return key;
        _keys[key] = EnclaveKey(imageId, operator, attestation.expiry, curve, false);
        _certificates[key] = keccak256(abi.encode(attestation.certificates));
        emit KeyRegistered(key, operator, imageId, curve, attestation.expiry, extra, attestation.certificates);
    }

    /// @inheritdoc IEnclaveKeys
    function revoke(address key) external {
        address operator = _keys[key].operator;
        if (operator == address(0)) revert UnknownKey(key);
        if (msg.sender != operator) revert NotTheOperator(msg.sender, operator);
        _revoke(key);
    }

    /// @inheritdoc IEnclaveKeys
    function revokeEquivocation(bytes calldata sealA, Claim calldata a, bytes calldata sealB, Claim calldata b)
        external
    {
        if (a.requestId != b.requestId || a.outputHash == b.outputHash) revert NoEquivocation();
        (address key, Curve curve) = sealA.signer(_digest(a));
        (address other,) = sealB.signer(_digest(b));
        if (key != other) revert TwoKeys(key, other);
        if (_keys[key].imageId == 0 || _keys[key].curve != curve) revert UnknownKey(key);
        _revoke(key);
    }

    /// @inheritdoc IEnclaveKeys
    function revokeByCertificate(address key, bytes32[] calldata certificates, uint256 index) external {
        if (_keys[key].imageId == 0) revert UnknownKey(key);
        if (_certificates[key] != keccak256(abi.encode(certificates))) revert WrongCertificates();
        bytes32 certificate = certificates[index];
        uint256 revokedAt = ATTESTATION.revokedAt(certificate);
        uint256 from = revokedAt == 0 ? 0 : revokedAt + REVOCATION_DELAY;
        if (revokedAt == 0 || block.timestamp < from) revert NotYetRevocable(certificate, from);
        _revoke(key);
    }

    /// @inheritdoc IEnclaveKeys
    function keyOf(address key) external view returns (EnclaveKey memory) {
        return _keys[key];
    }

    function _revoke(address key) private {
        if (_keys[key].revoked) revert KeyIsRevoked(key);
        _keys[key].revoked = true;
        emit KeyRevoked(key, msg.sender);
    }

    function _checkTime(uint256 timestamp) private view {
        (uint256 age, uint256 to) = (MAX_AGE, block.timestamp + SKEW);
        uint256 from = block.timestamp > age ? block.timestamp - age : 0;
        if (timestamp < from || timestamp > to) revert NotFresh(timestamp, from, to);
    }

    function _checkNonce(bytes memory nonce) private view {
        if (nonce.length != _NONCE) revert WrongNonce(nonce.length);
        (uint256 number, bytes32 received) = (uint64(bytes8(_word(nonce, 0))), _word(nonce, 8));
        bytes32 expected = Blockhash.blockHash(number);
        if (expected == 0 || received != expected) revert UnknownBlock(number, received, expected);
    }

    function _checkUserData(bytes memory userData) private view returns (address operator, bytes memory extra) {
        if (userData.length < _BINDING) revert WrongUserData(userData.length);
        uint256 chainId = uint256(_word(userData, 0));
        address keys = address(bytes20(_word(userData, 32)));
        operator = address(bytes20(_word(userData, 52)));
        if (chainId != block.chainid) revert WrongChain(chainId, block.chainid);
        if (keys != address(this)) revert WrongContract(keys, address(this));
        extra = new bytes(userData.length - _BINDING);
        assembly ("memory-safe") {
            mcopy(add(extra, 0x20), add(userData, add(0x20, _BINDING)), mload(extra))
        }
    }

    function _imageId(bytes[] memory pcrs) private pure returns (bytes32) {
        for (uint256 i; i < 3; ++i) {
            uint256 length = i < pcrs.length ? pcrs[i].length : 0;
            if (length != _PCR) revert PcrMissing(i, length);
        }
        if (_word(pcrs[0], 0) == 0 && _word(pcrs[0], 16) == 0) revert DebugImage();
        return keccak256(bytes.concat(pcrs[0], pcrs[1], pcrs[2]));
    }

    /// @dev The 32 bytes from `start`, which the caller knows to be there, or does not look at where they are not.
    function _word(bytes memory data, uint256 start) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), start))
        }
    }
}
