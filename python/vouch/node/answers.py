"""Answers with a signed claim: check the terms, run the model once, store, sign."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Self

from coincurve import PrivateKey

from vouch.node.config import NodeConfig
from vouch.node.errors import (
    InputMismatch,
    InputTooLarge,
    NoOperatorKey,
    OtherOperator,
    OutputTooLarge,
    UnknownHub,
    UnknownModel,
    UnsupportedRoute,
)
from vouch.node.journal import Journal, SignedAnswer
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import ANYONE, Request
from vouch.protocol.seal import SIGNED, sign_claim


@dataclass(frozen=True, slots=True)
class Question:
    """Terms as a hub knows them, with the input they name."""

    chain_id: int
    hub: str
    terms: Request
    input: bytes


class Answers:
    """One run of the model and one claim per request, whoever asks and however often the node restarts."""

    def __init__(self, config: NodeConfig, journal: Journal) -> None:
        self._config, self._journal = config, journal
        self._operator = config.operator
        self._models = {runtime.manifest.model_id: runtime for _, runtime in config.models}
        self._running: dict[bytes, asyncio.Task[SignedAnswer | Exception]] = {}
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        # Work whose client has gone still ends, so that its claim is stored; but not for ever.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._config.shutdown_seconds):
                await self._tasks.__aexit__(None, None, None)

    async def answer(self, question: Question) -> SignedAnswer:
        """The one answer to a question.

        Raises the refusals of `vouch.node.errors`, the codec's errors for an input or output that does not
        fit the manifest, and the runtime's errors.
        """
        if self._config.key is None or self._operator is None:
            raise NoOperatorKey
        self._check(question, self._operator)
        request_id = question.terms.id(question.chain_id, question.hub)
        task = self._running.get(request_id)
        if task is None:
            work = self._outcome(request_id, question, self._config.key, self._operator)
            task = self._running[request_id] = self._tasks.create_task(work)
        # A client that hangs up must not stop the work that others wait for.
        outcome = await asyncio.shield(task)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _check(self, question: Question, operator: str) -> None:
        terms, hubs = question.terms, self._config.hubs
        if hubs and (question.chain_id, question.hub) not in hubs:
            raise UnknownHub(question.chain_id, question.hub)
        if terms.operator not in (operator, ANYONE):
            raise OtherOperator(terms.operator, operator)
        if terms.route != SIGNED:
            raise UnsupportedRoute(terms.route, SIGNED)
        if len(question.input) > self._config.max_input_bytes:
            raise InputTooLarge(len(question.input), self._config.max_input_bytes)
        if (received := keccak(question.input)) != terms.input_hash:
            raise InputMismatch(received, terms.input_hash)

    async def _outcome(
        self, request_id: bytes, question: Question, key: PrivateKey, operator: str
    ) -> SignedAnswer | Exception:
        try:
            return await self._answer(request_id, question, key, operator)
        except Exception as error:  # noqa: BLE001  everyone who waits for the task raises it; the task group must live on
            return error
        finally:
            del self._running[request_id]

    async def _answer(
        self, request_id: bytes, question: Question, key: PrivateKey, operator: str
    ) -> SignedAnswer:
        if (signed := await self._journal.find(operator, request_id)) is not None:
            return signed
        terms = question.terms
        runtime = self._models.get(terms.model_id)
        if runtime is None:
            raise UnknownModel(f"0x{terms.model_id.hex()}", [f"0x{model.hex()}" for model in self._models])
        manifest = runtime.manifest
        output = await runtime.run(question.input)
        if len(output) > manifest.limits.max_output:
            raise OutputTooLarge(len(output), manifest.limits.max_output)
        claim = Claim(request_id, terms.model_id, terms.input_hash, keccak(output), operator)
        seal = bytes(sign_claim(key, claim, question.chain_id, question.hub))
        answer = SignedAnswer(claim, output, seal)
        # A text model's determinism is its server's promise, and the disk is fast beside it.
        repeatable = manifest.deterministic and manifest.kind == "tensor"
        return await self._journal.record(answer, question.chain_id, question.hub, repeatable=repeatable)
