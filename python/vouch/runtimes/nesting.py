"""How deep JSON is nested, found out before a parser recurses into it.

Python's own limit does not protect: py_ecc, which eth-account imports, raises it to 100,000 for the whole
process, and json.loads then runs out of C stack. A body of brackets would end the process.
"""

import re
from typing import Final

from vouch.protocol.errors import VouchError

MAX_DEPTH: Final = 64

_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


class NestedTooDeep(VouchError):
    """JSON has more levels than anything sensible."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"JSON is nested deeper than {limit} levels, or its brackets do not match")


def check_nesting(data: bytes | bytearray, limit: int = MAX_DEPTH) -> None:
    """Raises NestedTooDeep when parsing `data` could recurse deeper than `limit`.

    Runs at the speed of memory.
    """
    if data.count(b"[") + data.count(b"{") <= limit:
        return
    brackets = _STRINGS.sub(b"", data).translate(_ONE_KIND, _ALL_BUT_BRACKETS)
    for _ in range(limit):
        if not brackets:
            return
        # One level, the innermost.
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise NestedTooDeep(limit)
