"""Vouch's own endpoints: answers with a signed claim, co-signatures, and what the node is."""

import time
from typing import Any

from eth_abi.exceptions import DecodingError
from eth_utils.address import is_address, to_checksum_address
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from vouch.node.answers import ROUTES
from vouch.node.body import read_json
from vouch.node.errors import MalformedBody
from vouch.node.question import Question
from vouch.node.served import Served
from vouch.protocol.agreement import reproducible
from vouch.protocol.claim import Claim
from vouch.protocol.request import ANYONE, Request
from vouch.protocol.seal import SIGNED, Seal

_TERMS_BYTES = 17 * 32


async def answer(http: HttpRequest) -> JSONResponse:
    """POST /vouch/v1/answers {chainId, hub, terms: abi.encode(Request), input} -> output, claim, signature
    and seal, which is null where the signature is only a part of it."""
    began = time.perf_counter()
    served = Served.of(http)
    question = _question(await read_json(http, served.config.max_body_bytes))
    signed = await served.answers.answer(question)
    whole = question.terms.route == SIGNED
    return JSONResponse(
        {
            "output": _hex(signed.output),
            "operator": signed.claim.operator,
            "claim": _claim(signed.claim),
            "signature": _hex(signed.signature),
            "seal": _hex(bytes(Seal(SIGNED, signed.signature))) if whole else None,
            "elapsedMs": round((time.perf_counter() - began) * 1000, 3),
        }
    )


async def cosignature(http: HttpRequest) -> JSONResponse:
    """POST /vouch/v1/cosignatures {chainId, hub, terms, input, operator, output} -> signer, signature and
    claim, if the node's own copy of the model gives the operator's output too."""
    served = Served.of(http)
    body = await read_json(http, served.config.max_body_bytes)
    question, operator = _question(body), _address(body, "operator")
    if operator == ANYONE:
        raise MalformedBody("operator", "the zero address", "the operator whose answer it is")
    given = await served.cosigner.cosign(question, operator, _bytes(body, "output"))
    return JSONResponse(
        {"signer": given.signer, "signature": _hex(given.signature), "claim": _claim(given.claim)}
    )


async def info(http: HttpRequest) -> JSONResponse:
    """GET /vouch/v1/info -> operator, models, routes, whether it co-signs, limits."""
    config = Served.of(http).config
    return JSONResponse(
        {
            "operator": config.operator,
            "routes": [route.decode() for route in ROUTES],
            "cosigns": config.cosign,
            "hubs": [{"chainId": chain_id, "hub": hub} for chain_id, hub in config.hubs],
            "maxInputBytes": config.max_input_bytes,
            "models": [
                {
                    "name": name,
                    "modelId": _hex(runtime.manifest.model_id),
                    "kind": runtime.manifest.kind,
                    "runtime": type(runtime).__name__,
                    "maxOutputBytes": runtime.manifest.limits.max_output,
                    "reproducible": reproducible(runtime.manifest),
                }
                for name, runtime in config.models
            ],
        }
    )


routes = [
    Route("/vouch/v1/answers", answer, methods=["POST"]),
    Route("/vouch/v1/cosignatures", cosignature, methods=["POST"]),
    Route("/vouch/v1/info", info, methods=["GET"]),
]


def _question(body: dict[str, Any]) -> Question:
    chain_id, hub = body.get("chainId"), _address(body, "hub")
    if not isinstance(chain_id, int) or isinstance(chain_id, bool) or not 0 < chain_id < 1 << 256:
        raise MalformedBody("chainId", repr(chain_id), "a positive integer of at most 256 bits")
    terms = _bytes(body, "terms")
    if len(terms) != _TERMS_BYTES:
        raise MalformedBody("terms", f"{len(terms)} bytes", f"abi.encode(Request), {_TERMS_BYTES} bytes")
    try:
        request = Request.from_bytes(terms)
    except (DecodingError, ValueError) as error:
        raise MalformedBody("terms", f"not decodable ({error})", "abi.encode(Request)") from error
    return Question(chain_id, hub, request, _bytes(body, "input"))


def _address(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not is_address(value):
        raise MalformedBody(field, repr(value)[:80], "an address")
    return to_checksum_address(value)


def _bytes(body: dict[str, Any], field: str) -> bytes:
    value = body.get(field)
    if not isinstance(value, str) or not value.startswith("0x"):
        raise MalformedBody(field, type(value).__name__, "a string of 0x and hexadecimal digits")
    try:
        decoded = bytes.fromhex(value[2:])
    except ValueError as error:
        raise MalformedBody(
            field, "not hexadecimal", "0x and an even number of hexadecimal digits"
        ) from error
    # bytes.fromhex skips blanks.
    if 2 * len(decoded) != len(value) - 2:
        raise MalformedBody(field, "hexadecimal with blanks", "0x and an even number of hexadecimal digits")
    return decoded


def _claim(claim: Claim) -> dict[str, str]:
    return {
        "requestId": _hex(claim.request_id),
        "modelId": _hex(claim.model_id),
        "inputHash": _hex(claim.input_hash),
        "outputHash": _hex(claim.output_hash),
        "operator": claim.operator,
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
