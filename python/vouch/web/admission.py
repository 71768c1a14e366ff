"""What happens before any endpoint: the bearer token."""

import hmac
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from vouch.web.errors import NotAuthorised


class Token:
    """Answers 401 without the token, except under `open_path` (health checks).

    refusal: makes the reply to a path.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str | None,
        open_path: str,
        refusal: Callable[[str, NotAuthorised], Response],
    ) -> None:
        self._app, self._open, self._refusal = app, open_path, refusal
        self._expected = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._open) or self._authorised(scope):
            await self._app(scope, receive, send)
        else:
            await self._refusal(scope["path"], NotAuthorised())(scope, receive, send)

    def _authorised(self, scope: Scope) -> bool:
        if self._expected is None:
            return True
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, self._expected)
