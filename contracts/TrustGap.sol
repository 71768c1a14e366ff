// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IInferenceHub} from "./interfaces/IInferenceHub.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {IVerifierRouter} from "./interfaces/IVerifierRouter.sol";
import {Callback} from "./libraries/Callback.sol";
import {ClaimSignature} from "./libraries/ClaimSignature.sol";
import {Memory} from "./libraries/Memory.sol";
import {Verification} from "./libraries/Verification.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {ClaimLib} from "./types/Claim.sol";
import {Challenge, Gap, GapLib, SignedOutput} from "./types/Gap.sol";
import {Ledger} from "./types/Ledger.sol";
import {Cell, Record, RecordLib} from "./types/Record.sol";
import {Gate, Request} from "./types/Request.sol";
import {Status} from "./types/Status.sol";

/// @title The part of the hub between a result and its proof
/// @dev Holds the hub's state, so that `InferenceHub` reads as the way without a gap.
abstract contract TrustGap is IInferenceHub {
    using Callback for address;
    using ClaimSignature for bytes;
    using GapLib for Record;
    using Verification for IVerifier;

    /// @notice Larger outputs belong into a content-addressed store, with their hash on chain.
    uint256 public constant MAX_OUTPUT = 65_536;

    /// @inheritdoc IInferenceHub
    IVerifierRouter public immutable ROUTER;
    /// @inheritdoc IInferenceHub
    IModelRegistry public immutable MODELS;
    /// @inheritdoc IInferenceHub
    INodeRegistry public immutable NODES;

    Ledger internal _ledger;
    mapping(bytes32 id => Cell) internal _cells;
    mapping(bytes32 id => Challenge) private _challenges;
    mapping(bytes32 id => mapping(address operator => uint256)) private _equivocated;

    constructor(IVerifierRouter router, IModelRegistry models, uint40 unbondDelay) {
        ROUTER = router;
        MODELS = models;
        NODES = new NodeRegistry(this, unbondDelay);
    }

    /// @inheritdoc IInferenceHub
    function deliver(Request calldata terms, address operator, bytes calldata output, bytes calldata signature)
        external
    {
        bytes32 id = terms.id(address(this));
        Cell storage cell = _cells[id];
        Record record = cell.record;
        if (!record.isRequested()) _revertStatus(id, record);
        if (block.timestamp > terms.deliverBy) revert DeliverByPassed(terms.deliverBy, block.timestamp);
        if (terms.window == 0 && terms.proveWithin == 0) revert NoGap();
        _checkAnswer(terms, operator, output);
        if (!_ledger.isOperator(operator)) revert INodeRegistry.UnregisteredOperator(operator);
        bytes4 route = terms.route;
        ROUTER.verifierFor(route, terms.trust); // without a live one no proof can come, and the insurance would be void
        bytes32 outputHash = Memory.hash(output);
        _checkSignature(terms, id, operator, outputHash, signature);

        cell.record = RecordLib.delivered(route, block.timestamp, _answer(id, operator, outputHash));
        NODES.lock(operator, terms.token, Math.saturatingAdd(terms.exposure, terms.bond));
        emit Delivered(id, operator, output);
        if (terms.gate == Gate.OnDelivery) _callBack(id, cell, terms, Status.Delivered, output);
    }

    /// @inheritdoc IInferenceHub
    function settle(Request calldata terms, address operator, bytes calldata output, bytes calldata seal) external {
        bytes32 id = terms.id(address(this));
        bytes32 outputHash = Memory.hash(output);
        (Cell storage cell, Record record) = _open(id, operator, outputHash);
        bool isSealed = seal.length != 0;
        record.checkSettle(terms, record.proveBy(terms, _challenges[id]), isSealed);
        bytes4 route = terms.route;
        if (isSealed) {
            if (Verification.routeOf(seal) != route) revert WrongRoute(Verification.routeOf(seal), route);
            ROUTER.verifierOf(route).check(seal, terms, id, outputHash, operator);
        }

        cell.record = record.settle(block.timestamp, isSealed);
        (, uint256 bond) = _endChallenge(id, record, terms);
        _ledger.credit(terms.token, operator, terms.fee + bond);
        NODES.release(operator, terms.token, terms.exposure + terms.bond);
        emit Settled(id, operator, output);
        if (!isSealed) emit Unchallenged(id);
        _callBack(id, cell, terms, Status.Settled, output);
    }

    /// @inheritdoc IInferenceHub
    function challenge(Request calldata terms, address operator, bytes32 outputHash) external payable {
        bytes32 id = terms.id(address(this));
        (Cell storage cell, Record record) = _open(id, operator, outputHash);
        if (record.status() != Status.Delivered) revert WrongStatus(id, record.status());
        record.checkWindow(terms);

        cell.record = record.challenge();
        _challenges[id] = Challenge(msg.sender, uint40(block.timestamp));
        _ledger.collect(terms.token, terms.bond);
        emit Challenged(id, msg.sender);
    }

    /// @inheritdoc IInferenceHub
    function reject(Request calldata terms, address operator, bytes32 outputHash) external {
        bytes32 id = terms.id(address(this));
        (Cell storage cell, Record record) = _open(id, operator, outputHash);
        uint256 due = record.proveBy(terms, _challenges[id]);
        if (due == 0) revert NotChallenged(id);
        if (block.timestamp <= due) revert ProveByNotPassed(due, block.timestamp);
        ROUTER.verifierFor(terms.route, terms.trust); // a tombstoned route never punishes

        _reject(id, cell, record, terms, operator);
    }

    /// @inheritdoc IInferenceHub
    function reportEquivocation(
        Request calldata terms,
        address operator,
        SignedOutput calldata first,
        SignedOutput calldata second
    ) external {
        bytes32 id = terms.id(address(this));
        Cell storage cell = _cells[id];
        Record record = cell.record;
        if (!record.isRequested() && !record.isOpen()) _revertStatus(id, record);
        if (terms.operator != operator && terms.operator != address(0)) revert WrongOperator(operator, terms.operator);
        if (first.outputHash == second.outputHash) revert NoContradiction(first.outputHash);
        _checkSignature(terms, id, operator, first.outputHash, first.signature);
        _checkSignature(terms, id, operator, second.outputHash, second.signature);
        bytes18 answer = record.answer();
        if (answer == _answer(id, operator, first.outputHash) || answer == _answer(id, operator, second.outputHash)) {
            (address rewarded, uint256 amount) = _reject(id, cell, record, terms, operator);
            emit Equivocated(id, operator, rewarded, amount);
            return;
        }
        uint256 before = _equivocated[id][operator];
        uint256 all = Math.saturatingAdd(terms.exposure, terms.bond);
        if (before == all) revert AlreadyReported(id, operator);

        address token = terms.token;
        uint256 taken = NODES.slashFree(operator, token, all - before);
        _equivocated[id][operator] = before + taken;
        uint256 insured = Math.min(taken, Math.saturatingSub(terms.exposure, before));
        _ledger.debit(token, address(NODES), taken);
        _ledger.credit(token, terms.beneficiary(), insured);
        _ledger.credit(token, msg.sender, taken - insured);
        emit Equivocated(id, operator, msg.sender, taken);
    }

    /// @inheritdoc IInferenceHub
    function expireDelivered(Request calldata terms, address operator, bytes32 outputHash) external {
        bytes32 id = terms.id(address(this));
        (Cell storage cell, Record record) = _open(id, operator, outputHash);
        if (ROUTER.canVerify(terms.route, terms.trust)) revert RouteIsLive(terms.route);
        if (record.proveBy(terms, _challenges[id]) == 0) record.checkWindow(terms);

        cell.record = record.retract(Status.Expired);
        (address challenger, uint256 bond) = _endChallenge(id, record, terms);
        _ledger.credit(terms.token, terms.beneficiary(), terms.fee);
        if (bond != 0) _ledger.credit(terms.token, challenger, bond);
        NODES.release(operator, terms.token, terms.exposure + terms.bond);
        emit Expired(id);
        if (terms.gate == Gate.OnDelivery) _callBack(id, cell, terms, Status.Expired, msg.data[:0]);
    }

    /// @inheritdoc IInferenceHub
    function gapOf(Request calldata terms) external view returns (Gap memory gap) {
        bytes32 id = terms.id(address(this));
        Record record = _cells[id].record;
        gap.status = record.status();
        if (!record.isOpen()) return gap;
        Challenge storage challenge_ = _challenges[id];
        gap.proveBy = record.proveBy(terms, challenge_);
        if (gap.proveBy == 0) gap.challengeBy = record.challengeBy(terms);
        gap.insured = terms.exposure;
        gap.challenger = challenge_.challenger;
    }

    function _callBack(bytes32 id, Cell storage cell, Request calldata terms, Status status, bytes calldata output)
        internal
    {
        uint256 gasLimit = terms.callbackGas;
        if (gasLimit == 0) return;
        (bool ok, bytes memory reason) = terms.consumer.run(gasLimit, id, terms.salt, status, output);
        if (!ok) {
            Record record = cell.record;
            // A consumer may have ended its request in the callback: then this one is of no interest any more.
            if (status != Status.Delivered || record.isOpen()) cell.record = record.withCallbackFailed(true);
            emit CallbackFailed(id, reason);
        }
    }

    function _checkAnswer(Request calldata terms, address operator, bytes calldata output) internal pure {
        address named = terms.operator;
        if (named != operator && named != address(0)) revert WrongOperator(operator, named);
        if (output.length > MAX_OUTPUT) revert OutputTooLarge(output.length, MAX_OUTPUT);
    }

    function _revertStatus(bytes32 id, Record record) internal pure {
        if (record.status() == Status.None) revert UnknownRequest(id);
        revert WrongStatus(id, record.status());
    }

    function _answer(bytes32 id, address operator, bytes32 outputHash) internal pure returns (bytes18) {
        return bytes18(Memory.hash(id, operator, outputHash));
    }

    /// @dev Ends a delivered request against its operator.
    function _reject(bytes32 id, Cell storage cell, Record record, Request calldata terms, address operator)
        private
        returns (address rewarded, uint256 amount)
    {
        address token = terms.token;
        amount = terms.exposure + terms.bond;

        cell.record = record.retract(Status.Rejected);
        uint256 bond;
        (rewarded, bond) = _endChallenge(id, record, terms);
        if (rewarded == address(0)) rewarded = msg.sender;
        NODES.slash(operator, token, amount);
        _ledger.debit(token, address(NODES), amount);
        _ledger.credit(token, terms.beneficiary(), terms.fee + terms.exposure);
        _ledger.credit(token, rewarded, terms.bond + bond);
        emit Rejected(id, operator, rewarded);
        if (terms.gate == Gate.OnDelivery) _callBack(id, cell, terms, Status.Rejected, msg.data[:0]);
    }

    /// @dev Forgets who challenged.
    /// @return challenger Zero if nobody did.
    /// @return bond What the challenger put up, in token units; the caller of this says whose it is now.
    function _endChallenge(bytes32 id, Record record, Request calldata terms)
        private
        returns (address challenger, uint256 bond)
    {
        if (record.status() != Status.Challenged) return (address(0), 0);
        challenger = _challenges[id].challenger;
        bond = terms.bond;
        delete _challenges[id];
    }

    /// @dev The record of a delivered request, if that is what was delivered.
    function _open(bytes32 id, address operator, bytes32 outputHash)
        private
        view
        returns (Cell storage cell, Record record)
    {
        cell = _cells[id];
        record = cell.record;
        if (!record.isOpen()) _revertStatus(id, record);
        bytes18 answer = _answer(id, operator, outputHash);
        if (answer != record.answer()) revert WrongAnswer(answer, record.answer());
    }

    function _checkSignature(
        Request calldata terms,
        bytes32 id,
        address operator,
        bytes32 outputHash,
        bytes calldata signature
    ) private view {
        if (signature.length != ClaimSignature.SIZE) {
            revert WrongSignatureLength(signature.length, ClaimSignature.SIZE);
        }
        bytes32 digest = ClaimLib.digest(
            id, terms.modelId, terms.inputHash, outputHash, operator, ClaimLib.domainSeparator(address(this))
        );
        address signer = signature.signer(0, digest);
        if (signer != operator || signer == address(0)) revert NotSignedByOperator(signer, operator);
    }
}
