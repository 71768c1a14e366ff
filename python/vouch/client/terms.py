"""From a question to the terms of a request."""

import math
import secrets
from dataclasses import dataclass, replace
from typing import TypedDict

from vouch.chain.hexes import checksum
from vouch.chain.reverts import Reverted
from vouch.client.connection import Connection
from vouch.client.errors import (
    BadTerm,
    DeadlineInPast,
    GapTooLong,
    InsufficientFee,
    UnknownModel,
    UnknownRoute,
)
from vouch.client.models import Inputs, encode_input
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Manifest
from vouch.protocol.request import ANYONE, NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Gate

PATIENCE = 300.0
"""Seconds that an operator gets when the caller names no time."""
PROOF_PATIENCE = 300.0
"""Seconds that a challenged operator gets for its proof when the caller names no time."""
MAX_SECONDS = 2**32 - 1
"""What the terms have room for; the hub admits less."""


class Options(TypedDict, total=False):
    """What a caller may say about a request; everything has a default.

    operator: who shall answer; default: the cheapest registered operator, of those whose free stake covers
    exposure + bond if there is one. ANYONE: whoever comes first.
    fee: token units; default: what that operator asks.
    deliver_within: seconds until the fee can be got back (300).
    route, trust: the verifier and what it must find in the seal; default: SIGNED by any registered operator.
    token: currency of fee, exposure and bond, the zero address for the native one (default).
    refund_to: who is credited with refunds; default: the account.
    salt: makes equal questions distinct; default: random.

    The next ones allow a trust gap: an answer that is delivered before its proof (default: none, they come
    together). Whether to use it is up to the operator; on a route like SIGNED, where the answer is its own
    proof, there is never one.

    window: seconds after the delivery in which anyone may demand the proof; without a challenge the answer
    stands unproven. Zero (default): it must be proven.
    prove_within: seconds for the proof, after the delivery or the challenge; default: 300 with a window, else
    none.
    exposure: what you may lose by a bad answer, token units; locked from the operator's stake, and yours if
    the proof does not come.
    bond: what a challenger puts up, and gets from the stake if it was right, token units. Without one a
    challenge costs nothing and earns nothing: anyone can make the operator prove every answer, and nobody is
    paid for watching.
    on_delivery: a consumer contract is called back with the provisional answer too.
    """

    operator: str
    fee: int
    deliver_within: float
    route: bytes
    trust: bytes
    token: str
    refund_to: str
    salt: int
    window: float
    prove_within: float
    exposure: int
    bond: int
    on_delivery: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """Terms that the hub would accept, with the input they name."""

    request: Request
    input: bytes
    manifest: Manifest


async def prepare(
    chain: Connection, consumer: str, model: str | bytes, inputs: Inputs, options: Options
) -> Prepared:
    """Terms for a question without a callback, checked against the hub's own `estimate`.

    Raises UnknownModel, WrongInput and the codec's errors, NoOperator, UnknownRoute, DeadlineInPast,
    InsufficientFee, BadTerm, GapTooLong, and Reverted for what else the hub refuses (a withdrawn route, an
    operator that does not offer the model).
    """
    gap = _gap(options)
    model_id = await chain.models.resolve(model)
    manifest = await chain.models.manifest(model_id)
    data = encode_input(manifest, inputs)
    token = checksum(options.get("token", NATIVE))
    operator, fee = options.get("operator"), options.get("fee")
    if operator is None or (operator == ANYONE and fee is None):
        offer = await chain.operators.cheapest(model_id, token, callback_gas=0, stake=gap.exposure + gap.bond)
        operator = offer.operator if operator is None else ANYONE
        fee = offer.fee(0) if fee is None else fee
    now = await chain.now()
    request = Request(
        consumer=consumer,
        operator=checksum(operator),
        refund_to=checksum(options.get("refund_to", NATIVE)),
        token=token,
        fee=fee or 0,
        exposure=gap.exposure,
        bond=gap.bond,
        deliver_by=now + round(options.get("deliver_within", PATIENCE)),
        prove_within=gap.prove_within,
        window=gap.window,
        callback_gas=0,
        gate=Gate.ON_DELIVERY if options.get("on_delivery", False) else Gate.ON_SETTLEMENT,
        route=options.get("route", SIGNED),
        trust=options.get("trust", bytes(32)),
        model_id=model_id,
        input_hash=keccak(data),
        salt=options.get("salt", secrets.randbits(256)),
    )
    if request.deliver_by <= now:
        raise DeadlineInPast(request.deliver_by, now)
    asked = await _estimate(chain, request)
    if fee is None:
        request = replace(request, fee=asked)
    elif fee < asked:
        raise InsufficientFee(fee, asked, request.operator)
    return Prepared(request, data, manifest)


@dataclass(frozen=True, slots=True)
class _Gap:
    """What the terms say about a trust gap: seconds, token units."""

    window: int
    prove_within: int
    exposure: int
    bond: int


def _gap(options: Options) -> _Gap:
    """Raises BadTerm."""
    window = _seconds("window", options.get("window", 0))
    prove_within = _seconds("prove_within", options.get("prove_within", PROOF_PATIENCE if window else 0))
    exposure = _amount("exposure", options.get("exposure", 0))
    bond = _amount("bond", options.get("bond", 0))
    if window and not prove_within:
        raise BadTerm("prove_within", 0, "an operator that is challenged needs time to prove, so say more")
    for name, amount in (("exposure", exposure), ("bond", bond)):
        if amount and not window and not prove_within:
            raise BadTerm(
                name,
                amount,
                "nothing is at stake without a trust gap, since answer and proof come together; say how many "
                "seconds it may last (prove_within, window), or leave it out",
            )
    return _Gap(window, prove_within, exposure, bond)


def _seconds(name: str, value: object) -> int:
    if not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS:  # nan neither
        raise BadTerm(name, value, "give seconds, zero or more, but no milliseconds")
    return math.ceil(value)  # a little time is not none


def _amount(name: str, value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 256:
        raise BadTerm(name, value, "give a whole number of token units (wei), zero or more")
    return value


async def _estimate(chain: Connection, request: Request) -> int:
    try:
        return await chain.hub.estimate(request)
    except Reverted as refused:
        match refused.error.name:
            case "UnknownRoute":
                live = tuple(chain.deployment.verifiers)
                raise UnknownRoute(request.route, live) from refused
            case "UnknownModel":
                shown = f"0x{request.model_id.hex()}"
                raise UnknownModel(shown, "no such manifest was published") from refused
            case "DeadlineInPast":
                raise DeadlineInPast(request.deliver_by, await chain.time()) from refused
            case "GapTooLong":
                raise GapTooLong(refused.error.args["received"], refused.error.args["max"]) from refused
        raise
