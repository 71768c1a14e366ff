"""Runs of the models that claims are about: one per request, as far as anybody needs the second."""

from vouch.node.config import NodeConfig
from vouch.node.errors import OutputTooLarge, UnknownModel
from vouch.node.journal import Journal
from vouch.node.question import Question
from vouch.node.work import SharedWork
from vouch.protocol.manifest import Manifest
from vouch.protocol.quorum import QUORUM
from vouch.runtimes.base import Runtime


class Runs:
    """The models by id. Those who want one request's output at the same time share a run.

    A node that co-signs keeps the outputs of the quorum route. So it compares what others say with one output
    per request, and nobody can ask until a model that is not deterministic happens to agree.
    """

    def __init__(self, config: NodeConfig, journal: Journal, work: SharedWork) -> None:
        self._models = {runtime.manifest.model_id: runtime for _, runtime in config.models}
        self._operator = config.operator if config.cosign else None
        self._journal, self._work = journal, work

    def manifest(self, model_id: bytes) -> Manifest:
        """Raises UnknownModel."""
        return self._runtime(model_id).manifest

    def repeatable(self, model_id: bytes) -> bool:
        """Whether a run that was lost can be had again. Raises UnknownModel."""
        manifest = self.manifest(model_id)
        # A text model's determinism is its server's promise, and the disk is fast beside it.
        return manifest.deterministic and manifest.kind == "tensor"

    async def output(self, question: Question) -> bytes:
        """What the model gives. Raises UnknownModel, OutputTooLarge, the codec's errors and the runtime's."""
        return await self._work.share(("run", question.request_id), lambda: self._output(question))

    async def _output(self, question: Question) -> bytes:
        if self._operator is None or question.terms.route != QUORUM:
            return await self._run(question)
        request_id = question.request_id
        kept = await self._journal.find_output(self._operator, request_id)
        if kept is not None:
            return kept
        return await self._journal.record_run(request_id, await self._run(question))

    async def _run(self, question: Question) -> bytes:
        runtime = self._runtime(question.terms.model_id)
        output = await runtime.run(question.input)
        if len(output) > (limit := runtime.manifest.limits.max_output):
            raise OutputTooLarge(len(output), limit)
        return output

    def _runtime(self, model_id: bytes) -> Runtime:
        runtime = self._models.get(model_id)
        if runtime is None:
            raise UnknownModel(f"0x{model_id.hex()}", [f"0x{model.hex()}" for model in self._models])
        return runtime
