// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Consumer, Mood} from "../actors/Consumer.sol";
import {Asking} from "./Asking.sol";
import {Sealing} from "./Sealing.sol";

/// @title Relayers bring results, good and bad; consumers make what trouble they can
abstract contract Answering is Asking, Sealing {
    /// @dev What an armed consumer tries from inside the hub's call.
    struct Plot {
        Consumer consumer;
        address token;
        uint256 amount;
        Attempt other;
        Request nested;
    }

    function _doFulfil(uint256 seed) internal {
        if (_items.length == 0) return;
        Attempt memory attempt = _choice(seed, pick(seed, "honest", 3) != 0);
        bytes4 expected = _refusalOf(attempt);
        bool starved = expected == 0 && attempt.terms.callbackGas == LARGE_CALLBACK && pick(seed, "starved", 12) == 0;
        if (starved) expected = IInferenceHub.InsufficientGas.selector;
        Plot memory plot = _plot(seed, attempt.index, attempt);

        vm.prank(_account(seed, "relayer"));
        (bool ok, bytes memory reason) = address(HUB).call{gas: starved ? 600_000 : gasleft()}(
            abi.encodeCall(HUB.fulfil, (attempt.terms, attempt.operator, attempt.output, attempt.seal))
        );
        _expect("fulfil", ok, reason, expected);
        if (ok) _settle(attempt, plot);
        _end(plot);
    }

    function _doFulfilMany(uint256 seed) internal {
        if (_items.length == 0) return;
        IInferenceHub.Fulfilment[] memory batch = new IInferenceHub.Fulfilment[](1 + pick(seed, "size", 5));
        Attempt[] memory attempts = new Attempt[](batch.length);
        bool honest = pick(seed, "honest batch", 4) != 0;
        for (uint256 i; i < batch.length; ++i) {
            attempts[i] = _choice(uint256(keccak256(abi.encode(seed, i))), honest);
            if (honest && _refusalOf(attempts[i]) != 0) attempts[i] = attempts[0];
            Attempt memory a = attempts[i];
            batch[i] = IInferenceHub.Fulfilment(a.terms, a.operator, a.output, a.seal);
        }
        Plot memory plot;
        if (honest && _refusalOf(attempts[0]) == 0) plot = _plot(seed, attempts[0].index, attempts[0]);

        vm.prank(STRANGER);
        (bool ok, bytes memory result) = address(HUB).call(abi.encodeCall(HUB.fulfilMany, (batch)));
        uint256 settled;
        bytes4 expected;
        for (uint256 i; i < batch.length && expected == 0; ++i) {
            if (attempts[i].known && _isOver(attempts[i])) {
                ++reached["fulfilMany skips"];
                continue;
            }
            expected = _refusalOf(attempts[i]);
            if (expected == 0 && ok) {
                _settle(attempts[i], plot);
                ++settled;
            } else if (expected == 0) {
                // Reverted later on: what the first items did is undone, so the model leaves them alone, but a later
                // copy of the same item would have been skipped.
                attempts[i].settledInBatch = true;
                for (uint256 j = i + 1; j < batch.length; ++j) {
                    if (attempts[j].index == attempts[i].index && attempts[j].known) attempts[j].settledInBatch = true;
                }
            }
        }
        _expect("fulfilMany", ok, result, expected);
        if (ok) assertEq(abi.decode(result, (uint256)), settled, "fulfilled");
        if (settled > 1) ++reached["fulfilMany settles several"];
        _end(plot);
    }

    function _doRetryCallback(uint256 seed) internal {
        if (_items.length == 0) return;
        uint256 index = pick(seed, "any", 4) == 0 ? pick(seed, "item", _items.length) : _findFailed(seed);
        Item storage item = _items[index];
        address consumer = item.terms.consumer;
        if (consumer.code.length != 0 && pick(seed, "mended", 2) == 0) {
            Consumer(payable(consumer)).setMood(Mood.Accept);
        }
        bool wrong = pick(seed, "wrong answer", 6) == 0;
        uint256 gasOffered = pick(seed, "more gas", 2) == 0 ? 0 : LARGE_CALLBACK;
        bytes memory output = wrong ? bytes("another answer") : item.output;
        Request memory terms = item.terms;
        uint256 gasLimit = gasOffered < terms.callbackGas ? terms.callbackGas : gasOffered;
        bytes4 expected;
        if (!item.callbackFailed) expected = IInferenceHub.NothingToRetry.selector;
        else if (wrong) expected = IInferenceHub.WrongAnswer.selector;
        else if (!_callbackWorks(terms.consumer, gasLimit)) expected = IInferenceHub.CallbackReverted.selector;
        Attempt memory same = Attempt(index, true, false, terms, item.operator, item.output, "", 0);
        Plot memory plot = _plot(seed, index, same);

        vm.prank(_account(seed, "caller"));
        (bool ok, bytes memory reason) =
            address(HUB).call(abi.encodeCall(HUB.retryCallback, (terms, item.operator, output, gasOffered)));
        _expect("retry", ok, reason, expected);
        if (ok) {
            item.callbackFailed = false;
            _carryOut(plot, terms.consumer, true);
        }
        _end(plot);
    }

    function _doSetMood(uint256 seed) internal {
        uint256 which = pick(seed, "consumer", _consumers.length - 1);
        // Half of all moods are good ones.
        uint256 mood = pick(seed, "mood", 8);
        Consumer(payable(_consumers[which])).setMood(mood > uint256(type(Mood).max) ? Mood.Accept : Mood(mood));
    }

    /// @dev The model of a settlement: the fee goes to the operator in the claim, then the consumer is called.
    function _settle(Attempt memory a, Plot memory plot) private {
        Item storage item = _items[a.index];
        Request memory terms = item.terms;
        item.status = Status.Settled;
        item.operator = a.operator;
        item.output = a.output;
        item.settledAt = block.timestamp;
        escrow[terms.token] -= terms.fee;
        credit[terms.token][a.operator] += terms.fee;
        if (terms.callbackGas == 0) return;
        item.callbackFailed = !_callbackWorks(terms.consumer, terms.callbackGas);
        if (item.callbackFailed) ++reached["callback failed"];
        Mood mood = _moodOf(terms.consumer);
        bool kept = terms.callbackGas == LARGE_CALLBACK && (mood == Mood.Accept || mood == Mood.Mumble);
        _carryOut(plot, terms.consumer, kept);
    }

    /// @dev Any item now and then; else an honest relayer looks for one that can be settled.
    function _choice(uint256 seed, bool honest) private view returns (Attempt memory a) {
        bool any = pick(seed, "any", 5) == 0;
        for (uint256 i; i < 6; ++i) {
            uint256 s = uint256(keccak256(abi.encode(seed, i)));
            a = _attempt(any ? pick(s, "item", _items.length) : _findOpen(s), s, honest);
            if (!honest || _refusalOf(a) == 0) return a;
        }
    }

    /// @dev Inside a callback there is too little gas for another large one, so most would be refused.
    function _nestable(uint256 seed) private view returns (Attempt memory a) {
        for (uint256 i; i < 8; ++i) {
            uint256 s = uint256(keccak256(abi.encode(seed, i)));
            a = _attempt(_findOpen(s), s, true);
            if (a.terms.callbackGas != LARGE_CALLBACK && _refusalOf(a) == 0) return a;
        }
    }

    function _callbackWorks(address consumer, uint256 gasLimit) private view returns (bool) {
        return gasLimit == LARGE_CALLBACK && _moodOf(consumer) == Mood.Accept;
    }

    /// @dev Arms the consumer of an item for the next call that it gets, mostly.
    function _plot(uint256 seed, uint256 index, Attempt memory same) private returns (Plot memory plot) {
        address consumer = _items[index].terms.consumer;
        if (consumer.code.length == 0 || pick(seed, "armed", 4) == 0) return plot;
        plot.consumer = Consumer(payable(consumer));
        plot.token = _token(seed);
        plot.amount = pick(seed, "amount", credit[plot.token][consumer] + 2);
        uint256 s = uint256(keccak256(abi.encode(seed, "nested")));
        plot.other = _nestable(s);
        plot.nested = _terms(s, 1);
        plot.nested.consumer = consumer;
        plot.nested.salt |= 1 << 255;

        bytes[] memory calls = new bytes[](6);
        calls[0] = abi.encodeCall(HUB.expire, (same.terms));
        calls[1] = abi.encodeCall(HUB.fulfil, (same.terms, same.operator, same.output, same.seal));
        calls[2] = abi.encodeCall(HUB.retryCallback, (same.terms, same.operator, same.output, 0));
        calls[3] = abi.encodeCall(HUB.withdraw, (plot.token, plot.amount, consumer));
        calls[4] =
            abi.encodeCall(HUB.fulfil, (plot.other.terms, plot.other.operator, plot.other.output, plot.other.seal));
        calls[5] = abi.encodeCall(HUB.request, (plot.nested, INPUT));
        plot.consumer.arm(calls);
    }

    /// @dev Applies to the model what the armed consumer did, once, if it was this consumer's turn and was not undone.
    function _carryOut(Plot memory plot, address consumer, bool kept) private {
        if (!kept || address(plot.consumer) == address(0) || address(plot.consumer) != consumer) return;
        plot.consumer = Consumer(payable(address(0)));
        bool[] memory outcomes = Consumer(payable(consumer)).outcomes();
        Consumer(payable(consumer)).disarm();
        assertEq(outcomes.length, 6, "armed calls");
        assertTrue(!outcomes[0], "expired from inside its own settlement");
        assertTrue(!outcomes[1], "settled again from inside its own settlement");
        assertTrue(!outcomes[2], "retried from inside its own callback");
        ++reached["re-entered"];

        bool pays = plot.amount <= credit[plot.token][consumer];
        assertTrue(outcomes[3] == pays, "withdrawal from inside a callback");
        if (pays) credit[plot.token][consumer] -= plot.amount;

        bytes4 refusal = _refusalOf(plot.other);
        if (outcomes[4]) {
            assertTrue(refusal == 0, "a bad result settled from inside a callback");
            ++reached["settled from inside a callback"];
            _settle(plot.other, plot);
        } else if (refusal == 0) {
            assertEq(plot.other.terms.callbackGas, LARGE_CALLBACK, "a good result refused inside a callback");
        }

        Request memory nested = plot.nested;
        bool affords = nested.fee <= credit[nested.token][consumer];
        assertTrue(outcomes[5] == affords, "request from inside a callback");
        if (!affords) return;
        credit[nested.token][consumer] -= nested.fee;
        ++reached["asked from inside a callback"];
        _record(nested);
    }

    function _end(Plot memory plot) private {
        if (address(plot.consumer) != address(0)) plot.consumer.disarm();
    }

    function _findFailed(uint256 seed) private view returns (uint256) {
        uint256 start = pick(seed, "item", _items.length);
        for (uint256 i; i < _items.length; ++i) {
            uint256 index = (start + i) % _items.length;
            if (_items[index].callbackFailed && _items[index].terms.consumer.code.length != 0) return index;
        }
        return start;
    }
}
