"""Answers that share one transaction."""

from collections.abc import Iterable

from vouch.chain.contracts import Fulfilment, Hub
from vouch.chain.transaction import Call
from vouch.relayer import gas
from vouch.relayer.config import Limits
from vouch.relayer.job import Job


class Batch:
    """The jobs of one transaction, with the gas it needs; all of them have an answer and its seal."""

    def __init__(self, hub: Hub, jobs: Iterable[Job] = ()) -> None:
        self._hub = hub
        self.jobs = list(jobs)
        self._reserved = 0

    def fits(self, job: Job, limits: Limits) -> bool:
        """True if the job may join; an empty batch takes any."""
        if not self.jobs:
            return True
        return len(self.jobs) < limits.batch_items and self._reserved + gas.upper(job) <= limits.batch_gas

    def add(self, job: Job) -> None:
        """Takes the job in."""
        self.jobs.append(job)
        self._reserved += gas.upper(job)

    def call(self) -> Call:
        """`fulfil` for one job, `fulfilMany` for more."""
        items = self._items()
        if len(items) == 1:
            return self._hub.fulfil(items[0].request, items[0].operator, items[0].output, items[0].seal)
        return self._hub.fulfil_many(items)

    def gas(self) -> int:
        """Gas limit of the transaction."""
        execution = sum(
            gas.fulfilment(item.request, len(item.output), len(item.seal)) for item in self._items()
        )
        return gas.limit(self.call(), execution)

    def _items(self) -> list[Fulfilment]:
        return [
            Fulfilment(job.terms, answer.operator, answer.output, answer.seal)
            for job in self.jobs
            if (answer := job.answer) is not None and answer.seal is not None
        ]
