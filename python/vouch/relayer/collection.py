"""The signatures under one claim, as far as they are here."""

from collections.abc import Set
from dataclasses import dataclass, field

from vouch.protocol.claim import Claim
from vouch.protocol.quorum import Policy, QuorumSeal
from vouch.relayer.job import Job


@dataclass(slots=True)
class Collection:
    """A quorum's signatures of one claim, by signer.

    askable: signers somebody can be asked for.
    patient: what may yet change is waited for, because stake is locked for the answer.
    refused: those who never will sign, with the reason; troubles: those who did not this time.
    """

    job: Job
    claim: Claim
    policy: Policy
    askable: Set[str]
    patient: bool
    signed: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)

    @property
    def open(self) -> list[str]:
        """Signers who can be asked now."""
        return [s for s in self.policy.signers if s in self.askable and not self._is_out(s)]

    @property
    def seal(self) -> bytes | None:
        """The whole seal, with no more signatures than needed; None while some are missing."""
        signed = [signer for signer in self.policy.signers if signer in self.signed]
        if len(signed) < self.policy.threshold:
            return None
        needed = {signer: self.signed[signer] for signer in signed[: self.policy.threshold]}
        return bytes(QuorumSeal(self.policy, needed).seal)

    @property
    def hopeless(self) -> bool:
        """Whatever those do who can still be asked, it is not enough."""
        return len(self.signed) + len(self.open) < self.policy.threshold

    def __str__(self) -> str:
        """How far it is, and why not further."""
        policy = self.policy
        reasons = []
        for signer in policy.signers:
            if signer not in self.signed:
                unknown = "" if signer in self.askable else "no co-signer of that operator is configured"
                reason = self.refused.get(signer) or self.troubles.get(signer) or unknown
                reasons.append(f"{signer}: {reason}" if reason else f"{signer} is asked")
        return f"{len(self.signed)} of {policy.threshold} signatures; " + "; ".join(reasons)

    def _is_out(self, signer: str) -> bool:
        return signer in self.signed or signer in self.refused
