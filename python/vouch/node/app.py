"""The node as an ASGI application."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from vouch.node import chat, claims, oip
from vouch.node.answers import Answers
from vouch.node.config import NodeConfig
from vouch.node.cosigner import Cosigner
from vouch.node.journal import Journal
from vouch.node.middleware import Places
from vouch.node.replies import error_reply, on_bug, on_http_error, on_vouch_error
from vouch.node.runs import Runs
from vouch.node.served import Served
from vouch.node.work import SharedWork
from vouch.protocol.errors import VouchError
from vouch.runtimes.base import RuntimeUnavailable
from vouch.web.admission import Token

_log = logging.getLogger(__name__)


def create_app(config: NodeConfig) -> Starlette:
    """The application; its lifespan verifies the artefacts, opens the journal and ends what is still running.

    Start-up raises what `Runtime.verify_artefact` raises, except that a model server which is down is only
    logged (the model is not ready until it comes up), and the errors of the journal.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for name, runtime in config.models:
                stack.push_async_callback(runtime.aclose)
                try:
                    await runtime.verify_artefact()
                except RuntimeUnavailable as error:
                    _log.warning("model %s is not ready: %s", name, error)
            journal = await stack.enter_async_context(Journal(config.journal))
            work = await stack.enter_async_context(SharedWork(config.shutdown_seconds))
            runs = Runs(config, journal, work)
            answers = Answers(config, journal, runs, work)
            app.state.served = Served(config, answers, Cosigner(config, journal, runs))
            yield

    return Starlette(
        routes=[*claims.routes, *oip.routes, *chat.routes],
        lifespan=lifespan,
        middleware=[
            Middleware(Token, token=config.token, open_path="/v2/health/", refusal=error_reply),
            Middleware(Places, concurrency=config.concurrency),
        ],
        exception_handlers={VouchError: on_vouch_error, HTTPException: on_http_error, Exception: on_bug},
    )
