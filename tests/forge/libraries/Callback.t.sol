// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../../contracts/interfaces/IInferenceConsumer.sol";
import {IInferenceHub} from "../../../contracts/interfaces/IInferenceHub.sol";
import {Callback} from "../../../contracts/libraries/Callback.sol";
import {Status} from "../../../contracts/types/Status.sol";
import {Test} from "../Test.sol";

/// @title Notes what it was called with and how much gas it had, or answers with what it is told to
contract Probe {
    enum Ending {
        Selector,
        Return,
        Revert,
        Invalid
    }

    bytes private _answer;
    Ending private _ending;
    bytes public seen;
    uint256 public gasSeen;
    bool private _noting;

    function prepare(Ending ending, bytes calldata answer, bool noting) external {
        (_ending, _answer, _noting) = (ending, answer, noting);
    }

    fallback(bytes calldata data) external returns (bytes memory) {
        uint256 available = gasleft();
        if (_noting) {
            gasSeen = available;
            seen = data;
        }
        if (_ending == Ending.Selector) return abi.encode(IInferenceConsumer.onInference.selector);
        bytes memory answer = _answer;
        if (_ending == Ending.Return) return answer;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }
}

/// @title Uses up all the gas it gets, and so shows how much that was
contract Burner {
    fallback() external {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

contract CallbackHarness {
    using Callback for address;

    /// @dev Solidity keeps zero at 0x60, and whole words free from where 0x40 says.
    error SpoiltMemory(uint256 free, uint256 zero, uint256 end);

    function run(address consumer, uint256 gasLimit, bytes32 id, uint256 salt, Status status, bytes calldata output)
        external
        returns (bool ok, bytes memory reason, uint256 spent)
    {
        assembly ("memory-safe") {
            let p := mload(0x40)
            for { let i := 0 } lt(i, 0x400) { i := add(i, 0x20) } { mstore(add(p, i), not(0)) }
        }
        uint256 before = gasleft();
        (ok, reason) = consumer.run(gasLimit, id, salt, status, output);
        spent = before - gasleft();
        uint256 free;
        uint256 zero;
        uint256 end;
        assembly ("memory-safe") {
            free := mload(0x40)
            zero := mload(0x60)
            end := add(add(reason, 0x20), mload(reason))
        }
        if (zero != 0 || free % 0x20 != 0 || (!ok && free < end)) revert SpoiltMemory(free, zero, end);
    }
}

contract CallbackTest is Test {
    CallbackHarness private immutable _lib = new CallbackHarness();
    Probe private immutable _probe = new Probe();
    address private immutable _burner = address(new Burner());

    function testFuzz_calldata(bytes32 id, uint256 salt, uint8 status, bytes memory output) external {
        _checkCalldata(id, salt, Status(status % 7), output);
    }

    function test_calldataOfEveryLength() external {
        vm.pauseGasMetering(); // storing 200 notes is dearer than a block
        for (uint256 size; size <= 200; ++size) {
            bytes memory output = new bytes(size);
            for (uint256 i; i < size; ++i) {
                output[i] = 0xff;
            }
            _checkCalldata("id", size, Status.Settled, output);
        }
        vm.resumeGasMetering();
    }

    /// @dev Whatever the sender brings, the consumer gets what its terms name, to the unit, or the call is refused.
    function testFuzz_exactGas(uint256 gasLimit, uint256 brought) external {
        gasLimit = bound(gasLimit, 1, 3_000_000);
        brought = bound(brought, 20_000, 4_000_000);
        try _lib.run{gas: brought}(_burner, gasLimit, "id", 0, Status.Settled, "") returns (
            bool ok, bytes memory reason, uint256 spent
        ) {
            assertTrue(!ok && reason.length == 0, "the burner failed");
            assertTrue(spent >= gasLimit, "less gas than the terms name");
            assertTrue(spent < gasLimit + 6_000, "more gas than the terms name");
        } catch (bytes memory reason) {
            assertEq(bytes32(selectorOf(reason)), bytes32(IInferenceHub.InsufficientGas.selector), "refusal");
            // At most the reserve, one 63rd and the way here may be missing.
            assertTrue(brought < gasLimit + gasLimit / 63 + 20_000, "refused although there was enough");
        }
    }

    /// @dev A search for the least gas that is taken: there the consumer must still get everything.
    function testFuzz_exactGasAtTheEdge(uint256 gasLimit) external {
        gasLimit = bound(gasLimit, 1, 2_000_000);
        (uint256 low, uint256 high) = (gasLimit, gasLimit + gasLimit / 63 + 30_000);
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            (bool taken,) = _runWith(middle, gasLimit);
            if (taken) high = middle;
            else low = middle;
        }
        (bool took, uint256 spent) = _runWith(high, gasLimit);
        assertTrue(took, "the search went wrong");
        assertTrue(spent >= gasLimit, "starved at the edge");
    }

    function test_gasSeenByTheConsumer() external {
        _probe.prepare(Probe.Ending.Selector, "", true);
        _lib.run(address(_probe), 500_000, "id", 0, Status.Settled, "");
        uint256 least = _probe.gasSeen();
        assertTrue(least <= 500_000 && least > 499_000, "gas at the consumer's first step");
        _lib.run{gas: 560_000}(address(_probe), 500_000, "id", 0, Status.Settled, "");
        assertEq(_probe.gasSeen(), least, "the sender's gas makes no difference");
    }

    function testFuzz_reason(bytes memory answer, bool returned) external {
        _checkReason(answer, returned);
    }

    function test_reasonOfEveryLength() external {
        vm.pauseGasMetering();
        for (uint256 size; size <= 300; size += 1 + size / 20) {
            bytes memory answer = new bytes(size);
            for (uint256 i; i < size; ++i) {
                answer[i] = 0xff;
            }
            _checkReason(answer, false);
            _checkReason(answer, true);
        }
        vm.resumeGasMetering();
    }

    function test_noCodeIsNoAnswer() external {
        (bool ok, bytes memory reason,) = _lib.run(address(0xe0a), 100_000, "id", 0, Status.Settled, "output");
        assertTrue(!ok && reason.length == 0, "an account without code answered");
    }

    /// @dev A selector with anything behind it in its word is another word.
    function testFuzz_onlyTheSelectorCounts(uint256 bit) external {
        bytes32 word = bytes32(IInferenceConsumer.onInference.selector);
        _probe.prepare(Probe.Ending.Return, abi.encode(word ^ bytes32(uint256(1) << (bit % 256))), false);
        (bool ok,,) = _lib.run(address(_probe), 100_000, "id", 0, Status.Settled, "");
        assertTrue(!ok, "another word passed for the selector");
        _probe.prepare(Probe.Ending.Return, abi.encode(word, "more"), false);
        (ok,,) = _lib.run(address(_probe), 100_000, "id", 0, Status.Settled, "");
        assertTrue(ok, "more than a word was refused");
    }

    function _checkCalldata(bytes32 id, uint256 salt, Status status, bytes memory output) private {
        _probe.prepare(Probe.Ending.Selector, "", true);
        (bool ok, bytes memory reason,) = _lib.run(address(_probe), 2_000_000, id, salt, status, output);
        assertTrue(ok && reason.length == 0, "callback");
        assertEq(_probe.seen(), abi.encodeCall(IInferenceConsumer.onInference, (id, salt, status, output)), "calldata");
    }

    function _checkReason(bytes memory answer, bool returned) private {
        _probe.prepare(returned ? Probe.Ending.Return : Probe.Ending.Revert, answer, false);
        (bool ok, bytes memory reason,) = _lib.run(address(_probe), 2_000_000, "id", 0, Status.Settled, "output");
        bool accepted =
            returned && answer.length >= 32 && bytes32(answer) == bytes32(IInferenceConsumer.onInference.selector);
        assertTrue(ok == accepted, "outcome");
        if (accepted) return assertEq(reason.length, 0, "no reason");
        uint256 size = answer.length < 256 ? answer.length : 256;
        bytes memory expected = new bytes(size);
        for (uint256 i; i < size; ++i) {
            expected[i] = answer[i];
        }
        assertEq(reason, expected, "reason");
    }

    function _runWith(uint256 brought, uint256 gasLimit) private returns (bool taken, uint256 spent) {
        try _lib.run{gas: brought}(_burner, gasLimit, "id", 0, Status.Settled, "") returns (
            bool, bytes memory, uint256 used
        ) {
            return (true, used);
        } catch {}
    }
}
