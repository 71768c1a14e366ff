"""One node, from start-up to shutdown."""

import asyncio
from collections.abc import Callable

from vouch.node.app import create_app
from vouch.node.config import NodeConfig
from vouch.web import server


async def serve(
    config: NodeConfig,
    *,
    ready: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serves until `stop` is set; without one, until SIGINT or SIGTERM.

    ready: called once with the base URL, when questions are taken (port 0 in the config picks a free port).
    Questions being answered at the end get `config.shutdown_seconds`.
    Raises AddressInUse, and what the start-up of `create_app` raises.
    """
    listen = server.Listen("node", config.host, config.port, config.shutdown_seconds)
    await server.serve(create_app(config), listen, ready=ready, stop=stop)
