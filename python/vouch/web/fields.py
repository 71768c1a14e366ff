"""Fields of a JSON body, each checked before it is used; all raise MalformedBody."""

from collections.abc import Mapping
from typing import Any

from eth_utils.address import is_address, to_checksum_address

from vouch.web.errors import MalformedBody


def integer_of(body: Mapping[str, Any], field: str, least: int, end: int) -> int:
    """An integer in [least, end)."""
    value = body.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < end:
        raise MalformedBody(field, repr(value)[:80], f"an integer from {least} to {end - 1}")
    return value


def address_of(body: Mapping[str, Any], field: str) -> str:
    """A checksummed address."""
    value = body.get(field)
    if not isinstance(value, str) or not is_address(value):
        raise MalformedBody(field, repr(value)[:80], "an address")
    return to_checksum_address(value)


def bytes_of(body: Mapping[str, Any], field: str) -> bytes:
    """Bytes of 0x and hexadecimal digits."""
    value = body.get(field)
    if not isinstance(value, str) or not value.startswith("0x"):
        raise MalformedBody(field, type(value).__name__, "a string of 0x and hexadecimal digits")
    try:
        decoded = bytes.fromhex(value[2:])
    except ValueError as error:
        raise MalformedBody(
            field, "not hexadecimal", "0x and an even number of hexadecimal digits"
        ) from error
    # bytes.fromhex skips blanks.
    if 2 * len(decoded) != len(value) - 2:
        raise MalformedBody(field, "hexadecimal with blanks", "0x and an even number of hexadecimal digits")
    return decoded


def list_of(body: Mapping[str, Any], field: str) -> list[Any]:
    """A JSON array."""
    value = body.get(field)
    if not isinstance(value, list):
        raise MalformedBody(field, type(value).__name__, "a JSON array")
    return value


def object_of(value: Any, field: str) -> dict[str, Any]:
    """A JSON object, of which `field` says where it is."""
    if not isinstance(value, dict):
        raise MalformedBody(field, f"a JSON {type(value).__name__}", "a JSON object")
    return value
