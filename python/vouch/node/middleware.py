"""What happens before any endpoint: the bearer token and the number of places."""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from vouch.node.errors import NotAuthorised, Overloaded
from vouch.node.replies import error_reply

_OPEN = ("/v2/health/",)


class Admission:
    """Answers 401 without the token and 503 with Retry-After when all places are taken.

    Only POST takes a place, for as long as its answer takes (a stream until its end). Health checks need
    neither place nor token.
    """

    def __init__(self, app: ASGIApp, token: str | None, concurrency: int) -> None:
        self._app = app
        self._expected = None if token is None else f"Bearer {token}".encode()
        self._limit = self._free = concurrency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
        elif not self._authorised(scope):
            await error_reply(scope["path"], NotAuthorised())(scope, receive, send)
        elif scope["method"] != "POST":
            await self._app(scope, receive, send)
        elif not self._free:
            await error_reply(scope["path"], Overloaded(self._limit))(scope, receive, send)
        else:
            self._free -= 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._free += 1

    def _authorised(self, scope: Scope) -> bool:
        if self._expected is None:
            return True
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, self._expected)
