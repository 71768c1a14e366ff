// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../InferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Request} from "../types/Request.sol";

/// @title The consumer of the gas figures: 32 bytes in, one fresh word stored
contract BenchConsumer is InferenceConsumer {
    bytes32 internal immutable MODEL;
    bytes4 internal immutable ROUTE;
    uint256 internal immutable CALLBACK_GAS;

    mapping(uint256 salt => bytes32) public results;

    constructor(IInferenceHub hub, bytes32 model, bytes4 route, uint256 callbackGas) InferenceConsumer(hub) {
        (MODEL, ROUTE, CALLBACK_GAS) = (model, route, callbackGas);
    }

    function ask(uint256 salt, bytes calldata input) external payable returns (bytes32) {
        Request memory terms;
        terms.fee = msg.value;
        terms.deliverBy = block.timestamp + 1 hours;
        terms.callbackGas = CALLBACK_GAS;
        terms.route = ROUTE;
        terms.modelId = MODEL;
        terms.salt = salt;
        return _ask(terms, input);
    }

    function _onSettled(bytes32, uint256 salt, bytes calldata output) internal override {
        results[salt] = abi.decode(output, (bytes32));
    }
}
