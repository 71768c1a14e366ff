// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../InferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {TensorCodec} from "../libraries/TensorCodec.sol";
import {Gate, Request} from "../types/Request.sol";

/// @title Example: a lending pool's gate, opened by a risk model
/// @notice A borrower asks; the pool's model turns five numbers about the loan into a default probability; the gate
/// remembers the decision. Copy it, and let your pool call `isApproved` before it pays out.
contract RiskGate is InferenceConsumer {
    struct Decision {
        address borrower;
        bool decided;
        bool approved;
        uint64 risk; // probability of default, 18 decimals
    }

    uint256 public constant FEATURES = 5;
    uint256 public constant CALLBACK_GAS = 60_000;
    uint256 public constant PATIENCE = 10 minutes;

    bytes32 public immutable MODEL;
    bytes4 public immutable ROUTE;
    bytes32 public immutable TRUST;
    /// @notice Loans with at most this probability of default (18 decimals) are approved.
    uint64 public immutable MAX_RISK;

    mapping(uint256 loanId => Decision) public decisions;

    event Decided(uint256 indexed loanId, address indexed borrower, bool approved, uint256 risk);

    /// @notice The loan id belongs to another borrower, or was decided.
    error LoanTaken(uint256 loanId, address borrower);
    /// @notice The model takes another number of features.
    error WrongFeatureCount(uint256 received, uint256 expected);
    /// @notice The model answered outside of [0, 1].
    error NotAProbability(int256 value);

    constructor(IInferenceHub hub, bytes32 model, bytes4 route, bytes32 trust, uint64 maxRisk) InferenceConsumer(hub) {
        hub.MODELS().modelOf(model);
        hub.ROUTER().verifierOf(route);
        (MODEL, ROUTE, TRUST, MAX_RISK) = (model, route, trust, maxRisk);
    }

    /// @notice Asks for a decision; the value sent is the fee, and goes back to the caller if nobody answers. An undecided
    /// loan may be asked about again; the first answer decides.
    /// @param features Loan features in the model's order, 18 decimals.
    /// @param operator Who shall answer; zero: any registered operator.
    function ask(uint256 loanId, int256[] calldata features, address operator) external payable returns (bytes32 id) {
        Decision storage d = decisions[loanId];
        if (d.decided || (d.borrower != address(0) && d.borrower != msg.sender)) revert LoanTaken(loanId, d.borrower);
        if (features.length != FEATURES) revert WrongFeatureCount(features.length, FEATURES);
        d.borrower = msg.sender;

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
        terms.salt = loanId;
        return _ask(terms, TensorCodec.encode(features));
    }

    /// @notice True once the model has approved the loan.
    function isApproved(uint256 loanId) external view returns (bool) {
        return decisions[loanId].approved;
    }

    function _onSettled(bytes32, uint256 loanId, bytes calldata output) internal override {
        int256 risk = TensorCodec.element(output, 0);
        if (risk < 0 || risk > 1e18) revert NotAProbability(risk);
        Decision storage d = decisions[loanId];
        if (d.decided) return;
        d.decided = true;
        d.approved = uint256(risk) <= MAX_RISK;
        d.risk = uint64(uint256(risk));
        emit Decided(loanId, d.borrower, d.approved, uint256(risk));
    }
}
