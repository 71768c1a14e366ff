// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../interfaces/IInferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Asker} from "./Asker.sol";

/// @title A consumer that stores how much gas it was called with
contract GasRecorder is Asker {
    uint256 public seen;

    constructor(IInferenceHub hub) Asker(hub) {}

    /// @dev The callback. Its gas is read before anything else, so it misses only the dispatch.
    fallback() external {
        uint256 left = gasleft();
        seen = left;
        bytes4 selector = IInferenceConsumer.onInference.selector;
        assembly ("memory-safe") {
            mstore(0, selector)
            return(0, 0x20)
        }
    }
}
