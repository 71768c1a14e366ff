import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouch.protocol.text import (
    MAX_SAFE_INTEGER,
    Json,
    NotJson,
    NotUtf8,
    decode_json,
    decode_text,
    encode_json,
    encode_text,
)

numbers = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER) | st.floats(
    allow_nan=False, allow_infinity=False
).filter(lambda x: not MAX_SAFE_INTEGER < abs(x) < 1e21)
strings = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | numbers | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=12,
)


@given(value=values)
def test_canonical_json_is_json_and_has_one_form(value: Json) -> None:
    data = encode_json(value)
    assert json.loads(data) == value
    assert encode_json(decode_json(data)) == data


@pytest.mark.parametrize(
    ("bits", "expected"),
    [  # RFC 8785, appendix B
        (0x0000000000000000, b"0"),
        (0x8000000000000000, b"0"),
        (0x0000000000000001, b"5e-324"),
        (0x8000000000000001, b"-5e-324"),
        (0x7FEFFFFFFFFFFFFF, b"1.7976931348623157e+308"),
        (0xFFEFFFFFFFFFFFFF, b"-1.7976931348623157e+308"),
        (0x44B52D02C7E14AF5, b"9.999999999999997e+22"),
        (0x44B52D02C7E14AF6, b"1e+23"),
        (0x44B52D02C7E14AF7, b"1.0000000000000001e+23"),
        (0x444B1AE4D6E2EF50, b"1e+21"),
        (0x3EB0C6F7A0B5ED8C, b"9.999999999999997e-7"),
        (0x3EB0C6F7A0B5ED8D, b"0.000001"),
        (0x41B3DE4355555553, b"333333333.3333332"),
        (0xBECBF647612F3696, b"-0.0000033333333333333333"),
    ],
)
def test_numbers_as_in_the_rfc(bits: int, expected: bytes) -> None:
    (value,) = struct.unpack(">d", bits.to_bytes(8, "big"))
    assert encode_json(value) == expected


def test_sorting_as_in_the_rfc() -> None:
    # RFC 8785, 3.2.3: keys by their UTF-16 code units
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    made = json.loads(encode_json(dict.fromkeys(keys, 0)))
    assert list(made) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_strings_as_in_the_rfc() -> None:
    assert encode_json('\u20ac$\u000f\nA\'B"\\\\"/') == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a":1,"a":2}',
        b"NaN",
        b"[Infinity]",
        b"1e999",
        b"9007199254740992",
        b"1" * 5000,
        b"[" * 70 + b"]" * 70,
    ],
)
def test_json_that_readers_disagree_about(data: bytes) -> None:
    with pytest.raises(NotJson):
        decode_json(data)


def test_json_nested_without_end() -> None:
    with pytest.raises(NotJson, match="nested deeper"):
        decode_json(b"[" * 200_000)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, 1e20, {1: 2}, {1, 2}, b"bytes"])
def test_values_without_json(value: object) -> None:
    with pytest.raises(NotJson):
        encode_json(value)  # type: ignore[arg-type]


@given(text=strings)
def test_text(text: str) -> None:
    assert decode_text(encode_text(text)) == text


def test_not_utf8() -> None:
    with pytest.raises(NotUtf8) as caught:
        decode_text(b"ab\xff")
    assert caught.value.offset == 2
    with pytest.raises(NotUtf8) as caught:
        encode_text("a\ud800")
    assert caught.value.offset == 1
    with pytest.raises(NotUtf8):
        encode_json({"\ud800": 1})
