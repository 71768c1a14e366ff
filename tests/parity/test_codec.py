"""The fixed-point codec is the same in Python and in Solidity, errors included."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parity.harness import Harness, Reverted, assert_same, outcome
from vouch.protocol import fixed
from vouch.protocol.codec import decode_tensors, encode_tensors
from vouch.protocol.fixed import INT256_MAX, INT256_MIN, UINT256_MAX
from vouch.protocol.manifest import TensorSpec

BATCH = 60
many = settings(max_examples=25, deadline=None)

decimals = st.one_of(st.integers(0, 36), st.just(18), st.integers(37, 255))
near = st.integers(-3, 3)
int256 = st.one_of(
    st.integers(INT256_MIN, INT256_MAX),
    st.integers(-(10**40), 10**40),
    st.integers(-1000, 1000),
    # around powers of ten and their halves, where rounding ties
    st.builds(lambda k, m, d: m * 10**k // 2 + d, st.integers(0, 60), st.integers(-999, 999), near),
    st.builds(lambda d: INT256_MAX - d, st.integers(0, 3)),
    st.builds(lambda d: INT256_MIN + d, st.integers(0, 3)),
).filter(lambda n: INT256_MIN <= n <= INT256_MAX)


def ties(mantissa_bits: int) -> st.SearchStrategy[tuple[int, int]]:
    """(value, decimals) at, or a unit beside, the middle between two floats of that many mantissa bits."""
    odd = st.integers(2**mantissa_bits, 2 ** (mantissa_bits + 1) - 1).map(lambda n: 2 * n + 1)
    made = st.builds(
        lambda n, sign, e, d, places: (sign * n * 2**e * 10**places + d, places),
        odd,
        st.sampled_from([1, -1]),
        st.integers(0, 90),
        near,
        st.integers(0, 36),
    )
    return made.filter(lambda pair: INT256_MIN <= pair[0] <= INT256_MAX)


# at, or a unit beside, the first number that float32 has no room for
overflows = st.builds(
    lambda sign, d, places: (sign * ((2**128 - 2**103) * 10**places + d), places),
    st.sampled_from([1, -1]),
    near,
    st.integers(0, 36),
)
numbers = st.one_of(st.tuples(int256, decimals), ties(23), ties(52), overflows)


def bits32(x: float) -> int:
    return int.from_bytes(struct.pack(">f", x), "big")


def bits64(x: float) -> int:
    return int.from_bytes(struct.pack(">d", x), "big")


# odd · 2**-(d+1) times 10**d is a whole number and a half
ties32 = st.builds(
    lambda m, d: bits32((2 * m + 1) * 2.0 ** -(d + 1)), st.integers(-(2**22), 2**22), st.integers(0, 36)
)
ties64 = st.builds(
    lambda m, d: bits64((2 * m + 1) * 2.0 ** -(d + 1)), st.integers(-(2**51), 2**51), st.integers(0, 36)
)
float32 = st.one_of(st.integers(0, 2**32 - 1), st.floats(width=32).map(bits32), ties32)
float64 = st.one_of(st.integers(0, 2**64 - 1), st.floats().map(bits64), ties64)


def batches(*parts: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    return st.lists(st.tuples(*parts), min_size=1, max_size=BATCH)


async def compare(solidity: Harness, name: str, python: Any, cases: Sequence[tuple[Any, ...]]) -> None:
    for args, theirs in zip(cases, await solidity.calls(name, cases), strict=True):
        assert_same(outcome(python, *args), theirs, args)


@many
@given(cases=batches(int256, decimals, decimals))
async def test_rescale(solidity: Harness, cases: list[tuple[Any, ...]]) -> None:
    await compare(solidity, "rescale", fixed.rescale, cases)


@many
@given(cases=batches(int256, decimals, decimals))
async def test_rescale_half_even(solidity: Harness, cases: list[tuple[Any, ...]]) -> None:
    await compare(solidity, "rescaleHalfEven", fixed.rescale_half_even, cases)


@many
@given(cases=batches(int256, st.one_of(st.integers(0, UINT256_MAX), st.integers(0, 10**20))))
async def test_to_uint(solidity: Harness, cases: list[tuple[Any, ...]]) -> None:
    await compare(solidity, "toUint", fixed.to_uint, cases)


@many
@given(cases=batches(st.one_of(st.integers(0, UINT256_MAX), int256.map(abs))))
async def test_to_int(solidity: Harness, cases: list[tuple[Any, ...]]) -> None:
    await compare(solidity, "toInt", fixed.to_int, cases)


@many
@given(cases=batches(float32, decimals))
async def test_from_float32(solidity: Harness, cases: list[tuple[Any, ...]]) -> None:
    await compare(solidity, "fromFloat32", fixed.float32_bits_to_fixed, cases)


@many
@given(cases=batches(float64, decimals))
async def test_from_float64(solidity: Harness, cases: list[tuple[Any, ...]]) -> None:
    await compare(solidity, "fromFloat64", fixed.float64_bits_to_fixed, cases)


@many
@given(cases=st.lists(numbers, min_size=1, max_size=BATCH))
async def test_to_float32(solidity: Harness, cases: list[tuple[Any, ...]]) -> None:
    await compare(solidity, "toFloat32", fixed.fixed_to_float32_bits, cases)


@many
@given(cases=st.lists(numbers, min_size=1, max_size=BATCH))
async def test_to_float64(solidity: Harness, cases: list[tuple[Any, ...]]) -> None:
    await compare(solidity, "toFloat64", fixed.fixed_to_float64_bits, cases)


@many
@given(
    rows=st.lists(st.tuples(*[st.floats(-(2.0**100), 2.0**100)] * 3), min_size=1, max_size=20),
    scale=st.integers(0, 36),
)
async def test_encoded_tensors_are_what_solidity_makes_of_the_floats(
    solidity: Harness, rows: list[tuple[float, ...]], scale: int
) -> None:
    spec = TensorSpec("x", "FP64", (None, 3), scale)
    words = await solidity.calls("fromFloat64", [(bits64(x), scale) for row in rows for x in row])
    assert encode_tensors([spec], {"x": rows}) == await solidity.call("encode", words)


@many
@given(words=st.lists(int256, min_size=1, max_size=BATCH), scale=st.integers(0, 36))
async def test_decoded_tensors_are_what_solidity_makes_of_the_words(
    solidity: Harness, words: list[int], scale: int
) -> None:
    bits = await solidity.calls("toFloat32", [(word, scale) for word in words])
    fits = [i for i, b in enumerate(bits) if not isinstance(b, Reverted)]
    spec = TensorSpec("x", "FP32", (None,), scale)
    data = await solidity.call("encode", [words[i] for i in fits])
    if fits:
        made = decode_tensors([spec], data)["x"]
        assert made.view(np.uint32).tolist() == [bits[i] for i in fits]
    for i in set(range(len(words))) - set(fits):
        with pytest.raises(fixed.OutOfRange):
            decode_tensors([spec], words[i].to_bytes(32, "big", signed=True))


@many
@given(first=st.lists(int256, max_size=9), second=st.lists(int256, min_size=1, max_size=9))
async def test_tensors_follow_each_other(solidity: Harness, first: list[int], second: list[int]) -> None:
    data = await solidity.call("encodeMany", [first, second])
    assert data == b"".join(n.to_bytes(32, "big", signed=True) for n in first + second)
    assert list(await solidity.call("decode", data)) == first + second
    assert list(await solidity.call("slice", data, len(first), len(second))) == second
    assert await solidity.call("element", data, len(first)) == second[0]


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("decode", (b"\0" * 33,), Reverted("NotWholeWords", (33,))),
        ("decodeExactly", (b"\0" * 64, 3), Reverted("WrongSize", (2, 3))),
        ("decodeExactly", (b"\0" * 64, 2), (0, 0)),
        ("element", (b"\0" * 64, 2), Reverted("IndexOutOfRange", (2, 2))),
        ("slice", (b"\0" * 64, 1, 2), Reverted("SliceOutOfRange", (1, 2, 2))),
        ("slice", (b"\0" * 64, 3, 0), Reverted("SliceOutOfRange", (3, 0, 2))),
        ("slice", (b"\0" * 64, 1, UINT256_MAX), Reverted("SliceOutOfRange", (1, UINT256_MAX, 2))),
        ("slice", (b"\0" * 64, 2, 0), ()),
    ],
)
async def test_tensor_bytes_of_the_wrong_size(
    solidity: Harness, name: str, args: tuple[Any, ...], expected: Any
) -> None:
    assert await solidity.call(name, *args) == expected
