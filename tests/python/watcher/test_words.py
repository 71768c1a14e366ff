"""Amounts, times and strangers' text."""

import pytest

from tests.python.watcher.making import HUB
from vouch.watcher.words import clock, money, plain


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 wei"),
        (10**12 - 1, "999999999999 wei"),
        (10**12, "0.000001 ether"),
        (10**16, "0.01 ether"),
        (3 * 10**18, "3 ether"),
        (10**18 + 1, "1.000000000000000001 ether"),
    ],
)
def test_native_money_is_exact(amount: int, text: str) -> None:
    assert money(amount) == text


def test_tokens_have_units_only() -> None:
    assert money(10**18, HUB) == f"1000000000000000000 units of {HUB}"


def test_times_are_utc() -> None:
    assert clock(0) == "1970-01-01 00:00:00 UTC"


def test_what_strangers_write_cannot_steer_a_terminal() -> None:
    assert plain("risk\x1b[2J\r\n\u202e!") == "risk\ufffd[2J\ufffd\ufffd\ufffd!"
    assert plain("x" * 500) == "x" * 299 + "…"
