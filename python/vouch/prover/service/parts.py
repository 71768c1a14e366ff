"""What the endpoints share."""

from dataclasses import dataclass

from starlette.requests import Request

from vouch.prover.service.config import ProverConfig
from vouch.prover.service.health import Health
from vouch.prover.service.queue import ProofQueue


@dataclass(frozen=True, slots=True)
class Parts:
    """A running service, as `app.state.parts`."""

    config: ProverConfig
    queue: ProofQueue
    health: Health

    @classmethod
    def of(cls, request: Request) -> "Parts":
        parts = request.app.state.parts
        assert isinstance(parts, cls)
        return parts
