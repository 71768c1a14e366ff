// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title SHA-384 (FIPS 180-4), which the EVM has no precompile for
/// @notice About 21,900 gas per block of 128 bytes, and 1,400 once per message. A digest is 48 bytes, returned as
/// head ‖ tail. Any size; nothing reverts.
/// @dev Two 64-bit words share one 256-bit word, each at the bottom of its own lane of 128 bits:
///
///     bit 192      128       64        0
///      |  0  | high |  0  | low |          LANES has ones where a word may be
///
/// The state is a|e, b|f, c|g, d|h: Maj of the high lane and Ch of the low lane become one expression, and T1 reaches
/// both lanes by one product with BOTH. The schedule makes words t and t+1 at once; they lie 16 bytes apart in memory,
/// so that an mload at any word is a pair.
///
/// A product with TWICE fills the upper half of each lane with a copy of its word. A right shift of the copy and the
/// word by n < 64 then leaves the word rotated by n in the lower half, whatever comes in from above.
///
/// Why no bit crosses from lane to lane:
///  - down: a shift moves bits of the high lane to the top of the low lane. A rotation by n and the shift by n read
///    bits n … n + 63 of the lane, so at most bit 61 + 63 = 124 < 128 (sigma1), 41 + 63 = 104 (Sigma1) and
///    39 + 63 = 102 (Sigma0); what lies outside is cut by LOW, HIGH or LANES before a sum could carry it on.
///    Shifts without rotation (by 6 and 7) act on words without a copy: zeros come in, as FIPS 180-4 wants.
///  - up: only a carry goes up. Whatever is added has clean lanes of less than 2**64 each, or is cut by LOW right after
///    the sum. At most four such words meet (schedule: four; low lane of a round: f + u + d), so a lane stays below
///    2**66 and bits 64 … 127 swallow the carry until LANES cuts it. f + u < 2**65 in the low lane keeps the product
///    with BOTH below 2**66 in the high lane.
library Sha384 {
    uint256 private constant TWICE = 0x10000000000000001;
    uint256 private constant BOTH = 0x100000000000000000000000000000001;
    uint256 private constant LOW = 0xffffffffffffffff;
    uint256 private constant HIGH = 0xffffffffffffffff00000000000000000000000000000000;
    uint256 private constant LANES = 0xffffffffffffffff0000000000000000ffffffffffffffff;

    /// @notice SHA-384 of calldata; a slice need not be aligned.
    function hash(bytes calldata data) internal pure returns (bytes32 head, bytes16 tail) {
        uint256 start = _message();
        assembly ("memory-safe") {
            calldatacopy(start, data.offset, data.length)
        }
        return _digest(data.length);
    }

    /// @notice SHA-384 of bytes in memory, which stay as they are.
    function hashMemory(bytes memory data) internal pure returns (bytes32 head, bytes16 tail) {
        uint256 start = _message();
        assembly ("memory-safe") {
            mcopy(start, add(data, 0x20), mload(data))
        }
        return _digest(data.length);
    }

    /// @dev Where the message goes: behind the frame of _digest, in memory that nobody owns. Nothing may be allocated
    /// before _digest has read it.
    function _message() private pure returns (uint256 start) {
        assembly ("memory-safe") {
            start := add(mload(0x40), 0xac0)
        }
    }

    /// @dev SHA-384 of the `size` bytes at _message(). The frame, from the free memory pointer, which does not move:
    ///     0x000  80 words of the schedule, 16 bytes each
    ///     0x500  80 round constants in the same shape
    ///     0xa00  the state: a|e, b|f, c|g, d|h
    ///     0xa80  the next block, and the end of the blocks
    ///     0xac0  the message, padded
    /// Scratch memory: 0x00 is the end of the loop that runs, 0x20 is LANES. It is read from there in the rounds
    /// because solc, where it knows the mask, keeps each word masked and unmasked on the stack (140 gas a block).
    function _digest(uint256 size) private pure returns (bytes32 head, bytes16 tail) {
        assembly ("memory-safe") {
            // All blocks of the frame at p. solc does not inline what leaves: no caller's variables on its stack.
            function compress(p) {
                for {} 1 {} {
                    let q := mload(add(p, 0xa80))
                    if eq(q, mload(add(p, 0xaa0))) { leave }
                    mstore(add(p, 0xa80), add(q, 0x80))
                    let a := mload(add(p, 0xa00))
                    let b := mload(add(p, 0xa20))
                    let c := mload(add(p, 0xa40))
                    let d := mload(add(p, 0xa60))
                    let w // the last pair of the schedule
                    // Rounds 0 to 15, four at a time: the pairs come from the message. In every round
                    //     k  the pair and its two constants    u  h + k + Sigma1(e)
                    //     x  a|e with copies                   s  Sigma0(a) in the high lane
                    //     f  Maj(a, b, c) | Ch(e, f, g)
                    // and the new a|e overwrites d|h; then the names turn by one.
                    for { mstore(0, add(p, 0x100)) } lt(p, mload(0)) {
                        p := add(p, 0x40)
                        q := add(q, 0x20)
                    } {
                        {
                            let v := shr(128, mload(q))
                            w := and(or(v, shl(64, v)), LANES)
                            mstore(p, w)
                            let k := add(w, mload(add(p, 0x500)))
                            {
                                let x := mul(a, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(d, add(shr(128, k), shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(b, c), xor(a, and(c, HIGH))), c)
                                d := and(add(shr(128, d), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                            {
                                let x := mul(d, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(c, add(k, shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(a, b), xor(d, and(b, HIGH))), b)
                                c := and(add(shr(128, c), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                        }
                        {
                            let v := shr(128, mload(add(q, 0x10)))
                            w := and(or(v, shl(64, v)), LANES)
                            mstore(add(p, 0x20), w)
                            let k := add(w, mload(add(p, 0x520)))
                            {
                                let x := mul(c, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(b, add(shr(128, k), shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(d, a), xor(c, and(a, HIGH))), a)
                                b := and(add(shr(128, b), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                            {
                                let x := mul(b, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(a, add(k, shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(c, d), xor(b, and(d, HIGH))), d)
                                a := and(add(shr(128, a), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                        }
                    }
                    p := sub(p, 0x100)
                    // Rounds 16 to 79, eight at a time: the pair is sigma1(t-2) + sigma0(t-15) + (t-7) + (t-16),
                    // where p is at word t-16.
                    for { mstore(0, add(p, 0x400)) } lt(p, mload(0)) { p := add(p, 0x80) } {
                        {
                            let y := mul(w, TWICE)
                            let v := mload(add(p, 0x10))
                            let z := mul(v, TWICE)
                            let r := and(shr(1, xor(z, shr(6, xor(v, shr(1, z))))), LANES)
                            r := add(r, add(mload(add(p, 0x90)), mload(p)))
                            w := and(add(and(shr(6, xor(w, shr(13, xor(y, shr(42, y))))), LANES), r), LANES)
                            mstore(add(p, 0x100), w)
                            let k := add(w, mload(add(p, 0x600)))
                            {
                                let x := mul(a, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(d, add(shr(128, k), shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(b, c), xor(a, and(c, HIGH))), c)
                                d := and(add(shr(128, d), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                            {
                                let x := mul(d, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(c, add(k, shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(a, b), xor(d, and(b, HIGH))), b)
                                c := and(add(shr(128, c), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                        }
                        {
                            let y := mul(w, TWICE)
                            let v := mload(add(p, 0x30))
                            let z := mul(v, TWICE)
                            let r := and(shr(1, xor(z, shr(6, xor(v, shr(1, z))))), LANES)
                            r := add(r, add(mload(add(p, 0xb0)), mload(add(p, 0x20))))
                            w := and(add(and(shr(6, xor(w, shr(13, xor(y, shr(42, y))))), LANES), r), LANES)
                            mstore(add(p, 0x120), w)
                            let k := add(w, mload(add(p, 0x620)))
                            {
                                let x := mul(c, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(b, add(shr(128, k), shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(d, a), xor(c, and(a, HIGH))), a)
                                b := and(add(shr(128, b), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                            {
                                let x := mul(b, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(a, add(k, shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(c, d), xor(b, and(d, HIGH))), d)
                                a := and(add(shr(128, a), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                        }
                        {
                            let y := mul(w, TWICE)
                            let v := mload(add(p, 0x50))
                            let z := mul(v, TWICE)
                            let r := and(shr(1, xor(z, shr(6, xor(v, shr(1, z))))), LANES)
                            r := add(r, add(mload(add(p, 0xd0)), mload(add(p, 0x40))))
                            w := and(add(and(shr(6, xor(w, shr(13, xor(y, shr(42, y))))), LANES), r), LANES)
                            mstore(add(p, 0x140), w)
                            let k := add(w, mload(add(p, 0x640)))
                            {
                                let x := mul(a, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(d, add(shr(128, k), shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(b, c), xor(a, and(c, HIGH))), c)
                                d := and(add(shr(128, d), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                            {
                                let x := mul(d, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(c, add(k, shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(a, b), xor(d, and(b, HIGH))), b)
                                c := and(add(shr(128, c), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                        }
                        {
                            let y := mul(w, TWICE)
                            let v := mload(add(p, 0x70))
                            let z := mul(v, TWICE)
                            let r := and(shr(1, xor(z, shr(6, xor(v, shr(1, z))))), LANES)
                            r := add(r, add(mload(add(p, 0xf0)), mload(add(p, 0x60))))
                            w := and(add(and(shr(6, xor(w, shr(13, xor(y, shr(42, y))))), LANES), r), LANES)
                            mstore(add(p, 0x160), w)
                            let k := add(w, mload(add(p, 0x660)))
                            {
                                let x := mul(c, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(b, add(shr(128, k), shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(d, a), xor(c, and(a, HIGH))), a)
                                b := and(add(shr(128, b), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                            {
                                let x := mul(b, TWICE)
                                let s := and(shr(28, xor(x, shr(6, xor(x, shr(5, x))))), HIGH)
                                let u := and(add(a, add(k, shr(14, xor(x, shr(4, xor(x, shr(23, x))))))), LOW)
                                let f := xor(and(xor(c, d), xor(b, and(d, HIGH))), d)
                                a := and(add(shr(128, a), add(mul(add(f, u), BOTH), s)), mload(0x20))
                            }
                        }
                    }
                    p := sub(p, 0x400)
                    mstore(add(p, 0xa00), and(add(a, mload(add(p, 0xa00))), LANES))
                    mstore(add(p, 0xa20), and(add(b, mload(add(p, 0xa20))), LANES))
                    mstore(add(p, 0xa40), and(add(c, mload(add(p, 0xa40))), LANES))
                    mstore(add(p, 0xa60), and(add(d, mload(add(p, 0xa60))), LANES))
                }
            }

            let t := mload(0x40)
            mstore(add(t, 0x500), 0x428a2f98d728ae2200000000000000007137449123ef65cd)
            mstore(add(t, 0x520), 0xb5c0fbcfec4d3b2f0000000000000000e9b5dba58189dbbc)
            mstore(add(t, 0x540), 0x3956c25bf348b538000000000000000059f111f1b605d019)
            mstore(add(t, 0x560), 0x923f82a4af194f9b0000000000000000ab1c5ed5da6d8118)
            mstore(add(t, 0x580), 0xd807aa98a3030242000000000000000012835b0145706fbe)
            mstore(add(t, 0x5a0), 0x243185be4ee4b28c0000000000000000550c7dc3d5ffb4e2)
            mstore(add(t, 0x5c0), 0x72be5d74f27b896f000000000000000080deb1fe3b1696b1)
            mstore(add(t, 0x5e0), 0x9bdc06a725c712350000000000000000c19bf174cf692694)
            mstore(add(t, 0x600), 0xe49b69c19ef14ad20000000000000000efbe4786384f25e3)
            mstore(add(t, 0x620), 0x0fc19dc68b8cd5b50000000000000000240ca1cc77ac9c65)
            mstore(add(t, 0x640), 0x2de92c6f592b027500000000000000004a7484aa6ea6e483)
            mstore(add(t, 0x660), 0x5cb0a9dcbd41fbd4000000000000000076f988da831153b5)
            mstore(add(t, 0x680), 0x983e5152ee66dfab0000000000000000a831c66d2db43210)
            mstore(add(t, 0x6a0), 0xb00327c898fb213f0000000000000000bf597fc7beef0ee4)
            mstore(add(t, 0x6c0), 0xc6e00bf33da88fc20000000000000000d5a79147930aa725)
            mstore(add(t, 0x6e0), 0x06ca6351e003826f0000000000000000142929670a0e6e70)
            mstore(add(t, 0x700), 0x27b70a8546d22ffc00000000000000002e1b21385c26c926)
            mstore(add(t, 0x720), 0x4d2c6dfc5ac42aed000000000000000053380d139d95b3df)
            mstore(add(t, 0x740), 0x650a73548baf63de0000000000000000766a0abb3c77b2a8)
            mstore(add(t, 0x760), 0x81c2c92e47edaee6000000000000000092722c851482353b)
            mstore(add(t, 0x780), 0xa2bfe8a14cf103640000000000000000a81a664bbc423001)
            mstore(add(t, 0x7a0), 0xc24b8b70d0f897910000000000000000c76c51a30654be30)
            mstore(add(t, 0x7c0), 0xd192e819d6ef52180000000000000000d69906245565a910)
            mstore(add(t, 0x7e0), 0xf40e35855771202a0000000000000000106aa07032bbd1b8)
            mstore(add(t, 0x800), 0x19a4c116b8d2d0c800000000000000001e376c085141ab53)
            mstore(add(t, 0x820), 0x2748774cdf8eeb99000000000000000034b0bcb5e19b48a8)
            mstore(add(t, 0x840), 0x391c0cb3c5c95a6300000000000000004ed8aa4ae3418acb)
            mstore(add(t, 0x860), 0x5b9cca4f7763e3730000000000000000682e6ff3d6b2b8a3)
            mstore(add(t, 0x880), 0x748f82ee5defb2fc000000000000000078a5636f43172f60)
            mstore(add(t, 0x8a0), 0x84c87814a1f0ab7200000000000000008cc702081a6439ec)
            mstore(add(t, 0x8c0), 0x90befffa23631e280000000000000000a4506cebde82bde9)
            mstore(add(t, 0x8e0), 0xbef9a3f7b2c679150000000000000000c67178f2e372532b)
            mstore(add(t, 0x900), 0xca273eceea26619c0000000000000000d186b8c721c0c207)
            mstore(add(t, 0x920), 0xeada7dd6cde0eb1e0000000000000000f57d4f7fee6ed178)
            mstore(add(t, 0x940), 0x06f067aa72176fba00000000000000000a637dc5a2c898a6)
            mstore(add(t, 0x960), 0x113f9804bef90dae00000000000000001b710b35131c471b)
            mstore(add(t, 0x980), 0x28db77f523047d84000000000000000032caab7b40c72493)
            mstore(add(t, 0x9a0), 0x3c9ebe0a15c9bebc0000000000000000431d67c49c100d4c)
            mstore(add(t, 0x9c0), 0x4cc5d4becb3e42b60000000000000000597f299cfc657e2a)
            mstore(add(t, 0x9e0), 0x5fcb6fab3ad6faec00000000000000006c44198c4a475817)
            mstore(add(t, 0xa00), 0xcbbb9d5dc1059ed8000000000000000067332667ffc00b31)
            mstore(add(t, 0xa20), 0x629a292a367cd50700000000000000008eb44a8768581511)
            mstore(add(t, 0xa40), 0x9159015a3070dd170000000000000000db0c2e0d64f98fa7)
            mstore(add(t, 0xa60), 0x152fecd8f70e5939000000000000000047b5481dbefa4fa4)

            // A one bit, zeros (there is nothing behind the calldata), and the size in bits at the end of a block.
            let start := add(t, 0xac0)
            let end := add(start, size)
            calldatacopy(end, calldatasize(), 0x90)
            mstore8(end, 0x80)
            end := add(start, and(add(size, 0x90), not(0x7f)))
            mstore(sub(end, 0x20), or(mload(sub(end, 0x20)), shl(3, size)))
            mstore(add(t, 0xa80), start)
            mstore(add(t, 0xaa0), end)

            mstore(0x20, LANES)
            compress(t)
            let a := mload(add(t, 0xa00))
            let b := mload(add(t, 0xa20))
            let c := mload(add(t, 0xa40))
            let d := mload(add(t, 0xa60))
            head := or(or(shl(192, shr(128, a)), shl(128, shr(128, b))), or(shl(64, shr(128, c)), shr(128, d)))
            tail := or(shl(192, a), shl(128, and(b, LOW)))
        }
    }
}
