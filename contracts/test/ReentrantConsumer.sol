// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../interfaces/IInferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Status} from "../types/Status.sol";
import {Asker} from "./Asker.sol";

/// @title A consumer that calls the hub back from inside its callback, and remembers how each call ended
contract ReentrantConsumer is Asker, IInferenceConsumer {
    bytes[] public plan;
    bool[] public succeeded;
    bytes[] public returned;
    bytes public greeting;
    uint256 public greeted;
    bool public rude;

    constructor(IInferenceHub hub) Asker(hub) {}

    /// @dev Calls the hub with `greeting` whenever money arrives, which may make more arrive.
    receive() external payable {
        if (greeting.length == 0) return;
        (bool ok,) = address(HUB).call(greeting);
        if (ok) ++greeted;
    }

    function setGreeting(bytes calldata call) external {
        greeting = call;
    }

    /// @dev A rude callback does what it planned, and then returns nothing that the hub accepts.
    function setRude(bool rude_) external {
        rude = rude_;
    }

    function setPlan(bytes[] calldata calls) external {
        plan = calls;
    }

    function outcomes() external view returns (bool[] memory, bytes[] memory) {
        return (succeeded, returned);
    }

    function onInference(bytes32, uint256, Status, bytes calldata) external returns (bytes4) {
        delete succeeded;
        delete returned;
        for (uint256 i; i < plan.length; ++i) {
            (bool ok, bytes memory data) = address(HUB).call(plan[i]);
            succeeded.push(ok);
            returned.push(data);
        }
        return rude ? bytes4(0) : IInferenceConsumer.onInference.selector;
    }
}
