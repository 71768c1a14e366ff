"""Pull mode: an answer straight from a node, checked before it is believed."""

from typing import Any

import aiohttp

from vouch.chain.hexes import checksum, to_bytes, to_hex
from vouch.client.answer import NodeAnswer
from vouch.client.errors import BadAnswer, NodeRefused, NodeUnreachable
from vouch.client.models import decode_output
from vouch.client.signature import check_seal, check_signature
from vouch.client.terms import Prepared
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.nesting import loads_bounded
from vouch.protocol.seal import SIGNED, BadSeal, Seal

TIMEOUT = 120.0


async def ask_node(url: str, prepared: Prepared, chain_id: int, hub: str, bearer: str | None) -> NodeAnswer:
    """Asks a node and checks output, claim, signature and seal against the terms.

    Raises NodeRefused, NodeUnreachable, BadAnswer, the codec's errors.
    """
    terms = prepared.request
    body = {
        "chainId": chain_id,
        "hub": hub,
        "terms": to_hex(bytes(terms)),
        "input": to_hex(prepared.input),
    }
    reply = await _post(f"{url.rstrip('/')}/vouch/v1/answers", body, bearer)
    try:
        output, signature = to_bytes(reply["output"]), to_bytes(reply["signature"])
        seal = None if reply["seal"] is None else Seal.parse(to_bytes(reply["seal"]))
        operator, elapsed = checksum(str(reply["operator"])), float(reply["elapsedMs"])
    except (BadSeal, AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadAnswer(
            "the node's reply", repr(reply)[:200], "output, signature, seal, operator and elapsedMs"
        ) from error
    # Everything in the claim is computed here: what the node says it claims is of no interest.
    claim = Claim(terms.id(chain_id, hub), terms.model_id, terms.input_hash, keccak(output), operator)
    check_signature(signature, claim, chain_id, hub)
    if int(terms.operator, 16) and terms.operator != operator:
        raise BadAnswer("operator", operator, terms.operator)
    if seal is None and terms.route == SIGNED:
        raise BadAnswer("seal", "missing", f"one of route {SIGNED!r}, which a node makes alone")
    if seal is not None:
        check_seal(seal, claim, chain_id, hub)
        if seal.route != terms.route:
            raise BadAnswer("route of the seal", repr(seal.route), repr(terms.route))
    answer = decode_output(prepared.manifest, output)
    return NodeAnswer(terms, answer, output, claim, seal, signature, elapsed)


async def _post(url: str, body: dict[str, Any], bearer: str | None) -> Any:
    headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT, sock_connect=5)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http:
            async with http.post(url, json=body, headers=headers) as response:
                raw = await response.read()
                reply = loads_bounded(raw) if raw.strip() else None
                if response.status == 200:
                    return reply
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise NodeUnreachable(url, str(error) or type(error).__name__) from error
    refusal = reply.get("error") if isinstance(reply, dict) else None
    if not isinstance(refusal, dict):
        raise NodeRefused(url, response.status, "no reason", str(reply)[:200], response.status >= 500)
    raise NodeRefused(
        url,
        response.status,
        str(refusal.get("name")),
        str(refusal.get("message")),
        bool(refusal.get("retryable")),
    )
