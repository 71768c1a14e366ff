// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Record, RecordLib} from "../../../contracts/types/Record.sol";
import {Assurance, Status} from "../../../contracts/types/Status.sol";
import {Test} from "../Test.sol";

contract RecordTest is Test {
    function testFuzz_requested(bytes4 route) external pure {
        _check(RecordLib.requested(route), Assurance(Status.Requested, false, false, route, 0, 0, 0));
    }

    function testFuzz_settled(bytes4 route, uint32 time, bytes18 answer) external pure {
        Record record = RecordLib.settled(route, time, answer);
        _check(record, Assurance(Status.Settled, false, true, route, time, time, answer));
    }

    /// @dev Each change of one field leaves the others alone, whatever they hold.
    function testFuzz_gap(
        bytes4 route,
        uint32 delivered,
        uint32 settled,
        bytes18 answer,
        bool failed,
        bool challenged,
        bool proven
    ) external pure {
        Record record = RecordLib.delivered(route, delivered, answer);
        _check(record, Assurance(Status.Delivered, false, false, route, delivered, 0, answer));
        record = record.withCallbackFailed(failed);
        _check(record, Assurance(Status.Delivered, failed, false, route, delivered, 0, answer));
        if (challenged) {
            record = record.challenge();
            _check(record, Assurance(Status.Challenged, failed, false, route, delivered, 0, answer));
        }
        _check(
            record.settle(settled, proven), Assurance(Status.Settled, false, proven, route, delivered, settled, answer)
        );
        _check(record.retract(Status.Rejected), Assurance(Status.Rejected, false, false, route, delivered, 0, 0));
        _check(record.retract(Status.Expired), Assurance(Status.Expired, false, false, route, delivered, 0, 0));
    }

    function testFuzz_callbackFailed(bytes4 route, uint32 time, bytes18 answer, bool failed, bool again) external pure {
        Record record = RecordLib.settled(route, time, answer).withCallbackFailed(failed);
        _check(record, Assurance(Status.Settled, failed, true, route, time, time, answer));
        _check(record.withCallbackFailed(again), Assurance(Status.Settled, again, true, route, time, time, answer));
    }

    /// @dev Any packing at all, from the word itself: the layout that the interface documents.
    function testFuzz_layout(
        uint8 status,
        bool failed,
        bool proven,
        bytes4 route,
        uint32 delivered,
        uint32 settled,
        bytes18 answer
    ) external pure {
        Status s = Status(status % (uint8(type(Status).max) + 1));
        uint8 flags = (failed ? 1 : 0) | (proven ? 2 : 0);
        bytes memory packed = abi.encodePacked(answer, settled, delivered, route, flags, s);
        _check(Record.wrap(uint256(bytes32(packed))), Assurance(s, failed, proven, route, delivered, settled, answer));
    }

    function test_emptyIsNone() external pure {
        _check(Record.wrap(0), Assurance(Status.None, false, false, 0, 0, 0, 0));
    }

    function _check(Record record, Assurance memory expected) private pure {
        assertEq(abi.encode(record.unpack()), abi.encode(expected), "assurance");
        assertEq(uint256(record.status()), uint256(expected.status), "status");
        assertTrue(record.isRequested() == (expected.status == Status.Requested), "isRequested");
        bool open = expected.status == Status.Delivered || expected.status == Status.Challenged;
        assertTrue(record.isOpen() == open, "isOpen");
        assertEq(record.deliveredAt(), expected.deliveredAt, "deliveredAt");
        assertTrue(record.callbackFailed() == expected.callbackFailed, "callbackFailed");
        assertEq(bytes32(record.answer()), bytes32(expected.answer), "answer");
    }
}
