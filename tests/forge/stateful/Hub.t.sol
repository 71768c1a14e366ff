// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Handler} from "./Handler.sol";
import {Reach} from "./Reach.sol";

/// @title INVARIANTS.md: the handler compares after every call what it touched, this contract everything now and then
abstract contract HubInvariants is Reach {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev A shorter run is the fuzzer's way of shrinking a failure, and reaches less.
    uint256 private constant WHOLE_RUN = 50_000;

    function setUp() external {
        vm.pauseGasMetering();
        _handler = Handler(vm.deployCode("Handler.sol:Handler", abi.encode(_salt())));
        vm.resumeGasMetering();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[10] memory all = [
            Handler.asking.selector,
            Handler.answering.selector,
            Handler.delivering.selector,
            Handler.settling.selector,
            Handler.doubting.selector,
            Handler.ending.selector,
            Handler.arriving.selector,
            Handler.paying.selector,
            Handler.operating.selector,
            Handler.governing.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), new bytes4[](all.length));
        for (uint256 i; i < all.length; ++i) {
            targets[0].selectors[i] = all[i];
        }
    }

    function invariant_hub() external view {
        _compareSums();
        // The newest and a window that moves over the rest; all of them at the end of the run.
        uint256 count = _handler.itemCount();
        for (uint256 i; i < 8 && i < count; ++i) {
            _handler.compareItem(i < 4 ? count - 1 - i : (_handler.steps() * 4 + i) % count);
        }
    }

    function afterInvariant() external {
        vm.pauseGasMetering(); // all of it in one call is more than a block
        _compareSums();
        for (uint256 i; i < _handler.itemCount(); ++i) {
            _handler.compareItem(i);
        }
        if (_handler.steps() >= WHOLE_RUN) _checkReach();

        _handler.drain();
        for (uint256 t; t < 3; ++t) {
            _handler.compareDrained(_handler.tokenAt(t));
        }
        for (uint256 i; i < _handler.itemCount(); ++i) {
            _handler.compareItem(i);
        }
        vm.resumeGasMetering();
    }

    function _compareSums() private view {
        for (uint256 t; t < 3; ++t) {
            _handler.compareToken(_handler.tokenAt(t));
        }
        _handler.compareOpen();
        assertEq(_handler.CUT().intrusions(), 0, "deposits counted twice");
    }

    function _salt() internal pure virtual returns (uint256);
}

/// @dev Two of them, because forge runs each contract on a core of its own: 100,000 calls, with the profile deep 2,000,000.
/// forge-config: default.invariant.runs = 1
/// forge-config: default.invariant.depth = 50000
/// forge-config: default.invariant.check-interval = 50
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: default.invariant.shrink-run-limit = 0
/// forge-config: default.invariant.include-storage = false
/// forge-config: default.invariant.include-push-bytes = false
/// forge-config: deep.invariant.runs = 20
/// forge-config: deep.invariant.depth = 50000
/// forge-config: deep.invariant.check-interval = 50
/// forge-config: deep.invariant.fail-on-revert = true
/// forge-config: deep.invariant.shrink-run-limit = 0
/// forge-config: deep.invariant.include-storage = false
/// forge-config: deep.invariant.include-push-bytes = false
contract HubEast is HubInvariants {
    function _salt() internal pure override returns (uint256) {
        return 1;
    }
}

/// forge-config: default.invariant.runs = 1
/// forge-config: default.invariant.depth = 50000
/// forge-config: default.invariant.check-interval = 50
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: default.invariant.shrink-run-limit = 0
/// forge-config: default.invariant.include-storage = false
/// forge-config: default.invariant.include-push-bytes = false
/// forge-config: deep.invariant.runs = 20
/// forge-config: deep.invariant.depth = 50000
/// forge-config: deep.invariant.check-interval = 50
/// forge-config: deep.invariant.fail-on-revert = true
/// forge-config: deep.invariant.shrink-run-limit = 0
/// forge-config: deep.invariant.include-storage = false
/// forge-config: deep.invariant.include-push-bytes = false
contract HubWest is HubInvariants {
    function _salt() internal pure override returns (uint256) {
        return 2;
    }
}
