"""Request bodies: bounded, strict JSON."""

from typing import Any, NoReturn

from starlette.requests import Request

from vouch.protocol.nesting import loads_bounded
from vouch.web.errors import BodyTooLarge, MalformedBody


async def read_json(request: Request, limit: int) -> dict[str, Any]:
    """The body as a JSON object of at most `limit` bytes, without NaN and infinities.

    Raises BodyTooLarge as soon as the announced or the read length exceeds the limit, and MalformedBody.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise BodyTooLarge(int(announced), limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge(len(body), limit)
    try:
        parsed = loads_bounded(body, parse_constant=_refuse_constant)
    except ValueError as error:
        raise MalformedBody("body", f"not JSON ({error})", "a JSON object") from error
    if not isinstance(parsed, dict):
        raise MalformedBody("body", f"a JSON {type(parsed).__name__}", "a JSON object")
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
