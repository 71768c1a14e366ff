"""Answers with a signed claim: check the terms, run the model once, store, sign."""

from coincurve import PrivateKey

from vouch.node.config import NodeConfig
from vouch.node.errors import NoOperatorKey, OtherOperator
from vouch.node.journal import Journal, SignedAnswer
from vouch.node.question import Question
from vouch.node.runs import Runs
from vouch.node.work import SharedWork
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import ANYONE
from vouch.protocol.seal import SIGNED, sign_claim

ROUTES = (SIGNED, QUORUM)
"""Whose claims the operator's key signs: the signature is the whole seal, or one of a quorum's."""


class Answers:
    """One run of the model and one claim per request, whoever asks and however often the node restarts."""

    def __init__(self, config: NodeConfig, journal: Journal, runs: Runs, work: SharedWork) -> None:
        self._config, self._journal, self._runs, self._work = config, journal, runs, work
        self._operator = config.operator

    async def answer(self, question: Question) -> SignedAnswer:
        """The one answer to a question.

        Raises the refusals of `vouch.node.errors`, the codec's errors for an input or output that does not
        fit the manifest, and the runtime's errors.
        """
        key, operator, terms = self._config.key, self._operator, question.terms
        if key is None or operator is None:
            raise NoOperatorKey
        if terms.operator not in (operator, ANYONE):
            raise OtherOperator(terms.operator, operator)
        question.check(self._config, ROUTES)
        request_id = question.request_id
        return await self._work.share(
            ("answer", request_id), lambda: self._answer(request_id, question, key, operator)
        )

    async def _answer(
        self, request_id: bytes, question: Question, key: PrivateKey, operator: str
    ) -> SignedAnswer:
        if (signed := await self._journal.find(operator, request_id)) is not None:
            return signed
        terms = question.terms
        output = await self._runs.output(question)
        claim = Claim(request_id, terms.model_id, terms.input_hash, keccak(output), operator)
        signature = sign_claim(key, claim, question.chain_id, question.hub).proof
        answer = SignedAnswer(claim, output, signature)
        repeatable = self._runs.repeatable(terms.model_id)
        return await self._journal.record(answer, question.chain_id, question.hub, repeatable=repeatable)
