// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../interfaces/IInferenceConsumer.sol";
import {IInferenceHub} from "../interfaces/IInferenceHub.sol";
import {Status} from "../types/Status.sol";
import {Asker} from "./Asker.sol";

/// @title A consumer that misbehaves in its callback, in the way it was told to
contract HostileConsumer is Asker, IInferenceConsumer {
    enum Mode {
        Accept,
        RevertNamed, // a custom error with an argument
        RevertLong, // more bytes than the hub copies
        RevertEmpty,
        BurnGas,
        ReturnMegabyte, // the selector, and a lot after it
        RevertMegabyte,
        WrongSelector,
        ReturnShort, // 31 bytes that begin like the selector's word
        ReturnNothing
    }

    Mode public mode;
    uint256 public calls;
    bytes32 public lastId;
    uint256 public lastSalt;
    Status public lastStatus;
    bytes public lastOutput;
    /// @notice Hash of the whole calldata of the last callback.
    bytes32 public lastCall;

    error Unwilling(uint256 salt);

    constructor(IInferenceHub hub) Asker(hub) {}

    function setMode(Mode mode_) external {
        mode = mode_;
    }

    function onInference(bytes32 id, uint256 salt, Status status, bytes calldata output) external returns (bytes4) {
        Mode m = mode;
        bytes4 selector = IInferenceConsumer.onInference.selector;
        if (m == Mode.RevertNamed) revert Unwilling(salt);
        (++calls, lastId = id, lastSalt = salt, lastStatus = status, lastOutput = output);
        lastCall = keccak256(msg.data);
        if (m == Mode.Accept) return selector;
        if (m == Mode.WrongSelector) return 0xdeadbeef;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, selector)
            switch m
            case 2 {
                for { let i := 0 } lt(i, 10) { i := add(i, 1) } { mstore(add(p, shl(5, i)), not(i)) }
                revert(p, 300)
            }
            case 3 { revert(0, 0) }
            case 5 { return(p, 1048576) }
            case 6 { revert(p, 1048576) }
            case 8 { return(p, 31) }
            case 9 { return(0, 0) }
            default { invalid() }
        }
    }
}
