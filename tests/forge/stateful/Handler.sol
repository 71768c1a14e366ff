// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Mood} from "../actors/Consumer.sol";
import {Answering} from "./Answering.sol";
import {Ending} from "./Ending.sol";
import {Operating} from "./Operating.sol";
import {Repeating} from "./Repeating.sol";

/// @title Every function and every actor, for the fuzzer to choose from
/// @dev No action may revert: each knows how the call it makes must end, well or with which error.
contract Handler is Answering, Ending, Repeating, Operating {
    /// @dev With more requests than this that have not ended, some are ended before others come.
    uint256 private constant MANY = 32;

    /// @notice Actions of this run so far.
    uint256 public steps;

    /// @dev Another world for another number: the fuzzer has one seed for all.
    uint256 private immutable _SALT;

    /// @dev Time passes, and the numbers of the fuzzer become a seed.
    modifier step(uint256 seed) {
        _seed = uint256(keccak256(abi.encode(seed, ++steps, _SALT)));
        uint256 wait = pick(_seed, "wait", 4096);
        if (wait < 256) vm.warp(block.timestamp + pick(_seed, "seconds", wait == 0 ? 1 days : 10 minutes));
        _;
    }

    constructor(uint256 salt) {
        _SALT = salt;
        _seed = salt;
        for (uint256 i; _items.length == 0; ++i) {
            _doAsk(i);
        }
    }

    function asking(uint256 seed) external step(seed) {
        for (uint256 i; i < 4 && _alive.length > MANY; ++i) {
            _doEnd(reseed(_seed, bytes32(i)));
        }
        if (pick(_seed, "what", 4) == 0) _doAskAgain(_seed);
        for (uint256 i; i < 2; ++i) {
            _doAsk(reseed(_seed, bytes32(i)));
        }
    }

    function answering(uint256 seed) external step(seed) {
        _doFulfil(_seed);
        if (pick(_seed, "what", 3) == 0) _doFulfilMany(_seed);
    }

    function delivering(uint256 seed) external step(seed) {
        for (uint256 i; i < 3; ++i) {
            _doDeliver(reseed(_seed, bytes32(i)));
        }
    }

    function settling(uint256 seed) external step(seed) {
        _doSettle(_seed);
        _doRetryCallback(_seed);
        if (pick(_seed, "what", 2) == 0) _doSettle(reseed(_seed, "again"));
    }

    function doubting(uint256 seed) external step(seed) {
        _doChallenge(_seed);
        _doReport(reseed(_seed, "again"));
    }

    function ending(uint256 seed) external step(seed) {
        uint256 what = pick(_seed, "what", 4);
        if (what < 2) _doReject(_seed);
        else _doExpireDelivered(_seed);
        if (what % 2 == 0) _doExpire(_seed);
        else _doEnd(_seed);
    }

    /// @notice The next deadline, to the second or one second later, and what may happen then.
    function arriving(uint256 seed) external step(seed) {
        _arrive(_seed);
        _arrive(reseed(_seed, "again"));
    }

    function paying(uint256 seed) external step(seed) {
        _doDeposit(reseed(_seed, "in"));
        uint256 what = pick(_seed, "what", 8);
        if (what < 4) _doWithdraw(_seed);
        else if (what < 7) _doTransferCredit(_seed);
        else _doDonate(_seed);
    }

    function operating(uint256 seed) external step(seed) {
        _doStake(reseed(_seed, "in"));
        uint256 what = pick(_seed, "what", 18);
        if (what < 4) _doUsurp(_seed);
        else if (what < 7) _doRegister(_seed);
        else if (what < 9) _doRetire(_seed);
        else if (what < 13) _doUnbond(_seed);
        else if (what < 16) _doWithdrawStake(_seed);
        else _doPrice(_seed);
    }

    function governing(uint256 seed) external step(seed) {
        uint256 what = pick(_seed, "what", 16);
        if (what < 2) _addRoute();
        else if (what < 3) _doAddRoute(_seed);
        else if (what < 5) _doTombstone(_seed);
        else if (what < 6) _publish();
        else _doSetMood(_seed);
    }

    /// @notice The last day: every request is ended by a stranger, every stake and every credit is taken out by its owner.
    /// @dev The last call of a run.
    function drain() external {
        _calm = true;
        for (uint256 i; i < _consumers.length; ++i) {
            if (_moods[_consumers[i]] == Mood.Refuse) _setMood(_consumers[i], Mood.Burn);
        }
        vm.warp(block.timestamp + 400 days);
        while (_alive.length != 0) {
            _tryEnds(_alive[_alive.length - 1], STRANGER, HONEST);
        }
        for (uint256 t; t < TOKENS; ++t) {
            for (uint256 i; i < OPERATORS; ++i) {
                _unbondAll(_accounts[i], _tokens[t]);
            }
        }
        vm.warp(block.timestamp + UNBOND_DELAY);
        for (uint256 t; t < TOKENS; ++t) {
            for (uint256 i; i < OPERATORS; ++i) {
                _withdrawStake(_accounts[i], _tokens[t]);
            }
            for (uint256 i; i + 1 < _accounts.length; ++i) {
                _withdrawAll(_accounts[i], _tokens[t]);
            }
        }
    }

    /// @notice After `drain` nobody has anything, and what is left was given away.
    function compareDrained(address token) external view {
        assertEq(escrow[token], 0, "escrow at the end");
        assertEq(credits[token], givenToRegistry[token], "credit at the end");
        for (uint256 i; i < OPERATORS; ++i) {
            INodeRegistry.Stake memory s = NODES.stakeOf(_accounts[i], token);
            assertEq(uint256(s.bonded) + s.exposed + s.unbonding, 0, "stake at the end");
        }
        compareBalance(token);
    }

    function itemCount() external view returns (uint256) {
        return _items.length;
    }

    function tokenAt(uint256 index) external view returns (address) {
        return _tokens[index];
    }

    function _unbondAll(address operator, address token) private {
        uint256 amount = _stakes[operator][token].bonded;
        if (amount == 0) return;
        _unbond(operator, token, amount);
        _sendToNodes("unbond", operator, 0, abi.encodeCall(NODES.unbond, (token, amount)), 0);
    }

    function _withdrawStake(address operator, address token) private {
        INodeRegistry.Stake storage s = _stake(operator, token);
        if (s.unbonding == 0) return;
        _take(token, address(NODES), s.unbonding);
        (s.unbonding, s.releaseAt) = (0, 0);
        bytes memory data = abi.encodeCall(NODES.withdrawStake, (token, operator));
        _sendToNodes("withdraw stake", operator, 0, data, 0);
    }

    function _withdrawAll(address account, address token) private {
        uint256 amount = credit[token][account];
        _take(token, account, amount);
        _send("withdraw", account, address(HUB), 0, abi.encodeCall(HUB.withdraw, (token, amount, STRANGER)), 0);
    }

    function _arrive(uint256 seed) private {
        (bool isFound, uint256 index, uint256 deadline) = _nextDeadline(pick(seed, "open", 3) != 0);
        if (!isFound) return _doAsk(seed);
        vm.warp(deadline + pick(seed, "late", 2));
        (_focus, _odds) = (index, 1);
        Item storage item = _items[index];
        // The very thing that is needed is withdrawn.
        bool isUnlucky = item.status != Status.Requested && pick(seed, "unlucky", 3) == 0;
        if (isUnlucky && _routeFault(item.terms.route) == 0) _tombstone(item.terms.route, OWNER, 0);
        uint256 what = pick(seed, "what", 3);
        if (item.status == Status.Requested) {
            if (what == 0) _doFulfil(seed);
            else if (what == 1) _doDeliver(seed);
            else _doExpire(seed);
        } else if (_routeFault(item.terms.route) != 0 && what != 0) {
            if (pick(seed, "fraud", 2) == 0) _doReport(seed);
            else _doExpireDelivered(seed);
        } else if (_isSealDue(item)) {
            if (what == 0) _doReject(seed);
            else _doSettle(seed);
        } else {
            if (what == 1) _doChallenge(seed);
            else _doSettle(seed);
        }
        _focus = NOBODY;
    }

    /// @dev The nearest deadline that has not passed and is less than a day away, of any request or of those with a gap.
    function _nextDeadline(bool inGap) private view returns (bool isFound, uint256 index, uint256 deadline) {
        deadline = block.timestamp + 1 days;
        for (uint256 i; i < _alive.length; ++i) {
            uint256 candidate = _alive[i];
            uint256 then = _deadline(_items[candidate]);
            if (then < block.timestamp || then >= deadline) continue;
            if (inGap && _items[candidate].status == Status.Requested) continue;
            (isFound, index, deadline) = (true, candidate, then);
        }
    }

    function _misbehave(uint256 seed) internal override {
        uint256 what = pick(seed, "what", 24);
        if (what == 0) _doAsk(seed);
        else if (what < 6) _doEnd(seed);
        else if (what < 8) _doFulfil(seed);
        else if (what < 11) _doDeliver(seed);
        else if (what < 15) _doSettle(seed);
        else if (what < 17) _doChallenge(seed);
        else if (what < 19) _doReject(seed);
        else if (what < 21) _doExpireDelivered(seed);
        else if (what == 21) _doReport(seed);
        else if (what == 22) _doRetryCallback(seed);
        else _doWithdraw(seed);
    }
}
