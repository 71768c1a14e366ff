"""The prover service as an ASGI application, and one service from start-up to shutdown."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

from vouch.protocol.errors import VouchError
from vouch.prover.service.circuits import Circuits, Served
from vouch.prover.service.config import ProverConfig
from vouch.prover.service.endpoints import routes
from vouch.prover.service.health import Health
from vouch.prover.service.parts import Parts
from vouch.prover.service.pool import Pool
from vouch.prover.service.queue import ProofQueue
from vouch.prover.service.store import Store
from vouch.web import server
from vouch.web.admission import Token
from vouch.web.errors import NotAuthorised
from vouch.web.replies import error_reply, on_bug, on_http_error, on_vouch_error


def create_app(config: ProverConfig, served: Iterable[Served]) -> Starlette:
    """The application; its lifespan opens the database, takes up what was interrupted, and ends all proofs.

    Start-up raises MixedStrings and what `Store` raises.
    """
    circuits = Circuits(served)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        scratch = config.database.with_name(config.database.name + ".tmp")
        with Store(config.database) as store:
            threads = max(1, config.machine.processors // config.workers)
            async with Pool(config.worker, scratch, threads) as pool, asyncio.TaskGroup() as tasks:
                queue = ProofQueue(config, store, circuits, pool)
                app.state.parts = Parts(config, queue, Health(queue, store))
                proving = tasks.create_task(queue.run())
                yield
                proving.cancel()

    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(Token, token=config.token, open_path="/health/", refusal=_refusal)],
        exception_handlers={VouchError: on_vouch_error, HTTPException: on_http_error, Exception: on_bug},
    )


async def serve(
    config: ProverConfig,
    served: Iterable[Served],
    *,
    ready: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serves until `stop` is set; without one, until SIGINT or SIGTERM.

    ready: called once with the base URL. Raises AddressInUse, and what the start-up of `create_app` raises.
    """
    listen = server.Listen("prover", config.host, config.port, config.shutdown_seconds)
    await server.serve(create_app(config, served), listen, ready=ready, stop=stop)


def _refusal(_: str, error: NotAuthorised) -> Response:
    return error_reply(error)
