// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Record, RecordLib} from "../../../contracts/types/Record.sol";
import {Assurance, Status} from "../../../contracts/types/Status.sol";
import {Test} from "../Test.sol";

/// @title For every record at once: each field comes back as it went in, and each change changes what it says
/// @dev Run by halmos (scripts/test --deep).
contract RecordCheck is Test {
    uint256 private constant STATUS = 0xff;
    uint256 private constant FAILED = 1 << 8;
    uint256 private constant PROVEN = 1 << 9;
    uint256 private constant SETTLED_AT = uint256(type(uint32).max) << 80;
    uint256 private constant ANSWER = uint256(type(uint144).max) << 112;

    /// @dev The layout that the type documents, written out.
    function check_layout(
        Status status,
        bool failed,
        bool proven,
        bytes4 route,
        uint32 deliveredAt,
        uint32 settledAt,
        bytes18 answer
    ) external pure {
        uint8 flags = (failed ? 1 : 0) | (proven ? 2 : 0);
        bytes memory packed = abi.encodePacked(answer, settledAt, deliveredAt, route, flags, status);
        Record record = Record.wrap(uint256(bytes32(packed)));
        _check(record, Assurance(status, failed, proven, route, deliveredAt, settledAt, answer));
        assert(record.isRequested() == (status == Status.Requested));
        assert(record.isOpen() == (status == Status.Delivered || status == Status.Challenged));
    }

    function check_requested(bytes4 route) external pure {
        _check(RecordLib.requested(route), Assurance(Status.Requested, false, false, route, 0, 0, 0));
    }

    function check_settled(bytes4 route, uint32 time, bytes18 answer) external pure {
        _check(
            RecordLib.settled(route, time, answer), Assurance(Status.Settled, false, true, route, time, time, answer)
        );
    }

    function check_delivered(bytes4 route, uint32 time, bytes18 answer) external pure {
        _check(
            RecordLib.delivered(route, time, answer), Assurance(Status.Delivered, false, false, route, time, 0, answer)
        );
    }

    function check_settle(uint256 word, uint32 time, bool proven) external pure {
        vm.assume(word & SETTLED_AT == 0);
        uint256 changed = Record.unwrap(Record.wrap(word).settle(time, proven));
        uint256 kept = ~(STATUS | SETTLED_AT | 0xff00);
        assert(changed & kept == word & kept);
        assert(changed & STATUS == uint256(Status.Settled));
        assert(changed & SETTLED_AT == uint256(time) << 80);
        assert(changed & 0xff00 == (proven ? PROVEN : 0));
    }

    function check_challenge(uint256 word) external pure {
        uint256 changed = Record.unwrap(Record.wrap(word).challenge());
        assert(changed == (word & ~STATUS) | uint256(Status.Challenged));
    }

    function check_retract(uint256 word, Status status) external pure {
        uint256 changed = Record.unwrap(Record.wrap(word).retract(status));
        uint256 kept = ~(STATUS | 0xff00 | ANSWER);
        assert(changed & kept == word & kept);
        assert(changed & STATUS == uint256(status));
        assert(changed & 0xff00 == 0 && changed & ANSWER == 0);
    }

    function check_withCallbackFailed(uint256 word, bool failed) external pure {
        uint256 changed = Record.unwrap(Record.wrap(word).withCallbackFailed(failed));
        assert(changed & ~FAILED == word & ~FAILED);
        assert(Record.wrap(changed).callbackFailed() == failed);
    }

    function _check(Record record, Assurance memory expected) private pure {
        Assurance memory a = record.unpack();
        assert(a.status == expected.status && record.status() == expected.status);
        assert(a.callbackFailed == expected.callbackFailed && record.callbackFailed() == expected.callbackFailed);
        assert(a.proven == expected.proven);
        assert(a.route == expected.route);
        assert(a.deliveredAt == expected.deliveredAt && record.deliveredAt() == expected.deliveredAt);
        assert(a.settledAt == expected.settledAt);
        assert(a.answer == expected.answer && record.answer() == expected.answer);
    }
}
