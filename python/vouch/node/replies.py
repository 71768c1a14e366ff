"""Errors in the shape of the protocol whose path was asked."""

import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from vouch.node.errors import status_of
from vouch.protocol.errors import VouchError
from vouch.web.errors import RETRY_AFTER_SECONDS, details_of

_log = logging.getLogger(__name__)


def error_reply(path: str, error: VouchError) -> JSONResponse:
    """The reply to a refusal: status, body and, when the same question may be answered later, Retry-After."""
    status = status_of(error)
    return _reply(path, status, type(error).__name__, str(error), details_of(error))


async def on_vouch_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, VouchError)
    return error_reply(request.url.path, error)


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Unknown paths and methods."""
    assert isinstance(error, HTTPException)
    reply = _reply(request.url.path, error.status_code, "HttpError", error.detail, {})
    reply.headers.update(error.headers or {})
    return reply


async def on_bug(request: Request, error: Exception) -> JSONResponse:
    """A defect of the node; its traceback is logged, not shown."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _reply(request.url.path, 500, "InternalError", "the node failed; its log says why", {})


def _reply(path: str, status: int, name: str, message: str, details: dict[str, Any]) -> JSONResponse:
    body: dict[str, Any]
    if path.startswith("/v2"):
        # Open Inference Protocol v2, "inference error response".
        body = {"error": message}
    elif path.startswith("/v1/"):
        kind = "server_error" if status >= 500 else "invalid_request_error"
        body = {"error": {"message": message, "type": kind, "param": None, "code": name}}
    else:
        body = {"error": {"name": name, "message": message, "details": details, "retryable": status == 503}}
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, status, headers)
