// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Tensors as bytes
/// @notice A tensor is its elements in row-major order, each a 32-byte big-endian two's-complement word with the
/// fixed-point scale of the manifest (18 decimals unless it says otherwise); several tensors follow each other in the
/// manifest's order. Shapes are in the manifest, so the bytes carry none. The same as `vouch.protocol.codec`.
library TensorCodec {
    /// @notice Tensor bytes are whole words.
    error NotWholeWords(uint256 size);
    /// @notice There is no such element.
    error IndexOutOfRange(uint256 index, uint256 length);
    /// @notice There are no elements [start, start + count).
    error SliceOutOfRange(uint256 start, uint256 count, uint256 length);
    /// @notice The bytes hold another number of elements.
    error WrongSize(uint256 received, uint256 expected);

    /// @notice Bytes of one tensor.
    function encode(int256[] memory values) internal pure returns (bytes memory data) {
        return abi.encodePacked(values);
    }

    /// @notice Elements of the tensor bytes.
    function decode(bytes calldata data) internal pure returns (int256[] memory values) {
        uint256 n = length(data);
        values = new int256[](n);
        assembly ("memory-safe") {
            calldatacopy(add(values, 0x20), data.offset, mul(n, 0x20))
        }
    }

    /// @notice Elements of the tensor bytes if there are `count` of them, else WrongSize.
    function decode(bytes calldata data, uint256 count) internal pure returns (int256[] memory) {
        uint256 n = length(data);
        if (n != count) revert WrongSize(n, count);
        return decode(data);
    }

    /// @notice Bytes of several tensors, in the manifest's order.
    function encode(int256[][] memory tensors) internal pure returns (bytes memory data) {
        uint256 n;
        for (uint256 i; i < tensors.length; ++i) {
            n += tensors[i].length;
        }
        data = new bytes(n * 32);
        uint256 to;
        assembly ("memory-safe") {
            to := add(data, 0x20)
        }
        for (uint256 i; i < tensors.length; ++i) {
            int256[] memory values = tensors[i];
            assembly ("memory-safe") {
                let size := mul(mload(values), 0x20)
                mcopy(to, add(values, 0x20), size)
                to := add(to, size)
            }
        }
    }

    /// @notice Elements [start, start + count), a tensor among several.
    function slice(bytes calldata data, uint256 start, uint256 count) internal pure returns (int256[] memory) {
        uint256 n = length(data);
        if (start > n || count > n - start) revert SliceOutOfRange(start, count, n);
        return decode(data[start * 32:(start + count) * 32]);
    }

    /// @notice Number of elements.
    function length(bytes calldata data) internal pure returns (uint256) {
        if (data.length % 32 != 0) revert NotWholeWords(data.length);
        return data.length / 32;
    }

    /// @notice One element, without decoding the rest.
    function element(bytes calldata data, uint256 index) internal pure returns (int256) {
        uint256 n = length(data);
        if (index >= n) revert IndexOutOfRange(index, n);
        return int256(uint256(bytes32(data[index * 32:])));
    }
}
