// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IVerifierRouter} from "../../../contracts/interfaces/IVerifierRouter.sol";
import {IVerifier} from "../../../contracts/interfaces/IVerifier.sol";
import {Mood} from "../actors/Consumer.sol";
import {Money} from "./Money.sol";

/// @title Operators come, stake and go; the owner adds and withdraws routes; strangers try what is not theirs
abstract contract Operating is Money {
    function _doRegister(uint256 seed) internal {
        address operator = _operator(seed, "operator");
        for (uint256 i; i < OPERATORS && registered[operator]; ++i) {
            operator = _accounts[i];
        }
        bytes memory endpoint = pick(seed, "empty", 4) == 0 ? bytes("") : bytes("https://moved.example");
        bytes4 expected = endpoint.length == 0 ? INodeRegistry.BadEndpointSize.selector : bytes4(0);
        if (expected == 0) _setRegistered(operator, true);
        _sendToNodes("register", operator, 0, abi.encodeCall(NODES.register, (string(endpoint))), expected);
    }

    function _doRetire(uint256 seed) internal {
        address operator = _operator(seed, "operator");
        bytes4 expected = registered[operator] ? bytes4(0) : INodeRegistry.UnregisteredOperator.selector;
        if (expected == 0) _setRegistered(operator, false);
        _sendToNodes("retire", operator, 0, abi.encodeCall(NODES.retire, ()), expected);
    }

    /// @notice A price is its operator's own, and touches nothing else.
    function _doPrice(uint256 seed) internal {
        (address operator, address token) = (_operator(seed, "operator"), _token(seed));
        bytes32 modelId = _models[pick(seed, "model", 3)];
        INodeRegistry.Price storage price = _prices[operator][modelId][token];
        bytes4 expected;
        if (pick(seed, "remove", 2) == 0) {
            if (!price.offered) expected = INodeRegistry.PriceNotOffered.selector;
            if (expected == 0) delete _prices[operator][modelId][token];
            _sendToNodes("remove price", operator, 0, abi.encodeCall(NODES.removePrice, (modelId, token)), expected);
        } else {
            if (!registered[operator]) expected = INodeRegistry.UnregisteredOperator.selector;
            (uint96 base, uint64 perGas) = (uint96(pick(seed, "base", 1 ether)), uint64(pick(seed, "gas", 1 gwei)));
            if (expected == 0) _prices[operator][modelId][token] = INodeRegistry.Price(true, base, perGas);
            bytes memory data = abi.encodeCall(NODES.setPrice, (modelId, token, base, perGas));
            _sendToNodes("set price", operator, 0, data, expected);
        }
        INodeRegistry.Price memory now_ = NODES.priceOf(operator, modelId, token);
        assertEq(abi.encode(now_), abi.encode(price), "price");
    }

    /// @notice Nobody but the registry makes operators, and nobody but the hub locks, frees and takes their stake.
    function _doUsurp(uint256 seed) internal {
        address sender = pick(seed, "owner", 4) == 0 ? OWNER : _sender(seed);
        (address operator, address token) = (_operator(seed, "victim"), _token(seed));
        uint256 amount = _amount(seed, "amount", 1 ether);
        uint256 what = pick(seed, "what", 5);
        if (what == 0) {
            bytes memory data = abi.encodeCall(HUB.setOperator, (operator, pick(seed, "on", 2) == 0));
            _send("setOperator", sender, address(HUB), 0, data, IInferenceHub.NotRegistry.selector);
            return;
        }
        bytes4 expected = INodeRegistry.NotHub.selector;
        bytes memory arguments = abi.encode(operator, token, amount);
        if (what == 1) {
            _sendToNodes("lock", sender, 0, bytes.concat(NODES.lock.selector, arguments), expected);
        } else if (what == 2) {
            _sendToNodes("release", sender, 0, bytes.concat(NODES.release.selector, arguments), expected);
        } else if (what == 3) {
            _sendToNodes("slash", sender, 0, bytes.concat(NODES.slash.selector, arguments), expected);
        } else {
            _sendToNodes("slashFree", sender, 0, bytes.concat(NODES.slashFree.selector, arguments), expected);
        }
    }

    function _doStake(uint256 seed) internal {
        address operator = _operator(seed, "operator");
        address token = _token(seed);
        uint256 amount = _amount(seed, "amount", 20 ether);
        uint256 value = token == NATIVE ? amount : 0;
        bytes4 expected;
        if (pick(seed, "wrong value", 8) == 0) {
            ++value;
            expected = INodeRegistry.WrongValue.selector;
        }
        if (amount == 0) expected = INodeRegistry.ZeroAmount.selector;

        if (token != NATIVE) _mintAndApprove(token, operator, address(NODES), amount);
        if (expected == 0) {
            uint256 received = _arriving(token, _arriving(token, amount)); // to the registry, and on to the hub
            _stake(operator, token).bonded += uint128(received);
            _add(token, address(NODES), received);
        }
        _sendToNodes("stake", operator, value, abi.encodeCall(NODES.stake, (token, amount)), expected);
    }

    function _doUnbond(uint256 seed) internal {
        (address operator, address token) = _staker(seed, false);
        INodeRegistry.Stake storage s = _stakes[operator][token];
        uint256 free = s.bonded - s.exposed;
        // Also nothing, or what is locked for open results.
        uint256 edge = pick(seed, "edge", 8);
        uint256 amount = edge == 0 ? 0 : edge < 4 ? s.bonded : _share(seed, free);
        bytes4 expected;
        if (amount == 0) expected = INodeRegistry.ZeroAmount.selector;
        else if (amount > free) expected = INodeRegistry.InsufficientStake.selector;
        if (expected == 0) _unbond(operator, token, amount);
        else if (amount > free && amount <= s.bonded) _mark("unbond what is locked", 0, 0);
        _sendToNodes("unbond", operator, 0, abi.encodeCall(NODES.unbond, (token, amount)), expected);
    }

    function _unbond(address operator, address token, uint256 amount) internal {
        INodeRegistry.Stake storage s = _stake(operator, token);
        s.bonded -= uint128(amount);
        s.unbonding += uint128(amount);
        s.releaseAt = uint40(block.timestamp) + UNBOND_DELAY;
    }

    function _doWithdrawStake(uint256 seed) internal {
        (address operator, address token) = _staker(seed, true);
        INodeRegistry.Stake storage s = _stakes[operator][token];
        (uint256 releaseAt, uint256 amount) = (s.releaseAt, s.unbonding);
        // Now and then to the very second, or one too early.
        bool isNear = amount != 0 && block.timestamp < releaseAt;
        if (isNear && pick(seed, "wait", 3) != 0) vm.warp(releaseAt - pick(seed, "early", 2));
        bytes4 expected;
        if (amount == 0) expected = INodeRegistry.ZeroAmount.selector;
        else if (block.timestamp < releaseAt) expected = INodeRegistry.StillUnbonding.selector;
        // Who has code may refuse the money, or call back when it comes.
        else if (token == NATIVE && _moods[operator] == Mood.Refuse) expected = ILedger.TransferFailed.selector;
        if (expected == 0) {
            _take(token, address(NODES), amount);
            s = _stake(operator, token);
            (s.unbonding, s.releaseAt) = (0, 0);
        }
        bytes memory data = abi.encodeCall(NODES.withdrawStake, (token, operator));
        _sendToNodes("withdraw stake", operator, 0, data, expected);
        if (amount != 0) _markSecond("withdraw stake", expected, releaseAt - 1);
    }

    function _doAddRoute(uint256 seed) internal {
        // A name in use stays what it is, for the owner too; and a stranger names nothing.
        bool isOwner = pick(seed, "owner", 2) == 0;
        bytes4 expected = isOwner ? IVerifierRouter.RouteTaken.selector : Ownable.OwnableUnauthorizedAccount.selector;
        bytes memory data = abi.encodeCall(ROUTER.add, (_recentRoute(seed), IVerifier(address(HUB)), "Proven"));
        _send("add route", isOwner ? OWNER : STRANGER, address(ROUTER), 0, data, expected);
    }

    function _doTombstone(uint256 seed) internal {
        bytes4 route = _routes[_routes.length - 1 - pick(seed, "any", _routes.length < 10 ? 3 : 8)];
        bool isOwner = pick(seed, "owner", 3) != 0;
        bytes4 expected;
        if (!isOwner) expected = Ownable.OwnableUnauthorizedAccount.selector;
        else if (_routeState[route] == RouteState.Tombstoned) expected = IVerifierRouter.RouteIsTombstoned.selector;
        _tombstone(route, isOwner ? OWNER : STRANGER, expected);
    }

    /// @dev And another takes its place.
    function _tombstone(bytes4 route, address sender, bytes4 expected) internal {
        if (expected == 0) _routeState[route] = RouteState.Tombstoned;
        _send("tombstone", sender, address(ROUTER), 0, abi.encodeCall(ROUTER.tombstone, (route)), expected);
        if (expected == 0) _addRoute();
    }

    function _sendToNodes(bytes32 action, address from, uint256 value, bytes memory data, bytes4 expected) internal {
        _send(action, from, address(NODES), value, data, expected);
    }

    /// @dev Anyone, but mostly somebody with a stake (or with one that is on its way out, maybe not there yet).
    function _staker(uint256 seed, bool isLeaving) private view returns (address operator, address token) {
        for (uint256 i; i < 12; ++i) {
            uint256 s = reseed(seed, bytes32(i));
            (operator, token) = (_operator(s, "operator"), _token(s));
            INodeRegistry.Stake storage held = _stakes[operator][token];
            bool isNear = block.timestamp < held.releaseAt || pick(s, "there", 3) == 0;
            if (isLeaving ? held.unbonding != 0 && isNear : held.bonded != 0) break;
            if (pick(s, "anyone", 12) == 0) break;
        }
    }
}
