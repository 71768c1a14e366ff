// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Sealing} from "./Sealing.sol";

/// @title Relayers bring results before their seals, and the seals later or never: the gap and its good ends
abstract contract Delivering is Sealing {
    function _doDeliver(uint256 seed) internal {
        Attempt memory a = _attempt(_find(seed, Status.Requested, 1), seed);
        _autograph(a, seed, pick(seed, "honest", 3) != 0);
        bytes4 expected = _deliverFault(a);
        if (expected == 0) expected = _gasFault(seed, a.terms, Status.Delivered);
        if (expected == 0) {
            Item storage item = _item(a.index);
            (item.status, item.operator, item.answer) = (Status.Delivered, a.operator, uint8(a.answer));
            item.deliveredAt = uint40(block.timestamp);
            _stake(a.operator, a.terms.token).exposed += uint128(a.terms.exposure + a.terms.bond);
            if (a.operator == a.terms.consumer) _mark("dealt with itself", 0, 0);
        }
        bytes memory data = abi.encodeCall(HUB.deliver, (a.terms, a.operator, a.output, a.seal));
        _sendBack("deliver", _sender(seed), data, expected, a.index, Status.Delivered);
        _markSecond("deliver", expected, a.terms.deliverBy);
    }

    function _doSettle(uint256 seed) internal {
        uint256 index = _find(seed, pick(seed, "challenged", 3) == 0 ? Status.Challenged : Status.Delivered, 3);
        Item storage item = _items[index];
        Attempt memory a = _attempt(index, seed);
        bool isLate = block.timestamp > _deadline(item);
        bool isUnsealed = pick(seed, "unsealed", 4) == 0;
        if (isLate && !_isSealDue(item)) isUnsealed = !isUnsealed;
        if (!isUnsealed) _seal(a, seed, _isHonest(seed));
        else if (pick(seed, "altered", 5) == 0) _alter(a, pick(seed, "what", 3), seed, 0);
        bytes4 expected = _settleFault(a);
        if (expected == 0) expected = _gasFault(seed, a.terms, Status.Settled);
        uint256 deadline = _deadline(item);
        _settle(a, _sender(seed), expected);
        bytes32 action = a.seal.length == 0 ? bytes32("settle without a seal") : bytes32("settle");
        _markSecond(action, expected, deadline);
    }

    function _settle(Attempt memory a, address sender, bytes4 expected) internal {
        bool isSealed = a.seal.length != 0;
        if (expected == 0) {
            if (!registered[a.operator]) _mark("settled after retiring", 0, 0);
            uint256 bond = _endChallenge(a.index);
            Item storage item = _item(a.index);
            _end(a.index, Status.Settled);
            (item.proven, item.settledAt) = (isSealed, uint40(block.timestamp));
            _give(a.terms.token, a.operator, a.terms.fee + bond);
            _stake(a.operator, a.terms.token).exposed -= uint128(a.terms.exposure + a.terms.bond);
        }
        bytes memory data = abi.encodeCall(HUB.settle, (a.terms, a.operator, a.output, a.seal));
        bytes32 action = isSealed ? bytes32("settle") : bytes32("settle without a seal");
        _sendBack(action, sender, data, expected, a.index, Status.Settled);
    }

    /// @dev Forgets who challenged; the caller of this says whose the bond is.
    function _endChallenge(uint256 index) internal returns (uint256 bond) {
        Item storage item = _item(index);
        if (item.status != Status.Challenged) return 0;
        bond = item.terms.bond;
        escrow[item.terms.token] -= bond;
        (item.challenger, item.challengedAt) = (address(0), 0);
    }

    function _deliverFault(Attempt memory a) private view returns (bytes4 fault) {
        Request memory terms = a.terms;
        fault = _requestedFault(a);
        if (fault == 0 && terms.window == 0 && terms.proveWithin == 0) fault = IInferenceHub.NoGap.selector;
        if (fault == 0) fault = _answerFault(a);
        if (fault == 0 && !registered[a.operator]) fault = INodeRegistry.UnregisteredOperator.selector;
        if (fault == 0) fault = _routeFault(terms.route);
        if (fault == 0) fault = a.fault;
        if (fault == 0 && !_isCovered(a.operator, terms)) fault = INodeRegistry.UncoveredExposure.selector;
    }

    function _settleFault(Attempt memory a) internal view returns (bytes4 fault) {
        fault = _openFault(a.index, a.isAltered, a.operator, keccak256(a.output));
        if (fault != 0) return fault;
        Item storage item = _items[a.index];
        bool isLate = block.timestamp > _deadline(item);
        if (a.seal.length == 0) {
            if (_isSealDue(item)) return IInferenceHub.SealRequired.selector;
            return isLate ? bytes4(0) : IInferenceHub.WindowNotPassed.selector;
        }
        if (_isSealDue(item) && isLate) return IInferenceHub.ProveByPassed.selector;
        if (a.fault == IInferenceHub.WrongRoute.selector) return a.fault;
        fault = _routeFault(a.terms.route);
        return fault != 0 ? fault : _sealFault(a);
    }

    /// @dev What the hub says of a call that names another result than the one that was delivered and has not ended.
    function _openFault(uint256 index, bool isAltered, address operator, bytes32 outputHash)
        internal
        view
        returns (bytes4)
    {
        Item storage item = _items[index];
        if (isAltered) return IInferenceHub.UnknownRequest.selector;
        if (!_isOpen(item.status)) return IInferenceHub.WrongStatus.selector;
        bool isAnswer = operator == item.operator && outputHash == keccak256(_output(item.answer));
        return isAnswer ? bytes4(0) : IInferenceHub.WrongAnswer.selector;
    }
}
