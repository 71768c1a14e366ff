// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../interfaces/IInferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Status} from "../types/Status.sol";

/// @title The call into the consumer's untrusted code
library Callback {
    /// @dev Bytes of return data ever copied, so that a consumer cannot make the sender pay for memory.
    uint256 internal constant MAX_RETURN = 256;
    /// @dev Gas kept for a cold account access before the call and for recording the outcome after it.
    uint256 internal constant RESERVE = 12_000;

    /// @notice Calls onInference(id, salt, status, output) with exactly `gasLimit` gas, or reverts with InsufficientGas.
    /// @dev EIP-150 forwards at most 63/64 of what is left, silently: without the check a sender could starve the
    /// consumer and make it look as if it had failed.
    /// @param gasLimit At most MAX_CALLBACK_GAS of the hub.
    /// @return ok True if the call succeeded and returned its selector.
    /// @return reason At most MAX_RETURN bytes of the return data; empty if ok.
    function run(address consumer, uint256 gasLimit, bytes32 id, uint256 salt, Status status, bytes calldata output)
        internal
        returns (bool ok, bytes memory reason)
    {
        bytes4 selector = IInferenceConsumer.onInference.selector;
        uint256 required;
        uint256 available;
        assembly ("memory-safe") {
            let data := mload(0x40)
            let padded := and(add(output.length, 0x1f), not(0x1f))
            mstore(data, selector)
            mstore(add(data, 0x04), id)
            mstore(add(data, 0x24), salt)
            mstore(add(data, 0x44), status)
            mstore(add(data, 0x64), 0x80)
            mstore(add(data, 0x84), output.length)
            mstore(add(data, add(0x84, padded)), 0)
            calldatacopy(add(data, 0xa4), output.offset, output.length)
            required := add(add(gasLimit, div(gasLimit, 63)), RESERVE)
            // Asked here, where nothing but the call itself is left to pay.
            available := gas()
            if iszero(lt(available, required)) {
                ok := call(gasLimit, consumer, 0, data, add(0xa4, padded), 0, 0x20)
                ok := and(ok, and(gt(returndatasize(), 0x1f), eq(mload(0), selector)))
            }
            reason := 0x60
            if iszero(ok) {
                let size := returndatasize()
                if gt(size, MAX_RETURN) { size := MAX_RETURN }
                reason := mload(0x40)
                mstore(reason, size)
                returndatacopy(add(reason, 0x20), 0, size)
                mstore(0x40, and(add(add(reason, size), 0x5f), not(0x1f)))
            }
        }
        if (available < required) revert IInferenceHub.InsufficientGas(available, required);
    }
}
