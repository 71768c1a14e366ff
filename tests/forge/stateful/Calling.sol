// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {Request} from "../../../contracts/types/Request.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Mood} from "../actors/Consumer.sol";
import {Comparing} from "./Comparing.sol";

/// @title Calls that must end as the model says, and what the hub calls from inside of them
/// @dev The model changes before the call, so that it can be compared, and the hub called again, from inside a callback. What
/// is done there is undone in hub and model alike if the consumer reverts: both are storage of the same transaction.
abstract contract Calling is Comparing {
    /// @dev The callback that the call in progress must make.
    struct Due {
        uint64 index;
        Status status;
        bool isDue;
        bool isBatch;
        bool isHeard;
    }

    /// @dev Gas with which the hub gets to a large callback, but not into it.
    uint256 private constant STARVING = 1_000_000;
    /// @dev Gas for one more call from inside a callback, with a medium callback in it, or of a payment, with a large one.
    uint256 private constant ENOUGH = 1_700_000;
    uint256 private constant PLENTY = 6_000_000;
    uint256 internal constant NOBODY = type(uint256).max;
    /// @dev A seed with which nobody brings too little gas on purpose.
    uint256 internal constant HONEST = 0;

    /// @notice How often a call ended this way: see `_key`.
    mapping(bytes32 key => uint256) internal _reached;
    /// @notice Calls to the contracts.
    uint256 public calls;

    uint256 internal _seed;
    /// @dev 1 inside of a callback or payment, 0 otherwise.
    uint256 internal _depth;
    /// @dev Who is being called, if anybody, and whether only with the gas that the terms name.
    address internal _self;
    bool internal _isTight;
    /// @dev The request that the next calls are about, with these odds (one in so many), or NOBODY.
    uint256 internal _focus = NOBODY;
    uint256 internal _odds;
    /// @dev True while consumers only listen.
    bool internal _calm;
    Due[2] internal _due;
    /// @dev Requests whose callbacks failed: the last four of each kind.
    uint256[4][7] internal _failures;

    error Unexpected(string action, bytes4 received, bytes4 expected, bytes reason);

    /// @notice A consumer is being called back: it is the one that is due, it is told what the model says, and hub and model
    /// agree while it runs.
    function called(bytes32 id, uint256 salt, Status status, bytes calldata output) external {
        Due storage due = _due[_depth];
        if (due.isBatch) _advance(id);
        assertTrue(due.isDue && !due.isHeard, "a callback that is not due");
        Item storage item = _items[due.index];
        assertEq(msg.sender, item.terms.consumer, "consumer");
        assertEq(id, item.id, "id");
        assertEq(salt, item.terms.salt, "salt");
        assertEq(uint256(status), uint256(due.status), "status");
        bool isResult = status == Status.Delivered || status == Status.Settled;
        assertEq(output, isResult ? _output(item.answer) : bytes(""), "output");
        due.isHeard = true;
        _compare();
        _act(due.index);
    }

    /// @notice A consumer is being paid.
    function paid() external {
        _compare();
        _act(NOBODY);
    }

    /// @dev One call to the hub from inside a callback.
    function _misbehave(uint256 seed) internal virtual;

    /// @dev Applies the batch in progress up to the item whose consumer is being called.
    function _advance(bytes32 until) internal virtual;

    function _send(bytes32 action, address from, address to, uint256 value, bytes memory data, bytes4 expected)
        internal
        returns (bytes memory result)
    {
        result = _call(action, from, to, value, data, expected);
        if (expected == 0) _compare();
    }

    /// @dev The call alone: the caller of this has something to do before hub and model are the same.
    function _call(bytes32 action, address from, address to, uint256 value, bytes memory data, bytes4 expected)
        internal
        returns (bytes memory result)
    {
        bool starved = expected == IInferenceHub.InsufficientGas.selector && _depth == 0;
        if (value != 0) vm.deal(from, from.balance + value);
        vm.prank(from);
        bool ok;
        (ok, result) = to.call{value: value, gas: starved ? STARVING : gasleft()}(data);
        bytes4 received = ok ? bytes4(0) : selectorOf(result);
        if (ok != (expected == 0) || received != expected) {
            revert Unexpected(text(action), received, expected, result);
        }
        _mark(action, expected, 0);
        if (_depth != 0) _mark(action, expected, 3);
        ++calls;
    }

    /// @dev A call that tells the consumer about a request, if it ends well.
    function _sendBack(bytes32 action, address from, bytes memory data, bytes4 expected, uint256 index, Status status)
        internal
    {
        bool isDue = expected == 0 && _isTold(_items[index].terms, status);
        if (isDue) _due[_depth] = Due(uint64(index), status, true, false, false);
        _call(action, from, address(HUB), 0, data, expected);
        if (isDue) _close(index, status);
        if (expected == 0) _compare();
    }

    /// @dev After a callback: it was made if the consumer could listen, and if it failed, that is known.
    function _close(uint256 index, Status status) internal {
        Item storage item = _items[index];
        (address consumer, uint256 gasLimit) = (item.terms.consumer, item.terms.callbackGas);
        assertTrue(_due[_depth].isHeard == _isHeard(consumer, gasLimit), "the callback was not made");
        delete _due[_depth];
        if (_callbackWorks(consumer, gasLimit)) return;
        _mark("callback failed", bytes4(uint32(status)), 0);
        // Of no interest any more if the consumer ended its request in the callback; that it challenged it is no end.
        if (status != Status.Delivered || _isOpen(item.status)) _item(index).callbackFailed = true;
        if (consumer.code.length != 0) _failures[uint256(status)][calls % 4] = index;
    }

    /// @dev The consumer listens, and what it does is not undone.
    function _isHeard(address consumer, uint256 gasLimit) internal view returns (bool) {
        Mood mood = _moods[consumer];
        return consumer.code.length != 0 && gasLimit >= MEDIUM_CALLBACK && (mood == Mood.Accept || mood == Mood.Mumble);
    }

    function _callbackWorks(address consumer, uint256 gasLimit) internal view returns (bool) {
        return _isHeard(consumer, gasLimit) && _moods[consumer] == Mood.Accept;
    }

    /// @dev Inside of a callback there is too little gas for another large one; outside, somebody brings too little
    /// on purpose.
    function _gasFault(uint256 seed, Request memory terms, Status status) internal view returns (bytes4) {
        if (terms.callbackGas != LARGE_CALLBACK || !_isTold(terms, status)) return 0;
        return _isStarved(seed) ? IInferenceHub.InsufficientGas.selector : bytes4(0);
    }

    function _isStarved(uint256 seed) internal view returns (bool) {
        return _depth != 0 ? _isTight : seed != HONEST && pick(seed, "starved", 2) == 0;
    }

    /// @dev Who calls: anybody but the registry; inside a callback mostly the consumer that is called.
    function _sender(uint256 seed) internal view returns (address) {
        if (_depth != 0 && pick(seed, "myself", 4) != 0) return _self;
        return _accounts[pick(seed, "sender", _accounts.length - 1)];
    }

    /// @dev An item in this state, in time or (with so many eighths) late, if a few tries find one; sometimes any, ended ones
    /// too.
    function _find(uint256 seed, Status wanted, uint256 eighths) internal view returns (uint256 index) {
        if (_focus != NOBODY && pick(seed, "focus", _odds) == 0) return _focus;
        if (pick(seed, "any", 16) == 0 || _alive.length == 0) return pick(seed, "item", _items.length);
        bool isLate = pick(seed, "late", 8) < eighths;
        uint256 start = pick(seed, "item", _alive.length);
        for (uint256 i; i < 20; ++i) {
            index = _alive[(start + i) % _alive.length];
            Item storage item = _items[index];
            if (item.status == wanted && (block.timestamp > _deadline(item)) == isLate) break;
        }
    }

    /// @notice How often this call ended so: `action` with `fault` (zero: well), at any time (0), in the last second of a
    /// deadline (1), in the first one after it (2), or from inside of a callback (3).
    function reached(bytes32 action, bytes4 fault, uint256 when) public view returns (uint256) {
        return _reached[_key(action, fault, when)];
    }

    function _mark(bytes32 action, bytes4 fault, uint256 when) internal {
        ++_reached[_key(action, fault, when)];
    }

    /// @dev Notes that a call was made at the very second of a deadline, or right after it.
    function _markSecond(bytes32 action, bytes4 fault, uint256 deadline) internal {
        if (block.timestamp == deadline) _mark(action, fault, 1);
        else if (block.timestamp == deadline + 1) _mark(action, fault, 2);
    }

    function _act(uint256 focus) private {
        if (_depth != 0 || _calm) return;
        (_depth, _self, _isTight) = (1, msg.sender, focus != NOBODY);
        uint256 least = _isTight ? ENOUGH : PLENTY;
        (uint256 outerFocus, uint256 outerOdds) = (_focus, _odds);
        (_focus, _odds) = (focus, 3);
        uint256 seed = reseed(_seed, bytes32(calls));
        uint256 tries = 1 + pick(seed, "tries", 6);
        for (uint256 i; i < tries && gasleft() >= least; ++i) {
            _misbehave(reseed(seed, bytes32(i)));
            _mark("re-entered", bytes4(uint32(_due[0].status)), 0);
        }
        (_focus, _odds) = (outerFocus, outerOdds);
        (_depth, _self) = (0, address(0));
    }

    function _key(bytes32 action, bytes4 fault, uint256 when) private pure returns (bytes32) {
        return keccak256(abi.encode(action, fault, when));
    }
}
