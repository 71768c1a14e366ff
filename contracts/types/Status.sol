// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice Where a request stands. Settled, Expired and Rejected are ends; a request reaches exactly one of them.
enum Status {
    None, // never requested under these terms
    Requested, // waiting for a result
    Delivered, // a provisional result is out, its proof is not: the trust gap is open
    Challenged, // a challenger demanded the proof
    Settled, // the seal was checked (or the window passed unchallenged); the operator is paid
    Expired, // nothing came in time, or the route was tombstoned; the fee went back
    Rejected // the proof never came or the claim was shown false; fee and exposure went to the consumer
}

/// @notice How far an answer can be trusted right now, for other contracts to query.
struct Assurance {
    Status status;
    /// True while the last callback to the consumer has failed and waits for a retry.
    bool callbackFailed;
    /// True once a seal was checked; a request can also settle because its window passed unchallenged.
    bool proven;
    /// Name of the verifier the consumer chose.
    bytes4 route;
    /// Unix seconds; zero: not yet.
    uint32 deliveredAt;
    /// Unix seconds; zero: not yet.
    uint32 settledAt;
    /// First 18 bytes of keccak256(abi.encode(id, operator, outputHash)), see `IInferenceHub.isAnswer`; zero: no result, or
    /// it was retracted.
    bytes18 answer;
}
