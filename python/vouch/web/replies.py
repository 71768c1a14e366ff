"""Errors as JSON: name, message, details, and whether the same request may succeed later."""

import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from vouch.protocol.errors import VouchError
from vouch.web.errors import RETRY_AFTER_SECONDS, WebError, details_of

_log = logging.getLogger(__name__)

_UNPROCESSABLE = 422


def error_reply(error: VouchError) -> JSONResponse:
    """The reply to a refusal: status, body and, when the same request may succeed later, Retry-After."""
    status = error.status if isinstance(error, WebError) else _UNPROCESSABLE
    return _reply(status, type(error).__name__, str(error), details_of(error))


async def on_vouch_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, VouchError)
    return error_reply(error)


async def on_http_error(_: Request, error: Exception) -> JSONResponse:
    """Unknown paths and methods."""
    assert isinstance(error, HTTPException)
    reply = _reply(error.status_code, "HttpError", error.detail, {})
    reply.headers.update(error.headers or {})
    return reply


async def on_bug(request: Request, error: Exception) -> JSONResponse:
    """A defect of the service; its traceback is logged, not shown."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _reply(500, "InternalError", "the service failed; its log says why", {})


def _reply(status: int, name: str, message: str, details: dict[str, Any]) -> JSONResponse:
    body = {"error": {"name": name, "message": message, "details": details, "retryable": status == 503}}
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, status, headers)
