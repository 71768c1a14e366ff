// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Status} from "../types/Status.sol";

/// @title What the hub calls
interface IInferenceConsumer {
    /// @notice One transition of a request. Called by the hub with exactly the gas the terms name.
    /// @param id Request id.
    /// @param salt The consumer's own reference, from the terms.
    /// @param status Delivered (provisional), Settled (final), Rejected (retraction, insured) or Expired (retraction because
    /// the route was tombstoned, only the fee is back).
    /// @param output Result bytes in the model's codec; empty when Rejected or Expired.
    /// @return This function's selector; anything else counts as a failed callback.
    function onInference(bytes32 id, uint256 salt, Status status, bytes calldata output) external returns (bytes4);
}
