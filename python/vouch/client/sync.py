"""The client for programs without an event loop: the same calls, run on a private loop in a thread."""

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.chain.transaction import Receipt
from vouch.client.answer import Answer, Asked, NodeAnswer
from vouch.client.client import Client
from vouch.client.gap import TrustGap
from vouch.client.models import Inputs, Published
from vouch.client.terms import Options
from vouch.protocol.manifest import Manifest
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import Seal

T = TypeVar("T")


class SyncClient:
    """`Client` without await: see there for arguments and errors. May be used from several threads.

    with SyncClient("http://127.0.0.1:8545", "~/key.json") as client:
        answer = client.infer("risk", {"x": [0.3, 0.1, 0.5, 0.2, 0.9]})
    """

    def __init__(
        self,
        rpc: str,
        account: str | Path | LocalKey | None = None,
        *,
        password: str | None = None,
        deployment: Deployment | None = None,
        deployments: str | Path | None = None,
        poll: float = 1.0,
    ) -> None:
        self._client = Client(
            rpc, account, password=password, deployment=deployment, deployments=deployments, poll=poll
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vouch-client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnects and ends the thread; the client cannot be used afterwards."""
        if self._loop.is_closed():
            return
        self._run(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def infer(
        self, model: str | bytes, inputs: Inputs, *, timeout: float | None = None, **options: Unpack[Options]
    ) -> Answer:
        return self._run(self._client.infer(model, inputs, timeout=timeout, **options))

    def request(self, model: str | bytes, inputs: Inputs, **options: Unpack[Options]) -> Asked:
        return self._run(self._client.request(model, inputs, **options))

    def wait(self, asked: Asked | bytes | str, *, timeout: float | None = None) -> Answer:
        return self._run(self._client.wait(asked, timeout=timeout))

    def settled(self, answer: Answer) -> Answer:
        return self._run(self._client.settled(answer))

    def refresh(self, answer: Answer) -> Answer:
        return self._run(self._client.refresh(answer))

    def gap(self, answer: Answer | Asked | bytes | str) -> TrustGap | None:
        return self._run(self._client.gap(answer))

    def challenge(self, answer: Answer | Asked | bytes | str) -> Receipt:
        return self._run(self._client.challenge(answer))

    def reject(self, answer: Answer | Asked | bytes | str) -> Receipt:
        return self._run(self._client.reject(answer))

    def settle(self, answer: Answer | Asked | bytes | str, seal: Seal | None = None) -> Receipt:
        return self._run(self._client.settle(answer, seal))

    def expire_delivered(self, answer: Answer | Asked | bytes | str) -> Receipt:
        return self._run(self._client.expire_delivered(answer))

    def report_equivocation(self, first: Answer | NodeAnswer, second: Answer | NodeAnswer) -> Receipt:
        return self._run(self._client.report_equivocation(first, second))

    def ask_node(
        self, url: str, model: str | bytes, inputs: Inputs, **options: Unpack[Options]
    ) -> NodeAnswer:
        return self._run(self._client.ask_node(url, model, inputs, **options))

    def expire(self, request: Request) -> Receipt:
        return self._run(self._client.expire(request))

    def retry_callback(self, answer: Answer, callback_gas: int = 0) -> Receipt:
        return self._run(self._client.retry_callback(answer, callback_gas))

    def credit(self, token: str = NATIVE) -> int:
        return self._run(self._client.credit(token))

    def deposit(self, amount: int, token: str = NATIVE) -> Receipt:
        return self._run(self._client.deposit(amount, token))

    def withdraw(
        self, amount: int | None = None, token: str = NATIVE, to: str | None = None
    ) -> Receipt | None:
        return self._run(self._client.withdraw(amount, token, to))

    def models(self) -> list[Published]:
        return self._run(self._client.models())

    def resolve(self, reference: str | bytes) -> bytes:
        return self._run(self._client.resolve(reference))

    def publish(self, manifest: Manifest, name: str | None = None) -> Published:
        return self._run(self._client.publish(manifest, name))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
