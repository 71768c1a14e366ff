// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Gap} from "../types/Gap.sol";
import {Request} from "../types/Request.sol";
import {Assurance} from "../types/Status.sol";
import {LoanPool} from "./LoanPool.sol";

/// @title Example: lend on an answer that another contract asked for
/// @notice The borrower shows the terms, the operator and the output; the hub says whether that is the answer, and how far
/// it can be trusted now. Nothing of it is kept, so a result that is taken back counts for nothing from then on.
contract RiskReader is LoanPool {
    /// @notice Wei; for an answer whose seal was checked.
    uint256 public constant FULL_LIMIT = 20 ether;
    /// @notice Seconds after which an answer is too old.
    uint256 public constant MAX_AGE = 1 days;

    IInferenceHub public immutable HUB;
    bytes32 public immutable MODEL;
    bytes4 public immutable ROUTE;
    bytes32 public immutable TRUST;
    /// @notice Borrowers with at most this probability of default (18 decimals) have a limit.
    uint64 public immutable MAX_RISK;

    /// @notice Hash of what the lender knows about a borrower, which is the input that the model must have had.
    mapping(address borrower => bytes32) public fileOf;

    /// @notice Zero trust takes the word of any operator, the borrower's own among them.
    error NoTrust();
    /// @notice Another model answered.
    error WrongModel(bytes32 received, bytes32 expected);
    /// @notice The model was asked about something else.
    error WrongInput(bytes32 received, bytes32 expected);
    /// @notice The question was asked for another borrower: its salt must be the address.
    error WrongBorrower(uint256 salt, address borrower);
    /// @notice The answer is proven in another way than the lender believes in.
    error WrongProof(bytes4 route, bytes32 trust);
    /// @notice That is not the answer, or it was taken back.
    error NotTheAnswer(bytes32 id, address operator);
    /// @notice Ask again, unix seconds.
    error TooOld(uint256 deliveredAt, uint256 now_);
    /// @notice With this loan the borrower would owe more than its limit, in wei.
    error OverLimit(uint256 debt, uint256 limit);

    constructor(IInferenceHub hub, bytes32 model, bytes4 route, bytes32 trust, uint64 maxRisk) {
        if (trust == 0) revert NoTrust();
        hub.MODELS().modelOf(model);
        hub.ROUTER().verifierFor(route, trust);
        (HUB, MODEL, ROUTE, TRUST, MAX_RISK) = (hub, model, route, trust, maxRisk);
    }

    /// @notice Says what the lender knows about a borrower.
    /// @param features Borrower's features in the model's order, 18 decimals.
    function setFile(address borrower, int256[5] calldata features) external onlyOwner {
        fileOf[borrower] = keccak256(abi.encode(features));
    }

    /// @notice Lends to the caller on an answer about it.
    function draw(uint256 amount, Request calldata terms, address operator, bytes calldata output) external {
        uint256 limit = limitOf(msg.sender, terms, operator, output);
        uint256 debt = debtOf[msg.sender] + amount;
        if (debt > limit) revert OverLimit(debt, limit);

        _lend(msg.sender, amount);
    }

    /// @notice Brings the insurance from the hub into the pool.
    function collect() external {
        HUB.withdraw(address(0), HUB.creditOf(address(0), address(this)), address(this));
    }

    /// @notice Wei that the borrower may owe on this answer now: everything if it is proven, what is insured if it is only
    /// delivered, otherwise nothing.
    function limitOf(address borrower, Request calldata terms, address operator, bytes calldata output)
        public
        view
        returns (uint256)
    {
        // Whoever asked chose the terms. The id binds all of them, so each that matters here is compared.
        if (terms.modelId != MODEL) revert WrongModel(terms.modelId, MODEL);
        if (terms.inputHash != fileOf[borrower]) revert WrongInput(terms.inputHash, fileOf[borrower]);
        if (terms.salt != uint160(borrower)) revert WrongBorrower(terms.salt, borrower);
        if (terms.route != ROUTE || terms.trust != TRUST) revert WrongProof(terms.route, terms.trust);
        bytes32 id = HUB.idOf(terms);
        if (!HUB.isAnswer(id, operator, keccak256(output))) revert NotTheAnswer(id, operator);
        Assurance memory assurance = HUB.assuranceOf(id);
        if (block.timestamp > assurance.deliveredAt + MAX_AGE) revert TooOld(assurance.deliveredAt, block.timestamp);
        if (output.length != 32 || uint256(bytes32(output)) > MAX_RISK) return 0;
        return assurance.proven ? FULL_LIMIT : _insured(terms);
    }

    /// @dev Wei that this pool gets if no proof follows.
    function _insured(Request calldata terms) private view returns (uint256) {
        if (terms.refundTo != address(this) || terms.token != address(0)) return 0; // others', or another currency
        Gap memory gap = HUB.gapOf(terms);
        // Insurance pays where a proof is late: not while none is due, and never on a route that was withdrawn.
        if (gap.proveBy == 0 || !HUB.ROUTER().canVerify(ROUTE, TRUST)) return 0;
        return Math.min(gap.insured, FULL_LIMIT);
    }
}
