"""One ASGI application on one port, from start-up to shutdown."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from vouch.web.errors import AddressInUse

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a service listens (port 0: a free one), what it is called in the log, and how many seconds the
    requests under way get at the end."""

    name: str
    host: str
    port: int
    shutdown_seconds: float = 10.0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to `serve`, so that the lifespan is left before the process ends."""
        yield


async def serve(
    app: Starlette,
    listen: Listen,
    *,
    ready: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serves until `stop` is set; without one, until SIGINT or SIGTERM.

    ready: called once with the base URL, when requests are taken. Raises AddressInUse, and what the
    application's lifespan raises.
    """
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(listen.shutdown_seconds)),
        )
    )
    with listener_on(listen.host, listen.port) as listener, stop_signals(stop) as stopped:
        async with app.router.lifespan_context(app):
            async with asyncio.TaskGroup() as tasks:
                main = tasks.create_task(_run(server, listener))
                announce = tasks.create_task(_announce(server, listener, listen.name, ready))
                waiting = tasks.create_task(stopped.wait())
                await asyncio.wait((main, waiting), return_when=asyncio.FIRST_COMPLETED)
                announce.cancel()
                waiting.cancel()
                server.should_exit = True


def listener_on(host: str, port: int) -> socket.socket:
    """A bound TCP socket. Raises AddressInUse."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # asyncio turns Nagle off only for sockets that name TCP; with it, answers wait 40 ms for an ACK.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
        except OSError:
            listener.close()
            raise
        return listener
    except OSError as error:
        raise AddressInUse(host, port, str(error)) from error


async def _run(server: _Server, listener: socket.socket) -> None:
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        if server.started:
            await server.shutdown(sockets=[listener])
        raise


async def _announce(
    server: _Server, listener: socket.socket, name: str, ready: Callable[[str], None] | None
) -> None:
    await server.listening.wait()
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    _log.info("%s listens on %s", name, url)
    if ready is not None:
        ready(url)


@contextlib.contextmanager
def stop_signals(stop: asyncio.Event | None) -> Iterator[asyncio.Event]:
    """`stop`; without one, an event that SIGINT and SIGTERM set (in the main thread: others get none)."""
    stopped = stop or asyncio.Event()
    if stop is not None or threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    loop = asyncio.get_running_loop()
    handled = (signal.SIGINT, signal.SIGTERM)
    for number in handled:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
