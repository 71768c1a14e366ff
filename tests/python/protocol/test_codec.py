import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vouch.protocol.codec import (
    MissingTensor,
    NotNumeric,
    NotWholeWords,
    UnknownTensor,
    WrongShape,
    WrongSize,
    batch_of,
    decode_tensors,
    encode_tensors,
)
from vouch.protocol.errors import VouchError
from vouch.protocol.fixed import (
    INT256_MAX,
    INT256_MIN,
    Inexact,
    NotFinite,
    OutOfRange,
    from_real,
    to_float32,
    to_float64,
)
from vouch.protocol.manifest import DTYPES, TensorSpec

INTEGERS = [name for name in DTYPES if "INT" in name]
ONE = 10**18


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big", signed=True) for value in values)


def spec(dtype: str = "FP32", *shape: int | None, scale: int = 18, name: str = "x") -> TensorSpec:
    return TensorSpec(name, dtype, shape or (None,), scale)


def test_layout() -> None:
    specs = [spec("FP32", None, 2, name="a"), spec("BOOL", 1, scale=0, name="b")]
    data = encode_tensors(specs, {"b": [True], "a": [[1.5, -2], [0.25, 0]]})
    assert data == words(3 * ONE // 2, -2 * ONE, ONE // 4, 0, 1)
    made = decode_tensors(specs, data)
    assert list(made) == ["a", "b"]
    assert made["a"].dtype == np.float32
    assert made["a"].tolist() == [[1.5, -2], [0.25, 0]]
    assert made["b"].dtype == np.bool_
    assert made["b"].tolist() == [True]


@given(
    rows=hnp.arrays(np.float64, st.tuples(st.integers(1, 8), st.just(3)), elements=st.floats(-5e59, 5e59)),
    scale=st.integers(0, 17),
)
def test_fp64_words_are_the_nearest(rows: np.ndarray, scale: int) -> None:
    it = spec("FP64", None, 3, scale=scale)
    data = encode_tensors([it], {"x": rows})
    expected = [from_real(float(x), scale) for x in rows.reshape(-1)]
    assert data == words(*expected)
    back = decode_tensors([it], data)["x"]
    assert back.shape == rows.shape
    assert back.reshape(-1).tolist() == [to_float64(word, scale) for word in expected]


@given(
    odds=st.lists(st.integers(-(2**40), 2**40).map(lambda n: 2 * n + 1), min_size=1), scale=st.integers(0, 36)
)
def test_ties_go_to_the_even_word(odds: list[int], scale: int) -> None:
    # odd / 2**(scale + 1), times 10**scale, is a whole number and a half
    values = [math.ldexp(odd, -(scale + 1)) for odd in odds]
    halves = [odd * 5**scale for odd in odds]
    expected = [(half - 1) // 2 + ((half - 1) // 2 % 2) for half in halves]
    assert encode_tensors([spec("FP64", scale=scale)], {"x": values}) == words(*expected)


@given(values=st.lists(st.integers(-(10**50), 10**50), min_size=1), scale=st.integers(20, 36))
def test_fp32_numbers_are_the_nearest(values: list[int], scale: int) -> None:
    # odd multiples of 2**24 and beyond, where a float64 in between would round twice
    values = [v * 2**24 + d for v in values for d in (-1, 0, 1)]
    made = decode_tensors([spec("FP32", scale=scale)], words(*values))["x"]
    assert made.tolist() == [float(to_float32(v, scale)) for v in values]


def test_fp16() -> None:
    it = spec("FP16")
    tie = 2049 * ONE  # between 2048 and 2050
    assert decode_tensors([it], words(tie, tie + 1, -tie - 1))["x"].tolist() == [2048, 2050, -2050]
    subnormal = from_real(2.0**-24 * 1.5, 36)
    it = spec("FP16", scale=36)
    assert decode_tensors([it], words(subnormal, subnormal + 1, subnormal - 1))["x"].tolist() == [
        2.0**-23,
        2.0**-23,
        2.0**-24,
    ]
    with pytest.raises(OutOfRange):
        decode_tensors([spec("FP16")], words(65520 * ONE))
    assert decode_tensors([spec("FP16")], words(65520 * ONE - 1))["x"].tolist() == [65504]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_to_their_ends(dtype: str) -> None:
    info = np.iinfo(DTYPES[dtype])
    low, high = int(info.min), int(info.max)
    for given_as in ([low, high], np.array([low, high], DTYPES[dtype]), [Decimal(low), Fraction(high)]):
        data = encode_tensors([spec(dtype, scale=0)], {"x": given_as})
        assert data == words(low, high)
    assert decode_tensors([spec(dtype, scale=0)], words(low, high))["x"].tolist() == [low, high]
    for bad in (low - 1, high + 1):
        with pytest.raises(OutOfRange) as caught:
            encode_tensors([spec(dtype, scale=0)], {"x": [0, bad]})
        error = caught.value
        received = (error.tensor, error.index, error.value, error.minimum, error.maximum)
        assert received == ("x", 1, bad, low, high)
        with pytest.raises(OutOfRange) as caught:
            decode_tensors([spec(dtype, scale=0)], words(0, bad))
        assert (caught.value.tensor, caught.value.index, caught.value.value) == ("x", 1, bad)


def test_integers_with_decimals() -> None:
    it = spec("INT32", scale=18)
    assert encode_tensors([it], {"x": [3, -4]}) == words(3 * ONE, -4 * ONE)
    assert decode_tensors([it], words(3 * ONE))["x"].tolist() == [3]
    with pytest.raises(Inexact) as caught:
        decode_tensors([it], words(3 * ONE + 1))
    assert (caught.value.tensor, caught.value.index, caught.value.value) == ("x", 0, 3 * ONE + 1)


def test_whole_floats_are_integers_and_others_are_not() -> None:
    it = spec("INT64", scale=0)
    assert encode_tensors([it], {"x": [2.0, 2**53 + 1]}) == words(2, 2**53 + 1)
    with pytest.raises(Inexact) as caught:
        encode_tensors([it], {"x": [1, 2.5]})
    assert (caught.value.index, caught.value.value) == (1, 2.5)


def test_bool_is_zero_or_one() -> None:
    it = spec("BOOL", scale=0)
    assert encode_tensors([it], {"x": [1, 0]}) == words(1, 0)
    for call in (lambda: encode_tensors([it], {"x": [2]}), lambda: decode_tensors([it], words(2))):
        with pytest.raises(OutOfRange) as caught:
            call()
        assert (caught.value.value, caught.value.minimum, caught.value.maximum) == (2, 0, 1)


@pytest.mark.parametrize(
    "values", [[Decimal("0.5"), 2], [Fraction(1, 2), 2], [0.5, 2], np.array([0.5, 2]), (0.5, 2)]
)
def test_whatever_is_a_number(values: Any) -> None:
    assert encode_tensors([spec("FP64")], {"x": values}) == words(ONE // 2, 2 * ONE)


def test_floats_are_taken_as_they_are_and_decimals_as_written() -> None:
    data = encode_tensors([spec("FP64")], {"x": [0.1, Decimal("0.1")]})
    assert data == words(100_000_000_000_000_006, 100_000_000_000_000_000)
    assert decode_tensors([spec("FP64")], data)["x"].tolist() == [0.1, 0.1]


def test_large_integers_stay_exact() -> None:
    assert encode_tensors([spec("FP64")], {"x": [2**60 + 1]}) == words((2**60 + 1) * ONE)
    assert encode_tensors([spec("FP64", scale=0)], {"x": [2**200 + 1]}) == words(2**200 + 1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", ["FP32", "FP64", "INT32"])
@pytest.mark.parametrize("kind", [list, np.array, lambda values: [Decimal(v) for v in values]])
def test_not_finite(bad: float, dtype: str, kind: Any) -> None:
    with pytest.raises(NotFinite, match="element 2") as caught:
        encode_tensors([spec(dtype)], {"x": kind([0.0, 1.0, bad, bad])})
    assert (caught.value.tensor, caught.value.index) == ("x", 2)
    assert caught.value.value == bad or math.isnan(bad)


@pytest.mark.parametrize(
    ("dtype", "bad"),
    [("FP16", 65505.0), ("FP32", 1e39), ("FP32", -1e39), ("FP64", 1e300), ("FP64", 10**60), ("FP32", 2**255)],
)
def test_numbers_that_do_not_fit(dtype: str, bad: float) -> None:
    with pytest.raises(OutOfRange) as caught:
        encode_tensors([spec(dtype)], {"x": [0, bad]})
    error = caught.value
    assert (error.tensor, error.index, error.value) == ("x", 1, bad)
    assert not error.minimum <= bad <= error.maximum


def test_words_that_do_not_fit() -> None:
    with pytest.raises(OutOfRange) as caught:
        decode_tensors([spec("FP32", scale=0)], words(1, INT256_MIN))
    assert (caught.value.tensor, caught.value.index) == ("x", 1)
    assert decode_tensors([spec("FP64", scale=0)], words(INT256_MAX))["x"].tolist() == [2.0**255]


@pytest.mark.parametrize(
    ("shape", "value", "received"),
    [
        ((None, 5), [[1, 2, 3, 4]], (1, 4)),
        ((None, 5), [1, 2, 3, 4], (4,)),
        ((None, 5), [[[1, 2, 3, 4, 5]]], (1, 1, 5)),
        ((None, 2), np.zeros((0, 2)), (0, 2)),
        ((2, 2), [[1, 2]], (1, 2)),
        ((2,), 1, ()),
        ((None, 2), [[1, 2], [3]], None),
    ],
)
def test_wrong_shape(shape: tuple[int | None, ...], value: Any, received: tuple[int, ...] | None) -> None:
    with pytest.raises(WrongShape) as caught:
        encode_tensors([spec("FP32", *shape)], {"x": value})
    assert (caught.value.tensor, caught.value.received, caught.value.expected) == ("x", received, shape)


def test_one_item_needs_no_batch_axis() -> None:
    it = spec("FP32", None, 2)
    assert encode_tensors([it], {"x": [1, 2]}) == encode_tensors([it], {"x": [[1, 2]]})
    assert encode_tensors([spec("FP32", None)], {"x": 7}) == words(7 * ONE)


def test_batches_agree() -> None:
    specs = [spec("FP32", None, 1, name="a"), spec("FP32", 2, None, name="b")]
    assert len(encode_tensors(specs, {"a": [[1], [2]], "b": [[1, 2], [3, 4]]})) == 6 * 32
    with pytest.raises(WrongShape, match="2 batch items"):
        encode_tensors(specs, {"a": [[1], [2]], "b": [[1], [2]]})


def test_names() -> None:
    specs = [spec(name="a"), spec(name="b")]
    with pytest.raises(MissingTensor) as missing:
        encode_tensors(specs, {"a": [1]})
    assert (missing.value.tensor, missing.value.received) == ("b", ["a"])
    with pytest.raises(UnknownTensor) as unknown:
        encode_tensors(specs, {"a": [1], "b": [1], "c": [1]})
    assert (unknown.value.tensor, unknown.value.expected) == ("c", ["a", "b"])


@pytest.mark.parametrize("bad", ["1", b"1", None, {"y": 1}, 1j])
def test_not_numeric(bad: Any) -> None:
    for value in ([bad], [1, bad]):
        with pytest.raises(NotNumeric) as caught:
            encode_tensors([spec("FP32")], {"x": value})
        assert caught.value.tensor == "x"


def test_sizes() -> None:
    batched, whole = spec("FP32", None, 5), spec("FP32", 3, name="y")
    assert batch_of([batched, whole], 13 * 32) == 2
    assert batch_of([whole], 3 * 32) == 1
    with pytest.raises(NotWholeWords) as cut:
        decode_tensors([batched], b"\0" * 159)
    assert cut.value.size == 159
    for specs, count in (([batched], 0), ([batched], 6), ([whole], 4), ([whole], 2), ([batched, whole], 3)):
        with pytest.raises(WrongSize) as caught:
            decode_tensors(specs, words(*range(count)))
        assert caught.value.received == count


@given(data=st.binary(max_size=400), dtype=st.sampled_from(sorted(DTYPES)), scale=st.integers(0, 36))
def test_any_bytes_are_decoded_or_refused_by_name(data: bytes, dtype: str, scale: int) -> None:
    it = spec(dtype, None, 2, scale=scale)
    try:
        made = decode_tensors([it], data)["x"]
    except VouchError:
        return
    assert made.dtype == DTYPES[dtype]
    assert made.size * 32 == len(data)
