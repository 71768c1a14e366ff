// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Exact fixed-point numbers, the same as `vouch.protocol.fixed`
/// @notice A number is an int256 that counts units of 10**-decimals. Every conversion is exact, rounded half to even
/// where a digit must go, or reverts with a named error; nothing wraps or saturates.
library FixedPoint {
    /// @notice More would leave 256 bits when a float's mantissa is scaled.
    uint8 internal constant MAX_DECIMALS = 36;

    /// @notice A conversion that must be exact would drop digits. Use `rescaleHalfEven` if that is fine.
    error Inexact(int256 value, uint8 fromDecimals, uint8 toDecimals);
    /// @notice A value does not fit; the bounds are inclusive.
    error OutOfRange(int256 value, int256 min, int256 max);
    /// @notice A value beyond int256, given as magnitude (saturated at 2**256 - 1) and sign.
    error OutOfInt256(uint256 magnitude, bool negative);
    /// @notice NaN or infinity, as IEEE 754 bits, has no fixed-point form.
    error NotFinite(uint64 bits);
    /// @notice There are no scales beyond MAX_DECIMALS.
    error TooManyDecimals(uint8 received, uint8 max);

    /// @notice 10**decimals, the fixed-point form of one.
    function unit(uint8 decimals) internal pure returns (uint256) {
        if (decimals > MAX_DECIMALS) revert TooManyDecimals(decimals, MAX_DECIMALS);
        return 10 ** uint256(decimals);
    }

    /// @notice The same number in units of 10**-toDecimals, or Inexact if it has none.
    function rescale(int256 value, uint8 fromDecimals, uint8 toDecimals) internal pure returns (int256) {
        (uint256 quotient, bool exact) = _rescale(value, fromDecimals, toDecimals);
        if (!exact) revert Inexact(value, fromDecimals, toDecimals);
        return _signed(quotient, value < 0);
    }

    /// @notice The nearest number in units of 10**-toDecimals, ties to even.
    function rescaleHalfEven(int256 value, uint8 fromDecimals, uint8 toDecimals) internal pure returns (int256) {
        (uint256 quotient,) = _rescale(value, fromDecimals, toDecimals);
        return _signed(quotient, value < 0);
    }

    /// @notice The value if it is in [0, max].
    function toUint(int256 value, uint256 max) internal pure returns (uint256) {
        if (value < 0 || uint256(value) > max) {
            revert OutOfRange(value, 0, int256(Math.min(max, uint256(type(int256).max))));
        }
        return uint256(value);
    }

    /// @notice The value if it is not negative.
    function toUint(int256 value) internal pure returns (uint256) {
        return toUint(value, uint256(type(int256).max));
    }

    /// @notice The value if it is an int256.
    function toInt(uint256 value) internal pure returns (int256) {
        return _signed(value, false);
    }

    /// @notice Nearest fixed-point form of an IEEE 754 binary32 given by its bits.
    function fromFloat32(uint32 bits, uint8 decimals) internal pure returns (int256) {
        return _fromFloat(bits, 23, 8, decimals);
    }

    /// @notice Nearest fixed-point form of an IEEE 754 binary64 given by its bits.
    function fromFloat64(uint64 bits, uint8 decimals) internal pure returns (int256) {
        return _fromFloat(bits, 52, 11, decimals);
    }

    /// @notice Bits of the IEEE 754 binary32 nearest to a fixed-point number; OutOfRange if that is infinite.
    function toFloat32(int256 value, uint8 decimals) internal pure returns (uint32) {
        // Half a step above the largest finite number; a tie there rounds away to infinity.
        uint256 one = unit(decimals);
        if (abs(value) / one >= (1 << 128) - (1 << 103)) {
            (bool fits, uint256 largest) = Math.tryMul((1 << 128) - (1 << 104), one);
            assert(fits && largest <= uint256(type(int256).max)); // or abs(value) / one could not be so large
            revert OutOfRange(value, -int256(largest), int256(largest));
        }
        return uint32(_toFloat(value, one, 23, 8));
    }

    /// @notice Bits of the IEEE 754 binary64 nearest to a fixed-point number.
    function toFloat64(int256 value, uint8 decimals) internal pure returns (uint64) {
        return _toFloat(value, unit(decimals), 52, 11);
    }

    /// @notice Magnitude, also of the smallest int256.
    function abs(int256 value) internal pure returns (uint256) {
        unchecked {
            return value < 0 ? uint256(-value) : uint256(value);
        }
    }

    /// @dev Magnitude of the nearest number of the other scale, and whether it is the same number.
    function _rescale(int256 value, uint8 fromDecimals, uint8 toDecimals) private pure returns (uint256, bool) {
        (uint256 from, uint256 to) = (unit(fromDecimals), unit(toDecimals));
        if (to >= from) {
            (bool fits, uint256 scaled) = Math.tryMul(abs(value), to / from);
            return (fits ? scaled : type(uint256).max, true);
        }
        return _divHalfEven(abs(value), from / to);
    }

    function _divHalfEven(uint256 numerator, uint256 denominator) private pure returns (uint256 quotient, bool exact) {
        quotient = numerator / denominator;
        uint256 rest = numerator % denominator;
        uint256 other = denominator - rest; // compared instead of 2 * rest, which could overflow
        if (rest > other || (rest == other && quotient & 1 == 1)) ++quotient;
        exact = rest == 0;
    }

    function _signed(uint256 magnitude, bool negative) private pure returns (int256) {
        uint256 limit = uint256(type(int256).max) + (negative ? 1 : 0);
        if (magnitude > limit) revert OutOfInt256(magnitude, negative);
        unchecked {
            return negative ? int256(0 - magnitude) : int256(magnitude);
        }
    }

    /// @dev An IEEE 754 number is ±mantissa · 2**shift; `fraction` and `width` are the bits of its last two fields.
    function _fromFloat(uint64 bits, uint256 fraction, uint256 width, uint8 decimals) private pure returns (int256) {
        uint256 one = unit(decimals);
        bool negative = bits >> (fraction + width) & 1 == 1;
        uint256 exponent = bits >> fraction & ((1 << width) - 1);
        uint256 mantissa = bits & ((1 << fraction) - 1);
        if (exponent == (1 << width) - 1) revert NotFinite(bits);
        if (exponent == 0) exponent = 1; // subnormal
        else mantissa |= 1 << fraction;

        uint256 scaled = mantissa * one; // below 2**173
        uint256 zero = (1 << (width - 1)) - 1 + fraction; // exponent at which the shift is 0
        uint256 magnitude;
        if (exponent >= zero) {
            uint256 shift = exponent - zero;
            bool fits = scaled == 0 || shift + Math.log2(scaled) < 256;
            magnitude = fits ? scaled << shift : type(uint256).max;
        } else {
            uint256 shift = zero - exponent;
            if (shift < 256) (magnitude,) = _divHalfEven(scaled, 1 << shift);
        }
        return _signed(magnitude, negative);
    }

    /// @dev The caller has ruled out infinity. |value| >= 10**-36 > 2**-126, so that nothing is subnormal.
    function _toFloat(int256 value, uint256 one, uint256 fraction, uint256 width) private pure returns (uint64) {
        uint256 magnitude = abs(value);
        if (magnitude == 0) return 0;
        // A quotient of 57 or 58 bits, magnitude · 2**up / (one · 2**down): both sides stay below 2**256.
        uint256 wanted = Math.log2(one) + 58;
        uint256 size = Math.log2(magnitude);
        uint256 up = wanted > size ? wanted - size : 0;
        uint256 down = size > wanted ? size - wanted : 0;
        uint256 numerator = magnitude << up;
        uint256 denominator = one << down;
        uint256 quotient = numerator / denominator;
        // The last bit stands for everything below it, so that the one rounding that follows is right.
        if (numerator % denominator != 0) quotient |= 1;

        uint256 top = Math.log2(quotient);
        (uint256 mantissa,) = _divHalfEven(quotient, 1 << (top - fraction));
        // Adding the implicit bit to the exponent field carries a mantissa that was rounded up to the next power.
        uint256 exponent = (1 << (width - 1)) - 2 + top + down - up;
        uint256 bits = (exponent << fraction) + mantissa;
        if (value < 0) bits |= 1 << (fraction + width);
        return uint64(bits);
    }
}
