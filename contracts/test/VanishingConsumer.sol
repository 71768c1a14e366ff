// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Request} from "../types/Request.sol";

/// @title A consumer that asks and destroys itself in the transaction that creates it, so that no code is left (EIP-6780)
contract VanishingConsumer {
    constructor(IInferenceHub hub, Request memory terms, bytes memory input) payable {
        terms.consumer = address(this);
        hub.request{value: msg.value}(terms, input);
        assembly ("memory-safe") {
            // Creates a contract of the two instructions CALLER SELFDESTRUCT and runs them as this one.
            mstore(0, 0x6133ff5f526002601ef300000000000000000000000000000000000000000000)
            let end := create(0, 0, 10)
            if iszero(delegatecall(gas(), end, 0, 0, 0, 0)) { invalid() }
        }
    }
}
