// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IVerifierRouter} from "../../../contracts/interfaces/IVerifierRouter.sol";
import {IVerifier} from "../../../contracts/interfaces/IVerifier.sol";
import {Money} from "./Money.sol";

/// @title Operators come, stake and go; the owner adds and withdraws routes; time passes
abstract contract Operating is Money {
    function _doRegister(uint256 seed) internal {
        address operator = _operator(seed, "operator");
        bytes memory endpoint = pick(seed, "empty", 8) == 0 ? bytes("") : bytes("https://moved.example");
        bytes4 expected = endpoint.length == 0 ? INodeRegistry.BadEndpointSize.selector : bytes4(0);
        vm.prank(operator);
        (bool ok, bytes memory reason) = address(NODES).call(abi.encodeCall(NODES.register, (string(endpoint))));
        _expect("register", ok, reason, expected);
        if (ok) registered[operator] = true;
    }

    function _doRetire(uint256 seed) internal {
        address operator = _operator(seed, "operator");
        bytes4 expected = registered[operator] ? bytes4(0) : INodeRegistry.UnregisteredOperator.selector;
        vm.prank(operator);
        (bool ok, bytes memory reason) = address(NODES).call(abi.encodeCall(NODES.retire, ()));
        _expect("retire", ok, reason, expected);
        if (ok) registered[operator] = false;
    }

    /// @notice Nobody but the registry makes operators.
    function _doSetOperator(uint256 seed) internal {
        vm.prank(pick(seed, "owner", 2) == 0 ? OWNER : _actor(seed));
        (bool ok, bytes memory reason) =
            address(HUB).call(abi.encodeCall(HUB.setOperator, (_account(seed, "target"), pick(seed, "on", 2) == 0)));
        _expect("setOperator", ok, reason, IInferenceHub.NotRegistry.selector);
    }

    function _doStake(uint256 seed, uint256 amount) internal {
        address operator = _operator(seed, "operator");
        address token = _token(seed);
        amount = bound(amount, 0, 10 ether);
        uint256 value = token == NATIVE ? amount : 0;
        bytes4 expected;
        if (pick(seed, "wrong value", 8) == 0) {
            ++value;
            expected = INodeRegistry.WrongValue.selector;
        }
        if (amount == 0) expected = INodeRegistry.ZeroAmount.selector;

        if (token != NATIVE) _mintAndApprove(token, operator, address(NODES), amount);
        vm.deal(operator, operator.balance + value);
        vm.prank(operator);
        (bool ok, bytes memory reason) = address(NODES).call{value: value}(abi.encodeCall(NODES.stake, (token, amount)));
        _expect("stake", ok, reason, expected);
        if (!ok) return;
        uint256 received = _arriving(token, _arriving(token, amount)); // to the registry, and on to the hub
        _stakes[operator][token].bonded += uint128(received);
        credit[token][address(NODES)] += received;
    }

    function _doUnbond(uint256 seed) internal {
        (address operator, address token) = _staker(seed, false);
        INodeRegistry.Stake storage s = _stakes[operator][token];
        uint256 amount = pick(seed, "amount", uint256(s.bonded) + 2);
        bytes4 expected;
        if (amount == 0) expected = INodeRegistry.ZeroAmount.selector;
        else if (amount > s.bonded) expected = INodeRegistry.InsufficientStake.selector;
        vm.prank(operator);
        (bool ok, bytes memory reason) = address(NODES).call(abi.encodeCall(NODES.unbond, (token, amount)));
        _expect("unbond", ok, reason, expected);
        if (!ok) return;
        s.bonded -= uint128(amount);
        s.unbonding += uint128(amount);
        s.releaseAt = uint40(block.timestamp) + UNBOND_DELAY;
    }

    function _doWithdrawStake(uint256 seed) internal {
        (address operator, address token) = _staker(seed, true);
        INodeRegistry.Stake storage s = _stakes[operator][token];
        bytes4 expected;
        if (s.unbonding == 0) expected = INodeRegistry.ZeroAmount.selector;
        else if (block.timestamp < s.releaseAt) expected = INodeRegistry.StillUnbonding.selector;
        vm.prank(operator);
        (bool ok, bytes memory reason) = address(NODES).call(abi.encodeCall(NODES.withdrawStake, (token, operator)));
        _expect("withdraw stake", ok, reason, expected);
        if (!ok) return;
        credit[token][address(NODES)] -= s.unbonding;
        (s.unbonding, s.releaseAt) = (0, 0);
    }

    /// @dev Anyone, but mostly somebody with a stake (or with one that is released).
    function _staker(uint256 seed, bool released) private view returns (address operator, address token) {
        for (uint256 i; i < 8; ++i) {
            uint256 s = uint256(keccak256(abi.encode(seed, i)));
            (operator, token) = (_operator(s, "operator"), _token(s));
            INodeRegistry.Stake memory held = _stakes[operator][token];
            if (released ? held.unbonding != 0 && block.timestamp >= held.releaseAt : held.bonded != 0) break;
            if (pick(s, "anyone", 8) == 0) break;
        }
    }

    function _doAddRoute(uint256 seed) internal {
        if (pick(seed, "who", 3) != 0) return _addRoute();
        // A name in use stays what it is, for the owner too; and a stranger names nothing.
        bool owner = pick(seed, "owner", 2) == 0;
        bytes4 route = _recentRoute(seed);
        IVerifier verifier = IVerifier(address(HUB));
        vm.prank(owner ? OWNER : STRANGER);
        (bool ok, bytes memory reason) = address(ROUTER).call(abi.encodeCall(ROUTER.add, (route, verifier, "Proven")));
        bytes4 expected = owner ? IVerifierRouter.RouteTaken.selector : Ownable.OwnableUnauthorizedAccount.selector;
        _expect("add route", ok, reason, expected);
    }

    function _doTombstone(uint256 seed) internal {
        bytes4 route = _recentRoute(seed);
        bool owner = pick(seed, "owner", 2) == 0;
        bytes4 expected;
        if (!owner) expected = Ownable.OwnableUnauthorizedAccount.selector;
        else if (_routeState[route] == RouteState.Tombstoned) expected = IVerifierRouter.RouteIsTombstoned.selector;
        vm.prank(owner ? OWNER : STRANGER);
        (bool ok, bytes memory reason) = address(ROUTER).call(abi.encodeCall(ROUTER.tombstone, (route)));
        _expect("tombstone", ok, reason, expected);
        if (ok) _routeState[route] = RouteState.Tombstoned;
    }

    function _doWait(uint256 seed) internal {
        uint256 span = pick(seed, "long", 16) == 0 ? 1 days : 1 hours;
        vm.warp(block.timestamp + pick(seed, "span", span));
        vm.roll(block.number + 1);
    }
}
