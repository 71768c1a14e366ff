"""Signatures under other operators' claims: the node's word that its own copy of the model says the same."""

import asyncio

from vouch.node.config import NodeConfig
from vouch.node.errors import (
    AlreadySigned,
    Disagrees,
    NoOperatorKey,
    NotAnswered,
    NotCosigning,
    NotReproducible,
    OperatorNotAdmitted,
    OutputTooLarge,
)
from vouch.node.journal import Cosignature, Journal
from vouch.node.question import Question
from vouch.node.runs import Runs
from vouch.protocol.agreement import agrees, reproducible
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import ANYONE
from vouch.protocol.seal import sign_claim


class Cosigner:
    """One output per request and operator, whoever asks and however often the node restarts."""

    def __init__(self, config: NodeConfig, journal: Journal, runs: Runs) -> None:
        self._config, self._journal, self._runs = config, journal, runs

    async def cosign(self, question: Question, operator: str, output: bytes) -> Cosignature:
        """The signature under the claim that `operator` (checksummed) answered with this output.

        Raises the refusals of `vouch.node.errors`, and what the own run of the model raises.
        """
        config, terms = self._config, question.terms
        if not config.cosign:
            raise NotCosigning
        if config.key is None or config.operator is None:
            raise NoOperatorKey
        if terms.operator not in (operator, ANYONE):
            raise OperatorNotAdmitted(operator, terms.operator)
        question.check(config, (QUORUM,))
        claim = Claim(question.request_id, terms.model_id, terms.input_hash, keccak(output), operator)
        counts = await self._earlier(config.operator, claim)
        if counts is None:
            await self._compare(question, output)
            signature = sign_claim(config.key, claim, question.chain_id, question.hub).proof
            counts = await self._journal.record_cosignature(
                Cosignature(config.operator, claim, signature),
                question.chain_id,
                question.hub,
                repeatable=self._runs.repeatable(terms.model_id),
            )
        if counts.claim != claim:
            raise AlreadySigned(operator, claim.output_hash, counts.claim.output_hash)
        return counts

    async def _earlier(self, signer: str, claim: Claim) -> Cosignature | None:
        if claim.operator != signer:
            return await self._journal.find_cosignature(signer, claim.operator, claim.request_id)
        # For the own operator nothing is signed here, an answer is only repeated: two can cost the stake.
        answer = await self._journal.find(signer, claim.request_id)
        if answer is None:
            raise NotAnswered(signer)
        return Cosignature(signer, answer.claim, answer.signature)

    async def _compare(self, question: Question, output: bytes) -> None:
        manifest = self._runs.manifest(question.terms.model_id)
        if not reproducible(manifest):
            raise NotReproducible(manifest.name)
        if len(output) > manifest.limits.max_output:
            raise OutputTooLarge(len(output), manifest.limits.max_output)
        ours = await self._runs.output(question)
        # Some tens of milliseconds for a megabyte of tensors.
        agreement = await asyncio.to_thread(agrees, manifest, ours, output)
        if not agreement.same:
            raise Disagrees(keccak(output), keccak(ours), agreement.difference)
