// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../../contracts/interfaces/IInferenceConsumer.sol";
import {Status} from "../../../contracts/types/Status.sol";

/// @notice What a consumer does once it has told its listener.
enum Mood {
    Accept,
    Refuse, // reverts, also when it is sent money
    Burn, // uses up all gas
    Flood, // reverts with far more data than anyone should copy
    Mumble // returns, but not the selector
}

/// @notice Who hears of every callback and payment from inside of it, and may call the hub back at once.
interface IListener {
    function called(bytes32 id, uint256 salt, Status status, bytes calldata output) external;
    function paid() external;
}

/// @title A consumer that can be told to misbehave
contract Consumer is IInferenceConsumer {
    address public immutable HUB;
    IListener public immutable LISTENER;

    Mood public mood;

    error Refused();
    error NotHub(address caller);

    constructor(address hub, IListener listener) {
        HUB = hub;
        LISTENER = listener;
    }

    receive() external payable {
        if (mood == Mood.Refuse) revert Refused();
        LISTENER.paid();
    }

    function setMood(Mood next) external {
        mood = next;
    }

    function onInference(bytes32 id, uint256 salt, Status status, bytes calldata output) external returns (bytes4) {
        if (msg.sender != HUB) revert NotHub(msg.sender);
        LISTENER.called(id, salt, status, output);
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
}
