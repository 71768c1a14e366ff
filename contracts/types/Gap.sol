// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Record} from "./Record.sol";
import {Request} from "./Request.sol";
import {Status} from "./Status.sol";

/// @notice The trust gap of one request, for contracts that act inside of it.
struct Gap {
    Status status;
    /// Unix seconds, the last second in which anyone may challenge, also when it is over and nobody has settled yet; zero:
    /// there is no window, or somebody challenged.
    uint256 challengeBy;
    /// Unix seconds, the last second in which the seal is taken; zero: none is due.
    uint256 proveBy;
    /// Token units of the operator's stake that become the beneficiary's credit if the result is rejected. Who relies on it
    /// must also see that a rejection can still happen: the route lives, and a proof is due (or a challenge possible).
    uint256 insured;
    /// Who demanded the proof; zero: nobody.
    address challenger;
}

/// @notice Who demanded the proof, and when; kept only while the request is Challenged.
struct Challenge {
    address challenger;
    /// Unix seconds.
    uint40 since;
}

/// @notice An output that an operator put its name to: keccak256 of it, and r ‖ s ‖ v over the claim's digest.
struct SignedOutput {
    bytes32 outputHash;
    bytes signature;
}

/// @title The deadlines of a delivered request
/// @dev Every moment belongs to exactly one side: the operator up to and with a deadline's second, everybody else after it.
library GapLib {
    /// @notice Last second of the window, unix time; only with a window.
    function challengeBy(Record record, Request calldata terms) internal pure returns (uint256) {
        return record.deliveredAt() + terms.window;
    }

    /// @notice Last second for the seal, unix time; zero while none is due (there is a window, and nobody challenged).
    /// @param challenge Read only if there is one: the slot is cold.
    function proveBy(Record record, Request calldata terms, Challenge storage challenge)
        internal
        view
        returns (uint256)
    {
        if (record.status() == Status.Challenged) return challenge.since + terms.proveWithin;
        return terms.window == 0 ? record.deliveredAt() + terms.proveWithin : 0;
    }

    /// @notice Reverts unless the request may settle now.
    /// @param due What `proveBy` says.
    function checkSettle(Record record, Request calldata terms, uint256 due, bool isSealed) internal view {
        if (due != 0) {
            if (!isSealed) revert IInferenceHub.SealRequired(due);
            if (block.timestamp > due) revert IInferenceHub.ProveByPassed(due, block.timestamp);
        } else if (!isSealed) {
            uint256 open = challengeBy(record, terms);
            if (block.timestamp <= open) revert IInferenceHub.WindowNotPassed(open, block.timestamp);
        }
    }

    /// @notice Reverts unless the window is open.
    function checkWindow(Record record, Request calldata terms) internal view {
        if (terms.window == 0) revert IInferenceHub.NoWindow();
        uint256 open = challengeBy(record, terms);
        if (block.timestamp > open) revert IInferenceHub.WindowPassed(open, block.timestamp);
    }
}
