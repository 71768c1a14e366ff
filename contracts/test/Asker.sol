// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Request} from "../types/Request.sol";

/// @title Asks whatever it is told to, with whatever value comes along
abstract contract Asker {
    IInferenceHub public immutable HUB;

    constructor(IInferenceHub hub) {
        HUB = hub;
    }

    function ask(Request calldata terms, bytes calldata input) external payable returns (bytes32 id) {
        return HUB.request{value: msg.value}(terms, input);
    }
}
