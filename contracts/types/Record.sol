// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Assurance, Status} from "./Status.sol";

/// @notice Everything the hub keeps of a request, in one slot. From the lowest bit: status (8), callback failed (8),
/// route (32), deliveredAt (32), settledAt (32), answer (144).
/// @dev Packed by hand: solc writes a struct of small fields with one SSTORE each.
type Record is uint256;

/// @dev A storage pointer to a record, so that its slot is hashed once.
struct Cell {
    Record record;
}

using RecordLib for Record global;

/// @title Packing of `Record`
library RecordLib {
    uint256 private constant FAILED = 1 << 8;

    /// @notice A fresh request on `route`.
    function requested(bytes4 route_) internal pure returns (Record) {
        return Record.wrap(uint256(Status.Requested) | uint256(uint32(route_)) << 16);
    }

    /// @notice A request on `route` whose seal was checked at `time` (unix seconds), without a gap.
    function settled(bytes4 route_, uint256 time, bytes18 answer_) internal pure returns (Record) {
        return Record.wrap(
            uint256(Status.Settled) | uint256(uint32(route_)) << 16 | time << 48 | time << 80
                | uint256(uint144(answer_)) << 112
        );
    }

    /// @notice The record in another state, nothing else changed.
    function with(Record self, Status status_) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) & ~uint256(0xff) | uint256(status_));
    }

    /// @notice The record with the outcome of the last callback.
    function withCallbackFailed(Record self, bool failed) internal pure returns (Record) {
        return Record.wrap(failed ? Record.unwrap(self) | FAILED : Record.unwrap(self) & ~FAILED);
    }

    /// @notice True while nothing has come; cheaper than a comparison of `status`.
    function isRequested(Record self) internal pure returns (bool) {
        return Record.unwrap(self) & 0xff == uint256(Status.Requested);
    }

    function status(Record self) internal pure returns (Status) {
        return Status(uint8(Record.unwrap(self)));
    }

    function callbackFailed(Record self) internal pure returns (bool) {
        return Record.unwrap(self) & FAILED != 0;
    }

    function answer(Record self) internal pure returns (bytes18) {
        return bytes18(uint144(Record.unwrap(self) >> 112));
    }

    /// @notice The record as the struct that other contracts read.
    function unpack(Record self) internal pure returns (Assurance memory) {
        uint256 r = Record.unwrap(self);
        return Assurance({
            status: self.status(),
            callbackFailed: self.callbackFailed(),
            route: bytes4(uint32(r >> 16)),
            deliveredAt: uint32(r >> 48),
            settledAt: uint32(r >> 80),
            answer: self.answer()
        });
    }
}
