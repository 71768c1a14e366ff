"""A prover service as a relayer sees it."""

from types import TracebackType
from typing import Any, NoReturn, Self

import aiohttp

from vouch.protocol.nesting import loads_bounded
from vouch.prover.service.errors import ProverRefused, ProverUnavailable
from vouch.prover.service.task import Item, ProofState, ProofStatus, ProofTask, ProverInfo
from vouch.prover.service.wire import info_of, status_of, task_json

__all__ = [
    "Item",
    "ProofState",
    "ProofStatus",
    "ProofTask",
    "ProverClient",
    "ProverInfo",
    "ProverRefused",
    "ProverUnavailable",
]

_PROOFS = "/vouch/v1/proofs"
_VALIDATE = "/vouch/v1/validate"


class ProverClient:
    """One service over one keep-alive session: `async with ProverClient(url, token) as prover`.

    timeout: seconds for one answer; no answer waits for a proof. Every call raises ProverUnavailable (ask
    again later) and ProverRefused (it will never be otherwise: UnknownCircuit, InputOutOfRange,
    OutputMismatch, UnknownProof, ...).
    """

    def __init__(self, url: str, token: str | None = None, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, 5.0))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def submit(self, task: ProofTask, *, again: bool = False) -> ProofStatus:
        """Queues a task, or tells how far it is if it was submitted before.

        One that was cancelled or has failed is queued again. A new `prove_by` counts instead of the old one.
        again: its seal was refused, so one that is done is queued again too; after so many refused seals as
        the service makes attempts, it has failed until the service is started again.
        """
        status = await self._status("POST", _PROOFS, task_json(task) | ({"again": True} if again else {}))
        if status.id != task.id:
            raise ProverUnavailable(self.url, f"answers for proof {status.id}, asked for {task.id}")
        return status

    async def validate(self, item: ProofTask) -> None:
        """Whether a task would be taken now, its outputs being what the circuit's model gives; queues
        nothing. Raises what `submit` raises."""
        body = await self._exchange("POST", _VALIDATE, task_json(item))
        if not isinstance(body, dict) or body.get("valid") != item.id:
            raise ProverUnavailable(self.url, f"{_VALIDATE} makes no sense: {body!r:.80}")

    async def get(self, proof: str) -> ProofStatus:
        """How far a task is, by its id."""
        return await self._status("GET", f"{_PROOFS}/{proof}")

    async def cancel(self, proof: str) -> ProofStatus:
        """Ends a task that nobody needs any more; one that has ended stays as it is."""
        return await self._status("DELETE", f"{_PROOFS}/{proof}")

    async def info(self) -> ProverInfo:
        """What the service proves, and how busy it is."""
        body = await self._exchange("GET", "/vouch/v1/info")
        try:
            return info_of(body)
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            raise ProverUnavailable(self.url, f"/vouch/v1/info makes no sense: {bad!r}") from bad

    async def _status(self, method: str, path: str, message: Any = None) -> ProofStatus:
        body = await self._exchange(method, path, message)
        try:
            return status_of(body)
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            raise ProverUnavailable(self.url, f"the status makes no sense: {bad!r}") from bad

    async def _exchange(self, method: str, path: str, message: Any = None) -> Any:
        if self._session is None:
            raise RuntimeError("use ProverClient as an async context manager")
        try:
            async with self._session.request(method, self.url + path, json=message) as reply:
                raw = await reply.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as down:
            raise ProverUnavailable(self.url, f"{type(down).__name__} {down}".rstrip()) from down
        try:
            body = loads_bounded(raw)
        except ValueError as bad:
            raise ProverUnavailable(self.url, f"HTTP {reply.status} without JSON: {bad}") from bad
        if reply.status != 200:
            self._raise_error(reply.status, body)
        return body

    def _raise_error(self, status: int, body: Any) -> NoReturn:
        error = body.get("error") if isinstance(body, dict) else None
        error = error if isinstance(error, dict) else {}
        name, message = str(error.get("name", f"HTTP {status}")), str(error.get("message", "no reason given"))
        # A wrong token is our mistake and not the task's: it can be put right in time.
        if error.get("retryable") is True or status >= 500 or status in (401, 403, 408, 425, 429):
            raise ProverUnavailable(self.url, f"{name}: {message}")
        raise ProverRefused(self.url, name, message)
