// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Claim} from "../types/Claim.sol";
import {Request} from "../types/Request.sol";
import {Assurance, Status} from "../types/Status.sol";
import {ILedger} from "./ILedger.sol";
import {IModelRegistry} from "./IModelRegistry.sol";
import {INodeRegistry} from "./INodeRegistry.sol";
import {IVerifierRouter} from "./IVerifierRouter.sol";

/// @title Ask an AI model, know how far to trust the answer
/// @notice One packed slot per request; the id is the hash of the terms, which travel in calldata.
///
/// Who may do what when the other side is silent:
/// | phase     | who is late  | who may trigger | what happens                          |
/// | --------- | ------------ | --------------- | ------------------------------------- |
/// | Requested | the operator | anyone, `expire` after deliverBy, or at once if the route is tombstoned or unknown or the model unpublished | fee back, Expired |
/// | Settled, callback failed | the consumer | anyone, `retryCallback` | the callback runs again; payment is not affected |
interface IInferenceHub is ILedger {
    struct Fulfilment {
        Request request;
        address operator;
        bytes output;
        bytes seal;
    }

    /// @param request Terms, whose hash is the id.
    /// @param input Model input in the model's codec.
    event Requested(bytes32 indexed id, bytes32 indexed modelId, Request request, bytes input);
    event Settled(bytes32 indexed id, address operator, bytes output);
    event Expired(bytes32 indexed id);
    /// @param reason At most 256 bytes of what the consumer reverted with or returned.
    event CallbackFailed(bytes32 indexed id, bytes reason);
    event CallbackRetried(bytes32 indexed id);

    /// @notice A word of the terms is no value of its field's type.
    error MalformedTerms();
    /// @notice The terms name another consumer than the caller.
    error NotConsumer(address caller, address consumer);
    /// @notice The terms name another input: set inputHash to keccak256(input).
    error WrongInputHash(bytes32 received, bytes32 expected);
    /// @notice deliverBy must lie in the future, unix seconds.
    error DeadlineInPast(uint256 deliverBy, uint256 now_);
    /// @notice deliverBy is absurdly far away (milliseconds instead of seconds?), unix seconds.
    error DeadlineTooFar(uint256 deliverBy, uint256 max);
    /// @notice A callback this large would not fit a transaction.
    error CallbackGasTooHigh(uint256 received, uint256 max);
    /// @notice The same terms were requested before: change the salt.
    error RequestExists(bytes32 id);
    /// @notice No request has these terms: compare them with the Requested event, field by field.
    error UnknownRequest(bytes32 id);
    /// @notice The request is in another state than this call needs.
    error WrongStatus(bytes32 id, Status status);
    /// @notice Too late: expire the request instead, unix seconds.
    error DeliverByPassed(uint256 deliverBy, uint256 now_);
    /// @notice Too early: the operator may still deliver, unix seconds.
    error DeliverByNotPassed(uint256 deliverBy, uint256 now_);
    /// @notice The terms name another operator.
    error WrongOperator(address received, address expected);
    /// @notice The seal belongs to another route than the terms name.
    error WrongRoute(bytes4 received, bytes4 expected);
    /// @notice The output is over the limit, in bytes.
    error OutputTooLarge(uint256 size, uint256 max);
    /// @notice The transaction carries too little gas to run the callback with what the terms name.
    error InsufficientGas(uint256 available, uint256 required);
    /// @notice There is no failed callback to retry.
    error NothingToRetry(bytes32 id);
    /// @notice That is not the result this request ended with.
    error WrongAnswer(bytes18 received, bytes18 expected);
    /// @notice Only the node registry says who is an operator.
    error NotRegistry(address caller, address registry);
    /// @notice The callback failed again.
    error CallbackReverted(bytes reason);

    /// @notice Asks. Route and model are not looked up here, which saves 9,000 gas: call `estimate` once before, off chain
    /// or when the consumer is set up; a request that nobody can answer is refunded by `expire` at once. The fee comes from the value sent, then from the caller's credit; surplus becomes credit.
    /// @return id keccak256(abi.encode(block.chainid, hub, request)).
    function request(Request calldata terms, bytes calldata input) external payable returns (bytes32 id);

    /// @notice Delivers and settles in one step: checks the seal, pays the operator, calls the consumer back.
    /// Anyone may send it; the operator is the one that the claim names.
    function fulfil(Request calldata terms, address operator, bytes calldata output, bytes calldata seal) external;

    /// @notice `fulfil` for many. Requests that have ended, or whose deliverBy has passed, are skipped; anything else wrong
    /// reverts the whole.
    /// @return fulfilled How many settled now.
    function fulfilMany(Fulfilment[] calldata items) external returns (uint256 fulfilled);

    /// @notice Ends a request that nobody answered in time and gives the fee back. A request that nobody can answer
    /// (route tombstoned or unknown, model unpublished) can be ended at once.
    function expire(Request calldata terms) external;

    /// @notice Runs a failed callback again with at least the gas of the terms; reverts with CallbackReverted if it fails.
    function retryCallback(Request calldata terms, address operator, bytes calldata output, uint256 callbackGas)
        external;

    /// @notice Marks an account as a registered operator. Called by the node registry only.
    function setOperator(address operator, bool registered) external;

    /// @notice State of a request.
    function statusOf(bytes32 id) external view returns (Status);

    /// @notice How far the answer can be trusted right now.
    function assuranceOf(bytes32 id) external view returns (Assurance memory);

    /// @notice True if the request ended with this operator's output.
    function isAnswer(bytes32 id, address operator, bytes32 outputHash) external view returns (bool);

    /// @notice Least fee that the named operator takes for these terms (zero if none is named), in token units. Reverts
    /// with what `request` would, and with UnknownModel, UnknownRoute, RouteIsTombstoned, UnregisteredOperator,
    /// PriceNotOffered.
    function estimate(Request calldata terms) external view returns (uint256 fee);

    /// @notice The id that these terms have here.
    function idOf(Request calldata terms) external view returns (bytes32);

    /// @notice The EIP-712 digest that a seal for this claim proves.
    function digestOf(Claim calldata claim) external view returns (bytes32);

    function ROUTER() external view returns (IVerifierRouter);
    function MODELS() external view returns (IModelRegistry);
    function NODES() external view returns (INodeRegistry);
}
