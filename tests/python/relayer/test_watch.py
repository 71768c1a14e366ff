"""When a job is looked at again."""

import time

import pytest

from vouch.relayer.watch import Watch


def test_when_the_time_on_chain_has_come_and_only_once() -> None:
    watch = Watch(due=100)
    watch.tick(100)
    assert not watch.wake.is_set(), "the last second belongs to the others"
    watch.tick(101)
    assert watch.wake.is_set()
    watch.wake.clear()
    watch.tick(200)
    assert not watch.wake.is_set()


def test_after_a_pause_that_doubles_until_there_is_news(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch, waited = Watch(), []
    for _ in range(4):
        watch.retry(1.0, 3.0)
        before = now[0]
        while not watch.wake.is_set():
            now[0] += 0.5
            watch.tick(0)
        waited.append(now[0] - before)
        watch.wake.clear()
    assert waited == [1.0, 2.0, 3.0, 3.0]
    watch.news()
    assert watch.wake.is_set()
    watch.wake.clear()
    watch.retry(1.0, 3.0)
    now[0] += 1.0
    watch.tick(0)
    assert watch.wake.is_set()
