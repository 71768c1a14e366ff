// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {Gate, Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {World} from "./World.sol";

/// @title Consumers ask, rightly and wrongly, and take their money back
abstract contract Asking is World {
    bytes internal constant INPUT = "what is the risk?";

    function _doAsk(uint256 seed, uint256 fee) internal {
        Request memory terms = _terms(seed, fee);
        uint256 fault = pick(seed, "fault", 24);
        if (fault < 6) return _askWrongly(terms, fault, seed);

        uint256 payment = pick(seed, "payment", 8);
        uint256 value;
        // What an ERC-20 costs must be there as credit, so mostly no more is offered.
        uint256 available = credit[terms.token][terms.consumer];
        if (terms.token != NATIVE && pick(seed, "affordable", 6) != 0) terms.fee %= available + 1;
        if (terms.token != NATIVE && payment > 1) value = 0;
        else if (payment == 1) value = terms.fee + terms.fee / 3 + 1;
        else if (payment == 2) value = terms.fee / 2;
        else value = terms.fee;
        _ask(terms, value);
    }

    /// @notice The same terms a second time, whatever became of the first.
    function _doAskAgain(uint256 seed) internal {
        if (_items.length == 0) return;
        Request memory terms = _items[pick(seed, "item", _items.length)].terms;
        bytes4 expected = terms.deliverBy <= block.timestamp
            ? IInferenceHub.DeadlineInPast.selector
            : IInferenceHub.RequestExists.selector;
        vm.deal(terms.consumer, terms.consumer.balance + terms.fee);
        vm.prank(terms.consumer);
        (bool ok, bytes memory reason) =
            address(HUB).call{value: terms.token == NATIVE ? terms.fee : 0}(abi.encodeCall(HUB.request, (terms, INPUT)));
        _expect("ask again", ok, reason, expected);
    }

    /// @notice Anyone ends a request, in time or too early.
    function _doExpire(uint256 seed) internal {
        if (_items.length == 0) return;
        uint256 index = pick(seed, "ended", 6) == 0 ? pick(seed, "item", _items.length) : _find(seed, Status.Requested);
        for (uint256 i; i < 6 && pick(seed, "hopeless", 3) == 0; ++i) {
            if (_items[index].terms.deliverBy >= block.timestamp && !_isAnswerable(_items[index].terms)) break;
            index = _find(uint256(keccak256(abi.encode(seed, i))), Status.Requested);
        }
        Request memory terms = _items[index].terms;
        bool altered = pick(seed, "altered", 12) == 0;
        if (altered) terms.refundTo = STRANGER;
        _expire(index, terms, pick(seed, "stranger", 2) == 0 ? STRANGER : _account(seed, "caller"), altered);
    }

    function _expire(uint256 index, Request memory terms, address caller, bool altered) internal {
        Item storage item = _items[index];
        bool late = block.timestamp > terms.deliverBy;
        bytes4 expected;
        if (altered) expected = IInferenceHub.UnknownRequest.selector;
        else if (item.status != Status.Requested) expected = IInferenceHub.WrongStatus.selector;
        else if (!late && _isAnswerable(terms)) expected = IInferenceHub.DeliverByNotPassed.selector;

        vm.prank(caller);
        (bool ok, bytes memory reason) = address(HUB).call(abi.encodeCall(HUB.expire, (terms)));
        _expect("expire", ok, reason, expected);
        if (!ok) return;
        item.status = Status.Expired;
        escrow[terms.token] -= terms.fee;
        _give(terms.token, terms.refundTo == address(0) ? terms.consumer : terms.refundTo, terms.fee);
        if (!late) ++reached["expire what nobody can answer"];
    }

    function _isAnswerable(Request memory terms) private view returns (bool) {
        return _routeState[terms.route] == RouteState.Live && _published[terms.modelId];
    }

    function _ask(Request memory terms, uint256 value) internal {
        bytes4 expected;
        uint256 available = credit[terms.token][terms.consumer];
        if (terms.token != NATIVE && value != 0) expected = ILedger.UnexpectedValue.selector;
        else if (available + value < terms.fee) expected = ILedger.InsufficientCredit.selector;

        vm.deal(terms.consumer, terms.consumer.balance + value);
        vm.prank(terms.consumer);
        (bool ok, bytes memory result) = address(HUB).call{value: value}(abi.encodeCall(HUB.request, (terms, INPUT)));
        _expect("ask", ok, result, expected);
        if (!ok) return;
        if (value < terms.fee) ++reached["ask with credit"];
        if (value > terms.fee) ++reached["ask with surplus"];
        credit[terms.token][terms.consumer] = available + value - terms.fee;
        assertEq(abi.decode(result, (bytes32)), _record(terms), "id");
    }

    /// @dev Adds a request that the hub took; the fee is paid already.
    function _record(Request memory terms) internal returns (bytes32 id) {
        id = keccak256(abi.encode(block.chainid, HUB, terms));
        escrow[terms.token] += terms.fee;
        _items.push(Item(terms, id, Status.Requested, false, address(0), "", 0));
    }

    function _terms(uint256 seed, uint256 fee) internal view returns (Request memory terms) {
        address consumer = _consumers[pick(seed, "consumer", _consumers.length)];
        address operator = _operator(seed, "operator");
        terms.consumer = consumer;
        terms.operator = pick(seed, "named", 3) == 0 ? operator : address(0);
        terms.refundTo = pick(seed, "refund", 3) == 0 ? _account(seed, "refundTo") : address(0);
        terms.token = _token(seed);
        terms.fee = pick(seed, "free", 8) == 0 ? 0 : bound(fee, 1, 1 ether);
        terms.exposure = pick(seed, "exposure", 1 ether);
        terms.deliverBy = block.timestamp + 1 + pick(seed, "patience", 1 days);
        uint256 size = pick(seed, "gas", 4);
        terms.callbackGas = size == 0 ? 0 : size == 1 ? SMALL_CALLBACK : LARGE_CALLBACK;
        terms.gate = Gate(pick(seed, "gate", 2));
        // Mostly routes and models that are there; the first of each list is one that never is.
        terms.route = pick(seed, "odd route", 8) == 0 ? _routes[pick(seed, "no route", 2)] : _recentRoute(seed);
        uint256 model = 1 + pick(seed, "model", _models.length - 1);
        terms.modelId = _models[pick(seed, "odd model", 12) == 0 ? 0 : model];
        if (pick(seed, "trusting", 4) == 0) terms.trust = bytes32(uint256(uint160(operator)));
        terms.inputHash = keccak256(INPUT);
        terms.salt = (_items.length << 128) | steps;
    }

    function _askWrongly(Request memory terms, uint256 fault, uint256 seed) private {
        address caller = terms.consumer;
        bytes4 expected;
        if (fault == 0) {
            terms.deliverBy = block.timestamp - pick(seed, "late", 2);
            expected = IInferenceHub.DeadlineInPast.selector;
        } else if (fault == 1) {
            terms.deliverBy = block.timestamp + HUB.MAX_PATIENCE() + 1;
            expected = IInferenceHub.DeadlineTooFar.selector;
        } else if (fault == 2) {
            caller = STRANGER;
            expected = IInferenceHub.NotConsumer.selector;
        } else if (fault == 3) {
            terms.inputHash = keccak256("something else");
            expected = IInferenceHub.WrongInputHash.selector;
        } else if (fault == 4) {
            terms.callbackGas = HUB.MAX_CALLBACK_GAS() + 1;
            expected = IInferenceHub.CallbackGasTooHigh.selector;
        } else {
            expected = IInferenceHub.MalformedTerms.selector;
        }
        bytes memory data = abi.encodeCall(HUB.request, (terms, INPUT));
        if (fault == 5) data[4 + 8 * 32] = 0x01; // above the 32 bits of proveWithin
        uint256 value = terms.token == NATIVE ? terms.fee : 0;
        vm.deal(caller, caller.balance + value);
        vm.prank(caller);
        (bool ok, bytes memory reason) = address(HUB).call{value: value}(data);
        _expect("ask", ok, reason, expected);
    }
}
