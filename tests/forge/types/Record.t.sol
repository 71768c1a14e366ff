// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Record, RecordLib} from "../../../contracts/types/Record.sol";
import {Assurance, Status} from "../../../contracts/types/Status.sol";
import {Test} from "../Test.sol";

contract RecordTest is Test {
    function testFuzz_requested(bytes4 route) external pure {
        _check(RecordLib.requested(route), Assurance(Status.Requested, false, route, 0, 0, 0));
    }

    function testFuzz_settled(bytes4 route, uint32 time, bytes18 answer) external pure {
        _check(RecordLib.settled(route, time, answer), Assurance(Status.Settled, false, route, time, time, answer));
    }

    /// @dev Each change of one field leaves the others alone, whatever they hold.
    function testFuzz_changes(bytes4 route, uint32 time, bytes18 answer, uint8 status, bool failed, bool again)
        external
        pure
    {
        Status next = Status(status % (uint8(type(Status).max) + 1));
        Record record = RecordLib.settled(route, time, answer).withCallbackFailed(failed);
        _check(record, Assurance(Status.Settled, failed, route, time, time, answer));
        record = record.with(next);
        _check(record, Assurance(next, failed, route, time, time, answer));
        _check(record.withCallbackFailed(again), Assurance(next, again, route, time, time, answer));
    }

    /// @dev Any packing at all, from the word itself: the layout that the interface documents.
    function testFuzz_layout(uint8 status, bool failed, bytes4 route, uint32 delivered, uint32 settled, bytes18 answer)
        external
        pure
    {
        Status s = Status(status % (uint8(type(Status).max) + 1));
        bytes memory packed = abi.encodePacked(answer, settled, delivered, route, failed, s);
        _check(Record.wrap(uint256(bytes32(packed))), Assurance(s, failed, route, delivered, settled, answer));
    }

    function test_emptyIsNone() external pure {
        _check(Record.wrap(0), Assurance(Status.None, false, 0, 0, 0, 0));
    }

    function _check(Record record, Assurance memory expected) private pure {
        assertEq(abi.encode(record.unpack()), abi.encode(expected), "assurance");
        assertEq(uint256(record.status()), uint256(expected.status), "status");
        assertTrue(record.isRequested() == (expected.status == Status.Requested), "isRequested");
        assertTrue(record.callbackFailed() == expected.callbackFailed, "callbackFailed");
        assertEq(bytes32(record.answer()), bytes32(expected.answer), "answer");
    }
}
