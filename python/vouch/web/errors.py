"""Refusals that an HTTP service answers with; the status says whether asking again makes sense."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from vouch.protocol.errors import VouchError

RETRY_AFTER_SECONDS = 1


class WebError(VouchError):
    """Base of what a service refuses; its attributes are the reply's details."""

    status: ClassVar[int] = 400


class MalformedBody(WebError):
    """The body is not what the endpoint takes."""

    def __init__(self, field: str, received: str, expected: str) -> None:
        self.field, self.received, self.expected = field, received, expected
        super().__init__(f"{field} is {received}, expected {expected}")


class BodyTooLarge(WebError):
    """The body exceeds the service's limit, in bytes; `received` is what was announced or read so far."""

    status = 413

    def __init__(self, received: int, limit: int) -> None:
        self.received, self.limit = received, limit
        super().__init__(f"body has at least {received} bytes, at most {limit} are taken")


class NotAuthorised(WebError):
    """The bearer token is missing or wrong."""

    status = 401

    def __init__(self) -> None:
        super().__init__("send the service's token as 'Authorization: Bearer <token>'")


class AddressInUse(VouchError):
    """The service cannot listen where it was told to."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host, self.port, self.reason = host, port, reason
        super().__init__(f"cannot listen on {host}:{port} ({reason}): choose another --host or --port")


def details_of(error: VouchError) -> dict[str, Any]:
    """The values an error carries, as JSON."""
    return {name: _json(value) for name, value in vars(error).items() if not name.startswith("_")}


def _json(value: object) -> Any:
    match value:
        case bytes():
            return "0x" + value.hex()
        case float() if not math.isfinite(value):
            return str(value)
        case str() | int() | float() | None:
            return value
        case list() | tuple():
            return [_json(item) for item in value]
        case Mapping():
            return {str(key): _json(item) for key, item in value.items()}
        case _:
            return str(value)
