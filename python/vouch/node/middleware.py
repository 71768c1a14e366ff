"""What happens before any endpoint: the number of places."""

from starlette.types import ASGIApp, Receive, Scope, Send

from vouch.node.errors import Overloaded
from vouch.node.replies import error_reply


class Places:
    """Answers 503 with Retry-After when all places are taken.

    Only POST takes a place, for as long as its answer takes (a stream until its end).
    """

    def __init__(self, app: ASGIApp, concurrency: int) -> None:
        self._app = app
        self._limit = self._free = concurrency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
        elif not self._free:
            await error_reply(scope["path"], Overloaded(self._limit))(scope, receive, send)
        else:
            self._free -= 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._free += 1
