// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Signed values of a few bits each, packed into field elements
/// @notice Value j of an element is its bits [j * bits, (j + 1) * bits), plus 2**(bits - 1); an element holds
/// floor(253 / bits) of them and is below 2**253, so below the order of the field. The same as `vouch.protocol.zk.Packing`.
library PackedValues {
    /// Bits that any element below 2**253 has.
    uint256 internal constant USABLE = 253;

    /// @notice An element has bits that no value stands for.
    error NotCanonical(uint256 element);

    /// @notice Elements that hold `count` values; `bits` is not zero.
    function elements(uint256 count, uint256 bits) internal pure returns (uint256) {
        uint256 each = USABLE / bits;
        return (count + each - 1) / each;
    }

    /// @notice keccak256 of the tensor bytes (see `TensorCodec`) that packed elements stand for.
    /// @param from Where in the calldata they begin: 32 bytes each, exactly as many as hold `count` values.
    /// @param bits 1 to 64.
    /// @dev The caller has seen that so much calldata is there.
    function hash(uint256 from, uint256 count, uint256 bits) internal pure returns (bytes32 result) {
        uint256 bad;
        bool found;
        assembly ("memory-safe") {
            let each := div(USABLE, bits)
            let start := mload(0x40)
            let to := start
            let mask := sub(shl(bits, 1), 1)
            let offset := shl(sub(bits, 1), 1)
            for { let last := add(start, shl(5, count)) } lt(to, last) { from := add(from, 0x20) } {
                let element := calldataload(from)
                let end := add(to, shl(5, each))
                if gt(end, last) { end := last }
                if shr(mul(shr(5, sub(end, to)), bits), element) {
                    if iszero(found) { bad := element }
                    found := 1
                }
                for {} lt(to, end) { to := add(to, 0x20) } {
                    mstore(to, sub(and(element, mask), offset))
                    element := shr(bits, element)
                }
            }
            result := keccak256(start, sub(to, start))
        }
        if (found) revert NotCanonical(bad);
    }
}
