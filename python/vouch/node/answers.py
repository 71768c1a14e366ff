"""Answers with a signed claim: check the terms, run the model once, store, sign."""

from dataclasses import replace

from coincurve import PrivateKey

from vouch.node.config import NodeConfig
from vouch.node.enclave import Enclave
from vouch.node.errors import NoOperatorKey, NotSealed, OtherCircuit, OtherImage, OtherOperator
from vouch.node.journal import Journal, SignedAnswer
from vouch.node.question import Question
from vouch.node.runs import Runs
from vouch.node.work import SharedWork
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.keccak import keccak
from vouch.protocol.request import ANYONE
from vouch.protocol.seal import sign_claim
from vouch.protocol.zk import ZK


class Answers:
    """One run of the model and one claim per request, whoever asks and however often the node restarts.

    An enclave has another key after each restart, and a key seals only what the model gave inside of its own
    enclave: for a seal of the new key the model runs once more, and has to give what the operator has signed.
    """

    def __init__(self, config: NodeConfig, journal: Journal, runs: Runs, work: SharedWork) -> None:
        self._config, self._journal, self._runs, self._work = config, journal, runs, work
        self._operator = config.operator
        # Claims of this enclave's runs where the operator had signed another: one run per request and key.
        self._differing: dict[bytes, Claim] = {}

    async def answer(self, question: Question) -> SignedAnswer:
        """The one answer to a question, with the enclave's seal if the terms ask for that. On the zk route a
        prover makes the seal later, of what is answered here.

        Raises the refusals of `vouch.node.errors`, the codec's errors for an input or output that does not
        fit the manifest, and the runtime's errors.
        """
        key, operator, terms = self._config.key, self._operator, question.terms
        if key is None or operator is None:
            raise NoOperatorKey
        if terms.operator not in (operator, ANYONE):
            raise OtherOperator(terms.operator, operator)
        question.check(self._config, self._config.routes)
        enclave = self._config.enclave if terms.route == ENCLAVE else None
        # Whoever sees the operator's signature can deliver it, and the stake would pay for the missing proof.
        if enclave is not None and terms.trust != enclave.image_id:
            raise OtherImage(terms.trust, enclave.image_id)
        if terms.route == ZK:
            circuits = self._runs.manifest(terms.model_id).zk
            if terms.trust not in circuits:
                raise OtherCircuit(terms.trust, circuits)
        request_id = question.request_id
        return await self._work.share(
            ("answer", request_id), lambda: self._answer(request_id, question, key, operator, enclave)
        )

    async def _answer(
        self, request_id: bytes, question: Question, key: PrivateKey, operator: str, enclave: Enclave | None
    ) -> SignedAnswer:
        signed = await self._journal.find(operator, request_id)
        if signed is None:
            signed = await self._first(request_id, question, key, operator, enclave)
        if enclave is None or signed.sealed is not None:
            return signed
        return await self._again(signed, question, enclave)

    async def _first(
        self, request_id: bytes, question: Question, key: PrivateKey, operator: str, enclave: Enclave | None
    ) -> SignedAnswer:
        output = await self._runs.output(question)
        claim = _claim(request_id, question, output, operator)
        signature = sign_claim(key, claim, question.chain_id, question.hub).proof
        sealed = None if enclave is None else enclave.seal(claim, question.chain_id, question.hub)
        counts = await self._record(SignedAnswer(claim, output, signature, sealed), question)
        if counts.claim != claim:
            self._differing[request_id] = claim
        return counts

    async def _again(self, signed: SignedAnswer, question: Question, enclave: Enclave) -> SignedAnswer:
        """With this key's seal, else the last one that an earlier key made: it counts until that expires."""
        request_id, operator = signed.claim.request_id, signed.claim.operator
        seals = await self._journal.find_seals(operator, request_id)
        for sealed in seals:
            if sealed.key == enclave.key.identity.id:
                return replace(signed, sealed=sealed)
        ours = self._differing.get(request_id)
        if ours is None:
            # The journal may have been in others' hands: what is sealed is what the model gives in here.
            ours = _claim(request_id, question, await self._runs.output(question), operator)
            if ours == signed.claim:
                sealed = enclave.seal(ours, question.chain_id, question.hub)
                return await self._record(replace(signed, sealed=sealed), question)
            self._differing[request_id] = ours
        if not seals:
            raise NotSealed(signed.claim.output_hash, ours.output_hash)
        return replace(signed, sealed=seals[-1])

    async def _record(self, answer: SignedAnswer, question: Question) -> SignedAnswer:
        repeatable = self._runs.repeatable(question.terms.model_id)
        return await self._journal.record(answer, question.chain_id, question.hub, repeatable=repeatable)


def _claim(request_id: bytes, question: Question, output: bytes, operator: str) -> Claim:
    terms = question.terms
    return Claim(request_id, terms.model_id, terms.input_hash, keccak(output), operator)
