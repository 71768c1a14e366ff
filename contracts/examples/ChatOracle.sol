// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../InferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Gate, Request} from "../types/Request.sol";

/// @title Example: ask a language model and keep its words
/// @notice Text goes in and comes back as UTF-8 bytes. Copy it for moderation, classification or chat.
contract ChatOracle is InferenceConsumer {
    uint256 public constant CALLBACK_GAS = 400_000;
    uint256 public constant PATIENCE = 10 minutes;
    /// @notice Longer answers are cut, so that storing them always fits the callback's gas.
    uint256 public constant MAX_ANSWER = 512;

    bytes32 public immutable MODEL;
    bytes4 public immutable ROUTE;
    bytes32 public immutable TRUST;

    uint256 public questions;
    mapping(uint256 number => string) public answers;

    event Asked(uint256 indexed number, address indexed who, bytes32 id, string question);
    event Answered(uint256 indexed number, string answer);

    /// @notice Ask something.
    error EmptyQuestion();

    constructor(IInferenceHub hub, bytes32 model, bytes4 route, bytes32 trust) InferenceConsumer(hub) {
        hub.MODELS().modelOf(model);
        hub.ROUTER().verifierOf(route);
        (MODEL, ROUTE, TRUST) = (model, route, trust);
    }

    /// @notice Asks; the value sent is the fee, and goes back to the caller if nobody answers.
    /// @param operator Who shall answer; zero: any registered operator.
    /// @return number Key of the answer in `answers`.
    function ask(string calldata question, address operator) external payable returns (uint256 number) {
        if (bytes(question).length == 0) revert EmptyQuestion();
        number = ++questions;

        Request memory terms;
        terms.operator = operator;
        terms.refundTo = msg.sender;
        terms.fee = msg.value;
        terms.deliverBy = block.timestamp + PATIENCE;
        terms.callbackGas = CALLBACK_GAS;
        terms.gate = Gate.OnSettlement;
        terms.route = ROUTE;
        terms.trust = TRUST;
        terms.modelId = MODEL;
        terms.salt = number;
        bytes32 id = _ask(terms, bytes(question));
        emit Asked(number, msg.sender, id, question);
    }

    function _onSettled(bytes32, uint256 number, bytes calldata output) internal override {
        uint256 size = output.length;
        if (size > MAX_ANSWER) {
            size = MAX_ANSWER;
            // Not inside of a character, whose further bytes (three at most) are 10xxxxxx: readers refuse half of one.
            for (uint256 i; i < 3 && output[size] & 0xc0 == 0x80; ++i) {
                --size;
            }
        }
        string memory answer = string(output[:size]);
        answers[number] = answer;
        emit Answered(number, answer);
    }
}
