"""From a question to the terms of a request."""

import secrets
import time
from dataclasses import dataclass, replace
from typing import TypedDict

from vouch.chain.hexes import checksum
from vouch.chain.reverts import Reverted
from vouch.client.connection import Connection
from vouch.client.errors import DeadlineInPast, InsufficientFee, UnknownModel, UnknownRoute
from vouch.client.models import Inputs, encode_input
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Manifest
from vouch.protocol.request import ANYONE, NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Gate

PATIENCE = 300.0
"""Seconds that an operator gets when the caller names no time."""


class Options(TypedDict, total=False):
    """What a caller may say about a request; everything has a default.

    operator: who shall answer; default: the cheapest registered operator. ANYONE: whoever comes first.
    fee: token units; default: what that operator asks.
    deliver_within: seconds until the fee can be got back (300).
    route, trust: the verifier and what it must find in the seal; default: SIGNED by any registered operator.
    token: currency of the fee, the zero address for the native one (default).
    refund_to: who is credited with refunds; default: the account.
    salt: makes equal questions distinct; default: random.
    """

    operator: str
    fee: int
    deliver_within: float
    route: bytes
    trust: bytes
    token: str
    refund_to: str
    salt: int


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
    InsufficientFee, and Reverted for what else the hub refuses (a withdrawn route, an operator that does not
    offer the model).
    """
    model_id = await chain.models.resolve(model)
    manifest = await chain.models.manifest(model_id)
    data = encode_input(manifest, inputs)
    token = checksum(options.get("token", NATIVE))
    operator, fee = options.get("operator"), options.get("fee")
    if operator is None or (operator == ANYONE and fee is None):
        offer = await chain.operators.cheapest(model_id, token, callback_gas=0)
        operator = offer.operator if operator is None else ANYONE
        fee = offer.fee(0) if fee is None else fee
    # An idle development chain's newest block may be old, a warped one's may lie ahead of the clock here.
    now = max(await chain.time(), int(time.time()))
    request = Request(
        consumer=consumer,
        operator=checksum(operator),
        refund_to=checksum(options.get("refund_to", NATIVE)),
        token=token,
        fee=fee or 0,
        exposure=0,
        bond=0,
        deliver_by=now + round(options.get("deliver_within", PATIENCE)),
        prove_within=0,
        window=0,
        callback_gas=0,
        gate=Gate.ON_SETTLEMENT,
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
        raise
