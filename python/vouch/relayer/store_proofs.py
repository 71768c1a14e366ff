"""What was collected for proofs, so that a restart asks nobody again."""

from dataclasses import dataclass

from vouch.protocol.quorum import Policy
from vouch.relayer import sql
from vouch.relayer.job import Job
from vouch.relayer.store_chain import ChainRecords


@dataclass(frozen=True, slots=True)
class Cosignatures:
    """Who signed a claim (65 bytes r, s, v), and who never will, with the reason; by signer."""

    signed: dict[str, bytes]
    refused: dict[str, str]


@dataclass(frozen=True, slots=True)
class OwnGap:
    """A result of ours that is out, or on its way, and not settled; times in unix seconds, None: not known.

    packed: abi.encode(terms). sealed: its proof is here. The rest as in `Job`.
    """

    id: bytes
    packed: bytes
    sealed: bool
    challenge_by: int | None
    prove_by: int | None


class ProofRecords(ChainRecords):
    """Co-signatures by the digest of the claim they are of; quorums; deadlines of delivered jobs."""

    def cosigned(self, claim: bytes, signer: str, job: bytes, signature: bytes) -> None:
        """Keeps a signature that was checked."""
        self._run(sql.ADD_COSIGNATURE, claim, signer, job, signature, None)

    def refused(self, claim: bytes, signer: str, job: bytes, reason: str) -> None:
        """Keeps a refusal that is final."""
        self._run(sql.ADD_COSIGNATURE, claim, signer, job, None, reason)

    def cosignatures(self, claim: bytes) -> Cosignatures:
        """Everything known of a claim."""
        rows = self._run(sql.COSIGNATURES, claim).fetchall()
        return Cosignatures(
            {row["signer"]: row["signature"] for row in rows if row["signature"] is not None},
            {row["signer"]: row["refusal"] for row in rows if row["refusal"] is not None},
        )

    def sealed(self, job: Job, seal: bytes) -> None:
        """Keeps the whole seal of the job's answer, unless that is another one by now."""
        if job.answer is not None:
            self._run(sql.SET_SEAL, seal, job.id, job.answer.operator, job.answer.output)

    def set_deadline(self, job: bytes, challenge_by: int | None, prove_by: int | None) -> None:
        """Keeps the deadline of a delivered job, unix seconds, as the hub said it."""
        self._run(sql.SET_DEADLINE, challenge_by, prove_by, job)

    def own_gaps(self, operator: str) -> list[OwnGap]:
        """Results that we signed, or that have the operator's stake behind them."""
        rows = self._run(sql.OWN_GAPS, operator).fetchall()
        return [
            OwnGap(r["id"], r["terms"], bool(r["sealed"]), r["challenge_by"], r["prove_by"]) for r in rows
        ]

    def remember_policy(self, policy: Policy) -> None:
        """Keeps a quorum under its trust value: what was delivered under it outlives the configuration."""
        self._run(sql.ADD_POLICY, policy.trust, policy.threshold, ",".join(policy.signers))

    def policy(self, trust: bytes) -> Policy | None:
        """The quorum that a trust value stands for, if it was ever ours."""
        row = self._run(sql.GET_POLICY, trust).fetchone()
        return None if row is None else Policy(row["threshold"], tuple(row["signers"].split(",")))

    def remember_signer(self, url: str, signer: str) -> None:
        """Keeps who signs at an address, so that the quorum is known while that address is down."""
        self._run(sql.SET_SIGNER, url, signer)

    def signer(self, url: str) -> str | None:
        """Who signed at an address when it was last reached."""
        row = self._run(sql.GET_SIGNER, url).fetchone()
        return None if row is None else str(row["signer"])
