// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {ClaimSignature} from "../../../contracts/libraries/ClaimSignature.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {SignatureVerifier} from "../../../contracts/verifiers/SignatureVerifier.sol";
import {Calling} from "./Calling.sol";

/// @title Results with real signatures, and what is wrong with them
abstract contract Sealing is Calling {
    /// @dev One result as it is handed to the hub, and what its seal or signature alone would be refused with (zero: it
    /// is good).
    struct Attempt {
        uint256 index;
        Request terms;
        bool isAltered;
        address operator;
        uint256 answer;
        bytes output;
        bytes seal;
        bytes4 fault;
    }

    bytes32 private constant CLAIM_TYPE =
        keccak256("Claim(bytes32 requestId,bytes32 modelId,bytes32 inputHash,bytes32 outputHash,address operator)");
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    bytes32 private immutable _DOMAIN =
        keccak256(abi.encode(DOMAIN_TYPE, keccak256("Vouch"), keccak256("1"), block.chainid, address(HUB)));

    /// @dev What was delivered, or what an operator that may answer could say.
    function _attempt(uint256 index, uint256 seed) internal view returns (Attempt memory a) {
        Item storage item = _items[index];
        (a.index, a.terms) = (index, item.terms);
        if (_isOpen(item.status)) (a.operator, a.answer) = (item.operator, item.answer);
        else (a.operator, a.answer) = (_candidate(a.terms, seed), pick(seed, "answer", ANSWERS));
        a.output = _output(a.answer);
    }

    /// @dev Signs as the verifier of the route wants it, and changes one thing if it is not honest.
    function _seal(Attempt memory a, uint256 seed, bool honest) internal view {
        uint256 fault = honest ? NOBODY : pick(seed, "spoil", 9);
        bytes32 id = _items[a.index].id;
        address signer = a.operator;
        if (fault == 0) {
            // The seal of another claim: same operator, same output, another request.
            id = ~id;
            a.fault = SignatureVerifier.WrongSigner.selector;
        } else if (fault == 1) {
            signer = vm.addr(FIRST_KEY + OPERATORS);
            a.fault = SignatureVerifier.WrongSigner.selector;
        }
        a.seal = abi.encodePacked(a.terms.route, _sign(id, a.terms, a.operator, a.output, signer));
        if (fault == 2) {
            a.seal = abi.encodePacked(bytes4("NONE"), a.seal);
            a.fault = IInferenceHub.WrongRoute.selector;
        } else if (fault == 3) {
            a.seal = abi.encodePacked(a.seal, bytes1(0));
            a.fault = SignatureVerifier.WrongSealLength.selector;
        } else if (fault == 4) {
            a.seal = _malleated(a.seal, 4);
            a.fault = ClaimSignature.MalleableSignature.selector;
        } else if (fault == 5) {
            a.seal = pick(seed, "empty", 2) == 0 ? bytes("") : bytes("abc");
            a.fault = IInferenceHub.WrongRoute.selector;
        } else if (fault > 5 && fault != NOBODY) {
            _alter(a, fault - 6, seed, SignatureVerifier.WrongSigner.selector);
        }
    }

    /// @dev Signs as `deliver` wants it, and changes one thing if it is not honest.
    function _autograph(Attempt memory a, uint256 seed, bool honest) internal view {
        uint256 fault = honest ? NOBODY : pick(seed, "spoil", 8);
        (address signer, bytes32 id) = (a.operator, _items[a.index].id);
        if (fault == 0) signer = vm.addr(FIRST_KEY + OPERATORS);
        else if (fault == 1) id = ~id;
        if (fault < 2) a.fault = IInferenceHub.NotSignedByOperator.selector;
        a.seal = _sign(id, a.terms, a.operator, a.output, signer);
        if (fault == 2) {
            a.seal = abi.encodePacked(a.seal, bytes1(0));
            a.fault = IInferenceHub.WrongSignatureLength.selector;
        } else if (fault == 3) {
            a.seal = _malleated(a.seal, 0);
            a.fault = ClaimSignature.MalleableSignature.selector;
        } else if (fault == 4) {
            a.seal[64] = bytes1(uint8(1)); // no signature at all
            a.fault = IInferenceHub.NotSignedByOperator.selector;
        } else if (fault > 4 && fault != NOBODY) {
            _alter(a, fault - 5, seed, IInferenceHub.NotSignedByOperator.selector);
        }
    }

    /// @dev What a live verifier would refuse the seal with.
    function _sealFault(Attempt memory a) internal pure returns (bytes4) {
        if (a.fault == IInferenceHub.WrongRoute.selector) return a.fault;
        if (a.fault == SignatureVerifier.WrongSealLength.selector) return a.fault;
        bytes32 trust = a.terms.trust;
        if (trust != 0 && trust != bytes32(uint256(uint160(a.operator)))) {
            return SignatureVerifier.UntrustedOperator.selector;
        }
        return a.fault;
    }

    /// @dev What the hub says about any result that it has not taken yet.
    function _answerFault(Attempt memory a) internal pure returns (bytes4) {
        address named = a.terms.operator;
        if (named != address(0) && named != a.operator) return IInferenceHub.WrongOperator.selector;
        return a.output.length > 65_536 ? IInferenceHub.OutputTooLarge.selector : bytes4(0);
    }

    function _requestedFault(Attempt memory a) internal view returns (bytes4) {
        if (a.isAltered) return IInferenceHub.UnknownRequest.selector;
        if (_items[a.index].status != Status.Requested) return IInferenceHub.WrongStatus.selector;
        return block.timestamp > a.terms.deliverBy ? IInferenceHub.DeliverByPassed.selector : bytes4(0);
    }

    function _sign(bytes32 id, Request memory terms, address operator, bytes memory output, address signer)
        internal
        view
        returns (bytes memory)
    {
        bytes32 claim =
            keccak256(abi.encode(CLAIM_TYPE, id, terms.modelId, terms.inputHash, keccak256(output), operator));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keys[signer], keccak256(abi.encodePacked(hex"1901", _DOMAIN, claim)));
        return abi.encodePacked(r, s, v);
    }

    /// @dev The other signature that ecrecover takes for the same key and digest.
    function _malleated(bytes memory seal, uint256 start) internal pure returns (bytes memory other) {
        other = bytes.concat(seal);
        assembly ("memory-safe") {
            let s := add(add(other, 0x40), start)
            mstore(s, sub(ORDER, mload(s)))
        }
        other[start + 64] = bytes1(uint8(other[start + 64]) == 27 ? 28 : 27);
    }

    /// @dev Changes the result after it was signed.
    function _alter(Attempt memory a, uint256 what, uint256 seed, bytes4 fault) internal view {
        if (what == 0) {
            address thief = _operator(seed, "thief"); // a copied delivery
            if (thief == a.operator) return;
            a.operator = thief;
        } else if (what == 1) {
            a.output = pick(seed, "large", 2) == 0 ? new bytes(65_537) : bytes("another answer");
        } else {
            a.terms.fee += 1; // better terms than the consumer's
            a.isAltered = true;
        }
        a.fault = fault;
    }

    /// @dev Half of the time; from inside a callback more often, because little succeeds there.
    function _isHonest(uint256 seed) internal view returns (bool) {
        return pick(seed, "honest", 4) < (_depth == 0 ? 2 : 3);
    }

    /// @dev Who may answer, trusted and able to cover what the terms want if there is such a one.
    function _candidate(Request memory terms, uint256 seed) private view returns (address operator) {
        if (pick(seed, "anyone", 16) == 0) return _operator(seed, "candidate");
        if (terms.operator != address(0)) return terms.operator;
        if (terms.trust != 0 && pick(seed, "untrusted", 3) != 0) return address(uint160(uint256(terms.trust)));
        uint256 start = pick(seed, "candidate", OPERATORS);
        for (uint256 i; i < OPERATORS; ++i) {
            operator = _accounts[(start + i) % OPERATORS];
            if (registered[operator] && _isCovered(operator, terms)) break;
        }
    }

    function _isCovered(address operator, Request memory terms) internal view returns (bool) {
        uint256 free = _stakes[operator][terms.token].bonded - _stakes[operator][terms.token].exposed;
        return terms.exposure <= free && terms.bond <= free - terms.exposure;
    }
}
