// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Sealing} from "./Sealing.sol";

/// @title Relayers bring results with their seals, one or many at a time
abstract contract Answering is Sealing {
    struct Entry {
        uint64 index;
        uint32 answer;
        address operator;
    }

    /// @dev The batch in progress, how far the hub got with it, and whether it is in the callback of that entry.
    Entry[] private _batch;
    uint256 private _position;
    bool private _isInside;
    uint256 private _settled;

    function _doFulfil(uint256 seed) internal {
        Attempt memory a = _attempt(_find(seed, Status.Requested, 1), seed);
        _seal(a, seed, _isHonest(seed));
        bytes4 expected = _fulfilFault(a);
        if (expected == 0) expected = _gasFault(seed, a.terms, Status.Settled);
        if (expected == 0) _applyFulfil(a.index, a.operator, a.answer);
        bytes memory data = abi.encodeCall(HUB.fulfil, (a.terms, a.operator, a.output, a.seal));
        _sendBack("fulfil", _sender(seed), data, expected, a.index, Status.Settled);
        _markSecond("fulfil", expected, a.terms.deliverBy);
    }

    function _doFulfilMany(uint256 seed) internal {
        Attempt[] memory attempts = new Attempt[](1 + pick(seed, "size", 3));
        bool honest = pick(seed, "honest batch", 3) != 0;
        bytes4 expected;
        delete _batch;
        for (uint256 i; i < attempts.length; ++i) {
            attempts[i] = _member(reseed(seed, bytes32(i)), honest);
            if (honest && _fulfilFault(attempts[i]) != 0 && i != 0) attempts[i] = attempts[0];
            Attempt memory a = attempts[i];
            _batch.push(Entry(uint64(a.index), uint32(a.answer), a.operator));
            if (expected == 0 && !_isSkipped(attempts, i)) expected = _fulfilFault(a);
        }
        (_position, _settled) = (0, 0);
        _due[0].isBatch = true;
        bool calm = _calm;
        // What a consumer does in a batch that fails is undone, but could make it fail in another way.
        _calm = calm || expected != 0;

        bytes memory data = abi.encodeCall(HUB.fulfilMany, (_fulfilments(attempts)));
        bytes memory result = _call("fulfilMany", STRANGER, address(HUB), 0, data, expected);
        _calm = calm;
        if (expected == 0) {
            _advance(0);
            assertEq(abi.decode(result, (uint256)), _settled, "fulfilled");
            if (_settled < attempts.length) _mark("fulfilMany skips", 0, 0);
            if (_settled > 1) _mark("fulfilMany settles several", 0, 0);
            _compare();
        }
        delete _due[0];
    }

    function _advance(bytes32 until) internal override {
        if (_isInside) {
            _closeEntry();
            _isInside = false;
        }
        for (; _position < _batch.length; ++_position) {
            Entry memory entry = _batch[_position];
            Item storage item = _items[entry.index];
            if (item.status != Status.Requested || block.timestamp > item.terms.deliverBy) continue;
            _applyFulfil(entry.index, entry.operator, entry.answer);
            ++_settled;
            if (item.terms.callbackGas == 0) continue;
            _due[0] = Due(entry.index, Status.Settled, true, true, false);
            if (item.id == until) {
                _isInside = true;
                return;
            }
            _closeEntry();
        }
        assertTrue(until == 0, "a callback outside of the batch");
    }

    /// @dev The model of a settlement without a gap: the fee goes to the operator in the claim.
    function _applyFulfil(uint256 index, address operator, uint256 answer) private {
        Item storage item = _item(index);
        _end(index, Status.Settled);
        (item.operator, item.answer, item.proven) = (operator, uint8(answer), true);
        (item.deliveredAt, item.settledAt) = (uint40(block.timestamp), uint40(block.timestamp));
        _give(item.terms.token, operator, item.terms.fee);
    }

    function _closeEntry() private {
        _close(_due[0].index, Status.Settled);
        _due[0].isBatch = true;
        if (_isInside) ++_position;
    }

    /// @dev The error that the hub must give now, zero if it must settle, in the hub's order of checks.
    function _fulfilFault(Attempt memory a) private view returns (bytes4 fault) {
        fault = _requestedFault(a);
        if (fault == 0) fault = _routeFault(a.terms.route);
        if (fault == 0) fault = _answerFault(a);
        if (fault == 0) fault = _sealFault(a);
        if (fault == 0 && !registered[a.operator]) fault = INodeRegistry.UnregisteredOperator.selector;
    }

    /// @dev Any item now and then; else an honest relayer looks for one that can be settled.
    function _member(uint256 seed, bool honest) private view returns (Attempt memory a) {
        for (uint256 i; i < 4; ++i) {
            uint256 s = reseed(seed, bytes32(i));
            a = _attempt(_find(s, Status.Requested, 1), s);
            if (!honest || _fulfilFault(a) == 0) break;
        }
        _seal(a, seed, honest || pick(seed, "good", 2) == 0);
        if (!honest && pick(seed, "altered", 6) == 0) _alter(a, 2, seed, 0);
    }

    /// @dev A batch passes over what has ended, what is late, and what it settled itself.
    function _isSkipped(Attempt[] memory attempts, uint256 i) private view returns (bool) {
        bytes4 fault = _requestedFault(attempts[i]);
        if (fault != 0) return fault != IInferenceHub.UnknownRequest.selector;
        for (uint256 j; j < i; ++j) {
            if (attempts[j].index == attempts[i].index && !attempts[j].isAltered) return true;
        }
        return false;
    }

    function _fulfilments(Attempt[] memory attempts) private pure returns (IInferenceHub.Fulfilment[] memory items) {
        items = new IInferenceHub.Fulfilment[](attempts.length);
        for (uint256 i; i < attempts.length; ++i) {
            Attempt memory a = attempts[i];
            items[i] = IInferenceHub.Fulfilment(a.terms, a.operator, a.output, a.seal);
        }
    }
}
