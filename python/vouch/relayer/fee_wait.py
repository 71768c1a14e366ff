"""What has to wait until gas is cheaper than the cap, and whom that is told."""

import logging
from collections.abc import Iterable

from vouch.chain.fees import FeePolicy
from vouch.relayer.job import Job, TxKind
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)


class FeeWait:
    """Says it once for each request in its history, and loudly before a proof that waits is late."""

    def __init__(self, fees: FeePolicy, store: Store) -> None:
        self._fees, self._store = fees, store
        self._since: dict[bytes, int] = {}
        self.risks: dict[bytes, str] = {}
        """Requests whose proof waits although half of its time is over -> why."""

    def look(self, waiting: Iterable[tuple[TxKind, bytes]], now: int) -> None:
        """What these transactions would carry waits, queued or signed; `now` in unix seconds."""
        if not self._fees.trouble:
            self._since.clear()
            self.risks.clear()
            return
        waiting = list(waiting)
        for gone in self.risks.keys() - {job_id for _, job_id in waiting}:
            del self.risks[gone]
        for kind, job_id in waiting:
            if job_id in self._since and (kind is not TxKind.SETTLE or job_id in self.risks):
                continue
            job = self._store.get(job_id)
            if job is None or job.status.ended:
                continue
            if job_id not in self._since:
                self._since[job_id] = now
                self._store.note(job_id, job.status, f"{kind} waits: {self._fees.trouble}")
            # When half of the time is over, as for a proof that is not there yet.
            due = job.prove_by if kind is TxKind.SETTLE else None
            if due is not None and now >= (self._since[job_id] + due) // 2:
                self._warn(job, due - now)

    def _warn(self, job: Job, left: int) -> None:
        late = f"due in {left} s" if left >= 0 else f"{-left} s late"
        why = f"its proof is {late}, and waits: {self._fees.trouble}; or raise the cap"
        self.risks[job.id] = why
        _log.error("request 0x%s: %d token units of stake are at risk: %s", job.id.hex(), job.at_stake, why)
        self._store.note(job.id, job.status, f"stake at risk: {why}")
