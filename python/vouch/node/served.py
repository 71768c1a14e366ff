"""What the endpoints share: the models by name, the claims, the limits."""

from dataclasses import dataclass

from starlette.requests import Request

from vouch.node.answers import Answers
from vouch.node.config import NodeConfig
from vouch.node.cosigner import Cosigner
from vouch.node.errors import UnknownModel, WrongKind
from vouch.runtimes.base import Runtime, TensorRuntime, TextRuntime


@dataclass(frozen=True, slots=True)
class Served:
    """One running node."""

    config: NodeConfig
    answers: Answers
    cosigner: Cosigner

    @classmethod
    def of(cls, request: Request) -> "Served":
        served = request.app.state.served
        assert isinstance(served, cls)
        return served

    def model(self, name: str) -> Runtime:
        """Raises UnknownModel."""
        for served, runtime in self.config.models:
            if served == name:
                return runtime
        raise UnknownModel(name, [served for served, _ in self.config.models])

    def text_model(self, name: str) -> TextRuntime:
        """Raises UnknownModel, or WrongKind when the model has no text interface."""
        runtime = self.model(name)
        if runtime.manifest.kind != "text" or not isinstance(runtime, TextRuntime):
            raise WrongKind(name, runtime.manifest.kind, "text")
        return runtime

    def tensor_model(self, name: str) -> TensorRuntime:
        """Raises UnknownModel, or WrongKind when the model has no tensor interface."""
        runtime = self.model(name)
        if runtime.manifest.kind != "tensor" or not isinstance(runtime, TensorRuntime):
            raise WrongKind(name, runtime.manifest.kind, "tensor")
        return runtime
