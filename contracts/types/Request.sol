// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice When the consumer is called back.
enum Gate {
    OnSettlement, // once, with a result whose seal was checked (or whose window passed unchallenged)
    OnDelivery // at once with a provisional result, and again when it is settled, rejected or expired
}

/// @notice The terms of one question. They are never stored: their hash is the request id.
struct Request {
    /// Contract (or account) that asks; must be the caller of `request`.
    address consumer;
    /// The only operator that may answer; zero: any registered operator.
    address operator;
    /// Credited with every refund and insurance payment; zero: the consumer itself.
    address refundTo;
    /// Currency of fee, exposure and bond; zero: the chain's native token.
    address token;
    /// Paid to the operator when the request settles, in token units.
    uint256 fee;
    /// What the consumer stands to lose on a bad provisional result, locked from the operator's stake while the gap is open.
    uint256 exposure;
    /// What a challenger puts up, and what the operator loses to whoever shows it was wrong, in token units. It pays the
    /// watchers; what makes a lie dear is the exposure, since an operator may be the first to challenge itself.
    uint256 bond;
    /// Last second (unix time) in which the result may be delivered; afterwards anyone may expire the request.
    uint256 deliverBy;
    /// Seconds after delivery (or after a challenge, if there is a window) within which the seal must arrive.
    uint32 proveWithin;
    /// Seconds after delivery in which a challenge is possible; zero: the result must always be proven.
    uint32 window;
    /// Gas the callback runs with, exactly; zero: no callback.
    uint256 callbackGas;
    /// When the consumer is called back.
    Gate gate;
    /// Name of the verifier that the seal must satisfy.
    bytes4 route;
    /// What that verifier must find in the seal: image id, verifying-key hash, operator, quorum policy.
    bytes32 trust;
    /// Content hash of the model's manifest.
    bytes32 modelId;
    /// keccak256 of the input bytes.
    bytes32 inputHash;
    /// The consumer's own reference (a loan id, a nonce): makes equal questions distinct and comes back in the callback.
    uint256 salt;
}

using RequestLib for Request global;

/// @title Request ids
library RequestLib {
    /// @dev Bytes of one ABI-encoded Request: 17 static words.
    uint256 internal constant SIZE = 17 * 32;

    /// @notice keccak256(abi.encode(block.chainid, hub, request)); the same in `vouch.protocol.ids`.
    /// @dev Hashes the calldata words as they came: a word with dirty upper bits gives an id that no request has.
    function id(Request calldata r, address hub) internal view returns (bytes32 result) {
        uint256 size = SIZE;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, chainid())
            mstore(add(p, 0x20), hub)
            calldatacopy(add(p, 0x40), r, size)
            result := keccak256(p, add(size, 0x40))
        }
    }

    /// @notice True if every word is a value of its field's type, so that the terms can always be read again.
    /// @dev One test for all fields: what lies above each field's bits, or-ed together, must be zero.
    function isCanonical(Request calldata r) internal pure returns (bool ok) {
        assembly ("memory-safe") {
            let accounts := or(calldataload(r), calldataload(add(r, 0x20)))
            accounts := or(accounts, or(calldataload(add(r, 0x40)), calldataload(add(r, 0x60))))
            let spans := or(calldataload(add(r, 0x100)), calldataload(add(r, 0x120)))
            let rest := or(shr(1, calldataload(add(r, 0x160))), shl(32, calldataload(add(r, 0x180))))
            ok := iszero(or(or(shr(160, accounts), shr(32, spans)), rest))
        }
    }

    /// @notice The addresses that a settlement needs, without solc's check of every word: only for terms whose id is known
    /// to have been requested, since `request` takes canonical terms only.
    function parties(Request calldata r) internal pure returns (address consumer, address operator, address token) {
        assembly ("memory-safe") {
            consumer := calldataload(r)
            operator := calldataload(add(r, 0x20))
            token := calldataload(add(r, 0x60))
        }
    }

    /// @notice Who gets the money back.
    function beneficiary(Request calldata r) internal pure returns (address) {
        return r.refundTo == address(0) ? r.consumer : r.refundTo;
    }

    /// @notice Emits Requested(id, modelId, request, input) straight from calldata, which saves re-encoding 17 fields.
    function log(Request calldata r, bytes32 requestId, bytes32 topic0, bytes calldata input) internal {
        uint256 size = SIZE;
        bytes32 modelId = r.modelId;
        assembly ("memory-safe") {
            let p := mload(0x40)
            let padded := and(add(input.length, 0x1f), not(0x1f))
            calldatacopy(p, r, size)
            mstore(add(p, size), add(size, 0x20))
            let q := add(add(p, size), 0x20)
            mstore(q, input.length)
            mstore(add(q, padded), 0)
            calldatacopy(add(q, 0x20), input.offset, input.length)
            log3(p, add(add(size, 0x40), padded), topic0, requestId, modelId)
        }
    }
}
