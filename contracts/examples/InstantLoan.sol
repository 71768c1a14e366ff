// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {InferenceConsumer} from "../InferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Gate, Request} from "../types/Request.sol";
import {Status} from "../types/Status.sol";
import {LoanPool} from "./LoanPool.sol";

/// @title Example: lend at once on a provisional answer, insured by the operator's stake
/// @notice The answer is here in seconds, its proof later. The pool does not wait: the loan is its exposure, so an answer
/// that is never proven costs the operator the loan, and the pool nothing.
contract InstantLoan is InferenceConsumer, LoanPool {
    enum Stage {
        None,
        Asked,
        Refused, // the model said no
        Insured, // it said yes; until the proof comes, the operator's stake stands behind the loan
        Final, // it said yes, and that is proven: the borrower's risk is the lender's own
        Called, // the answer was taken back: the loan is due at once, and the insurance makes the pool whole
        Uncovered // the route was withdrawn: the loan is due at once, and nothing was insured
    }

    struct Loan {
        address borrower;
        Stage stage;
        bool drawn;
        uint80 fee; // wei that the borrower gets back unless an operator earns them
        uint256 amount; // wei
    }

    uint256 public constant CALLBACK_GAS = 20_000;
    uint256 public constant PATIENCE = 10 minutes;

    bytes32 public immutable MODEL;
    bytes4 public immutable ROUTE;
    bytes32 public immutable TRUST;
    /// @notice Loans with at most this probability of default (18 decimals) are granted.
    uint64 public immutable MAX_RISK;
    /// @notice Seconds that an operator has for the proof.
    uint32 public immutable PROVE_WITHIN;

    /// @notice Wei of fees that may come back to borrowers: that much credit stays in the hub for them.
    uint256 public feesHeld;
    mapping(bytes32 id => Loan) public loans;

    event Moved(bytes32 indexed id, address indexed borrower, Stage stage);

    /// @notice Zero trust takes the word of any operator, the borrower's own among them.
    error NoTrust();
    /// @notice Only the borrower draws its loan.
    error NotBorrower(address caller, address borrower);
    /// @notice The loan is not granted (any more), or was drawn.
    error NothingToDraw(bytes32 id, Stage stage);
    /// @notice No fee came back: an operator earned it or still can, or it was refunded before.
    error NothingToRefund(bytes32 id, Status status);

    constructor(IInferenceHub hub, bytes32 model, bytes4 route, bytes32 trust, uint64 maxRisk, uint32 proveWithin)
        InferenceConsumer(hub)
    {
        if (trust == 0) revert NoTrust();
        hub.MODELS().modelOf(model);
        hub.ROUTER().verifierFor(route, trust);
        (MODEL, ROUTE, TRUST, MAX_RISK, PROVE_WITHIN) = (model, route, trust, maxRisk, proveWithin);
    }

    /// @notice Asks for a loan; the value sent is the fee. An operator whose free stake does not cover loan and bond
    /// brings the proof along with the answer.
    /// @param features Loan features in the model's order, 18 decimals.
    /// @param operator Who shall answer; zero: any registered operator.
    /// @return id Key of the loan.
    function ask(uint256 amount, int256[5] calldata features, address operator) external payable returns (bytes32 id) {
        Request memory terms; // refundTo stays zero: fee and insurance come back to this contract
        terms.operator = operator;
        terms.fee = msg.value;
        terms.exposure = amount; // all that the pool can lose before the proof
        terms.bond = amount / 50; // for whoever ends the request if the proof is late
        terms.deliverBy = block.timestamp + PATIENCE;
        terms.proveWithin = PROVE_WITHIN; // and no window: every answer must be proven
        terms.callbackGas = CALLBACK_GAS;
        terms.gate = Gate.OnDelivery;
        terms.route = ROUTE;
        terms.trust = TRUST;
        terms.modelId = MODEL;
        terms.salt = uint160(msg.sender);
        feesHeld += msg.value;
        id = _ask(terms, abi.encode(features));
        loans[id] = Loan(msg.sender, Stage.Asked, false, SafeCast.toUint80(msg.value), amount);
    }

    /// @notice Pays the loan out to the borrower.
    function draw(bytes32 id) external {
        Loan storage loan = loans[id];
        Stage stage = loan.stage;
        if (msg.sender != loan.borrower) revert NotBorrower(msg.sender, loan.borrower);
        if (loan.drawn || (stage != Stage.Insured && stage != Stage.Final)) revert NothingToDraw(id, stage);
        if (stage == Stage.Insured) HUB.ROUTER().verifierFor(ROUTE, TRUST); // a withdrawn route insures nothing

        loan.drawn = true;
        _lend(msg.sender, loan.amount);
    }

    /// @notice Turns the fee into the borrower's credit in the hub once no answer stands.
    function refund(bytes32 id) external {
        Loan storage loan = loans[id];
        (uint256 fee, Status status) = (loan.fee, HUB.statusOf(id));
        if (fee == 0 || (status != Status.Expired && status != Status.Rejected)) revert NothingToRefund(id, status);

        loan.fee = 0;
        feesHeld -= fee;
        HUB.transferCredit(address(0), fee, loan.borrower);
    }

    /// @notice Brings the insurance from the hub into the pool.
    function collect() external {
        uint256 credit = HUB.creditOf(address(0), address(this));
        if (credit > feesHeld) _withdrawCredit(address(0), credit - feesHeld, address(this));
    }

    function _onProvisional(bytes32 id, uint256, bytes calldata output) internal override {
        _move(id, _isLow(output) ? Stage.Insured : Stage.Refused);
    }

    /// @dev Follows `_onProvisional` with the same output, or comes alone if the proof came with the answer.
    function _onSettled(bytes32 id, uint256, bytes calldata output) internal override {
        _move(id, _isLow(output) ? Stage.Final : Stage.Refused);
        feesHeld -= loans[id].fee;
        loans[id].fee = 0;
    }

    function _onRejected(bytes32 id, uint256) internal override {
        _move(id, Stage.Called);
    }

    function _onExpired(bytes32 id, uint256) internal override {
        _move(id, Stage.Uncovered);
    }

    function _move(bytes32 id, Stage stage) private {
        loans[id].stage = stage;
        emit Moved(id, loans[id].borrower, stage);
    }

    /// @dev What is no probability is a no: a hook that reverts would leave the loan where it was.
    function _isLow(bytes calldata output) private view returns (bool) {
        return output.length == 32 && uint256(bytes32(output)) <= MAX_RISK;
    }
}
