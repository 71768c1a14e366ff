// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ECDSA over P-384, checked with slopes that the caller supplies
/// @notice `verify` returns if (r, s) is a signature of the digest under the key, and reverts otherwise: less than
/// 0.8 million gas, the transaction and its calldata included. It takes hints, which `vouch.attestation.p384.prove`
/// makes of a valid signature. Who supplies them is not trusted: wrong hints make a valid signature fail, no hints
/// make an invalid one pass. So a revert means "not shown", not "forged".
///
/// Accepts: a digest of 48 bytes (SHA-384's, or the leftmost 384 bits of a longer hash); a key x ‖ y, both below p, on
/// the curve (so it has order n, the cofactor being 1, and is not infinity); r and s from 1 to n - 1, 48 bytes each.
/// (r, s) and (r, n - s) are both accepted, as FIPS 186-5 does, and hints have many forms: never key uniqueness on
/// either.
/// Refuses: everything else; coordinates of p and more, r or s of n and more included.
///
/// How it works. Instead of R = (digest/s)·G + (r/s)·Q, 384 doublings, the hints give A·Q + B·R + g·G = O with A and B
/// of half n's size (1), and each operation's slope, so that nothing is inverted: a slope is compared with the line or
/// tangent it should belong to, then the point follows from it. R is the point with x = r, or r + n, and the hints' y.
/// Each of these rules is needed:
///
///  1. The first position is at most MAX_POSITION, none is below zero, and steps are at most 255, so that the scalars
///     of rule 6 do not wrap and nothing is added that they do not count.
///  2. A row is in its table: beyond it is another table, or zeros, which are no point.
///  3. Both points of an addition have different x; else any slope would do. (A point with y = 0, as bad for doubling,
///     does not exist: n is odd.)
///  4. Coordinates are below p, R and the key are on the curve (so all points that follow are), 0 < r, s < n.
///  5. B is not 0, and the sum is shown to be O by comparing all but the last row with the opposite of the last row.
///  6. A, B and g are added up from what is really done, and A·s + B·r = 0 and g·s + B·digest = 0 mod n. So
///     B·(R - (digest/s)·G - (r/s)·Q) = O, and n is prime.
///
/// Rule 6's equations are of integers below 2**1023, n times factors from the hints, checked mod four 256-bit primes.
///
/// Numbers mod p are pairs (a0, a1) that stand for a0 + a1·√2 in Z[√2]/(π), π = PI_0 + PI_1·√2 of norm -p (2): sums
/// need no carry. A product's limbs are beyond 256 bits and known by their residues mod 2**256 (`mul`) and mod
/// MODULUS = 2**252 - 1 (`mulmod`). Montgomery's reduction adds q·π, q = -c/π mod 2**256, and divides by 2**252: that
/// changes nothing mod MODULUS, and the quotient is smaller than MODULUS. Multiples of π are added where a difference
/// would be negative, and x is folded after a doubling instead of reduced. All this stands on these bounds, which hold
/// for any hints; `python -m vouch.attestation.p384.bounds` proves and prints them (a factor is what π is multiplied
/// with):
///
/// | value | at most |
/// | --- | --- |
/// | import: coordinate (product) | 2**449 |
/// | import: x² (product) | 2**396 |
/// | import: 3 - x² | 2**201 |
/// | import: y² - x³ + 3x - b (product) | 2**446 |
/// | import: y² - x³ + 3x - b (factor) | 2**254 |
/// | tangent: operands | 2**221 |
/// | tangent: 2λy - 3x² + 3 (product) | 2**446 |
/// | tangent: 2λy - 3x² + 3 (factor) | 2**253 |
/// | double: λ² (product) | 2**402 |
/// | double: λ² - 2x before folding | 2**230 |
/// | double: x' | 2**218 |
/// | x1 - x' | 2**219 |
/// | λ(x1 - x') (product) | 2**422 |
/// | y' | 2**210 |
/// | chord: x2 - x1 | 2**219 |
/// | chord: x2 - x1 (factor) | 2**27 |
/// | chord: λ(x2 - x1) (product) | 2**420 |
/// | chord: λ(x2 - x1) - (y2 - y1) | ±2**206 |
/// | chord: λ(x2 - x1) - (y2 - y1) (factor) | ±2**15 |
/// | add: λ² (product) | 2**402 |
/// | add: x' | 2**218 |
/// | -y | 2**210 |
/// | last: x1 - x2 | ±2**214 |
/// | last: x1 - x2 (factor) | ±2**23 |
/// | last: y1 + y2 | 2**211 |
/// | last: y1 + y2 (factor) | 2**19 |
///
/// Sources: SEC 1 v2 section 4.1.4 and SEC 2 v2 section 2.5.1 (the scheme and the curve), FIPS 186-5 section 6.4.2,
/// SP 800-186. (1) Antipa, Brown, Gallant, Lambert, Struik, Vanstone, "Accelerated Verification of ECDSA Signatures",
/// SAC 2005. (2) Bajard, Imbert, Plantard, "Modular Number Systems: Beyond the Mersenne Family", SAC 2004.
contract P384 {
    // Derived in vouch.attestation.p384.constants, which says what each is for. TWICE is for 2·a1·b1.
    uint256 private constant PI_0 = 0x5e3a5506f7ea5e5491fdf1f3280e1cfc127d9bb881eb66dd;
    uint256 private constant PI_1 = 0xc0e46eb059d4ab1990bcb3e2595e1094626b588e61b91e4a;
    uint256 private constant KAPPA_0 = 0x48304200cd86f7cf44862d9651e06076337655584388e06e6b96fd6a7e149923;
    uint256 private constant KAPPA_1 = 0x28aeaef4f5b1fef65fbaa367807d32fc4c861d051d82876cc42476d861b91e4a;
    uint256 private constant INVERSE_0 = 0xb7cfbdff32790830bb79d269ae1f9f89cc89aaa7bc771f919469029581eb66dd;
    uint256 private constant INVERSE_1 = 0xd751510b0a4e0109a0455c987f82cd03b379e2fae27d78933bdb89279e46e1b6;
    uint256 private constant FOLD_ONE_0 = 0xfffffffffffff0008c4039569d468dce766457355b4b036817de42214393adbc;
    uint256 private constant FOLD_ONE_1 = 0x5e6f0cd09d82c320b459002993f8436cda2a7c8982c46fd2;
    uint256 private constant FOLD_ROOT_0 = 0xbcde19a13b05864168b2005327f086d9b454f9130588dfa4;
    uint256 private constant FOLD_ROOT_1 = 0xfffffffffffff0008c4039569d468dce766457355b4b036817de42214393adbc;
    uint256 private constant LIFT_0 = 0x2923ca623aa4c624f507444b62325acade45db71ca894ca8f2b73a5;
    uint256 private constant LIFT_1 = 0x1d55e8d5f5d3fa613a804d7046b91fd6ea755e309f439c594875b76;
    uint256 private constant DOUBLE_0 = 0x200524794c842dd643a2330cffeae499e998985fe76847c77fa946fc0f;
    uint256 private constant DOUBLE_1 = 0x2003aabd192a4ac695ed3a45c49e6f51d464a7cad6512036949c9d0017;
    uint256 private constant SUM_0 = 0x7b6b5f273de6e6bc1f139aefbeb10fe1c30c65dd0da009a6946fc0f;
    uint256 private constant SUM_1 = 0x5801ba578c05937cb8fc0735c4dd8620e8bdc53a6ace6cfb89d0017;
    uint256 private constant APART_0 = 0x4000000c0ad16ffc0156456c6b894a0f0c038c6d9372ac5efa73ae6;
    uint256 private constant APART_1 = 0x400000094a2259e26cfe4570ef3c795aebfa1ce4585cefff1d834bf;
    uint256 private constant HALF_0 = 0x200000abce3640d2f47ebd67384cc40e8b4800516af555af11d76;
    uint256 private constant HALF_1 = 0x20000a16ad84e8c114db506490fa7b1b75a76b94cb5c0cf11e430;
    uint256 private constant MIRROR_0 = 0x400001579c6c81a5e8fd7ace7099881d169000a2d5eaab5e23aec;
    uint256 private constant MIRROR_1 = 0x4000142d5b09d18229b6a0c921f4f636eb4ed72996b819e23c860;
    uint256 private constant TANGENT_0 = 0x2000000000000000866cb4e2f0a6037d9c8a433c31c74334e64a5ac4400c53ee;
    uint256 private constant TANGENT_1 = 0xe000000000000000147ad97ab3d38c26c3703723c6e3a92caa598715e63fd00b;
    uint256 private constant TANGENT_REST_0 = 0xfffffffffffffe6463ff3378e922411cc035b2e3ab7dd311fae271a74ed63bf;
    uint256 private constant TANGENT_REST_1 = 0xffffffffffffff060cc25743b610820dd3b2576b2f92b46459c2b35734087e8;
    uint256 private constant EQUATION_0 = 0x2000000000000001150b2a8e017f54e93f237b45eef0490aeb4b5277fe543fef;
    uint256 private constant EQUATION_1 = 0xe000000000000000755431d0549817ad9b61a441caa94de2a50c468a47c98212;
    uint256 private constant EQUATION_REST_0 = 0xfffffffffffffe6d4de68e29f6b757d6e9c9337f7e0e30724af1ece33354fc0;
    uint256 private constant EQUATION_REST_1 = 0xffffffffffffff0c1a57dc9dc2593a7b52c9294b6becffc404eeaa9d4ca39ef;
    uint256 private constant LINEAR_0 = 0x100c742e5fec5a330b68b2c58b3e3b38a2917d89144d9c974f9;
    uint256 private constant LINEAR_1 = 0x1013e257c886547c066cf7e004fe3e0d0e4b6edd879cf531ee8;
    uint256 private constant IMPORT_LOW_0 = 0x10e96b389caaf708519d50af0cfbb22d8c9d3606c6c572213;
    uint256 private constant IMPORT_LOW_1 = 0x55906f2c34689e7723a77b7e9e09b8579a321fd82c9d529;
    uint256 private constant IMPORT_HIGH_0 = 0x11164b8c061367fb2d24dc2702400a7656c95d2d346ba7bdb;
    uint256 private constant IMPORT_HIGH_1 = 0x1863cd0ebeec64fb50c6fc808b28df2d76e4603cafc594c8;
    uint256 private constant PI_1_TWICE = 0x181c8dd60b3a95633217967c4b2bc2128c4d6b11cc3723c94;
    uint256 private constant KAPPA_1_TWICE = 0x515d5de9eb63fdecbf7546cf00fa65f8990c3a0a3b050ed98848edb0c3723c94;
    uint256 private constant INVERSE_1_TWICE = 0xaea2a216149c0213408ab930ff059a0766f3c5f5c4faf12677b7124f3c8dc36c;
    uint256 private constant MODULUS = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;
    uint256 private constant FOLD = 0xcc;
    uint256 private constant NEAR_X = 0x400000000;
    uint256 private constant NEAR_Y = 0x1000000;
    uint256 private constant MAX_POSITION = 0xc8;
    uint256 private constant HIGH_WEIGHT = 0x1000000000000000000000000000000000000000000000000;
    uint256 private constant P_HIGH = 0xffffffffffffffffffffffffffffffff;
    uint256 private constant P_LOW = 0xfffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff;
    uint256 private constant N_HIGH = 0xffffffffffffffffffffffffffffffff;
    uint256 private constant N_LOW = 0xffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973;
    uint256 private constant GAPS = 0x00bd016501b3024b; // 2**256 less 189, 357, 435 or 587 is prime

    bytes32 private constant LOW_HASH = 0xbf821e9f4522ee190ccd39a1355b477b7a317d1dc28e48cbde2a2776c83ebb4e;
    bytes32 private constant HIGH_HASH = 0xbc732a1d8f575ee63c27725f38ade8a6bf7b8d39f83479b1cf3b0b1c6db480f6;

    // Memory of `_sum`, all of it beyond what Solidity has allocated.
    uint256 private constant OPERAND = 0x400; // the point that is added: x0, x1, y0, y1
    uint256 private constant OPERAND_X1 = 0x420;
    uint256 private constant OPERAND_Y0 = 0x440;
    uint256 private constant OPERAND_Y1 = 0x460;
    uint256 private constant NEXT_STEP = 0x480;
    uint256 private constant LAST_STEP = 0x4a0;
    uint256 private constant POSITION = 0x4c0;
    uint256 private constant STEP = 0x4e0;
    uint256 private constant MODE = 0x500;
    uint256 private constant ROW = 0x520; // the last row of the table that is being made
    uint256 private constant SCALARS = 0x540; // of the four tables
    uint256 private constant FIXED = 0x5c0; // addresses of the generator's tables
    uint256 private constant ORIGIN = 0x600; // where the hints start in the calldata
    uint256 private constant TABLES = 0x620; // eight rows of R's multiples, eight of the key's
    uint256 private constant R_END = 0x9a0; // the last row of R
    uint256 private constant KEY_TABLE = 0xa20;
    uint256 private constant KEY_END = 0xda0;

    // MODE: what comes after the doublings.
    uint256 private constant ADDING = 0; // add the step's row
    uint256 private constant STARTING = 1; // it is the sum
    uint256 private constant ENDING = 2; // it is the opposite of the sum
    uint256 private constant TABULATING = 3; // a table is made
    uint256 private constant DOUBLED = 4; // and has only its first row; the point was doubled

    /// @notice Not one of the generator's tables: create it with `vouch.attestation.p384.tables.creation_code`.
    error WrongTable(address table, bytes32 received, bytes32 expected);
    /// @notice A digest has 48 bytes, a key and a signature 96.
    error WrongLength(uint256 received, uint256 expected);
    /// @notice r and s must be from 1 to n - 1: this is no signature, whatever the hints.
    error ScalarOutOfRange();
    /// @notice A coordinate is p or more; of R (0) or of the key (1).
    error CoordinateOutOfRange(uint256 point);
    /// @notice R (0) with the hints' y, or the key (1), is not on the curve.
    error NotOnCurve(uint256 point);

    /// @notice The hints are shorter or longer than what they say needs.
    error WrongHintsLength(uint256 received, uint256 expected);
    /// @notice The hints' first byte is 0 (R's x is r) or 1 (it is r + n).
    error WrongCarry(uint256 received);
    /// @notice At least a row to start with and one to end with.
    error TooFewSteps(uint256 received);
    /// @notice There would be more doublings than the first position, or that is more than MAX_POSITION.
    error TooManyDoublings();
    /// @notice The step names a row beyond its table, or is the first one and wants doublings.
    error WrongStep(uint256 index);
    /// @notice The slope at this byte of the hints does not belong to the points.
    error WrongSlope(uint256 offset);
    /// @notice The points that the slope at this byte is for have the same x: choose other scalars.
    error SamePoint(uint256 offset);
    /// @notice The sum is not the point at infinity.
    error WrongSum();
    /// @notice The scalars do not fit r, s and the digest, or R's is zero.
    error WrongScalars();

    // Selectors of those that assembly reverts with.
    uint256 private constant WRONG_STEP = 0xe02174d4;
    uint256 private constant WRONG_SLOPE = 0xac704ff8;
    uint256 private constant SAME_POINT = 0xd6929041;
    uint256 private constant WRONG_SUM = 0xe7fce27e;

    /// @notice Contracts whose code is a zero byte and 128 rows of four words: (2i + 1)·G, and (2i + 1)·2**192·G.
    address public immutable lowTable;
    address public immutable highTable;

    constructor(address low, address high) {
        if (low.codehash != LOW_HASH) revert WrongTable(low, low.codehash, LOW_HASH);
        if (high.codehash != HIGH_HASH) revert WrongTable(high, high.codehash, HIGH_HASH);
        (lowTable, highTable) = (low, high);
    }

    /// @notice Returns if the signature is valid, reverts otherwise.
    /// @param digest 48 bytes.
    /// @param key x ‖ y, 96 bytes.
    /// @param signature r ‖ s, 96 bytes.
    /// @param hints Made by `vouch.attestation.p384.prove`:
    ///
    /// | bytes | content |
    /// | --- | --- |
    /// | 0 | 1 if R's x is r + n, 0 if it is r |
    /// | 1 | position: the weight of the first rows is 2**position |
    /// | 2 | number of steps |
    /// | 3 to 50 | R's y |
    /// | 51 to 146 | signed words: (A·s + B·r)/n, then (g·s + B·digest)/n as low + 2**192·high |
    /// | then 2 for each step | doublings before it (6 bits) ‖ table (2) ‖ sign (1) ‖ row (7) |
    /// | then 50 for each doubling and addition | slope, two limbs of 25 bytes |
    ///
    /// The table is R's, the key's, G's or 2**192·G's; row i is (2i + 1) times that. The sum starts with the
    /// first row and must be the opposite of the last. The first sixteen slopes are those of R's and the key's tables:
    /// the double, then seven times the double added.
    function verify(bytes calldata digest, bytes calldata key, bytes calldata signature, bytes calldata hints)
        external
        view
    {
        if (digest.length != 48) revert WrongLength(digest.length, 48);
        if (key.length != 96) revert WrongLength(key.length, 96);
        if (signature.length != 96) revert WrongLength(signature.length, 96);
        uint256 steps = _header(hints);
        (uint256 xHigh, uint256 xLow) = _scalar(signature, 0);
        _scalar(signature, 48);
        // R's x is r or r + n.
        if (uint8(hints[0]) == 1) {
            unchecked {
                uint256 sum = xLow + N_LOW;
                xHigh += N_HIGH + (sum < xLow ? 1 : 0);
                xLow = sum;
            }
        }
        (uint256 yHigh, uint256 yLow) = _number(hints, 3);
        _import(TABLES, xHigh, xLow, yHigh, yLow);
        (xHigh, xLow) = _number(key, 0);
        (yHigh, yLow) = _number(key, 48);
        _import(KEY_TABLE, xHigh, xLow, yHigh, yLow);
        uint256 used = _sum(hints, steps, lowTable, highTable);
        if (hints.length != used) revert WrongHintsLength(hints.length, used);
        _relations(digest, signature, hints);
    }

    /// @dev Number of steps; the header and all steps are there.
    function _header(bytes calldata hints) private pure returns (uint256 steps) {
        if (hints.length < 147) revert WrongHintsLength(hints.length, 147);
        if (uint8(hints[0]) > 1) revert WrongCarry(uint8(hints[0]));
        if (uint8(hints[1]) > MAX_POSITION) revert TooManyDoublings();
        steps = uint8(hints[2]);
        if (steps < 2) revert TooFewSteps(steps);
        if (hints.length < 147 + 2 * steps) revert WrongHintsLength(hints.length, 147 + 2 * steps);
        if (uint8(hints[147]) >> 2 != 0) revert WrongStep(0);
    }

    /// @dev 48 bytes, big-endian; the high part is below 2**128.
    function _number(bytes calldata data, uint256 start) private pure returns (uint256 numberHigh, uint256 numberLow) {
        assembly ("memory-safe") {
            numberHigh := shr(128, calldataload(add(data.offset, start)))
            numberLow := calldataload(add(data.offset, add(start, 16)))
        }
    }

    /// @dev Rule 4.
    function _scalar(bytes calldata signature, uint256 start)
        private
        pure
        returns (uint256 numberHigh, uint256 numberLow)
    {
        (numberHigh, numberLow) = _number(signature, start);
        if (numberHigh | numberLow == 0 || (numberHigh == N_HIGH && numberLow >= N_LOW)) revert ScalarOutOfRange();
    }

    /// @dev Rule 4; puts the point at `row`.
    function _import(uint256 row, uint256 xHigh, uint256 xLow, uint256 yHigh, uint256 yLow) private pure {
        uint256 point = row == TABLES ? 0 : 1;
        if (xHigh > P_HIGH || (xHigh == P_HIGH && xLow >= P_LOW) || (yHigh == P_HIGH && yLow >= P_LOW)) {
            revert CoordinateOutOfRange(point);
        }
        bool off;
        assembly ("memory-safe") {
            function reduced(c0, c1, n0, n1) -> z0, z1 {
                let q0 := add(mul(c0, KAPPA_0), mul(c1, KAPPA_1_TWICE))
                let q1 := add(mul(c0, KAPPA_1), mul(c1, KAPPA_0))
                z0 := mod(add(n0, add(mulmod(q0, PI_0, MODULUS), mulmod(q1, PI_1_TWICE, MODULUS))), MODULUS)
                z1 := mod(add(n1, add(mulmod(q0, PI_1, MODULUS), mulmod(q1, PI_0, MODULUS))), MODULUS)
            }
            function montgomery(h, l) -> z0, z1 {
                z0, z1 :=
                    reduced(
                    add(mul(l, IMPORT_LOW_0), mul(h, IMPORT_HIGH_0)),
                    add(mul(l, IMPORT_LOW_1), mul(h, IMPORT_HIGH_1)),
                    add(mulmod(l, IMPORT_LOW_0, MODULUS), mulmod(h, IMPORT_HIGH_0, MODULUS)),
                    add(mulmod(l, IMPORT_LOW_1, MODULUS), mulmod(h, IMPORT_HIGH_1, MODULUS))
                )
            }
            let x0, x1 := montgomery(xHigh, xLow)
            let y0, y1 := montgomery(yHigh, yLow)
            mstore(row, add(x0, LIFT_0))
            mstore(add(row, 0x20), add(x1, LIFT_1))
            mstore(add(row, 0x40), add(y0, HALF_0))
            mstore(add(row, 0x60), add(y1, HALF_1))
            let m := add(x1, x1)
            let t0, t1 :=
                reduced(
                    add(mul(x0, x0), mul(m, x1)),
                    mul(m, x0),
                    add(mulmod(x0, x0, MODULUS), mulmod(m, x1, MODULUS)),
                    mulmod(m, x0, MODULUS)
                )
            t0 := sub(LINEAR_0, t0)
            t1 := sub(LINEAR_1, t1)
            let v := add(y1, y1)
            t0, t1 :=
                reduced(
                add(add(add(mul(t0, x0), mul(t1, m)), add(mul(y0, y0), mul(v, y1))), EQUATION_0),
                add(add(add(mul(t0, x1), mul(t1, x0)), mul(v, y0)), EQUATION_1),
                add(
                    add(
                        add(mulmod(t0, x0, MODULUS), mulmod(t1, m, MODULUS)),
                        add(mulmod(y0, y0, MODULUS), mulmod(v, y1, MODULUS))
                    ),
                    EQUATION_REST_0
                ),
                add(add(add(mulmod(t0, x1, MODULUS), mulmod(t1, x0, MODULUS)), mulmod(v, y0, MODULUS)), EQUATION_REST_1)
            )
            off := or(t0, t1)
        }
        if (off) revert NotOnCurve(point);
    }

    /// @dev Makes the tables of R and the key of their first rows, then goes through the steps. Rules 1, 2, 3 and 5.
    /// Returns how many bytes of the hints it used, and the scalars of the tables in memory.
    function _sum(bytes calldata hints, uint256 steps, address low, address high) private view returns (uint256 used) {
        bool ended;
        assembly ("memory-safe") {
            function refuse(selector, value) {
                mstore(0, shl(224, selector))
                mstore(4, value)
                revert(0, 36)
            }
            if gt(mload(0x40), OPERAND) { invalid() } // nothing of what is written here is Solidity's
            mstore(ORIGIN, hints.offset)
            mstore(FIXED, low)
            mstore(add(FIXED, 0x20), high)
            mstore(SCALARS, 0)
            mstore(add(SCALARS, 0x20), 0)
            mstore(add(SCALARS, 0x40), 0)
            mstore(add(SCALARS, 0x60), 0)
            mstore(NEXT_STEP, add(hints.offset, 147))
            mstore(POSITION, byte(1, calldataload(hints.offset)))
            mstore(MODE, DOUBLED)
            mstore(ROW, TABLES)
            let ptr := add(add(hints.offset, 147), shl(1, steps))
            mstore(LAST_STEP, sub(ptr, 2))
            // The running point is (x0, x1), (y0, y1).
            let x0 := mload(TABLES)
            let x1 := mload(add(TABLES, 0x20))
            let y0 := mload(add(TABLES, 0x40))
            let y1 := mload(add(TABLES, 0x60))

            for { let doublings := 1 } 1 {
                // The next step, if the tables are made.
                if lt(mload(MODE), TABULATING) {
                    let next := mload(NEXT_STEP)
                    let step := shr(240, calldataload(next))
                    mstore(STEP, step)
                    mstore(NEXT_STEP, add(next, 2))
                    if eq(next, mload(LAST_STEP)) { mstore(MODE, ENDING) }
                    doublings := shr(10, step)
                    mstore(POSITION, sub(mload(POSITION), doublings))
                }
            } {
                for {} doublings { doublings := sub(doublings, 1) } {
                    let l0 := shr(56, calldataload(ptr))
                    let l1 := shr(56, calldataload(add(ptr, 25)))
                    ptr := add(50, ptr)

                    {
                        let s1 := mul(x1, 6)
                        let s0 := mul(3, x0)
                        let t1 := add(y1, y1)
                        let t0 := add(y0, y0)
                        let c0 :=
                            add(TANGENT_0, sub(add(mul(t0, l0), mul(t1, add(l1, l1))), add(mul(x1, s1), mul(s0, x0))))
                        let c1 := add(TANGENT_1, sub(add(mul(l1, t0), mul(t1, l0)), mul(s1, x0)))
                        let q1 := add(mul(KAPPA_0, c1), mul(c0, KAPPA_1))
                        c0 := add(mul(c1, KAPPA_1_TWICE), mul(c0, KAPPA_0))
                        if or(
                            mod(
                                add(
                                    add(
                                        add(mulmod(t1, add(l1, l1), MODULUS), mulmod(l0, t0, MODULUS)),
                                        add(
                                            mulmod(sub(MODULUS, s0), x0, MODULUS),
                                            mulmod(x1, sub(MODULUS, s1), MODULUS)
                                        )
                                    ),
                                    add(add(mulmod(q1, PI_1_TWICE, MODULUS), mulmod(c0, PI_0, MODULUS)), TANGENT_REST_0)
                                ),
                                MODULUS
                            ),
                            mod(
                                add(
                                    add(mulmod(c0, PI_1, MODULUS), add(TANGENT_REST_1, mulmod(q1, PI_0, MODULUS))),
                                    add(
                                        mulmod(l0, t1, MODULUS),
                                        add(mulmod(t0, l1, MODULUS), mulmod(sub(MODULUS, s1), x0, MODULUS))
                                    )
                                ),
                                MODULUS
                            )
                        ) { refuse(WRONG_SLOPE, sub(sub(ptr, mload(ORIGIN)), 50)) }
                    }
                    let m := add(l1, l1)
                    let n0 := add(mul(m, l1), mul(l0, l0))
                    let n1 := mul(m, l0)
                    {
                        let q1 := add(mul(n1, KAPPA_0), mul(n0, KAPPA_1))
                        n0 := add(mul(KAPPA_1_TWICE, n1), mul(n0, KAPPA_0))
                        n1 := add(
                            mod(
                                add(mulmod(l0, m, MODULUS), add(mulmod(PI_1, n0, MODULUS), mulmod(q1, PI_0, MODULUS))),
                                MODULUS
                            ),
                            sub(DOUBLE_1, add(x1, x1))
                        )
                        n0 := add(
                            sub(DOUBLE_0, add(x0, x0)),
                            mod(
                                add(
                                    add(mulmod(m, l1, MODULUS), mulmod(l0, l0, MODULUS)),
                                    add(mulmod(PI_0, n0, MODULUS), mulmod(PI_1_TWICE, q1, MODULUS))
                                ),
                                MODULUS
                            )
                        )
                    }
                    {
                        let k0 := shr(FOLD, n0)
                        let k1 := shr(FOLD, n1)
                        n0 := add(n0, add(mul(FOLD_ROOT_0, k1), mul(k0, FOLD_ONE_0)))
                        n1 := add(add(mul(k1, FOLD_ROOT_1), n1), mul(k0, FOLD_ONE_1))
                    }

                    {
                        let t := n0
                        n0 := sub(add(x0, APART_0), n0)
                        x0 := t
                        t := n1
                        n1 := sub(add(x1, APART_1), n1)
                        x1 := t
                    }
                    {
                        let c1 := add(mul(l1, n0), mul(l0, n1))
                        let c0 := add(mul(n0, l0), mul(m, n1))
                        let q1 := add(mul(c0, KAPPA_1), mul(c1, KAPPA_0))
                        c0 := add(mul(KAPPA_0, c0), mul(c1, KAPPA_1_TWICE))
                        y0 := add(
                            mod(
                                add(
                                    mulmod(n1, m, MODULUS),
                                    add(
                                        mulmod(n0, l0, MODULUS),
                                        add(mulmod(c0, PI_0, MODULUS), mulmod(PI_1_TWICE, q1, MODULUS))
                                    )
                                ),
                                MODULUS
                            ),
                            sub(MIRROR_0, y0)
                        )
                        y1 := add(
                            mod(
                                add(
                                    add(mulmod(n1, l0, MODULUS), mulmod(l1, n0, MODULUS)),
                                    add(mulmod(q1, PI_0, MODULUS), mulmod(c0, PI_1, MODULUS))
                                ),
                                MODULUS
                            ),
                            sub(MIRROR_1, y1)
                        )
                    }
                }
                switch lt(mload(MODE), TABULATING)
                case 1 {
                    let step := mload(STEP)
                    let table := and(shr(8, step), 3)
                    let row := and(step, 0x7f)
                    switch lt(table, 2)
                    case 1 {
                        if gt(row, 7) {
                            refuse(WRONG_STEP, shr(1, sub(sub(mload(NEXT_STEP), mload(ORIGIN)), 149)))
                        }
                        mcopy(OPERAND, add(TABLES, add(shl(10, table), shl(7, row))), 128)
                    }
                    default {
                        extcodecopy(mload(add(FIXED, shl(5, and(table, 1)))), OPERAND, add(1, shl(7, row)), 128)
                    }
                    let digit := shl(mload(POSITION), add(1, shl(1, row)))
                    if and(step, 0x80) {
                        digit := sub(0, digit)
                        mstore(OPERAND_Y0, sub(MIRROR_0, mload(OPERAND_Y0)))
                        mstore(OPERAND_Y1, sub(MIRROR_1, mload(OPERAND_Y1)))
                    }
                    table := add(SCALARS, shl(5, table))
                    mstore(table, add(mload(table), digit))
                    if mload(MODE) {
                        // -T has the same x as T, and the opposite y.
                        if eq(mload(MODE), ENDING) {
                            let d0 := sub(x0, mload(OPERAND))
                            let d1 := sub(x1, mload(OPERAND_X1))
                            if shr(
                                35,
                                or(
                                    add(add(mul(d0, INVERSE_0), mul(d1, INVERSE_1_TWICE)), NEAR_X),
                                    add(add(mul(d0, INVERSE_1), mul(d1, INVERSE_0)), NEAR_X)
                                )
                            ) { refuse(WRONG_SUM, 0) }
                            d0 := add(y0, mload(OPERAND_Y0))
                            d1 := add(y1, mload(OPERAND_Y1))
                            if shr(
                                25,
                                or(
                                    add(add(mul(d0, INVERSE_0), mul(d1, INVERSE_1_TWICE)), NEAR_Y),
                                    add(add(mul(d0, INVERSE_1), mul(d1, INVERSE_0)), NEAR_Y)
                                )
                            ) { refuse(WRONG_SUM, 0) }
                            break
                        }
                        x0 := mload(OPERAND)
                        x1 := mload(OPERAND_X1)
                        y0 := mload(OPERAND_Y0)
                        y1 := mload(OPERAND_Y1)
                        mstore(MODE, ADDING)
                        continue
                    }
                }
                default {
                    // The double is added to the point itself, then to each sum.
                    if eq(mload(MODE), DOUBLED) {
                        mstore(MODE, TABULATING)
                        mstore(OPERAND, x0)
                        mstore(OPERAND_X1, x1)
                        mstore(OPERAND_Y0, y0)
                        mstore(OPERAND_Y1, y1)
                        let row := mload(ROW)
                        x0 := mload(row)
                        x1 := mload(add(row, 0x20))
                        y0 := mload(add(row, 0x40))
                        y1 := mload(add(row, 0x60))
                    }
                }

                let l0 := shr(56, calldataload(ptr))
                let l1 := shr(56, calldataload(add(25, ptr)))
                ptr := add(50, ptr)

                {
                    let d0 := sub(add(mload(OPERAND), APART_0), x0)
                    let d1 := sub(add(mload(OPERAND_X1), APART_1), x1)
                    if iszero(shr(35, add(add(mul(INVERSE_0, d0), mul(d1, INVERSE_1_TWICE)), NEAR_X))) {
                        refuse(SAME_POINT, sub(sub(ptr, mload(ORIGIN)), 50))
                    }
                    let c0 := add(mul(d0, l0), mul(d1, add(l1, l1)))
                    let c1 := add(mul(d1, l0), mul(d0, l1))
                    let q1 := add(mul(c0, KAPPA_1), mul(KAPPA_0, c1))
                    c0 := add(mul(c1, KAPPA_1_TWICE), mul(KAPPA_0, c0))
                    c1 := add(
                        sub(y1, mload(OPERAND_Y1)),
                        mod(
                            add(
                                add(mulmod(l0, d1, MODULUS), mulmod(l1, d0, MODULUS)),
                                add(mulmod(PI_0, q1, MODULUS), mulmod(c0, PI_1, MODULUS))
                            ),
                            MODULUS
                        )
                    )
                    c0 := add(
                        sub(y0, mload(OPERAND_Y0)),
                        mod(
                            add(
                                add(mulmod(add(l1, l1), d1, MODULUS), mulmod(l0, d0, MODULUS)),
                                add(mulmod(c0, PI_0, MODULUS), mulmod(q1, PI_1_TWICE, MODULUS))
                            ),
                            MODULUS
                        )
                    )
                    if shr(
                        25,
                        or(
                            add(add(NEAR_Y, mul(c0, INVERSE_0)), mul(c1, INVERSE_1_TWICE)),
                            add(add(mul(c0, INVERSE_1), mul(c1, INVERSE_0)), NEAR_Y)
                        )
                    ) { refuse(WRONG_SLOPE, sub(sub(ptr, mload(ORIGIN)), 50)) }
                }
                let m := add(l1, l1)
                let n0 := add(mul(l0, l0), mul(l1, m))
                let n1 := mul(m, l0)
                {
                    let q1 := add(mul(n0, KAPPA_1), mul(n1, KAPPA_0))
                    n0 := add(mul(n0, KAPPA_0), mul(n1, KAPPA_1_TWICE))
                    n1 := add(
                        mod(
                            add(mulmod(l0, m, MODULUS), add(mulmod(n0, PI_1, MODULUS), mulmod(q1, PI_0, MODULUS))),
                            MODULUS
                        ),
                        sub(sub(SUM_1, x1), mload(OPERAND_X1))
                    )
                    n0 := add(
                        mod(
                            add(
                                mulmod(l1, m, MODULUS),
                                add(
                                    mulmod(l0, l0, MODULUS),
                                    add(mulmod(PI_1_TWICE, q1, MODULUS), mulmod(n0, PI_0, MODULUS))
                                )
                            ),
                            MODULUS
                        ),
                        sub(sub(SUM_0, x0), mload(OPERAND))
                    )
                }

                {
                    let t := n0
                    n0 := sub(add(x0, APART_0), n0)
                    x0 := t
                    t := n1
                    n1 := sub(add(APART_1, x1), n1)
                    x1 := t
                }
                {
                    let c0 := add(mul(n1, m), mul(l0, n0))
                    let c1 := add(mul(l0, n1), mul(l1, n0))
                    let q1 := add(mul(c0, KAPPA_1), mul(c1, KAPPA_0))
                    c0 := add(mul(KAPPA_1_TWICE, c1), mul(c0, KAPPA_0))
                    y0 := add(
                        sub(MIRROR_0, y0),
                        mod(
                            add(
                                mulmod(n1, m, MODULUS),
                                add(
                                    mulmod(q1, PI_1_TWICE, MODULUS),
                                    add(mulmod(n0, l0, MODULUS), mulmod(c0, PI_0, MODULUS))
                                )
                            ),
                            MODULUS
                        )
                    )
                    y1 := add(
                        sub(MIRROR_1, y1),
                        mod(
                            add(
                                mulmod(l0, n1, MODULUS),
                                add(mulmod(n0, l1, MODULUS), add(mulmod(c0, PI_1, MODULUS), mulmod(q1, PI_0, MODULUS)))
                            ),
                            MODULUS
                        )
                    )
                }
                if mload(MODE) {
                    let row := add(mload(ROW), 0x80)
                    mstore(ROW, row)
                    mstore(row, x0)
                    mstore(add(row, 0x20), x1)
                    mstore(add(row, 0x40), y0)
                    mstore(add(row, 0x60), y1)
                    if eq(row, R_END) {
                        mstore(ROW, KEY_TABLE)
                        x0 := mload(KEY_TABLE)
                        x1 := mload(add(KEY_TABLE, 0x20))
                        y0 := mload(add(KEY_TABLE, 0x40))
                        y1 := mload(add(KEY_TABLE, 0x60))
                        mstore(MODE, DOUBLED)
                        doublings := 1
                    }
                    if eq(row, KEY_END) { mstore(MODE, STARTING) }
                }
            }
            used := sub(ptr, hints.offset)
            // Had it gone below zero, rows would have been added with the weight 0; it is only ever reduced.
            ended := iszero(gt(mload(POSITION), MAX_POSITION))
        }
        if (!ended) revert TooManyDoublings();
    }

    /// @dev Rules 5 and 6. A word's residue mod 2**256 - gap is itself, less gap if it is a negative number.
    function _relations(bytes calldata digest, bytes calldata signature, bytes calldata hints) private pure {
        (uint256 hHigh, uint256 hLow) = _number(digest, 0);
        (uint256 rHigh, uint256 rLow) = _number(signature, 0);
        (uint256 sHigh, uint256 sLow) = _number(signature, 48);
        bool holds;
        assembly ("memory-safe") {
            function residue(word, gap) -> r { r := sub(word, mul(gap, shr(255, word))) }
            let b := mload(SCALARS)
            let factors := add(hints.offset, 51)
            holds := iszero(iszero(b))
            for { let gaps := GAPS } gaps { gaps := shr(16, gaps) } {
                let gap := and(gaps, 0xffff)
                let m := sub(0, gap)
                let s := addmod(mulmod(sHigh, gap, m), sLow, m)
                let n := addmod(mulmod(N_HIGH, gap, m), N_LOW, m)
                let rb := residue(b, gap)
                let left :=
                    addmod(
                        mulmod(residue(mload(add(SCALARS, 0x20)), gap), s, m),
                        mulmod(rb, addmod(mulmod(rHigh, gap, m), rLow, m), m),
                        m
                    )
                holds := and(holds, eq(left, mulmod(residue(calldataload(factors), gap), n, m)))
                left := addmod(
                    residue(mload(add(SCALARS, 0x40)), gap),
                    mulmod(residue(mload(add(SCALARS, 0x60)), gap), HIGH_WEIGHT, m),
                    m
                )
                left := addmod(mulmod(left, s, m), mulmod(rb, addmod(mulmod(hHigh, gap, m), hLow, m), m), m)
                let right :=
                    addmod(
                        residue(calldataload(add(factors, 32)), gap),
                        mulmod(residue(calldataload(add(factors, 64)), gap), HIGH_WEIGHT, m),
                        m
                    )
                holds := and(holds, eq(left, mulmod(right, n, m)))
            }
        }
        if (!holds) revert WrongScalars();
    }
}
