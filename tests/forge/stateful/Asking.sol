// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {Gate, Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Calling} from "./Calling.sol";

/// @title Consumers ask, rightly and wrongly, and take their money back
abstract contract Asking is Calling {
    uint256 private constant ABSURD = type(uint256).max;

    function _doAsk(uint256 seed) internal {
        Request memory terms = _terms(seed);
        address caller = terms.consumer;
        uint256 credit_ = credit[terms.token][caller];
        // What an ERC-20 costs must be there as credit, so mostly no more is offered.
        if (terms.token != NATIVE && pick(seed, "affordable", 6) != 0) terms.fee %= credit_ + 1;
        uint256 payment = pick(seed, "payment", 8);
        uint256 value = terms.token == NATIVE ? terms.fee : 0;
        if (payment == 0) value = terms.fee + terms.fee / 3 + 1;
        else if (payment < 3 && value != 0) value = terms.fee / 2;

        bytes4 expected;
        uint256 fault = pick(seed, "fault", 20);
        if (fault < 7) (expected, caller) = _spoilTerms(terms, fault, seed);
        else if (terms.token != NATIVE && value != 0) expected = ILedger.UnexpectedValue.selector;
        else if (credit_ + value < terms.fee) expected = ILedger.InsufficientCredit.selector;
        bytes memory data = abi.encodeCall(HUB.request, (terms, INPUT));
        if (fault == 0) data[4 + 8 * 32] = 0x01; // above the 32 bits of proveWithin
        _ask(caller, value, data, terms, expected);
    }

    /// @notice The same terms a second time, whatever became of the first.
    function _doAskAgain(uint256 seed) internal {
        Request memory terms = _items[_find(seed, Status.Requested, 1)].terms;
        bytes4 expected = terms.deliverBy <= block.timestamp
            ? IInferenceHub.DeadlineInPast.selector
            : IInferenceHub.RequestExists.selector;
        uint256 value = terms.token == NATIVE ? terms.fee : 0;
        _ask(terms.consumer, value, abi.encodeCall(HUB.request, (terms, INPUT)), terms, expected);
    }

    /// @notice Anyone ends a request, in time or too early.
    function _doExpire(uint256 seed) internal {
        uint256 index = _find(seed, Status.Requested, 5);
        for (uint256 i; i < 6 && pick(seed, "hopeless", 3) == 0; ++i) {
            if (_items[index].status == Status.Requested && !_isAnswerable(_items[index].terms)) break;
            index = _find(reseed(seed, bytes32(i)), Status.Requested, 1);
        }
        Request memory terms = _items[index].terms;
        bytes4 expected = _expireFault(index);
        if (pick(seed, "altered", 12) == 0) {
            terms.refundTo = address(0xbad);
            expected = IInferenceHub.UnknownRequest.selector;
        }
        _expire(index, terms, _sender(seed), expected);
    }

    function _expire(uint256 index, Request memory terms, address sender, bytes4 expected) internal {
        if (expected == 0) {
            if (block.timestamp <= terms.deliverBy) _mark("expire at once", 0, 0);
            _item(index);
            _end(index, Status.Expired);
            _give(terms.token, _beneficiary(terms), terms.fee);
        }
        _send("expire", sender, address(HUB), 0, abi.encodeCall(HUB.expire, (terms)), expected);
        _markSecond("expire", expected, terms.deliverBy);
    }

    function _expireFault(uint256 index) internal view returns (bytes4) {
        Item storage item = _items[index];
        if (item.status != Status.Requested) return IInferenceHub.WrongStatus.selector;
        bool late = block.timestamp > item.terms.deliverBy;
        return late || !_isAnswerable(item.terms) ? bytes4(0) : IInferenceHub.DeliverByNotPassed.selector;
    }

    function _isAnswerable(Request memory terms) private view returns (bool) {
        return _routeState[terms.route] == RouteState.Live && _published[terms.modelId];
    }

    function _ask(address caller, uint256 value, bytes memory data, Request memory terms, bytes4 expected) private {
        bytes32 id;
        if (expected == 0) {
            if (value < terms.fee) _mark("ask with credit", 0, 0);
            if (value > terms.fee) _mark("ask with surplus", 0, 0);
            if (value >= terms.fee) _give(terms.token, caller, value - terms.fee);
            else _take(terms.token, caller, terms.fee - value);
            id = _record(terms);
            _item(_items.length - 1);
        }
        bytes memory result = _send("ask", caller, address(HUB), value, data, expected);
        if (expected == 0) assertEq(abi.decode(result, (bytes32)), id, "id");
    }

    function _terms(uint256 seed) private view returns (Request memory terms) {
        address operator = _operator(seed, "operator");
        terms.consumer = _depth != 0 ? _self : _consumers[pick(seed, "consumer", _consumers.length)];
        if (pick(seed, "named", 4) == 0) terms.operator = operator;
        if (pick(seed, "refund", 3) == 0) terms.refundTo = _accounts[pick(seed, "refundTo", _accounts.length)];
        terms.token = _token(seed);
        terms.fee = _amount(seed, "fee", 1 ether);
        terms.exposure = pick(seed, "absurd", 48) == 0 ? ABSURD : _amount(seed, "exposure", 1 ether);
        terms.bond = pick(seed, "absurd bond", 48) == 0 ? ABSURD : _amount(seed, "bond", 0.3 ether);
        terms.deliverBy = block.timestamp + 1 + pick(seed, "patience", 8 hours);
        if (pick(seed, "optimistic", 5) < 3) terms.window = uint32(1 + pick(seed, "window", 3 hours));
        if (pick(seed, "proving", 10) != 0) terms.proveWithin = uint32(1 + pick(seed, "proveWithin", 3 hours));
        if (pick(seed, "longest", 64) == 0) (terms.window, terms.proveWithin) = (366 days, 366 days);
        uint256 size = pick(seed, "gas", 8);
        terms.callbackGas = size == 0 ? 0 : size == 1 ? SMALL_CALLBACK : size < 5 ? MEDIUM_CALLBACK : LARGE_CALLBACK;
        terms.gate = Gate(pick(seed, "gate", 3) == 0 ? 0 : 1);
        // Mostly routes and models that are there; the first of each list is one that never is.
        terms.route = pick(seed, "odd route", 10) == 0 ? _routes[pick(seed, "no route", 2)] : _liveRoute(seed);
        uint256 model = 1 + pick(seed, "model", _models.length - 1);
        terms.modelId = _models[pick(seed, "odd model", 16) == 0 ? 0 : model];
        if (pick(seed, "trusting", 3) == 0) terms.trust = bytes32(uint256(uint160(operator)));
        terms.inputHash = keccak256(INPUT);
        terms.salt = uint256(keccak256(abi.encode(_items.length, seed)));
    }

    /// @dev In the hub's order of checks each of these comes before the money.
    function _spoilTerms(Request memory terms, uint256 fault, uint256 seed)
        private
        view
        returns (bytes4 expected, address caller)
    {
        caller = terms.consumer;
        if (fault == 0) {
            expected = IInferenceHub.MalformedTerms.selector;
        } else if (fault == 1) {
            terms.deliverBy = block.timestamp - pick(seed, "late", 2);
            expected = IInferenceHub.DeadlineInPast.selector;
        } else if (fault == 2) {
            terms.deliverBy = block.timestamp + 366 days + 1;
            expected = IInferenceHub.DeadlineTooFar.selector;
        } else if (fault == 3) {
            if (pick(seed, "long", 2) == 0) terms.window = 366 days + 1;
            else terms.proveWithin = 366 days + 1;
            expected = IInferenceHub.GapTooLong.selector;
        } else if (fault == 4) {
            terms.callbackGas = 12_000_001;
            expected = IInferenceHub.CallbackGasTooHigh.selector;
        } else if (fault == 5) {
            caller = _accounts[0] == caller ? STRANGER : _accounts[0];
            expected = IInferenceHub.NotConsumer.selector;
        } else {
            terms.inputHash = keccak256("something else");
            expected = IInferenceHub.WrongInputHash.selector;
        }
    }
}
