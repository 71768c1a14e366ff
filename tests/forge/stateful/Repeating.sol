// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Consumer, Mood} from "../actors/Consumer.sol";
import {Calling} from "./Calling.sol";

/// @title Consumers change their moods, and anyone repeats the callbacks that failed
abstract contract Repeating is Calling {
    function _doSetMood(uint256 seed) internal {
        address consumer = _consumers[pick(seed, "consumer", _consumers.length)];
        if (consumer.code.length == 0) return;
        // Half of all moods are good ones.
        uint256 mood = pick(seed, "mood", 8);
        _setMood(consumer, mood > uint256(type(Mood).max) ? Mood.Accept : Mood(mood));
    }

    function _doRetryCallback(uint256 seed) internal {
        uint256 index =
            _focus != NOBODY || pick(seed, "failed", 8) == 0 ? _find(seed, Status.Delivered, 1) : _failed(seed);
        Item storage item = _items[index];
        Request memory terms = item.terms;
        bool isMended = _depth == 0 && terms.consumer.code.length != 0 && pick(seed, "mended", 3) != 0;
        if (isMended) _setMood(terms.consumer, Mood.Accept);
        Status before = item.status;
        Status status = before == Status.Challenged ? Status.Delivered : before;
        uint256[3] memory offers = [0, MEDIUM_CALLBACK, LARGE_CALLBACK];
        uint256 offered = offers[pick(seed, "more gas", 3)];
        if (pick(seed, "too much", 12) == 0) offered = 12_000_001;
        uint256 gasLimit = offered < terms.callbackGas ? terms.callbackGas : offered;
        (address operator, bytes memory output) = (item.operator, _output(item.answer));
        uint256 wrong = pick(seed, "wrong", 8);
        if (wrong == 0) operator = STRANGER;
        else if (wrong == 1) output = "another answer";

        bytes4 expected;
        bool isRetracted = status == Status.Rejected || status == Status.Expired;
        if (!item.callbackFailed) expected = IInferenceHub.NothingToRetry.selector;
        else if (wrong < 2 && !isRetracted) expected = IInferenceHub.WrongAnswer.selector;
        else if (gasLimit > 12_000_000) expected = IInferenceHub.CallbackGasTooHigh.selector;
        else if (gasLimit == LARGE_CALLBACK && _isStarved(seed)) expected = IInferenceHub.InsufficientGas.selector;
        else if (!_callbackWorks(terms.consumer, gasLimit)) expected = IInferenceHub.CallbackReverted.selector;

        bool isMade = expected == 0 || expected == IInferenceHub.CallbackReverted.selector;
        if (isMade) {
            _item(index).callbackFailed = false;
            _due[_depth] = Due(uint64(index), status, true, false, false);
        }
        bytes memory data = abi.encodeCall(HUB.retryCallback, (terms, operator, output, offered));
        _call("retry", _sender(seed), address(HUB), 0, data, expected);
        if (expected == 0) {
            assertTrue(_due[_depth].isHeard, "the callback was not repeated");
            _mark("retry when", bytes4(uint32(before)), 0);
        } else if (isMade) {
            item.callbackFailed = true;
        }
        delete _due[_depth];
        _compare();
    }

    function _setMood(address consumer, Mood mood) internal {
        Consumer(payable(consumer)).setMood(mood);
        _moods[consumer] = mood;
    }

    /// @dev A request whose callback failed, of any kind, if there is one: it may have ended, or have been repeated since.
    function _failed(uint256 seed) private view returns (uint256 index) {
        Status[4] memory told = [Status.Delivered, Status.Settled, Status.Rejected, Status.Expired];
        Status status = told[pick(seed, "told", 4)];
        bool isAlive = status == Status.Delivered;
        for (uint256 i; i < (isAlive ? _alive.length : 4); ++i) {
            index = isAlive ? _alive[i] : _failures[uint256(status)][i];
            if (_items[index].callbackFailed && _items[index].terms.consumer.code.length != 0) break;
        }
    }
}
