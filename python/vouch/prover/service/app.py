"""The prover service as an ASGI application, and one service from start-up to shutdown."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

from vouch.protocol.errors import VouchError
from vouch.prover.lock import Progress, silent
from vouch.prover.service.circuits import Circuits, Served
from vouch.prover.service.config import ProverConfig
from vouch.prover.service.endpoints import routes
from vouch.prover.service.health import Health
from vouch.prover.service.parts import Parts
from vouch.prover.service.pool import Pool
from vouch.prover.service.queue import ProofQueue
from vouch.prover.service.store import Store
from vouch.prover.service.trial import trial
from vouch.web import server
from vouch.web.admission import Token
from vouch.web.errors import NotAuthorised
from vouch.web.replies import error_reply, on_bug, on_http_error, on_vouch_error


def create_app(parts: Parts) -> Starlette:
    """The application; its lifespan takes up what was interrupted, and ends all proofs."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.parts = parts
        async with asyncio.TaskGroup() as tasks:
            proving = tasks.create_task(parts.queue.run())
            yield
            proving.cancel()

    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(Token, token=parts.config.token, open_path="/health/", refusal=_refusal)],
        exception_handlers={VouchError: on_vouch_error, HTTPException: on_http_error, Exception: on_bug},
    )


async def serve(
    config: ProverConfig,
    served: Iterable[Served],
    *,
    progress: Progress = silent,
    ready: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serves until `stop` is set; without one, until SIGINT or SIGTERM.

    progress: told of the proof that is made of each circuit first. ready: called once with the base URL.
    Raises AddressInUse, MixedStrings, CircuitNotProven, and what `Store` raises.
    """
    listen = server.Listen("prover", config.host, config.port, config.shutdown_seconds)
    circuits = Circuits(served)
    server.listener_on(config.host, config.port).close()  # a wrong port is not said after minutes of proofs
    scratch = config.database.with_name(config.database.name + ".tmp")
    threads = max(1, config.machine.processors // config.workers)
    with server.stop_signals(stop) as stopped, Store(config.database) as store:
        async with Pool(config.worker, scratch, threads) as pool:
            if config.trial:
                home, memory = config.home, config.max_memory
                trying = trial(circuits, store, pool, home=home, memory=memory, progress=progress)
                if not await _ended(trying, stopped):
                    return
            queue = ProofQueue(config, store, circuits, pool)
            app = create_app(Parts(config, queue, Health(queue, store)))
            await server.serve(app, listen, ready=ready, stop=stopped)


async def _ended(work: Coroutine[Any, Any, None], stopped: asyncio.Event) -> bool:
    """Whether it came to its end; it is cancelled once `stopped` is set."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        ended = working.done()
    finally:
        working.cancel()
        waiting.cancel()
        await asyncio.wait((working, waiting))
    if ended:
        working.result()
    return ended


def _refusal(_: str, error: NotAuthorised) -> Response:
    return error_reply(error)
