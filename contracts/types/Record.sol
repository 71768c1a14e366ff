// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Assurance, Status} from "./Status.sol";

/// @notice Everything the hub keeps of a request, in one slot. From the lowest bit: status (8), flags (8: callback failed,
/// proven), route (32), deliveredAt (32), settledAt (32), answer (144).
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
    uint256 private constant PROVEN = 1 << 9;

    /// @notice A fresh request on `route`.
    function requested(bytes4 route_) internal pure returns (Record) {
        return Record.wrap(uint256(Status.Requested) | uint256(uint32(route_)) << 16);
    }

    /// @notice A request on `route` whose seal was checked at `time` (unix seconds), without a gap.
    function settled(bytes4 route_, uint256 time, bytes18 answer_) internal pure returns (Record) {
        return Record.wrap(
            uint256(Status.Settled) | PROVEN | uint256(uint32(route_)) << 16 | time << 48 | time << 80
                | uint256(uint144(answer_)) << 112
        );
    }

    /// @notice A request on `route` whose result came at `time` (unix seconds), still without a proof.
    function delivered(bytes4 route_, uint256 time, bytes18 answer_) internal pure returns (Record) {
        return Record.wrap(
            uint256(Status.Delivered) | uint256(uint32(route_)) << 16 | time << 48 | uint256(uint144(answer_)) << 112
        );
    }

    /// @notice A delivered record whose proof came, or whose window passed, at `time` (unix seconds).
    function settle(Record self, uint256 time, bool proven_) internal pure returns (Record) {
        uint256 rest = Record.unwrap(self) & ~uint256(0xffff);
        return Record.wrap(rest | uint256(Status.Settled) | time << 80 | (proven_ ? PROVEN : 0));
    }

    /// @notice A delivered record whose proof somebody demands; a failed callback is still to be repeated.
    function challenge(Record self) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) & ~uint256(0xff) | uint256(Status.Challenged));
    }

    /// @notice A record without a result at its end: what was answered, and whether a callback failed, is forgotten.
    function retract(Record self, Status status_) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) & (1 << 112) - 0x10000 | uint256(status_));
    }

    /// @notice The record with the outcome of the last callback.
    function withCallbackFailed(Record self, bool failed) internal pure returns (Record) {
        return Record.wrap(failed ? Record.unwrap(self) | FAILED : Record.unwrap(self) & ~FAILED);
    }

    /// @notice True while nothing has come; cheaper than a comparison of `status`.
    function isRequested(Record self) internal pure returns (bool) {
        return Record.unwrap(self) & 0xff == uint256(Status.Requested);
    }

    /// @notice True while a result is out and its proof is not: Delivered or Challenged.
    function isOpen(Record self) internal pure returns (bool) {
        Status s = self.status();
        return s == Status.Delivered || s == Status.Challenged;
    }

    function status(Record self) internal pure returns (Status) {
        return Status(uint8(Record.unwrap(self)));
    }

    function callbackFailed(Record self) internal pure returns (bool) {
        return Record.unwrap(self) & FAILED != 0;
    }

    /// @notice Unix seconds; zero: no result yet.
    function deliveredAt(Record self) internal pure returns (uint256) {
        return uint32(Record.unwrap(self) >> 48);
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
            proven: r & PROVEN != 0,
            route: bytes4(uint32(r >> 16)),
            deliveredAt: uint32(r >> 48),
            settledAt: uint32(r >> 80),
            answer: self.answer()
        });
    }
}
