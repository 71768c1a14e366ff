// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../InferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Request} from "../types/Request.sol";

/// @title A consumer that asks on any terms and stores the first word of the answer
contract WordKeeper is InferenceConsumer {
    mapping(uint256 salt => bytes32) public words;

    constructor(IInferenceHub hub) InferenceConsumer(hub) {}

    function ask(Request memory terms, bytes calldata input) external payable returns (bytes32) {
        return _ask(terms, input);
    }

    function _onSettled(bytes32, uint256 salt, bytes calldata output) internal override {
        words[salt] = bytes32(output);
    }
}
