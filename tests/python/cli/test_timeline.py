"""The table of one request."""

from rich.console import Console

from tests.support.terms import make_terms
from vouch.cli.timeline import Moment, relayed, table
from vouch.relayer.job import Job, JobStatus, Step


def lines(moments: list[Moment]) -> list[str]:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table(1_000_000_000, moments))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_times_are_since_the_start_and_since_the_step_before() -> None:
    moments = [
        Moment(1_030_000_000, "second", "node", "the model ran"),
        Moment(1_010_000_000, "first", "user", "", gas=61_234),
    ]
    header, first, second = lines(moments)
    assert header.split()[:4] == ["step", "after", "took", "gas"]
    assert first.split() == ["first", "10.0", "ms", "10.0", "ms", "61,234", "user"]
    assert second.split()[:5] == ["second", "30.0", "ms", "20.0", "ms"]
    assert second.endswith("the model ran")


def told(*statuses: JobStatus) -> list[tuple[str, int | None]]:
    """What is told about a job with this history, and the gas beside it."""
    steps = [Step(i, status, "why") for i, status in enumerate(statuses)]
    job = Job(
        id=bytes(32),
        terms=make_terms(),
        packed=b"",
        input=b"",
        status=statuses[-1],
        reason="",
        own=True,
        block=1,
        block_hash=bytes(32),
        tx=bytes(32),
        attempts=0,
        answer=None,
        end_block=None,
        end_tx=None,
        callback_failure=None,
    )
    return [(moment.step, moment.gas) for moment in relayed(job, steps, 79_000)]


def test_without_a_gap_one_transaction_settles() -> None:
    assert told(JobStatus.SEEN, JobStatus.SENDING, JobStatus.SENT, JobStatus.DONE) == [
        ("request seen", None),
        ("transaction signed", None),
        ("settled", 79_000),
        ("settlement read back", None),
    ]


def test_with_a_gap_the_transaction_that_the_job_waits_for_only_delivers() -> None:
    gap = (JobStatus.DELIVERED, JobStatus.CHALLENGED)
    assert told(JobStatus.SENDING, JobStatus.SENT, *gap, JobStatus.DONE) == [
        ("transaction signed", None),
        ("delivered, not proven", None),
        ("delivered", None),
        ("challenged", None),
        ("settlement read back", None),
    ]
