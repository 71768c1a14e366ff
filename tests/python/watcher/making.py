"""Terms, logs, cases and signatures for the watcher's tests."""

from typing import Any

from eth_utils.address import to_checksum_address

from tests.support import terms
from vouch.chain.account import LocalKey
from vouch.chain.events import (
    ChallengedLog,
    DeliveredLog,
    ExpiredLog,
    RejectedLog,
    RequestedLog,
    SettledLog,
)
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import Request
from vouch.protocol.status import Gap, Status
from vouch.watcher.case import Case
from vouch.watcher.docket import Docket

CHAIN_ID = 31337
HUB, WE, RIVAL = (str(to_checksum_address(f"0x{n:040x}")) for n in (0xBB, 0xEE, 0xFF))
KEY = LocalKey(bytes(31) + b"\5")
OPERATOR = KEY.address
QUESTION, OUTPUT, OTHER = b"how risky?", b"output", b"other"
KEEP = 8
"""Blocks that a docket remembers ended requests for."""


def make_terms(**changes: Any) -> Request:
    plain = {"route": QUORUM, "trust": b"\3" * 32, "window": 60, "prove_within": 30, "bond": 100}
    return terms.make_terms(QUESTION, **plain | changes)


def where(block: int, fork: str = "") -> dict[str, Any]:
    seed = f"{fork}{block}".encode()
    return {
        "address": HUB,
        "block_number": block,
        "block_hash": keccak(b"block" + seed),
        "tx_hash": keccak(b"tx" + seed),
        "log_index": 0,
    }


def request_id(asked: Request) -> bytes:
    return asked.id(CHAIN_ID, HUB)


def requested(block: int, asked: Request) -> RequestedLog:
    return RequestedLog(
        id=request_id(asked), model_id=asked.model_id, request=asked, input=QUESTION, **where(block)
    )


def delivered(block: int, asked: Request, output: bytes = OUTPUT, fork: str = "") -> DeliveredLog:
    return DeliveredLog(id=request_id(asked), operator=OPERATOR, output=output, **where(block, fork))


def challenged(block: int, asked: Request, by: str = WE) -> ChallengedLog:
    return ChallengedLog(id=request_id(asked), challenger=by, **where(block))


def settled(block: int, asked: Request, output: bytes = OUTPUT) -> SettledLog:
    return SettledLog(id=request_id(asked), operator=OPERATOR, output=output, **where(block))


def rejected(block: int, asked: Request, rewarded: str = WE) -> RejectedLog:
    return RejectedLog(id=request_id(asked), operator=OPERATOR, rewarded=rewarded, **where(block))


def expired(block: int, asked: Request) -> ExpiredLog:
    return ExpiredLog(id=request_id(asked), **where(block))


def docket_of(*logs: Any) -> Docket:
    """A docket that has read these logs."""
    docket = Docket(KEEP)
    docket.take(logs, max((log.block_number for log in logs), default=0))
    return docket


def case_of(*logs: Any) -> Case:
    """The case that the logs, all of one request, make."""
    case = docket_of(*logs).get(logs[0].id)
    assert case is not None
    return case


def gap(status: Status = Status.DELIVERED, challenge_by: int = 0, prove_by: int = 0, by: str = "") -> Gap:
    return Gap(status, challenge_by, prove_by, 0, by)


def claim(asked: Request, output: bytes = OUTPUT) -> Claim:
    return Claim(request_id(asked), asked.model_id, asked.input_hash, keccak(output), OPERATOR)


def signature(asked: Request, output: bytes = OUTPUT, key: LocalKey = KEY) -> bytes:
    """65 bytes over the operator's claim."""
    return key.sign_claim(claim(asked, output), CHAIN_ID, HUB).proof
