import json
import math

from vouch.protocol.errors import VouchError
from vouch.web.errors import WebError, details_of
from vouch.web.replies import error_reply


class Odd(WebError):
    status = 503

    def __init__(self) -> None:
        self.data, self.nan, self.items = b"\x01", math.nan, (1, b"\x02", None)
        self.table, self.other, self._own = {1: b"\x03"}, {2}, "not shown"
        super().__init__("odd")


def test_details_are_json() -> None:
    assert details_of(Odd()) == {
        "data": "0x01",
        "nan": "nan",
        "items": [1, "0x02", None],
        "table": {"1": "0x03"},
        "other": "{2}",
    }


def test_replies() -> None:
    reply = error_reply(Odd())
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert json.loads(bytes(reply.body))["error"]["retryable"] is True
    other = error_reply(VouchError("no"))
    assert (other.status_code, "retry-after" in other.headers) == (422, False)
    assert json.loads(bytes(other.body))["error"] == {
        "name": "VouchError",
        "message": "no",
        "details": {},
        "retryable": False,
    }
