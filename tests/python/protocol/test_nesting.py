import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouch.protocol.nesting import NestedTooDeep, check_nesting, loads_bounded


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def depth_of(value: object) -> int:
    match value:
        case list():
            return 1 + max(map(depth_of, value), default=0)
        case dict():
            return 1 + max(map(depth_of, value.values()), default=0)
    return 0


def test_the_limit_is_exact() -> None:
    check_nesting(nested(64))
    with pytest.raises(NestedTooDeep) as refused:
        check_nesting(nested(65))
    assert refused.value.limit == 64


def test_width_is_no_depth() -> None:
    check_nesting(json.dumps([[[value] for value in range(100)] for _ in range(1000)]))


def test_brackets_in_strings_do_not_count() -> None:
    check_nesting(json.dumps(["[" * 500, '\\"' + "{" * 500, {"[" * 500: 1}]))


@pytest.mark.parametrize("text", ["[" * 65, "{" * 65, '{"a":' * 65, "[{" * 40, "]" * 99 + "[" * 65])
def test_brackets_that_are_never_closed(text: str) -> None:
    with pytest.raises(NestedTooDeep):
        check_nesting(text)


@pytest.mark.parametrize("end", ["", "\\", '\\"', "é", "\ud800"])
def test_a_string_that_is_never_closed(end: str) -> None:
    check_nesting('["' + "[" * 65 + end)
    with pytest.raises(json.JSONDecodeError):
        loads_bounded('["' + "[" * 65 + end)


@given(
    st.recursive(
        st.text('[]{}\\"x'),
        lambda inner: st.lists(inner) | st.dictionaries(st.text('[]{}"'), inner),
        max_leaves=40,
    ),
    st.integers(1, 6),
)
def test_same_as_counting_in_the_parsed_value(value: object, limit: int) -> None:
    text = json.dumps(value)
    if depth_of(value) <= limit:
        check_nesting(text, limit)
    else:
        with pytest.raises(NestedTooDeep):
            check_nesting(text, limit)


@given(st.integers(60, 67), st.integers(0, 200))
def test_text_that_breaks_off_counts_as_if_it_were_closed(depth: int, more: int) -> None:
    text = "[" * depth + "[]," * more
    if depth + (more > 0) <= 64:
        check_nesting(text)
    else:
        with pytest.raises(NestedTooDeep):
            check_nesting(text)


@pytest.mark.parametrize("data", ['{"é": [1, 1.5, null]}', b'{"\xc3\xa9": [1, 1.5, null]}'])
def test_text_and_bytes(data: str | bytes) -> None:
    assert loads_bounded(data) == {"é": [1, 1.5, None]}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert loads_bounded(bytearray(b"\xef\xbb\xbf[1]")) == [1]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[1] [2]", nested(65).encode()])
def test_whatever_is_wrong_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads_bounded(data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_do_not_hide_brackets(encoding: str) -> None:
    # As UTF-16 bytes, "Ģ" looks like a quotation mark and everything after it like a string.
    hidden = f'["Ģ",{nested(1000)},"Ģ"]'
    with pytest.raises(ValueError, match=r"utf-8|Expecting|JSON"):
        loads_bounded(hidden.encode(encoding))


def test_hooks_are_those_of_the_parser() -> None:
    hooked = loads_bounded('{"a": 1}', object_pairs_hook=tuple, parse_int=str)
    assert hooked == (("a", "1"),)


def test_the_danger_is_real_and_averted() -> None:
    """The recursion limit is another one once eth_account is imported."""
    program = (
        "import eth_account, sys\n"
        "from vouch.protocol.nesting import NestedTooDeep, loads_bounded\n"
        "assert sys.getrecursionlimit() > 10_000\n"
        "try:\n    loads_bounded(b'[' * 1_000_000)\n"
        "except NestedTooDeep:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "refused"
