"""Questions to a node, and runtimes that a test can watch."""

import asyncio
from typing import Any

from coincurve import PrivateKey

from tests.support.terms import make_terms
from vouch.node.question import Question
from vouch.protocol.errors import VouchError
from vouch.protocol.manifest import Manifest
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import Request
from vouch.protocol.seal import address_of
from vouch.runtimes.echo import EchoRuntime, echo_manifest

KEY = PrivateKey(b"\x01" * 32)
OPERATOR = address_of(KEY.public_key)
OTHER_KEY = PrivateKey(b"\x02" * 32)
OTHER = address_of(OTHER_KEY.public_key)
HUB = "0x1111111111111111111111111111111111111111"
CHAIN_ID = 31337


def terms(data: bytes, model: bytes, /, **changes: Any) -> Request:
    plain = {"operator": OPERATOR, "model_id": model, "callback_gas": 100_000}
    return make_terms(data, **plain | changes)


def question(data: bytes, model: bytes, /, **changes: Any) -> Question:
    return Question(CHAIN_ID, HUB, terms(data, model, **changes), data)


def body(data: bytes, model: bytes, /, **changes: Any) -> dict[str, Any]:
    """JSON for /vouch/v1/answers."""
    encoded = bytes(terms(data, model, **changes))
    return {"chainId": CHAIN_ID, "hub": HUB, "terms": "0x" + encoded.hex(), "input": "0x" + data.hex()}


def cosign_body(
    data: bytes, model: bytes, output: bytes, /, *, by: str = OPERATOR, **changes: Any
) -> dict[str, Any]:
    """JSON for /vouch/v1/cosignatures, about the output of operator `by`."""
    asked = body(data, model, **{"route": QUORUM} | changes)
    return asked | {"operator": by, "output": "0x" + output.hex()}


class Watched(EchoRuntime):
    """An echo that counts its runs, waits for `go`, gives another output each time, and fails if told to."""

    def __init__(self, manifest: Manifest | None = None) -> None:
        super().__init__(manifest or echo_manifest("watched"))
        self.runs = 0
        self.closed = 0
        self.begun = asyncio.Semaphore(0)
        self.go = asyncio.Event()
        self.go.set()
        self.failure: Exception | None = None
        self.obstacle: VouchError | None = None

    async def run(self, data: bytes, /) -> bytes:
        self.runs += 1
        number = self.runs
        self.begun.release()
        await self.go.wait()
        if self.failure is not None:
            raise self.failure
        return data + number.to_bytes(1, "big")

    async def verify_artefact(self) -> None:
        if self.obstacle is not None:
            raise self.obstacle

    async def aclose(self) -> None:
        self.closed += 1
