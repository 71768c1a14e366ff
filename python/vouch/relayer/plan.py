"""Whether an answer without a seal is delivered at once or proven first, and whose a delivered one is."""

from vouch.relayer.job import Job, TxKind
from vouch.relayer.nodes import NodePool
from vouch.relayer.prover import Provers
from vouch.relayer.sender import Sender
from vouch.relayer.stakes import Stakes


class Plan:
    """The operator's rules for putting stake at risk.

    min_prove_within: seconds for the proof, at least; max_window: seconds for a challenge, at most.
    """

    def __init__(
        self,
        provers: Provers,
        stakes: Stakes,
        pool: NodePool,
        sender: Sender,
        min_prove_within: int,
        max_window: int,
    ) -> None:
        self._provers, self._stakes, self._pool, self._sender = provers, stakes, pool, sender
        self._min_prove_within, self._max_window = min_prove_within, max_window

    async def why_proof_first(self, job: Job) -> str:
        """Why the answer is not delivered before its proof is there; empty if it is.

        Raises RpcError, RpcUnavailable.
        """
        terms, answer = job.terms, job.answer
        if answer is None or answer.signature is None:
            return "the operator's own signature is not here"
        if terms.window == 0 and terms.prove_within == 0:
            return "the terms allow no gap"
        if terms.prove_within < self._min_prove_within:
            return f"proveWithin is {terms.prove_within} s, we ask for {self._min_prove_within}"
        if terms.window > self._max_window:
            return f"the window is {terms.window} s, we wait {self._max_window} for the fee at most"
        if (prover := self._provers.of(terms.route)) is None:
            return "the seals of its route come with the answers"
        if why := await prover.why_proof_first(job, answer):
            return why
        return await self._stakes.why_uncovered(
            job, answer.operator, lambda: self._sender.queued(TxKind.DELIVER)
        )

    def is_ours(self, job: Job) -> bool | None:
        """Whether a delivered answer has our stake behind it; None while a node of ours was never reached."""
        answer = job.answer
        if answer is None:
            return False
        if answer.signature is not None or answer.operator in self._pool.operators:
            return True
        return None if self._pool.unknown else False
