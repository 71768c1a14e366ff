// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IInferenceHub} from "./interfaces/IInferenceHub.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {IVerifierRouter} from "./interfaces/IVerifierRouter.sol";
import {Callback} from "./libraries/Callback.sol";
import {Memory} from "./libraries/Memory.sol";
import {Verification} from "./libraries/Verification.sol";
import {TrustGap} from "./TrustGap.sol";
import {Claim, ClaimLib} from "./types/Claim.sol";
import {Cell, Record, RecordLib} from "./types/Record.sol";
import {Gate, Request} from "./types/Request.sol";
import {Assurance, Status} from "./types/Status.sol";

/// @title Vouch hub
/// @dev Every state-changing function in the same order: checks, state, event, calls.
contract InferenceHub is TrustGap, ReentrancyGuardTransient {
    using Callback for address;
    using Verification for IVerifier;

    /// @notice A larger callback would leave no room for the rest under the 2^24 gas transaction cap (EIP-7825).
    uint256 public constant MAX_CALLBACK_GAS = 12_000_000;
    /// @notice Seconds that each phase may last: a deadline in milliseconds would lock the fee for ever.
    uint256 public constant MAX_PATIENCE = 366 days;

    /// @param unbondDelay Seconds between an operator asking for stake back and having it.
    constructor(IVerifierRouter router, IModelRegistry models, uint40 unbondDelay)
        TrustGap(router, models, unbondDelay)
    {}

    /// @inheritdoc IInferenceHub
    function request(Request calldata terms, bytes calldata input) external payable returns (bytes32 id) {
        _checkTerms(terms);
        if (terms.consumer != msg.sender) revert NotConsumer(msg.sender, terms.consumer);
        bytes32 inputHash = Memory.hash(input);
        if (inputHash != terms.inputHash) revert WrongInputHash(terms.inputHash, inputHash);
        id = terms.id(address(this));
        Cell storage cell = _cells[id];
        if (cell.record.status() != Status.None) revert RequestExists(id);

        cell.record = RecordLib.requested(terms.route);
        _ledger.collect(terms.token, terms.fee);
        terms.log(id, Requested.selector, input);
    }

    /// @inheritdoc IInferenceHub
    function fulfil(Request calldata terms, address operator, bytes calldata output, bytes calldata seal) external {
        bytes32 id = terms.id(address(this));
        Cell storage cell = _cells[id];
        Record record = cell.record;
        if (!record.isRequested()) _revertStatus(id, record);
        if (block.timestamp > terms.deliverBy) revert DeliverByPassed(terms.deliverBy, block.timestamp);
        bytes4 route = terms.route;
        _fulfil(id, cell, terms, operator, output, seal, route, ROUTER.verifierOf(route));
    }

    /// @inheritdoc IInferenceHub
    function fulfilMany(Fulfilment[] calldata items) external returns (uint256 fulfilled) {
        bytes32 lastRoute = bytes32(type(uint256).max); // no route, not even zero, is this one
        IVerifier verifier;
        for (uint256 i; i < items.length; ++i) {
            Fulfilment calldata item = items[i];
            Request calldata terms = item.request;
            bytes32 id = terms.id(address(this));
            Cell storage cell = _cells[id];
            Record record = cell.record;
            if (!record.isRequested() || block.timestamp > terms.deliverBy) {
                if (record.status() == Status.None) revert UnknownRequest(id);
                continue;
            }
            bytes4 route = terms.route;
            if (route != lastRoute) {
                lastRoute = route;
                verifier = ROUTER.verifierOf(route);
            }
            _fulfil(id, cell, terms, item.operator, item.output, item.seal, route, verifier);
            unchecked {
                ++fulfilled;
            }
        }
    }

    /// @inheritdoc IInferenceHub
    function expire(Request calldata terms) external {
        bytes32 id = terms.id(address(this));
        Cell storage cell = _cells[id];
        Record record = cell.record;
        if (!record.isRequested()) _revertStatus(id, record);
        if (
            block.timestamp <= terms.deliverBy && ROUTER.canVerify(terms.route, terms.trust)
                && MODELS.exists(terms.modelId)
        ) {
            revert DeliverByNotPassed(terms.deliverBy, block.timestamp);
        }

        cell.record = record.retract(Status.Expired);
        _ledger.credit(terms.token, terms.beneficiary(), terms.fee);
        emit Expired(id);
    }

    /// @inheritdoc IInferenceHub
    function retryCallback(Request calldata terms, address operator, bytes calldata output, uint256 callbackGas)
        external
    {
        bytes32 id = terms.id(address(this));
        Cell storage cell = _cells[id];
        Record record = cell.record;
        if (!record.callbackFailed()) revert NothingToRetry(id);
        Status status = record.status();
        if (status == Status.Rejected || status == Status.Expired) {
            output = msg.data[:0];
        } else {
            bytes18 answer = _answer(id, operator, Memory.hash(output));
            if (answer != record.answer()) revert WrongAnswer(answer, record.answer());
            if (status == Status.Challenged) status = Status.Delivered; // a challenge says nothing to the consumer
        }
        if (callbackGas < terms.callbackGas) callbackGas = terms.callbackGas;
        if (callbackGas > MAX_CALLBACK_GAS) revert CallbackGasTooHigh(callbackGas, MAX_CALLBACK_GAS);

        cell.record = record.withCallbackFailed(false);
        emit CallbackRetried(id);
        (bool ok, bytes memory reason) = terms.consumer.run(callbackGas, id, terms.salt, status, output);
        if (!ok) revert CallbackReverted(reason);
    }

    /// @inheritdoc IInferenceHub
    function setOperator(address operator, bool registered) external {
        if (msg.sender != address(NODES)) revert NotRegistry(msg.sender, address(NODES));

        _ledger.setOperator(operator, registered);
    }

    /// @inheritdoc ILedger
    /// @dev Guarded, because a token that calls back in the middle of its transfer would be counted twice.
    function deposit(address token, uint256 amount, address account) external payable nonReentrant returns (uint256) {
        return _ledger.deposit(token, amount, account);
    }

    /// @inheritdoc ILedger
    function withdraw(address token, uint256 amount, address to) external {
        _ledger.withdraw(token, amount, to);
    }

    /// @inheritdoc ILedger
    function transferCredit(address token, uint256 amount, address to) external {
        _ledger.move(token, amount, to);
    }

    /// @inheritdoc ILedger
    function creditOf(address token, address account) external view returns (uint256) {
        return _ledger.creditOf(token, account);
    }

    /// @inheritdoc IInferenceHub
    function statusOf(bytes32 id) external view returns (Status) {
        return _cells[id].record.status();
    }

    /// @inheritdoc IInferenceHub
    function assuranceOf(bytes32 id) external view returns (Assurance memory) {
        return _cells[id].record.unpack();
    }

    /// @inheritdoc IInferenceHub
    function isAnswer(bytes32 id, address operator, bytes32 outputHash) external view returns (bool) {
        return _cells[id].record.answer() == _answer(id, operator, outputHash);
    }

    /// @inheritdoc IInferenceHub
    function estimate(Request calldata terms) external view returns (uint256 fee) {
        _checkTerms(terms);
        ROUTER.verifierFor(terms.route, terms.trust);
        MODELS.modelOf(terms.modelId);
        if (terms.operator == address(0)) return 0;
        if (!_ledger.isOperator(terms.operator)) revert INodeRegistry.UnregisteredOperator(terms.operator);
        uint256 callbackGas = terms.callbackGas;
        // Delivered and settled: the consumer is called twice.
        if (terms.gate == Gate.OnDelivery && (terms.window != 0 || terms.proveWithin != 0)) callbackGas *= 2;
        return NODES.quote(terms.operator, terms.modelId, terms.token, callbackGas);
    }

    /// @inheritdoc IInferenceHub
    function idOf(Request calldata terms) external view returns (bytes32) {
        return terms.id(address(this));
    }

    /// @inheritdoc IInferenceHub
    function digestOf(Claim calldata claim) external view returns (bytes32) {
        return claim.digest(ClaimLib.domainSeparator(address(this)));
    }

    /// @dev By far the most frequent way to the end, so what it has in common with `TrustGap` is written out: 150 gas.
    function _fulfil(
        bytes32 id,
        Cell storage cell,
        Request calldata terms,
        address operator,
        bytes calldata output,
        bytes calldata seal,
        bytes4 route,
        IVerifier verifier
    ) private {
        (address consumer, address named, address token) = terms.parties();
        if (named != operator && named != address(0)) revert WrongOperator(operator, named);
        if (output.length > MAX_OUTPUT) revert OutputTooLarge(output.length, MAX_OUTPUT);
        if (Verification.routeOf(seal) != route) revert WrongRoute(Verification.routeOf(seal), route);
        bytes32 outputHash = Memory.hash(output);
        verifier.check(seal, terms, id, outputHash, operator);

        cell.record = RecordLib.settled(route, block.timestamp, _answer(id, operator, outputHash));
        _ledger.creditOperator(token, operator, terms.fee);
        emit Settled(id, operator, output);

        uint256 gasLimit = terms.callbackGas;
        if (gasLimit == 0) return;
        (bool ok, bytes memory reason) = consumer.run(gasLimit, id, terms.salt, Status.Settled, output);
        if (!ok) {
            cell.record = cell.record.withCallbackFailed(true);
            emit CallbackFailed(id, reason);
        }
    }

    function _checkTerms(Request calldata terms) private view {
        if (!terms.isCanonical()) revert MalformedTerms();
        if (terms.deliverBy <= block.timestamp) revert DeadlineInPast(terms.deliverBy, block.timestamp);
        if (terms.deliverBy > block.timestamp + MAX_PATIENCE) {
            revert DeadlineTooFar(terms.deliverBy, block.timestamp + MAX_PATIENCE);
        }
        uint256 gap = Math.max(terms.window, terms.proveWithin);
        if (gap > MAX_PATIENCE) revert GapTooLong(gap, MAX_PATIENCE);
        if (terms.callbackGas > MAX_CALLBACK_GAS) revert CallbackGasTooHigh(terms.callbackGas, MAX_CALLBACK_GAS);
    }
}
