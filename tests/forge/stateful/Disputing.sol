// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Delivering} from "./Delivering.sol";

/// @title Anyone doubts a result, and ends it when its proof is late or impossible: the gap's bad ends
abstract contract Disputing is Delivering {
    /// @dev A delivered result as a caller names it.
    struct Named {
        uint256 index;
        Request terms;
        bool isAltered;
        address operator;
        bytes32 outputHash;
    }

    function _doChallenge(uint256 seed) internal {
        uint256 index = _find(seed, Status.Delivered, 1);
        bool isUnheard = pick(seed, "unheard", 3) == 0;
        for (uint256 i; i < 4; ++i) {
            if (_items[index].terms.window != 0 && (!isUnheard || _items[index].callbackFailed)) break;
            index = _find(reseed(seed, bytes32(i)), Status.Delivered, 1);
        }
        Named memory n = _named(index, seed);
        Item storage item = _items[index];
        (address token, uint256 bond) = (n.terms.token, n.terms.bond);
        address sender = pick(seed, "itself", 6) == 0 ? _operatorOf(item, seed) : _payer(seed, token, bond);
        uint256 had;
        uint256 payment = pick(seed, "payment", 6);
        uint256 value = token == NATIVE && bond < 1 ether ? bond : 0;
        if (payment == 0) value += 1 + value / 3;
        else if (payment == 1) value /= 2;
        else if (payment == 2 && bond != 0) (sender, value) = (vm.addr(FIRST_KEY + OPERATORS), 0); // has nothing
        had = credit[token][sender];

        bytes4 expected = _openFault(index, n.isAltered, n.operator, n.outputHash);
        uint256 deadline = item.status == Status.Delivered && n.terms.window != 0 ? _deadline(item) : 0;
        if (expected == 0) {
            if (item.status == Status.Challenged) expected = IInferenceHub.WrongStatus.selector;
            else if (n.terms.window == 0) expected = IInferenceHub.NoWindow.selector;
            else if (block.timestamp > deadline) expected = IInferenceHub.WindowPassed.selector;
            else if (token != NATIVE && value != 0) expected = ILedger.UnexpectedValue.selector;
            else if (had + value < bond) expected = ILedger.InsufficientCredit.selector;
        }
        if (expected == 0) {
            if (value >= bond) _give(token, sender, value - bond);
            else _take(token, sender, bond - value);
            escrow[token] += bond;
            if (sender == item.operator) _mark("challenged by itself", 0, 0);
            item = _item(index);
            (item.status, item.challenger) = (Status.Challenged, sender);
            item.challengedAt = uint40(block.timestamp);
        }
        bytes memory data = abi.encodeCall(HUB.challenge, (n.terms, n.operator, n.outputHash));
        _send("challenge", sender, address(HUB), value, data, expected);
        if (deadline != 0) _markSecond("challenge", expected, deadline);
    }

    function _doReject(uint256 seed) internal {
        Named memory n = _named(_find(seed, _eitherOpen(seed), 5), seed);
        bytes4 expected = _openFault(n.index, n.isAltered, n.operator, n.outputHash);
        uint256 deadline = _deadline(_items[n.index]);
        if (expected == 0) expected = _rejectFault(n.index);
        if (expected == 0) expected = _gasFault(seed, n.terms, Status.Rejected);
        _reject(n, _sender(seed), expected);
        _markSecond("reject", expected, deadline);
    }

    function _doExpireDelivered(uint256 seed) internal {
        uint256 index = _find(seed, _eitherOpen(seed), 2);
        for (uint256 i; i < 6 && pick(seed, "dead", 4) != 0; ++i) {
            if (_isOpen(_items[index].status) && _routeFault(_items[index].terms.route) != 0) break;
            index = _find(reseed(seed, bytes32(i)), _eitherOpen(seed), 2);
        }
        Named memory n = _named(index, seed);
        bytes4 expected = _openFault(index, n.isAltered, n.operator, n.outputHash);
        uint256 deadline = _deadline(_items[index]);
        if (expected == 0) expected = _expireDeliveredFault(index);
        if (expected == 0) expected = _gasFault(seed, n.terms, Status.Expired);
        bool hasWindow = !_isSealDue(_items[index]);
        _expireDelivered(n, _sender(seed), expected);
        if (hasWindow) _markSecond("expireDelivered", expected, deadline);
    }

    function _reject(Named memory n, address sender, bytes4 expected) internal {
        if (expected == 0) _applyReject(n.index, sender);
        bytes memory data = abi.encodeCall(HUB.reject, (n.terms, n.operator, n.outputHash));
        _sendBack("reject", sender, data, expected, n.index, Status.Rejected);
    }

    function _expireDelivered(Named memory n, address sender, bytes4 expected) internal {
        if (expected == 0) {
            Item storage item = _item(n.index);
            address challenger = item.challenger;
            _mark("expireDelivered when", bytes4(uint32(item.status)), 0);
            uint256 bond = _endChallenge(n.index);
            _end(n.index, Status.Expired);
            _give(n.terms.token, _beneficiary(n.terms), n.terms.fee);
            if (bond != 0) _give(n.terms.token, challenger, bond);
            _stake(item.operator, n.terms.token).exposed -= uint128(n.terms.exposure + n.terms.bond);
        }
        bytes memory data = abi.encodeCall(HUB.expireDelivered, (n.terms, n.operator, n.outputHash));
        _sendBack("expireDelivered", sender, data, expected, n.index, Status.Expired);
    }

    /// @dev The insurance case: who is rewarded is the challenger, or else who ended it.
    function _applyReject(uint256 index, address sender) internal returns (address rewarded) {
        Item storage item = _item(index);
        Request memory terms = item.terms;
        rewarded = item.challenger == address(0) ? sender : item.challenger;
        _mark("reject when", bytes4(uint32(item.status)), 0);
        if (rewarded == item.operator) _mark("rewarded itself", 0, 0);
        uint256 bond = _endChallenge(index);
        _end(index, Status.Rejected);
        uint128 amount = uint128(terms.exposure + terms.bond);
        INodeRegistry.Stake storage s = _stake(item.operator, terms.token);
        s.exposed -= amount;
        s.bonded -= amount;
        _take(terms.token, address(NODES), amount);
        _give(terms.token, _beneficiary(terms), terms.fee + terms.exposure);
        _give(terms.token, rewarded, terms.bond + bond);
    }

    /// @dev Why a delivered result, named rightly, cannot be rejected now; zero if it can.
    function _rejectFault(uint256 index) internal view returns (bytes4) {
        Item storage item = _items[index];
        if (!_isSealDue(item)) return IInferenceHub.NotChallenged.selector;
        if (block.timestamp <= _deadline(item)) return IInferenceHub.ProveByNotPassed.selector;
        return _routeFault(item.terms.route);
    }

    /// @dev The same for the end without a punishment.
    function _expireDeliveredFault(uint256 index) internal view returns (bytes4) {
        Item storage item = _items[index];
        if (_routeFault(item.terms.route) == 0) return IInferenceHub.RouteIsLive.selector;
        bool isOver = !_isSealDue(item) && block.timestamp > _deadline(item);
        return isOver ? IInferenceHub.WindowPassed.selector : bytes4(0);
    }

    function _trueName(uint256 index) internal view returns (Named memory) {
        Item storage item = _items[index];
        return Named(index, item.terms, false, item.operator, keccak256(_output(item.answer)));
    }

    /// @dev Mostly what was delivered.
    function _named(uint256 index, uint256 seed) private view returns (Named memory n) {
        n = _trueName(index);
        uint256 fault = pick(seed, "misnamed", 16);
        if (fault == 0) n.operator = _operator(seed, "another");
        else if (fault == 1) n.outputHash = keccak256("another answer");
        else if (fault == 2) (n.terms.refundTo, n.isAltered) = (address(0xbad), true);
    }

    function _eitherOpen(uint256 seed) private pure returns (Status) {
        return pick(seed, "open", 2) == 0 ? Status.Delivered : Status.Challenged;
    }

    function _operatorOf(Item storage item, uint256 seed) private view returns (address) {
        return item.operator == address(0) ? _sender(seed) : item.operator;
    }

    /// @dev Mostly somebody whose credit pays, where no value can.
    function _payer(uint256 seed, address token, uint256 amount) private view returns (address sender) {
        uint256 tries = pick(seed, "payer", 2) == 0 ? 1 : 6;
        for (uint256 i; i < tries; ++i) {
            sender = _sender(reseed(seed, bytes32(i)));
            if (token == NATIVE || credit[token][sender] >= amount) break;
        }
    }
}
