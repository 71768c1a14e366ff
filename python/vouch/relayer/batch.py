"""Answers that share one transaction, and the gas it needs."""

from collections.abc import Iterable

from vouch.chain.contracts import Fulfilment, Hub
from vouch.chain.transaction import MAX_TX_GAS, Call
from vouch.protocol.request import Request
from vouch.relayer.config import Limits
from vouch.relayer.job import Job

_BASE = 21_000
_PER_ITEM = 65_000
"""Everything of one fulfilment but the callback and what grows with the output: measured 45,000."""
_RESERVE = 15_000
"""The hub keeps 12,000 for recording the callback's outcome."""
_TERMS = 544 + 5 * 32 + 69
"""Calldata bytes of an item beside its output, at most 16 gas each."""
EXPIRE_GAS = 120_000


class Batch:
    """The jobs of one transaction. Gas limits are computed, not asked for: what is not used is not paid."""

    def __init__(self, hub: Hub, jobs: Iterable[Job] = ()) -> None:
        self._hub = hub
        self.jobs = list(jobs)
        self._reserved = 0

    def fits(self, job: Job, limits: Limits) -> bool:
        """True if the job may join; an empty batch takes any."""
        if not self.jobs:
            return True
        return len(self.jobs) < limits.batch_items and self._reserved + _upper(job) <= limits.batch_gas

    def add(self, job: Job) -> None:
        """Takes the job in."""
        self.jobs.append(job)
        self._reserved += _upper(job)

    def call(self) -> Call:
        """`fulfil` for one job, `fulfilMany` for more."""
        items = [
            Fulfilment(job.terms, answer.operator, answer.output, answer.seal)
            for job in self.jobs
            if (answer := job.answer) is not None
        ]
        if len(items) == 1:
            return self._hub.fulfil(items[0].request, items[0].operator, items[0].output, items[0].seal)
        return self._hub.fulfil_many(items)

    def gas(self) -> int:
        """Gas limit of the transaction, the floor price of its calldata included (EIP-7623)."""
        data = self.call().data
        zeros = data.count(0)
        tokens = zeros + 4 * (len(data) - zeros)
        execution = sum(item_gas(job.terms, _size(job)) for job in self.jobs)
        # The limits are generous, so one that is over the cap may still do; trying it says so.
        return min(max(_BASE + 4 * tokens + execution, _BASE + 10 * tokens), MAX_TX_GAS)


def item_gas(terms: Request, output_size: int) -> int:
    """Execution gas of one fulfilment, without its calldata."""
    words = output_size // 32 + 1
    grows = 8 * output_size + 24 * words + words * words // 512
    # EIP-150: the hub must still hold 64/63 of the callback's gas when it calls.
    return _PER_ITEM + _RESERVE + terms.callback_gas + terms.callback_gas // 63 + 1 + grows


def expected_gas(terms: Request, output_size: int = 32) -> int:
    """What a fulfilment costs at most, before there is an output."""
    return _BASE + 16 * (_TERMS + output_size) + item_gas(terms, output_size)


def _size(job: Job) -> int:
    return len(job.answer.output) if job.answer is not None else 0


def _upper(job: Job) -> int:
    # 40 gas per byte is the floor price, which counts only for large outputs with small callbacks.
    return _BASE + 40 * (_TERMS + _size(job)) + item_gas(job.terms, _size(job))
