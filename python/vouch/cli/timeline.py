"""One request as a table: what happened when, who did it, what it cost, and why it took its time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table

from vouch.cli.console import duration
from vouch.relayer.job import Job, JobStatus, Step


@dataclass(frozen=True, slots=True)
class Moment:
    """The end of one step; `at` is unix time in nanoseconds."""

    at: int
    step: str
    who: str
    why: str
    gas: int | None = None


def relayed(job: Job, steps: Sequence[Step], fulfil_gas: int | None) -> Iterator[Moment]:
    """What the relayer noted about a request."""
    ran = f"the model and its signature took {duration(job.answer.node_ns / 1e9)}" if job.answer else ""
    gap = any(step.status is JobStatus.DELIVERED for step in steps)
    for step in steps:
        match step.status:
            case JobStatus.SEEN:
                why = "woken by the chain's websocket; then it reads the event itself"
                yield Moment(step.at, "request seen", "relayer", why)
            case JobStatus.DISPATCHED:
                why = "fee, deadline and callback gas checked against the operator's terms"
                yield Moment(step.at, "question sent to the node", "relayer", why)
            case JobStatus.ANSWERED:
                why = f"{ran}; the node stores the claim before it gives it away"
                yield Moment(step.at, "answer and seal received", "node", why)
            case JobStatus.SENDING:
                why = "seal checked here, transaction tried on the newest state, signed, stored"
                yield Moment(step.at, "transaction signed", "relayer", why)
            case JobStatus.SENT if gap:
                why = "mined at once here; signature checked, stake locked until the proof is there"
                yield Moment(step.at, "delivered, not proven", "hub", why)
            case JobStatus.SENT:
                why = (
                    "mined at once here; seal checked, operator paid, consumer called back in one transaction"
                )
                yield Moment(step.at, "settled", "hub", why, fulfil_gas)
            case JobStatus.DONE:
                yield Moment(
                    step.at, "settlement read back", "relayer", "from the block's events; its job is done"
                )
            case _:
                yield Moment(step.at, step.status.value, "relayer", step.reason)


def table(start: int, moments: Sequence[Moment]) -> Table:
    """Moments in time order, since `start` (unix nanoseconds) and since the one before."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("step")
    made.add_column("after", justify="right")
    made.add_column("took", justify="right")
    made.add_column("gas", justify="right")
    made.add_column("who")
    made.add_column("why it took that", style="dim")
    before = start
    for moment in sorted(moments, key=lambda m: m.at):
        since, took = (moment.at - start) / 1e9, (moment.at - before) / 1e9
        gas = "" if moment.gas is None else f"{moment.gas:,}"
        made.add_row(moment.step, duration(since), duration(took), gas, moment.who, moment.why)
        before = moment.at
    return made
