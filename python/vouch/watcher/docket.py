"""All requests that have not ended long ago, kept from the hub's logs alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from vouch.chain.events import (
    ChallengedLog,
    DeliveredLog,
    ExpiredLog,
    MalformedLog,
    RejectedLog,
    RequestedLog,
    SettledLog,
    TypedLog,
)
from vouch.protocol.keccak import keccak
from vouch.protocol.status import Status
from vouch.watcher.case import Answer, Case, Challenge, Delivery, End, Place

KINDS: tuple[type[TypedLog], ...] = (
    RequestedLog,
    DeliveredLog,
    ChallengedLog,
    SettledLog,
    RejectedLog,
    ExpiredLog,
)
"""The events that the docket is made of."""

_ENDS = {SettledLog: Status.SETTLED, RejectedLog: Status.REJECTED, ExpiredLog: Status.EXPIRED}
_LATE = 3600
"""Seconds after deliverBy in which a fork might still bring a delivery."""


class Docket:
    """Cases by request id. `take` and `rewind` note which ones changed; `changed` hands those over."""

    def __init__(self, keep_blocks: int) -> None:
        self._keep = keep_blocks
        self._cases: dict[bytes, Case] = {}
        self._ended: dict[bytes, int] = {}
        self._changed: dict[bytes, None] = {}
        self._closed: list[Case] = []
        self.orphans: list[bytes] = []
        """Requests that were delivered, but asked before the first block that was read."""

    def __len__(self) -> int:
        return len(self._cases)

    def __contains__(self, request: object) -> bool:
        return request in self._cases

    def get(self, request: bytes) -> Case | None:
        return self._cases.get(request)

    def cases(self) -> Iterator[Case]:
        """All of them, open or not; the docket may change meanwhile."""
        return iter(list(self._cases.values()))

    def changed(self) -> list[bytes]:
        """Ids of what has changed since the last call, in the chain's order."""
        ids, self._changed = list(self._changed), {}
        return ids

    def closed(self) -> list[Case]:
        """Challenged requests that were forgotten since the last call: their end is final."""
        cases, self._closed = self._closed, []
        return cases

    def take(self, logs: Sequence[TypedLog | MalformedLog], up_to: int) -> None:
        """Takes in the logs of the next blocks, the last of which is `up_to`."""
        for log in logs:
            self._take(log)
        for request, block in list(self._ended.items()):
            if block < up_to - self._keep:
                self._forget(request)

    def rewind(self, block: int) -> None:
        """Forgets everything after a block; it will be read anew."""
        for case in self.cases():
            kept = case.rewound(block)
            if kept == case:
                continue
            self._changed[case.id] = None
            if kept is None:
                del self._cases[case.id]
            else:
                self._cases[case.id] = kept
            if case.end is not None and (kept is None or kept.end is None):
                del self._ended[case.id]

    def tidy(self, time: int) -> None:
        """Forgets what nobody can deliver any more; `time` is that of the newest block, unix seconds."""
        for case in self.cases():
            if case.delivery is None and case.end is None and case.terms.deliver_by + _LATE < time:
                self._forget(case.id)

    def horizon(self, read: int) -> int:
        """The first block to read after a restart, when everything up to `read` was read now."""
        return min([case.asked.block for case in self._cases.values()] + [max(read - self._keep, 0) + 1])

    def _take(self, log: TypedLog | MalformedLog) -> None:
        at = Place.of(log)
        match log:
            case RequestedLog():
                self._cases[log.id] = Case(log.id, log.request, at)
                return
            case DeliveredLog() | ChallengedLog() | SettledLog() | RejectedLog() | ExpiredLog():
                case = self._cases.get(log.id)
            case _:
                return
        if case is None:
            if isinstance(log, DeliveredLog):
                self.orphans.append(log.id)
            return
        match log:
            case DeliveredLog():
                answer = Answer(log.id, log.operator, keccak(log.output))
                case = replace(case, delivery=Delivery(at, answer))
            case ChallengedLog():
                case = replace(case, challenge=Challenge(at, log.challenger))
            case _:
                case = replace(case, end=End(at, _ENDS[type(log)]))
                self._ended[case.id] = at.block
        self._cases[case.id] = case
        self._changed[case.id] = None

    def _forget(self, request: bytes) -> None:
        case = self._cases.pop(request)
        self._changed.pop(request, None)
        if self._ended.pop(request, None) is not None and case.challenge is not None:
            self._closed.append(case)
