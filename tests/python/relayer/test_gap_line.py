"""The one line about a trust gap."""

from dataclasses import replace

import pytest

from tests.python.relayer.making import CHALLENGER, make_job
from vouch.relayer.gap_line import gap_line
from vouch.relayer.job import Job, JobStatus

DELIVERED = replace(make_job(), status=JobStatus.DELIVERED, reason="because")
CHALLENGED = replace(DELIVERED, status=JobStatus.CHALLENGED, challenger=CHALLENGER)
NOW = 1_700_000_000.4


@pytest.mark.parametrize(
    ("job", "line"),
    [
        (make_job(), ""),
        (DELIVERED, "delivered, deadline not read yet; because"),
        (
            replace(DELIVERED, prove_by=1_700_000_060),
            "delivered, proof due by 2023-11-14 22:14:20 UTC (in 60 s); because",
        ),
        (
            replace(DELIVERED, challenge_by=1_700_000_060),
            "delivered, can be challenged until 2023-11-14 22:14:20 UTC (in 60 s); because",
        ),
        (
            replace(CHALLENGED, prove_by=1_699_999_990),
            f"challenged by {CHALLENGER}, proof due by 2023-11-14 22:13:10 UTC (10 s ago); because",
        ),
    ],
)
def test_deadline_and_reason(job: Job, line: str) -> None:
    assert gap_line(job, NOW) == line
