"""When keys are attested anew, and how long a try that failed is left alone."""

import pytest

from vouch.relayer.renewal import LIFE, Backoff, Renewal

NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("margin", "fraction", "life", "left"),
    [
        (1200, 0.25, LIFE, 2700),  # a quarter of three hours is more
        (1200, 0.05, LIFE, 1200),
        (3600, 0.25, LIFE, 3600),
        (1200, 0.25, 600, 300),  # half of a short life is used first
        (1200, 0.9, LIFE, LIFE // 2),
        (0, 0.0, LIFE, 0),
    ],
)
def test_the_earlier_of_two_moments(margin: float, fraction: float, life: int, left: int) -> None:
    assert NOW - Renewal(margin, fraction).due_at(NOW, life) == left


def test_pauses_double_up_to_a_limit() -> None:
    backoff = Backoff(first=2.0, most=7.0)
    until = []
    for _ in range(4):
        backoff.failed(100.0)
        until.append(backoff.until)
    assert until == [102.0, 104.0, 107.0, 107.0]
    backoff.clear()
    assert backoff.until == 0.0
    backoff.failed(100.0)
    assert backoff.until == 102.0


def test_a_pause_without_a_failure_does_not_grow() -> None:
    backoff = Backoff(first=2.0, most=7.0)
    backoff.failed(100.0)
    backoff.later(100.0, 60.0)
    assert backoff.until == 160.0
    backoff.failed(200.0)
    assert backoff.until == 202.0
