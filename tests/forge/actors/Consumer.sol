// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../../contracts/interfaces/IInferenceConsumer.sol";
import {Status} from "../../../contracts/types/Status.sol";

/// @notice What a consumer does once its own calls are made.
enum Mood {
    Accept,
    Refuse, // reverts, also when it is sent money
    Burn, // uses up all gas
    Flood, // reverts with far more data than anyone should copy
    Mumble // returns, but not the selector
}

/// @title Data kept as code, a third of the price of storage
contract Script {
    constructor(bytes memory data) {
        assembly ("memory-safe") {
            return(add(data, 0x20), mload(data))
        }
    }
}

/// @title A consumer that can be told to misbehave, and to call the hub back from inside the hub's call
contract Consumer is IInferenceConsumer {
    address public immutable HUB;

    Mood public mood;
    uint256 public answers;
    Script private _script;
    bool[] private _outcomes;
    bool private _armed;

    error Refused();
    error NotHub(address caller);

    constructor(address hub) {
        HUB = hub;
    }

    receive() external payable {
        if (mood == Mood.Refuse) revert Refused();
        _act();
    }

    function setMood(Mood next) external {
        mood = next;
    }

    /// @notice Makes these calls to the hub the next time that it is called, once.
    function arm(bytes[] calldata calls) external {
        _script = new Script(abi.encode(calls));
        delete _outcomes;
        _armed = true;
    }

    function disarm() external {
        _armed = false;
        delete _outcomes;
    }

    /// @notice Which of the armed calls succeeded; empty if they were not made, or were rolled back.
    function outcomes() external view returns (bool[] memory) {
        return _outcomes;
    }

    function onInference(bytes32, uint256, Status, bytes calldata) external returns (bytes4) {
        if (msg.sender != HUB) revert NotHub(msg.sender);
        ++answers;
        _act();
        if (mood == Mood.Refuse) revert Refused();
        if (mood == Mood.Burn) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (mood == Mood.Flood) {
            assembly ("memory-safe") {
                revert(0, 100000)
            }
        }
        return mood == Mood.Mumble ? bytes4(0xdeadbeef) : IInferenceConsumer.onInference.selector;
    }

    function _act() private {
        if (!_armed) return;
        _armed = false;
        bytes[] memory calls = abi.decode(address(_script).code, (bytes[]));
        for (uint256 i; i < calls.length; ++i) {
            (bool ok,) = HUB.call(calls[i]);
            _outcomes.push(ok);
        }
    }
}
