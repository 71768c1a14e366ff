"""Amounts, durations and errors in words."""

import pytest

from vouch.cli.console import describe, duration, leaves, wei
from vouch.protocol.errors import VouchError


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 wei"),
        (999, "999 wei"),
        (1000, "0.000001 gwei"),
        (20 * 10**9, "20 gwei"),
        (10**18, "1 ether"),
        (15 * 10**17, "1.5 ether"),
        (-(10**18), "-1 ether"),
        (10**18 + 1, "1.000000000000000001 ether"),
    ],
)
def test_wei_is_exact(amount: int, text: str) -> None:
    assert wei(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0000005, "0 µs"), (0.0004, "400 µs"), (0.0123, "12.3 ms"), (2.5, "2.50 s")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_own_errors_are_their_message_others_have_a_name() -> None:
    assert describe(VouchError("so")) == "so"
    assert describe(VouchError()) == "VouchError"
    assert describe(OSError("so")) == "OSError: so"


def test_leaves() -> None:
    a, b = ValueError("a"), KeyError("b")
    assert list(leaves(ExceptionGroup("x", [ExceptionGroup("y", [a]), b]))) == [a, b]
    assert list(leaves(a)) == [a]
