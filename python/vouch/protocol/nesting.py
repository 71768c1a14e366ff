"""JSON from outside: parsed only once it is known how deep it is nested.

Python's own limit does not protect: py_ecc, which eth-account imports, raises it to 100,000 for the whole
process, and json.loads then runs out of C stack. A body of brackets would end the process.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from vouch.protocol.errors import VouchError

MAX_DEPTH: Final = 64

_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


class NestedTooDeep(VouchError, ValueError):
    """JSON has more levels than anything sensible. A ValueError, as all errors of the JSON parser are."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"JSON is nested deeper than {limit} levels, or its brackets do not match")


def loads_bounded(
    data: bytes | bytearray | str,
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    parse_constant: Callable[[str], Any] | None = None,
    parse_int: Callable[[str], Any] | None = None,
) -> Any:
    """`json.loads` for data from outside. Bytes are UTF-8 (RFC 8259, 8.1), with or without a BOM.

    json.loads would take UTF-16 too, in whose bytes nobody can tell brackets from letters.

    Raises:
        ValueError: no UTF-8 (UnicodeDecodeError), no JSON (json.JSONDecodeError), or NestedTooDeep.
    """
    text = data if isinstance(data, str) else data.decode("utf-8-sig")
    check_nesting(text)
    return json.loads(
        text, object_pairs_hook=object_pairs_hook, parse_constant=parse_constant, parse_int=parse_int
    )


def check_nesting(text: str, limit: int = MAX_DEPTH) -> None:
    """Raises NestedTooDeep when parsing `text` could recurse deeper than `limit`.

    Runs at the speed of memory.
    """
    if text.count("[") + text.count("{") <= limit:
        return
    # Escapes go first: every quotation mark that is left opens or closes a string.
    data = text.encode("utf-8", "surrogatepass").replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_of_strings = b"".join(data.split(b'"')[::2])
    brackets = outside_of_strings.translate(_ONE_KIND, _ALL_BUT_BRACKETS)
    # The parser recurses as deep into text that breaks off.
    brackets += b"]" * (brackets.count(b"[") - brackets.count(b"]"))
    for _ in range(limit):
        if not brackets:
            return
        # One level, the innermost.
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise NestedTooDeep(limit)
