"""The chain's time is never guessed too late where that would cost a request."""

import time

import pytest

from vouch.chain.clock import ChainClock


def test_time_runs_on_from_the_newest_block(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = ChainClock()
    clock.observe(1_000)
    now[0] += 12.5
    clock.observe(1_000)
    assert clock.at_least() == 1_012
    clock.observe(1_005)
    assert clock.at_least() == 1_005


def test_how_long_there_was_no_block(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = ChainClock()
    clock.observe(1_000)
    now[0] += 12.5
    assert (clock.newest, clock.quiet_for) == (1_000, 12.5)
    clock.observe(1_012)
    assert (clock.newest, clock.quiet_for) == (1_012, 0.0)


def test_how_long_a_block_takes() -> None:
    clock = ChainClock()
    clock.observe(1_000)
    clock.observe(900)  # a fork
    before = clock.block_time
    assert before is None, "one block says nothing"
    for newest in (912, 912, 924, 948, 960, 9_000, 9_012):
        clock.observe(newest)
    assert clock.block_time == 12, "a missed slot and a long sleep change nothing"


def test_an_old_block_does_not_make_it_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 5_000.0)
    clock = ChainClock()
    clock.observe(1_000)
    assert clock.at_least() < 5_000
    assert clock.probably() == 5_000
