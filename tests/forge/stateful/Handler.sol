// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Answering} from "./Answering.sol";
import {Operating} from "./Operating.sol";

/// @title Every function and every actor, for the fuzzer to choose from
/// @dev No action may revert: each knows how the call it makes must end, well or with which error.
contract Handler is Answering, Operating {
    error Stuck(string what, address account, bytes reason);

    function asking(uint256 seed, uint256 fee) external step {
        if (pick(seed, "what", 8) == 0) return _doAskAgain(seed);
        _doAsk(seed, fee);
        _doAsk(uint256(keccak256(abi.encode(seed))), fee / 2);
    }

    function answering(uint256 seed) external step {
        uint256 what = pick(seed, "what", 8);
        if (what < 5) return _doFulfil(seed);
        if (what < 7) return _doFulfilMany(seed);
        _doRetryCallback(seed);
    }

    function ending(uint256 seed) external step {
        if (pick(seed, "what", 2) == 0) return _doExpire(seed);
        _doRetryCallback(seed);
    }

    function paying(uint256 seed, uint256 amount) external step {
        uint256 what = pick(seed, "what", 8);
        if (what < 3) return _doDeposit(seed, amount);
        if (what < 5) return _doWithdraw(seed);
        if (what < 7) return _doTransferCredit(seed);
        _doDonate(seed, amount);
    }

    function operating(uint256 seed, uint256 amount) external step {
        uint256 what = pick(seed, "what", 10);
        if (what < 2) return _doRegister(seed);
        if (what < 3) return _doRetire(seed);
        if (what < 5) return _doStake(seed, amount);
        if (what < 7) return _doUnbond(seed);
        if (what < 9) return _doWithdrawStake(seed);
        _doSetOperator(seed);
    }

    function governing(uint256 seed) external step {
        uint256 what = pick(seed, "what", 8);
        if (what < 2) return _doAddRoute(seed);
        if (what < 3) return _doTombstone(seed);
        if (what < 4) return _publish();
        _doSetMood(seed);
    }

    function waiting(uint256 seed) external step {
        _doWait(seed);
    }

    /// @notice The last day: every refund, every stake and every credit is taken out, by those who may.
    /// @dev The last call of a run.
    function drain() external {
        vm.warp(block.timestamp + 10 days);
        for (uint256 i; i < _items.length; ++i) {
            if (_items[i].status == Status.Requested) _expire(i, _items[i].terms, STRANGER, false);
        }
        for (uint256 t; t < tokens.length; ++t) {
            for (uint256 i; i < OPERATORS; ++i) {
                _unbondAll(accounts[i], tokens[t]);
            }
        }
        vm.warp(block.timestamp + UNBOND_DELAY);
        for (uint256 t; t < tokens.length; ++t) {
            for (uint256 i; i < OPERATORS; ++i) {
                _withdrawStake(accounts[i], tokens[t]);
            }
            for (uint256 i; i + 1 < accounts.length; ++i) {
                _withdrawAll(accounts[i], tokens[t]);
            }
        }
    }

    function _unbondAll(address operator, address token) private {
        INodeRegistry.Stake storage s = _stakes[operator][token];
        if (s.bonded == 0) return;
        vm.prank(operator);
        (bool ok, bytes memory reason) = address(NODES).call(abi.encodeCall(NODES.unbond, (token, s.bonded)));
        if (!ok) revert Stuck("unbond", operator, reason);
        s.unbonding += s.bonded;
        s.bonded = 0;
    }

    function _withdrawStake(address operator, address token) private {
        INodeRegistry.Stake storage s = _stakes[operator][token];
        if (s.unbonding == 0) return;
        vm.prank(operator);
        (bool ok, bytes memory reason) = address(NODES).call(abi.encodeCall(NODES.withdrawStake, (token, operator)));
        if (!ok) revert Stuck("withdrawStake", operator, reason);
        credit[token][address(NODES)] -= s.unbonding;
        (s.unbonding, s.releaseAt) = (0, 0);
    }

    function _withdrawAll(address account, address token) private {
        uint256 amount = credit[token][account];
        vm.prank(account);
        (bool ok, bytes memory reason) = address(HUB).call(abi.encodeCall(HUB.withdraw, (token, amount, STRANGER)));
        if (!ok) revert Stuck("withdraw", account, reason);
        credit[token][account] = 0;
    }
}
