import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouch.runtimes.nesting import NestedTooDeep, check_nesting


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


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
    check_nesting(json.dumps([[[value] for value in range(100)] for _ in range(1000)]).encode())


def test_brackets_in_strings_do_not_count() -> None:
    check_nesting(json.dumps(["[" * 500, '\\"' + "{" * 500, {"[" * 500: 1}]).encode())


@pytest.mark.parametrize(
    "data", [b"[" * 65, b"{" * 65, b'{"a":' * 65, b"[{" * 40, b'"' + b"[" * 65, b"]" * 99 + b"[" * 65]
)
def test_brackets_that_are_never_closed(data: bytes) -> None:
    with pytest.raises(NestedTooDeep):
        check_nesting(data)


@given(
    st.recursive(
        st.text('[]{}\\"x'),
        lambda inner: st.lists(inner) | st.dictionaries(st.text('[]{}"'), inner),
        max_leaves=40,
    ),
    st.integers(1, 6),
)
def test_same_as_counting_in_the_parsed_value(value: object, limit: int) -> None:
    data = json.dumps(value).encode()
    if depth_of(value) <= limit:
        check_nesting(data, limit)
    else:
        with pytest.raises(NestedTooDeep):
            check_nesting(data, limit)


def test_the_danger_is_real_and_averted() -> None:
    """The recursion limit is another one once eth_account is imported."""
    program = (
        "import eth_account, json, sys\n"
        "from vouch.runtimes.nesting import NestedTooDeep, check_nesting\n"
        "assert sys.getrecursionlimit() > 10_000\n"
        "data = b'[' * 1_000_000\n"
        "try:\n    check_nesting(data)\n"
        "except NestedTooDeep:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "refused"
