// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Status} from "../types/Status.sol";
import {HookConsumer} from "./HookConsumer.sol";

/// @title A consumer that tells a route that was withdrawn from a result that was bad
contract ExpiryConsumer is HookConsumer {
    constructor(IInferenceHub hub) HookConsumer(hub) {}

    function _onExpired(bytes32 id, uint256 salt) internal override {
        emit Hook(Status.Expired, id, salt, "");
    }
}
