// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../InferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Gate, Request} from "../types/Request.sol";

/// @title Example: a credit limit that only final results change, proven or not
/// @notice The same question as in InstantLoan, but nothing happens before the end: no exposure, hence cheap to answer. An
/// answer is proven only if somebody challenges it inside of the window. Nobody did: that is silence, good for a small
/// limit. Whoever wants the large one challenges the answer itself; the bond, which a right operator earns, is the price.
contract CreditLimit is InferenceConsumer {
    uint256 public constant CALLBACK_GAS = 35_000;
    uint256 public constant PATIENCE = 10 minutes;
    /// @notice Wei; what a challenger puts up, and gets of the operator's stake if no proof follows. It pays the watchers: an
    /// operator that challenges itself first keeps it, so it is no insurance.
    uint256 public constant BOND = 0.05 ether;
    /// @notice Wei; for an answer that nobody challenged.
    uint256 public constant UNCHALLENGED_LIMIT = 1 ether;
    /// @notice Wei; for an answer whose seal was checked.
    uint256 public constant PROVEN_LIMIT = 20 ether;

    bytes32 public immutable MODEL;
    bytes4 public immutable ROUTE;
    bytes32 public immutable TRUST;
    /// @notice Borrowers with at most this probability of default (18 decimals) have a limit.
    uint64 public immutable MAX_RISK;
    /// @notice Seconds in which anyone may challenge an answer.
    uint32 public immutable WINDOW;
    /// @notice Seconds that an operator has for the proof once it is challenged.
    uint32 public immutable PROVE_WITHIN;

    /// @notice Wei; the answer that came last counts.
    mapping(address borrower => uint256) public limitOf;

    event LimitSet(address indexed borrower, bytes32 indexed id, uint256 limit, bool proven);

    /// @notice Zero trust takes the word of any operator, the borrower's own among them.
    error NoTrust();
    /// @notice An operator that is challenged needs time for the proof.
    error NoTimeToProve();

    constructor(
        IInferenceHub hub,
        bytes32 model,
        bytes4 route,
        bytes32 trust,
        uint64 maxRisk,
        uint32 window,
        uint32 proveWithin
    ) InferenceConsumer(hub) {
        if (trust == 0) revert NoTrust();
        if (proveWithin == 0) revert NoTimeToProve();
        hub.MODELS().modelOf(model);
        hub.ROUTER().verifierFor(route, trust);
        (MODEL, ROUTE, TRUST, MAX_RISK) = (model, route, trust, maxRisk);
        (WINDOW, PROVE_WITHIN) = (window, proveWithin);
    }

    /// @notice Asks about the caller; the value sent is the fee, and goes back if no answer stands.
    /// @param features Borrower's features in the model's order, 18 decimals.
    /// @param operator Who shall answer; zero: any registered operator.
    function ask(int256[5] calldata features, address operator) external payable returns (bytes32 id) {
        Request memory terms; // exposure stays zero: this contract loses nothing before the end
        terms.operator = operator;
        terms.refundTo = msg.sender;
        terms.fee = msg.value;
        terms.bond = BOND;
        terms.deliverBy = block.timestamp + PATIENCE;
        terms.window = WINDOW;
        terms.proveWithin = PROVE_WITHIN;
        terms.callbackGas = CALLBACK_GAS;
        terms.gate = Gate.OnSettlement; // no callback before the end, and none for a result that was taken back
        terms.route = ROUTE;
        terms.trust = TRUST;
        terms.modelId = MODEL;
        terms.salt = uint160(msg.sender); // comes back in the callback, so that nothing is stored here
        return _ask(terms, abi.encode(features));
    }

    /// @dev Final, but not necessarily proven: the hub knows which.
    function _onSettled(bytes32 id, uint256 salt, bytes calldata output) internal override {
        bool proven = HUB.assuranceOf(id).proven;
        bool low = output.length == 32 && uint256(bytes32(output)) <= MAX_RISK;
        uint256 limit = low ? proven ? PROVEN_LIMIT : UNCHALLENGED_LIMIT : 0;
        address borrower = address(uint160(salt));
        limitOf[borrower] = limit;
        emit LimitSet(borrower, id, limit, proven);
    }
}
