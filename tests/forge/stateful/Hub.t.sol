// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {InferenceHub} from "../../../contracts/InferenceHub.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Assurance, Status} from "../../../contracts/types/Status.sol";
import {Test} from "../Test.sol";
import {Handler} from "./Handler.sol";
import {World} from "./World.sol";

/// @title INVARIANTS.md, checked after every call of a run
/// forge-config: default.invariant.runs = 5
/// forge-config: default.invariant.depth = 2100
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: default.invariant.shrink-run-limit = 100
/// forge-config: deep.invariant.runs = 50
/// forge-config: deep.invariant.depth = 2100
/// forge-config: deep.invariant.fail-on-revert = true
contract HubInvariants is Test {
    uint256 private constant OPERATOR_BIT = 1 << 255;
    /// @dev A shorter run is the fuzzer's way of shrinking a failure, and reaches less.
    uint256 private constant WHOLE_RUN = 2000;

    Handler private _handler;
    InferenceHub private _hub;

    function setUp() external {
        vm.pauseGasMetering();
        _handler = Handler(vm.deployCode("Handler.sol:Handler"));
        _hub = _handler.HUB();
        vm.resumeGasMetering();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0].addr = address(_handler);
        excluded[0].selectors = new bytes4[](1);
        excluded[0].selectors[0] = Handler.drain.selector;
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function invariant_hub() external view {
        for (uint256 t; t < _handler.tokenCount(); ++t) {
            address token = _handler.tokens(t);
            uint256 credits = _checkCredits(token);
            uint256 balance = token == address(0) ? address(_hub).balance : IERC20(token).balanceOf(address(_hub));
            assertEq(balance, credits + _handler.escrow(token) + _handler.donated(token), "balance");
            _checkStakes(token);
        }
        assertEq(_handler.CUT().intrusions(), 0, "deposits counted twice");
        uint256 count = _handler.itemCount();
        // The newest and a window that moves over the rest; all of them at the end of the run.
        for (uint256 i; i < 8 && i < count; ++i) {
            _checkItem(i < 4 ? count - 1 - i : (_handler.steps() * 4 + i) % count);
        }
    }

    function afterInvariant() external {
        vm.pauseGasMetering(); // all of it in one call is more than a block
        for (uint256 i; i < _handler.itemCount(); ++i) {
            _checkItem(i);
        }
        if (_handler.steps() >= WHOLE_RUN) _checkReach();

        _handler.drain();
        for (uint256 t; t < _handler.tokenCount(); ++t) {
            address token = _handler.tokens(t);
            assertEq(_handler.escrow(token), 0, "escrow at the end");
            uint256 balance = token == address(0) ? address(_hub).balance : IERC20(token).balanceOf(address(_hub));
            uint256 given = _handler.givenToRegistry(token);
            assertEq(_hub.creditOf(token, address(_handler.NODES())), given, "registry at the end");
            assertEq(balance, _handler.donated(token) + given, "stuck");
        }
        vm.resumeGasMetering();
    }

    /// @dev The whole word of every account, so that the operator bit is seen where it must and must not be.
    function _checkCredits(address token) private view returns (uint256 sum) {
        bytes32 slot = keccak256(abi.encode(token, uint256(0)));
        for (uint256 i; i < _handler.accountCount(); ++i) {
            address account = _handler.accounts(i);
            uint256 credit = _handler.credit(token, account);
            uint256 word = uint256(vm.load(address(_hub), keccak256(abi.encode(account, slot))));
            bool marked = token == address(0) && _handler.registered(account);
            assertEq(word, marked ? credit | OPERATOR_BIT : credit, "account");
            sum += credit;
        }
    }

    function _checkStakes(address token) private view {
        address nodes = address(_handler.NODES());
        uint256 sum = _handler.givenToRegistry(token);
        for (uint256 i; i < 4; ++i) {
            address operator = _handler.accounts(i);
            INodeRegistry.Stake memory real = _handler.NODES().stakeOf(operator, token);
            INodeRegistry.Stake memory expected = _handler.stakeAt(operator, token);
            assertEq(keccak256(abi.encode(real)), keccak256(abi.encode(expected)), "stake");
            assertTrue(_handler.NODES().isRegistered(operator) == _handler.registered(operator), "registered");
            sum += uint256(real.bonded) + real.unbonding;
        }
        assertEq(_hub.creditOf(token, nodes), sum, "credit of the registry");
        uint256 held = token == address(0) ? nodes.balance : IERC20(token).balanceOf(nodes);
        assertEq(held, 0, "held by the registry itself");
    }

    function _checkItem(uint256 index) private view {
        World.Item memory item = _handler.itemAt(index);
        Assurance memory a = _hub.assuranceOf(item.id);
        assertEq(uint256(a.status), uint256(item.status), "status");
        assertTrue(a.callbackFailed == item.callbackFailed, "callback failed");
        assertEq(bytes32(a.route), bytes32(item.terms.route), "route");
        assertEq(a.settledAt, item.settledAt, "settledAt");
        assertEq(a.deliveredAt, item.settledAt, "deliveredAt");
        bool answered = item.status == Status.Settled;
        assertTrue(_hub.isAnswer(item.id, item.operator, keccak256(item.output)) == answered, "isAnswer");
    }

    /// @dev A run that does not get here proves nothing.
    function _checkReach() private view {
        string[33] memory must = [
            "ask",
            "ask refused",
            "ask with credit",
            "ask with surplus",
            "ask again refused",
            "asked from inside a callback",
            "expire",
            "expire refused",
            "expire what nobody can answer",
            "fulfil",
            "fulfil refused",
            "fulfilMany",
            "fulfilMany refused",
            "fulfilMany skips",
            "fulfilMany settles several",
            "callback failed",
            "re-entered",
            "settled from inside a callback",
            "retry",
            "retry refused",
            "deposit",
            "deposit refused",
            "withdraw",
            "withdraw refused",
            "withdraw re-entered",
            "transfer",
            "donate",
            "register",
            "retire",
            "stake",
            "unbond",
            "withdraw stake",
            "tombstone"
        ];
        for (uint256 i; i < must.length; ++i) {
            assertTrue(_handler.reached(must[i]) != 0, must[i]);
        }
    }
}
