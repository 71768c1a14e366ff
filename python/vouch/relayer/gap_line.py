"""A trust gap in one line, for people."""

import datetime as dt

from vouch.relayer.job import Job


def gap_line(job: Job, now: float) -> str:
    """Deadline and what is waited for; `now` in unix seconds. Empty unless the job is in its gap."""
    if not job.status.in_gap:
        return ""
    if job.prove_by is not None:
        deadline = f"proof due by {_moment(job.prove_by, now)}"
    elif job.challenge_by is not None:
        deadline = f"can be challenged until {_moment(job.challenge_by, now)}"
    else:
        deadline = "deadline not read yet"
    who = f" by {job.challenger}" if job.challenger else ""
    return f"{job.status}{who}, {deadline}; {job.reason}"


def _moment(at: int, now: float) -> str:
    clock = dt.datetime.fromtimestamp(at, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    left = round(at - now)
    return f"{clock} ({f'in {left} s' if left >= 0 else f'{-left} s ago'})"
