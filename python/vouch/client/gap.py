"""The trust gap: from the moment an answer is out to the moment its proof is, or to another end."""

from dataclasses import dataclass

from vouch.protocol.status import Gap, Status


@dataclass(frozen=True, slots=True)
class TrustGap:
    """How one request's gap stands, or went; times are unix seconds, money is token units.

    challenge_by: the last second of the window; None: there is none, or the gap is closed.
    prove_by: the last second in which the proof is taken; None: none is due.
    closed_at: when it was settled, rejected or expired.
    insured: what a rejection would bring the beneficiary now, beside the fee.
    challenger: who demanded the proof; None: nobody.
    seconds: how long it was open, or has been when this was read.
    """

    status: Status
    delivered_at: int
    challenge_by: int | None
    prove_by: int | None
    closed_at: int | None
    insured: int
    challenger: str | None
    seconds: int

    @property
    def open(self) -> bool:
        """The answer is provisional."""
        return self.status.open

    @property
    def settled_at(self) -> int | None:
        """When the answer became final; None: not yet, or it was retracted."""
        return self.closed_at if self.status is Status.SETTLED else None


def due(gap: Gap | TrustGap, now: int, live: bool) -> Status | None:
    """The end that anyone may give the request at `now` (unix seconds); None: somebody still has time.

    live: the route's verifier can still check a proof.
    """
    if not gap.status.open:
        return None
    if gap.prove_by:
        if not live:
            return Status.EXPIRED
        return Status.REJECTED if now > gap.prove_by else None
    if now > (gap.challenge_by or 0):
        return Status.SETTLED
    return None if live else Status.EXPIRED
