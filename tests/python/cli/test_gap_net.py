"""Waiting for things, and reading what the watcher printed."""

import asyncio

import pytest

from vouch.cli.gap_net import Overdue, newest_line, until, within

ONE, TWO = b"\x12" * 32, b"\x34" * 32
LOG = (
    f"watching hub 0x{ONE.hex()} on chain 31337\n"
    f"11:22:33 same      0x{ONE.hex()} operator 0xA: risk says so too; must be proven by …\n"
    f"11:22:34 challenge 0x{TWO.hex()} operator 0xB: risk says something else\n"
    f"11:22:35 challenge 0x{TWO.hex()} again\n"
    "\n"
)


def test_the_newest_line_of_a_kind_about_a_request() -> None:
    assert newest_line(LOG, "same", ONE) == "operator 0xA: risk says so too; must be proven by …"
    assert newest_line(LOG, "challenge", TWO) == "again"
    assert newest_line(LOG, "challenge", ONE) == ""
    assert newest_line(LOG, "won", TWO) == ""
    assert newest_line("", "same", ONE) == ""


async def test_until_something_is_true() -> None:
    asked = iter((False, False, True))

    async def third() -> bool:
        return next(asked)

    await until(third, "the third time")
    assert list(asked) == []


async def test_what_does_not_happen_is_named() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(Overdue, match=r"waited 0\.1 s for this, and it did not happen: the moon"):
        await until(never, "the moon", seconds=0.1)
    with pytest.raises(Overdue, match="the sun"):
        await within(asyncio.sleep(30), "the sun", seconds=0.1)


async def test_what_comes_in_time_is_given_back_and_errors_stay_what_they_are() -> None:
    assert await within(asyncio.sleep(0, result=7), "seven") == 7

    async def wrong() -> None:
        raise KeyError("other")

    with pytest.raises(KeyError, match="other"):
        await within(wrong(), "nothing")
