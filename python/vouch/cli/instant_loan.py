"""`contracts/examples/InstantLoan.sol`: a pool that lends on a provisional answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from vouch.chain.transaction import Call
from vouch.chain.view import View

CALLBACK_GAS = 20_000
CALLBACKS = 2
"""At the delivery and at the end: the fee is for both (`Request.callbacks`)."""


class Stage(IntEnum):
    """Where a loan stands."""

    NONE = 0
    ASKED = 1
    REFUSED = 2
    INSURED = 3
    FINAL = 4
    CALLED = 5
    UNCOVERED = 6


@dataclass(frozen=True, slots=True)
class Loan:
    """What the contract remembers of a request; fee and amount in wei."""

    borrower: str
    stage: Stage
    drawn: bool
    fee: int
    amount: int


class InstantLoan(View):
    """Views and builders, as in `vouch.chain.contracts`."""

    ABI = "InstantLoan"

    async def loan(self, request_id: bytes) -> Loan:
        borrower, stage, *rest = await self._read("loans", request_id)
        return Loan(borrower, Stage(stage), *rest)

    def ask(self, amount: int, features: Sequence[int], operator: str, fee: int) -> Call:
        """features: five numbers of 18 decimals."""
        return self._call("ask", amount, tuple(features), operator, value=fee)

    def draw(self, request_id: bytes) -> Call:
        return self._call("draw", request_id)

    def refund(self, request_id: bytes) -> Call:
        """The fee of an answer that was retracted becomes the borrower's credit in the hub."""
        return self._call("refund", request_id)

    def collect(self) -> Call:
        """The insurance comes from the hub into the pool."""
        return self._call("collect")
