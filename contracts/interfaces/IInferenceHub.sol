// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Claim} from "../types/Claim.sol";
import {Gap, SignedOutput} from "../types/Gap.sol";
import {Request} from "../types/Request.sol";
import {Assurance, Status} from "../types/Status.sol";
import {ILedger} from "./ILedger.sol";
import {IModelRegistry} from "./IModelRegistry.sol";
import {INodeRegistry} from "./INodeRegistry.sol";
import {IVerifierRouter} from "./IVerifierRouter.sol";

/// @title Ask an AI model, know how far to trust the answer
/// @notice One packed slot per request; the id is the hash of the terms, which travel in calldata.
///
/// "Fee", "exposure" and "bond" are those of the terms. A delivery locks exposure + bond of the operator's stake until the
/// request ends: the exposure insures the consumer, the bond rewards whoever shows that the operator was wrong.
///
/// Silence has a default in every phase. Deadlines belong to the side that is named late: it may act up to and with the
/// second of the deadline, anyone may trigger the default from the next second on. "Consumer" is refundTo, if one is named.
/// | phase | who is late | who may trigger | who gets what |
/// | --- | --- | --- | --- |
/// | Requested | the operator, after deliverBy | anyone, `expire` | fee back to the consumer; Expired |
/// | Requested, route (or the route a batch rests on) tombstoned or unknown, or model unpublished | nobody | anyone, `expire`, at once | the same |
/// | Delivered, window == 0 | the operator, proveWithin after the delivery | anyone, `reject` | fee and exposure to the consumer, bond from the stake to the caller; Rejected |
/// | Delivered, window > 0 | the challengers, window after the delivery | anyone, `settle` without a seal | fee to the operator, stake released; Settled, not proven |
/// | Challenged | the operator, proveWithin after the challenge | anyone, `reject` | fee and exposure to the consumer, the challenger's bond back and the bond from the stake to the challenger; Rejected |
/// | Delivered (while its window is open, if it has one) or Challenged, route (or the route a batch rests on) tombstoned | nobody | anyone, `expireDelivered`, at once | fee back to the consumer, stake released, the challenger's bond back; Expired, nobody is slashed for it |
/// | Delivered or later, callback failed | the consumer | anyone, `retryCallback` | the callback runs again; payment is not affected |
///
/// A proof in time ends it the other way: `settle` with a seal pays the fee, and a challenger's bond, to the operator.
/// An equivocation is proof of fraud in every phase before the end, also on a dead route, see `reportEquivocation`.
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
    /// @notice A result is out, its proof is not.
    event Delivered(bytes32 indexed id, address operator, bytes output);
    event Challenged(bytes32 indexed id, address indexed challenger);
    event Settled(bytes32 indexed id, address operator, bytes output);
    /// @notice Follows Settled where no seal was checked: the window passed and nobody challenged.
    event Unchallenged(bytes32 indexed id);
    event Expired(bytes32 indexed id);
    event Rejected(bytes32 indexed id, address indexed operator, address indexed rewarded);
    /// @param slashed Token units taken from the operator's stake.
    event Equivocated(bytes32 indexed id, address indexed operator, address indexed rewarded, uint256 slashed);
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
    /// @notice window or proveWithin is absurdly long, seconds.
    error GapTooLong(uint256 received, uint256 max);
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
    /// @notice The terms leave no time for a proof (window and proveWithin are zero): bring the seal at once with `fulfil`.
    error NoGap();
    /// @notice A signature has 65 bytes, r ‖ s ‖ v.
    error WrongSignatureLength(uint256 received, uint256 expected);
    /// @notice Another key than the operator's signed, or another claim was signed.
    error NotSignedByOperator(address recovered, address operator);
    /// @notice A seal is due (no window, or somebody challenged), by this second, unix time.
    error SealRequired(uint256 proveBy);
    /// @notice The proof is too late: `reject` ends the request, unix seconds.
    error ProveByPassed(uint256 proveBy, uint256 now_);
    /// @notice Too early: the operator may still prove, unix seconds.
    error ProveByNotPassed(uint256 proveBy, uint256 now_);
    /// @notice The terms have no window: the result must be proven anyway, and `reject` ends it if it is not.
    error NoWindow();
    /// @notice Too late to challenge: `settle` ends the request without a seal, unix seconds.
    error WindowPassed(uint256 challengeBy, uint256 now_);
    /// @notice Too early to settle without a seal: the window is open, unix seconds.
    error WindowNotPassed(uint256 challengeBy, uint256 now_);
    /// @notice Nobody demanded a proof, so none is late: challenge first.
    error NotChallenged(bytes32 id);
    /// @notice The route lives, so the result can still be proven.
    error RouteIsLive(bytes4 route);
    /// @notice The two outputs are the same, which is no contradiction.
    error NoContradiction(bytes32 outputHash);
    /// @notice This operator has lost all that the terms put at stake already.
    error AlreadyReported(bytes32 id, address operator);
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

    /// @notice `fulfil` for many. Requests that have ended, were delivered (`settle` those), or whose deliverBy has passed, are
    /// skipped; anything else wrong reverts the whole.
    /// @return fulfilled How many settled now.
    function fulfilMany(Fulfilment[] calldata items) external returns (uint256 fulfilled);

    /// @notice Publishes a result whose proof comes later (or only if somebody asks): locks exposure + bond of the operator's
    /// stake and, if the terms say OnDelivery, calls the consumer back with the status Delivered. Anyone may send it.
    /// Reverts with NoGap, WrongSignatureLength, NotSignedByOperator, UnregisteredOperator, UncoveredExposure, and with
    /// RouteIsTombstoned or UnknownRoute, where no proof could come.
    /// @param signature r ‖ s ‖ v of the operator's own key over the claim's digest (`digestOf`), low s, v 27 or 28.
    function deliver(Request calldata terms, address operator, bytes calldata output, bytes calldata signature) external;

    /// @notice Settles a delivered result: with a seal at any time until it is late, or with an empty one after a window that
    /// nobody used. Pays the operator the fee (and the challenger's bond), releases its stake, calls the consumer back.
    /// Anyone may send it. Reverts with SealRequired, ProveByPassed, WindowNotPassed, WrongRoute, and as the verifier does.
    function settle(Request calldata terms, address operator, bytes calldata output, bytes calldata seal) external;

    /// @notice Demands the proof of a delivered result inside of its window. Puts up the bond, from the value sent, then from
    /// the caller's credit; surplus becomes credit. Names what is challenged, so that a reorg cannot put another result
    /// in its place. Reverts with NoWindow, WindowPassed.
    function challenge(Request calldata terms, address operator, bytes32 outputHash) external payable;

    /// @notice Ends a delivered request whose proof is late. Reverts with ProveByNotPassed, NotChallenged, and with
    /// RouteIsTombstoned where `expireDelivered` is the way.
    function reject(Request calldata terms, address operator, bytes32 outputHash) external;

    /// @notice Shows that an operator signed two outputs for one request, which ends its claim to be believed. If one of them
    /// is the delivered one, the request is rejected: fee and exposure to the consumer, the bond from the stake to the
    /// challenger or else to the caller. Otherwise (nothing is delivered, or by another operator) the request goes on, and
    /// the operator loses up to exposure + bond of what is free or on its way out of its stake, by one report or several: first
    /// the consumer gets the exposure, then the callers the rest. What no delivery locked is not certain to be there: an
    /// operator that sees the report coming may lock it elsewhere, or have itself slashed in favour of its own request.
    /// A seal for another output is no contradiction; challenge the delivered one.
    /// Reverts with NoContradiction, NotSignedByOperator, AlreadyReported.
    function reportEquivocation(
        Request calldata terms,
        address operator,
        SignedOutput calldata first,
        SignedOutput calldata second
    ) external;

    /// @notice Ends a delivered request that cannot be proven because its route was tombstoned. Reverts with RouteIsLive, and
    /// with WindowPassed where `settle` is the way.
    function expireDelivered(Request calldata terms, address operator, bytes32 outputHash) external;

    /// @notice Ends a request that nobody answered in time and gives the fee back. A request that nobody can answer
    /// (route tombstoned or unknown, model unpublished) can be ended at once.
    function expire(Request calldata terms) external;

    /// @notice Runs a failed callback again, for the status the request has now, with at least the gas of the terms; reverts
    /// with CallbackReverted if it fails.
    /// @param operator Who answered; not looked at if the result was retracted (Rejected, Expired).
    /// @param output What was answered; not looked at if the result was retracted.
    function retryCallback(Request calldata terms, address operator, bytes calldata output, uint256 callbackGas)
        external;

    /// @notice Marks an account as a registered operator. Called by the node registry only.
    function setOperator(address operator, bool registered) external;

    /// @notice State of a request.
    function statusOf(bytes32 id) external view returns (Status);

    /// @notice How far the answer can be trusted right now.
    function assuranceOf(bytes32 id) external view returns (Assurance memory);

    /// @notice The gap of a delivered request: which deadline runs, what is insured. All zero but the status for others.
    function gapOf(Request calldata terms) external view returns (Gap memory);

    /// @notice True if this operator's output is what was delivered or settled, and was not retracted since. Whether it is
    /// proven says `assuranceOf`.
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
