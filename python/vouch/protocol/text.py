"""Text as bytes: UTF-8, and JSON in its one canonical form (RFC 8785, the JSON Canonicalization Scheme)."""

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from vouch.protocol.errors import VouchError
from vouch.protocol.nesting import MAX_DEPTH, loads_bounded

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

MAX_SAFE_INTEGER = (1 << 53) - 1
"""Integers beyond it are not the same number in every JSON reader (RFC 8785, RFC 7493)."""


class NotUtf8(VouchError):
    """Text bytes are not UTF-8 (or a string has a lone surrogate); `offset` is where it goes wrong."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset, self.reason = offset, reason
        super().__init__(f"not UTF-8 at offset {offset} ({reason}); send text as UTF-8 bytes")


class NotJson(VouchError):
    """Bytes are not JSON, or JSON that readers disagree about (a repeated key, NaN, an unsafe integer)."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"not JSON that every reader reads alike: {reason}")


def encode_text(text: str) -> bytes:
    """UTF-8 bytes. Raises NotUtf8."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotUtf8(error.start, error.reason) from None


def decode_text(data: bytes) -> str:
    """Text of UTF-8 bytes. Raises NotUtf8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise NotUtf8(error.start, error.reason) from None


def encode_json(value: Json) -> bytes:
    """Canonical JSON bytes: equal values give equal bytes. Raises NotJson, NotUtf8."""
    return encode_text(_write(value, 0))


def decode_json(data: bytes) -> Json:
    """Value of JSON bytes in any layout. Raises NotJson, NotUtf8."""
    text = decode_text(data)
    try:
        value: Json = loads_bounded(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer
        )
    except ValueError as error:
        raise NotJson(str(error)) from None
    _write(value, 0)  # the same limits both ways: infinite floats, lone surrogates
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise NotJson(f"the key {next(n for n in names if names.count(n) > 1)!r} is there twice")
    return made


def _constant(name: str) -> Json:
    raise NotJson(f"{name} is not a JSON number")


def _integer(digits: str) -> int:
    # int() of a very long string is slow and refused by Python; nothing longer than this can be safe
    if len(digits) > 17:
        raise NotJson(f"the integer {digits[:20]}… is beyond 2**53 - 1; write it as a string")
    return int(digits)


def _write(value: Json, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise NotJson(f"nested deeper than {MAX_DEPTH}")
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() | float():
            return _number(value)
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise NotJson("an object's keys are strings")
            items = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be", "surrogatepass"))
            return "{" + ",".join(f"{_write(k, 0)}:{_write(v, depth + 1)}" for k, v in items) + "}"
        case list() | tuple():
            return "[" + ",".join(_write(item, depth + 1) for item in value) + "]"
    raise NotJson(f"{type(value).__name__} has no JSON form")


def _number(value: int | float) -> str:
    """As ECMAScript writes it, which RFC 8785 asks for."""
    if isinstance(value, int):
        if abs(value) > MAX_SAFE_INTEGER:
            raise NotJson(f"the integer {value} is beyond 2**53 - 1; write it as a string")
        return str(value)
    if not math.isfinite(value):
        raise NotJson(f"{value} is not a JSON number")
    if value == 0:
        return "0"
    if MAX_SAFE_INTEGER < abs(value) < 1e21:  # would be written as an integer that decode_json refuses
        raise NotJson(f"the integer {value:.0f} is beyond 2**53 - 1; write it as a string")
    _, digit_tuple, exponent = Decimal(repr(abs(value))).normalize().as_tuple()
    assert isinstance(exponent, int)  # finite
    digits, sign = "".join(map(str, digit_tuple)), "-" if value < 0 else ""
    point = len(digits) + exponent
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
