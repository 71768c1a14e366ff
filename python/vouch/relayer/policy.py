"""Which requests the relayer takes, and why it refuses the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vouch.chain.contracts import Price
from vouch.protocol.request import ANYONE, NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.relayer.errors import Refused


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's terms besides its prices. Every refusal is a `Refused` whose name says why."""

    callback_gas: int
    """Most callback gas."""
    margin: float
    """Seconds that must be left before deliverBy."""
    gas_floor: float
    """Part of the gas cost that a native fee must cover on top of the price."""
    defend_within: int = 0
    """Seconds in which a proof reaches the chain, if the whole seal is there already."""

    def check_operator(self, terms: Request, operators: Sequence[str]) -> None:
        """Raises Refused(OtherOperator)."""
        if terms.operator != ANYONE and terms.operator not in operators:
            raise Refused(
                "OtherOperator", f"the terms name {terms.operator}, we are {', '.join(operators) or 'nobody'}"
            )

    def check_terms(self, terms: Request, now: int) -> None:
        """Raises Refused(CallbackGasTooHigh, TooLate, GapTooShort); `now` in unix seconds."""
        if terms.callback_gas > self.callback_gas:
            raise Refused(
                "CallbackGasTooHigh", f"{terms.callback_gas} gas, we run at most {self.callback_gas}"
            )
        if now + self.margin > terms.deliver_by:
            left = terms.deliver_by - now
            raise Refused("TooLate", f"{left} s are left before deliverBy, we need {self.margin:g}")
        # Whoever sees an answer's signature, in a seal that waits for its block, can deliver it.
        opens = terms.window > 0 or terms.prove_within > 0
        if opens and terms.exposure + terms.bond > 0 and terms.prove_within < self.defend_within:
            raise Refused(
                "GapTooShort",
                f"with stake behind the answer we need {self.defend_within} s to prove it, "
                f"proveWithin is {terms.prove_within}",
            )

    @staticmethod
    def is_trusted(terms: Request, operator: str) -> bool:
        """False if the verifier of the route would not take this operator's seal under these terms."""
        trusted = bytes.fromhex(operator[2:]).rjust(32, b"\0")
        return terms.route != SIGNED or not any(terms.trust) or terms.trust == trusted

    def takers(self, terms: Request, prices: Mapping[str, Price], gas_cost: int) -> list[str]:
        """Operators of ours that take the request at its fee.

        `prices` maps operators to offers, `gas_cost` is the expected cost of the transaction in wei. Raises
        Refused(PriceNotOffered, FeeTooLow).
        """
        quotes = {
            operator: price.base + price.per_callback_gas * terms.callbacks * terms.callback_gas
            for operator, price in prices.items()
            if price.offered
        }
        if not quotes:
            raise Refused(
                "PriceNotOffered", f"no price for model 0x{terms.model_id.hex()} in token {terms.token}"
            )
        floor = int(gas_cost * self.gas_floor) if terms.token == NATIVE else 0
        if takers := [operator for operator, quote in quotes.items() if quote + floor <= terms.fee]:
            return takers
        price = min(quotes.values())
        raise Refused(
            "FeeTooLow", f"the fee is {terms.fee}, we ask {price + floor} ({price} and {floor} for gas)"
        )
