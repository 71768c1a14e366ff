"""The one place where tests make up the terms of a request (ape's environment imports it too)."""

import time
from typing import Any

from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Gate

CONSUMER = "0x00000000000000000000000000000000000000cc"
FEE = 10**15
INPUT = b"input"


def make_terms(input_: bytes = INPUT, /, **changes: Any) -> Request:
    """The plainest terms about `input_`: native fee, any operator, no callback, a deadline in 2033.

    A hub takes no deadline that far away: give it `deliver_by=deadline_in(3600)`.
    """
    plain: dict[str, Any] = {
        "consumer": CONSUMER,
        "operator": NATIVE,
        "refund_to": NATIVE,
        "token": NATIVE,
        "fee": FEE,
        "exposure": 0,
        "bond": 0,
        "deliver_by": 2_000_000_000,
        "prove_within": 0,
        "window": 0,
        "callback_gas": 0,
        "gate": Gate.ON_SETTLEMENT,
        "route": SIGNED,
        "trust": bytes(32),
        "model_id": b"\1" * 32,
        "input_hash": keccak(input_),
        "salt": 1,
    }
    return Request(**plain | changes)


def deadline_in(seconds: int) -> int:
    """Unix seconds, by the clock of this machine."""
    return int(time.time()) + seconds
