// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TensorCodec} from "../../../contracts/libraries/TensorCodec.sol";
import {CodecHarness} from "../../../contracts/test/CodecHarness.sol";
import {Test} from "../Test.sol";

contract TensorCodecTest is Test {
    CodecHarness private immutable _lib = new CodecHarness();

    function testFuzz_roundTrip(int256[] memory values) external view {
        bytes memory data = _lib.encode(values);
        assertEq(data.length, values.length * 32, "size");
        for (uint256 i; i < values.length; ++i) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(data, 0x20), mul(i, 0x20)))
            }
            assertEq(word, bytes32(uint256(values[i])), "word");
            assertEq(_lib.element(data, i), values[i], "element");
        }
        assertEq(abi.encode(_lib.decode(data)), abi.encode(values), "decode");
        assertEq(abi.encode(_lib.decodeExactly(data, values.length)), abi.encode(values), "decode exactly");
    }

    /// @dev Several tensors are their words one after the other, and a slice finds each again.
    function testFuzz_several(int256[] memory values, uint256 cuts) external view {
        int256[][] memory tensors = new int256[][](1 + cuts % 8);
        uint256 start;
        for (uint256 i; i < tensors.length; ++i) {
            uint256 left = values.length - start;
            bool last = i == tensors.length - 1;
            tensors[i] = new int256[](last ? left : pick(cuts, bytes32(i), left + 1));
            for (uint256 j; j < tensors[i].length; ++j) {
                tensors[i][j] = values[start + j];
            }
            start += tensors[i].length;
        }
        bytes memory data = _lib.encodeMany(tensors);
        assertEq(data, abi.encodePacked(values), "data");
        start = 0;
        for (uint256 i; i < tensors.length; ++i) {
            int256[] memory slice = _lib.slice(data, start, tensors[i].length);
            assertEq(abi.encode(slice), abi.encode(tensors[i]), "slice");
            start += tensors[i].length;
        }
    }

    function testFuzz_anySlice(int256[] memory values, uint256 start, uint256 count) external {
        // Mostly near the edges, sometimes far beyond them.
        if (start % 4 != 0) (start, count) = (start % (values.length + 2), count % (values.length + 2));
        bytes memory data = _lib.encode(values);
        if (start > values.length || count > values.length - start) {
            vm.expectRevert(abi.encodeWithSelector(TensorCodec.SliceOutOfRange.selector, start, count, values.length));
            _lib.slice(data, start, count);
            return;
        }
        int256[] memory slice = _lib.slice(data, start, count);
        assertEq(slice.length, count, "count");
        for (uint256 i; i < count; ++i) {
            assertEq(slice[i], values[start + i], "element of a slice");
        }
    }

    function testFuzz_indexOutOfRange(int256[] memory values, uint256 index) external {
        index = bound(index, values.length, type(uint256).max);
        bytes memory data = _lib.encode(values);
        vm.expectRevert(abi.encodeWithSelector(TensorCodec.IndexOutOfRange.selector, index, values.length));
        _lib.element(data, index);
    }

    function testFuzz_wrongSize(int256[] memory values, uint256 count) external {
        vm.assume(count != values.length);
        bytes memory data = _lib.encode(values);
        vm.expectRevert(abi.encodeWithSelector(TensorCodec.WrongSize.selector, values.length, count));
        _lib.decodeExactly(data, count);
    }

    function testFuzz_notWholeWords(bytes memory data) external {
        if (data.length % 32 == 0) data = bytes.concat(data, hex"00");
        bytes memory reason = abi.encodeWithSelector(TensorCodec.NotWholeWords.selector, data.length);
        vm.expectRevert(reason);
        _lib.decode(data);
        vm.expectRevert(reason);
        _lib.element(data, 0);
        vm.expectRevert(reason);
        _lib.slice(data, 0, 0);
    }
}
