// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../InferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Request} from "../types/Request.sol";
import {Status} from "../types/Status.sol";

/// @title A consumer that says on which hook it was called; an expired result is a bad one to it, as it is by default
contract HookConsumer is InferenceConsumer {
    event Hook(Status status, bytes32 id, uint256 salt, bytes output);

    constructor(IInferenceHub hub) InferenceConsumer(hub) {}

    receive() external payable {}

    function ask(Request calldata terms, bytes calldata input) external payable returns (bytes32 id) {
        return _ask(terms, input);
    }

    function withdrawCredit(address token, uint256 amount, address to) external {
        _withdrawCredit(token, amount, to);
    }

    function _onSettled(bytes32 id, uint256 salt, bytes calldata output) internal override {
        emit Hook(Status.Settled, id, salt, output);
    }

    function _onProvisional(bytes32 id, uint256 salt, bytes calldata output) internal override {
        emit Hook(Status.Delivered, id, salt, output);
    }

    function _onRejected(bytes32 id, uint256 salt) internal override {
        emit Hook(Status.Rejected, id, salt, "");
    }
}
