// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IVerifierRouter} from "../../../contracts/interfaces/IVerifierRouter.sol";
import {ClaimSignature} from "../../../contracts/libraries/ClaimSignature.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {SignatureVerifier} from "../../../contracts/verifiers/SignatureVerifier.sol";
import {World} from "./World.sol";

/// @title Results with real signatures, and what is wrong with them
abstract contract Sealing is World {
    /// @dev One result as it is handed to the hub, and what its seal alone would be refused with (zero: it is good).
    struct Attempt {
        uint256 index;
        bool known;
        bool settledInBatch;
        Request terms;
        address operator;
        bytes output;
        bytes seal;
        bytes4 sealFault;
    }

    bytes32 private constant CLAIM_TYPE =
        keccak256("Claim(bytes32 requestId,bytes32 modelId,bytes32 inputHash,bytes32 outputHash,address operator)");
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function _attempt(uint256 index, uint256 seed, bool honest) internal view returns (Attempt memory a) {
        Item storage item = _items[index];
        Request memory terms = item.terms;
        a.index = index;
        a.known = true;
        a.terms = terms;
        a.operator = terms.operator != address(0) ? terms.operator : _operator(seed, "answering");
        if (terms.operator == address(0) && terms.trust != 0) a.operator = address(uint160(uint256(terms.trust)));
        a.output = abi.encode("answer", pick(seed, "output", 2));
        a.seal = _seal(item.id, terms, a.operator, a.output, terms.route);
        if (!honest) _spoil(a, seed);
    }

    /// @dev Changes one thing after the seal was made.
    function _spoil(Attempt memory a, uint256 seed) private view {
        uint256 fault = pick(seed, "spoil", 9);
        if (fault == 0) {
            address signer = a.operator;
            a.operator = _operator(seed, "thief"); // a copied delivery
            if (a.operator != signer) a.sealFault = SignatureVerifier.WrongSigner.selector;
        } else if (fault == 1) {
            a.output = "another answer";
            a.sealFault = SignatureVerifier.WrongSigner.selector;
        } else if (fault == 2) {
            // The seal of another claim: same operator, same output, another request.
            uint256 other = (a.index + 1) % _items.length;
            a.seal = _seal(_items[other].id, _items[other].terms, a.operator, a.output, a.terms.route);
            if (other != a.index) a.sealFault = SignatureVerifier.WrongSigner.selector;
        } else if (fault == 3) {
            a.seal = abi.encodePacked(bytes4("NONE"), a.seal);
            a.sealFault = IInferenceHub.WrongRoute.selector;
        } else if (fault == 4) {
            a.seal = abi.encodePacked(a.seal, bytes1(0));
            a.sealFault = SignatureVerifier.WrongSealLength.selector;
        } else if (fault == 5) {
            a.seal = _malleated(a.seal);
            a.sealFault = ClaimSignature.MalleableSignature.selector;
        } else if (fault == 6) {
            a.output = new bytes(HUB.MAX_OUTPUT() + 1);
            a.sealFault = IInferenceHub.OutputTooLarge.selector;
        } else if (fault == 7) {
            a.seal = "";
            a.sealFault = IInferenceHub.WrongRoute.selector;
        } else {
            a.terms.fee += 1; // better terms than the consumer's
            a.known = false;
        }
    }

    /// @dev The error that the hub must give now, zero if it must settle, in the hub's order of checks.
    function _refusalOf(Attempt memory a) internal view returns (bytes4) {
        Request memory terms = a.terms;
        if (!a.known) return IInferenceHub.UnknownRequest.selector;
        if (a.settledInBatch) return 0;
        if (_items[a.index].status != Status.Requested) return IInferenceHub.WrongStatus.selector;
        if (block.timestamp > terms.deliverBy) return IInferenceHub.DeliverByPassed.selector;
        RouteState state = _routeState[terms.route];
        if (state == RouteState.Unknown) return IVerifierRouter.UnknownRoute.selector;
        if (state == RouteState.Tombstoned) return IVerifierRouter.RouteIsTombstoned.selector;
        if (terms.operator != address(0) && terms.operator != a.operator) return IInferenceHub.WrongOperator.selector;
        if (a.sealFault == IInferenceHub.OutputTooLarge.selector) return a.sealFault;
        if (a.sealFault == IInferenceHub.WrongRoute.selector) return a.sealFault;
        if (a.sealFault == SignatureVerifier.WrongSealLength.selector) return a.sealFault;
        if (terms.trust != 0 && terms.trust != bytes32(uint256(uint160(a.operator)))) {
            return SignatureVerifier.UntrustedOperator.selector;
        }
        if (a.sealFault != 0) return a.sealFault;
        return registered[a.operator] ? bytes4(0) : INodeRegistry.UnregisteredOperator.selector;
    }

    /// @dev A batch skips such an item.
    function _isOver(Attempt memory a) internal view returns (bool) {
        return a.settledInBatch || _items[a.index].status != Status.Requested || block.timestamp > a.terms.deliverBy;
    }

    function _seal(bytes32 id, Request memory terms, address operator, bytes memory output, bytes4 route)
        private
        view
        returns (bytes memory)
    {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN_TYPE, keccak256("Vouch"), keccak256("1"), block.chainid, address(HUB)));
        bytes32 claim =
            keccak256(abi.encode(CLAIM_TYPE, id, terms.modelId, terms.inputHash, keccak256(output), operator));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(_keys[operator], keccak256(abi.encodePacked(hex"1901", domain, claim)));
        return abi.encodePacked(route, r, s, v);
    }

    /// @dev The other signature that ecrecover takes for the same key and digest.
    function _malleated(bytes memory seal) private pure returns (bytes memory other) {
        bytes32 r;
        uint256 s;
        assembly ("memory-safe") {
            r := mload(add(seal, 0x24))
            s := mload(add(seal, 0x44))
        }
        uint8 v = uint8(seal[68]) == 27 ? 28 : 27;
        return abi.encodePacked(bytes4(seal), r, ORDER - s, v);
    }
}
