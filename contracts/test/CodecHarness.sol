// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixedPoint} from "../libraries/FixedPoint.sol";
import {TensorCodec} from "../libraries/TensorCodec.sol";
import {Claim, ClaimLib} from "../types/Claim.sol";
import {Request} from "../types/Request.sol";

/// @title The pure libraries behind an ABI, for the tests that hold Solidity and Python together
contract CodecHarness {
    /// @notice Calls this contract once per item and gives each outcome, so that one eth_call checks many examples.
    function batch(bytes[] calldata calls) external view returns (bool[] memory oks, bytes[] memory results) {
        oks = new bool[](calls.length);
        results = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (oks[i], results[i]) = address(this).staticcall(calls[i]);
        }
    }

    function requestId(Request calldata terms, address hub) external view returns (bytes32) {
        return terms.id(hub);
    }

    function isCanonical(Request calldata terms) external pure returns (bool) {
        return terms.isCanonical();
    }

    function beneficiary(Request calldata terms) external pure returns (address) {
        return terms.beneficiary();
    }

    function claimDigest(Claim calldata claim, address hub) external view returns (bytes32) {
        return claim.digest(ClaimLib.domainSeparator(hub));
    }

    function encode(int256[] memory values) external pure returns (bytes memory) {
        return TensorCodec.encode(values);
    }

    function encodeMany(int256[][] memory tensors) external pure returns (bytes memory) {
        return TensorCodec.encode(tensors);
    }

    function decode(bytes calldata data) external pure returns (int256[] memory) {
        return TensorCodec.decode(data);
    }

    function decodeExactly(bytes calldata data, uint256 count) external pure returns (int256[] memory) {
        return TensorCodec.decode(data, count);
    }

    function element(bytes calldata data, uint256 index) external pure returns (int256) {
        return TensorCodec.element(data, index);
    }

    function slice(bytes calldata data, uint256 start, uint256 count) external pure returns (int256[] memory) {
        return TensorCodec.slice(data, start, count);
    }

    function rescale(int256 value, uint8 from, uint8 to) external pure returns (int256) {
        return FixedPoint.rescale(value, from, to);
    }

    function rescaleHalfEven(int256 value, uint8 from, uint8 to) external pure returns (int256) {
        return FixedPoint.rescaleHalfEven(value, from, to);
    }

    function toUint(int256 value, uint256 max) external pure returns (uint256) {
        return FixedPoint.toUint(value, max);
    }

    function toInt(uint256 value) external pure returns (int256) {
        return FixedPoint.toInt(value);
    }

    function fromFloat32(uint32 bits, uint8 decimals) external pure returns (int256) {
        return FixedPoint.fromFloat32(bits, decimals);
    }

    function fromFloat64(uint64 bits, uint8 decimals) external pure returns (int256) {
        return FixedPoint.fromFloat64(bits, decimals);
    }

    function toFloat32(int256 value, uint8 decimals) external pure returns (uint32) {
        return FixedPoint.toFloat32(value, decimals);
    }

    function toFloat64(int256 value, uint8 decimals) external pure returns (uint64) {
        return FixedPoint.toFloat64(value, decimals);
    }
}
