"""Vouch's own endpoints: answers with a signed claim, co-signatures, and what the node is."""

import time
from typing import Any

from eth_abi.exceptions import DecodingError
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from vouch.node.enclave import Enclave
from vouch.node.errors import NotInEnclave
from vouch.node.question import Question
from vouch.node.served import Served
from vouch.protocol.agreement import reproducible
from vouch.protocol.claim import Claim
from vouch.protocol.request import ANYONE, NATIVE, Request
from vouch.protocol.seal import SIGNED, Seal
from vouch.web.body import read_json
from vouch.web.errors import MalformedBody
from vouch.web.fields import address_of, bytes_of, integer_of

_TERMS_BYTES = 17 * 32


async def answer(http: HttpRequest) -> JSONResponse:
    """POST /vouch/v1/answers {chainId, hub, terms: abi.encode(Request), input} -> output, claim, signature
    and seal, which is null where the signature is only a part of it (quorum route) or a prover makes the seal
    later (zk route). On the enclave route it is the enclave's, and `enclave` says whose: kind and key."""
    began = time.perf_counter()
    served = Served.of(http)
    question = _question(await read_json(http, served.config.max_body_bytes))
    signed = await served.answers.answer(question)
    sealed = signed.sealed
    seal = bytes(Seal(SIGNED, signed.signature)) if question.terms.route == SIGNED else None
    return JSONResponse(
        {
            "output": _hex(signed.output),
            "operator": signed.claim.operator,
            "claim": _claim(signed.claim),
            "signature": _hex(signed.signature),
            "seal": _hex_or_none(seal if sealed is None else sealed.seal),
            "enclave": None if sealed is None else {"kind": sealed.kind, "key": sealed.key},
            "elapsedMs": round((time.perf_counter() - began) * 1000, 3),
        }
    )


async def cosignature(http: HttpRequest) -> JSONResponse:
    """POST /vouch/v1/cosignatures {chainId, hub, terms, input, operator, output} -> signer, signature and
    claim, if the node's own copy of the model gives the operator's output too."""
    served = Served.of(http)
    body = await read_json(http, served.config.max_body_bytes)
    question, operator = _question(body), address_of(body, "operator")
    if operator == ANYONE:
        raise MalformedBody("operator", "the zero address", "the operator whose answer it is")
    given = await served.cosigner.cosign(question, operator, bytes_of(body, "output"))
    return JSONResponse(
        {"signer": given.signer, "signature": _hex(given.signature), "claim": _claim(given.claim)}
    )


async def attestation(http: HttpRequest) -> JSONResponse:
    """POST /vouch/v1/attestations {chainId, keys: address of EnclaveKeys, blockNumber, blockHash} -> enclave,
    key (its id), curve, spki, document and timestamp (ms): a new document that binds the enclave's key to
    the node's operator, for `EnclaveKeys.register`."""
    config = Served.of(http).config
    body = await read_json(http, config.max_body_bytes)
    if config.enclave is None or config.operator is None:
        raise NotInEnclave
    document = await config.enclave.attest(
        config.operator,
        _chain_id(body),
        _contract(body, "keys"),
        _block_number(body),
        _hash(body, "blockHash"),
    )
    key = config.enclave.key.identity
    return JSONResponse(
        {
            "enclave": config.enclave.kind,
            "key": key.id,
            "curve": config.enclave.curve,
            "spki": _hex(key.spki),
            "document": _hex(document.raw),
            "timestamp": document.timestamp_ms,
        }
    )


async def info(http: HttpRequest) -> JSONResponse:
    """GET /vouch/v1/info -> operator, models, routes, whether it co-signs, its enclave, limits."""
    config = Served.of(http).config
    return JSONResponse(
        {
            "operator": config.operator,
            "routes": [route.decode() for route in config.routes],
            "cosigns": config.cosign,
            "enclave": None if config.enclave is None else _enclave(config.enclave),
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
    Route("/vouch/v1/attestations", attestation, methods=["POST"]),
    Route("/vouch/v1/info", info, methods=["GET"]),
]


def _question(body: dict[str, Any]) -> Question:
    chain_id, hub = _chain_id(body), address_of(body, "hub")
    terms = bytes_of(body, "terms")
    if len(terms) != _TERMS_BYTES:
        raise MalformedBody("terms", f"{len(terms)} bytes", f"abi.encode(Request), {_TERMS_BYTES} bytes")
    try:
        request = Request.from_bytes(terms)
    except (DecodingError, ValueError) as error:
        raise MalformedBody("terms", f"not decodable ({error})", "abi.encode(Request)") from error
    return Question(chain_id, hub, request, bytes_of(body, "input"))


def _chain_id(body: dict[str, Any]) -> int:
    return integer_of(body, "chainId", 1, 1 << 256)


def _block_number(body: dict[str, Any]) -> int:
    return integer_of(body, "blockNumber", 0, 1 << 64)


def _contract(body: dict[str, Any], field: str) -> str:
    address = address_of(body, field)
    if address == NATIVE:
        raise MalformedBody(field, "the zero address", "the address of a contract")
    return address


def _hash(body: dict[str, Any], field: str) -> bytes:
    value = bytes_of(body, field)
    if len(value) != 32:
        raise MalformedBody(field, f"{len(value)} bytes", "a hash of 32 bytes")
    return value


def _enclave(enclave: Enclave) -> dict[str, str]:
    return {
        "kind": enclave.kind,
        "key": enclave.key.identity.id,
        "curve": enclave.curve,
        "imageId": _hex(enclave.image_id),
    }


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


def _hex_or_none(data: bytes | None) -> str | None:
    return None if data is None else _hex(data)
