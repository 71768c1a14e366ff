"""Open Inference Protocol v2 over HTTP and JSON (github.com/kserve/open-inference-protocol).

Tensors go to the model as they are, not through the fixed-point codec, and nothing is sealed. A text model
takes and gives one BYTES tensor "text" of shape [1]. The binary tensor extension is not offered; asking for
it is refused by the body not being JSON.
"""

from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from vouch.node.errors import UnknownModel
from vouch.node.oip_tensors import InvalidTensor, flatten, parse_tensor, render_tensor
from vouch.node.served import Served
from vouch.protocol.errors import VouchError
from vouch.protocol.manifest import Manifest
from vouch.runtimes.base import Runtime
from vouch.web.body import read_json
from vouch.web.errors import MalformedBody

_VERSION = "1"
_TEXT = {"name": "text", "datatype": "BYTES", "shape": [1]}


async def server_metadata(_: Request) -> JSONResponse:
    return JSONResponse({"name": "vouch", "version": version("vouch-inference"), "extensions": []})


async def live(_: Request) -> JSONResponse:
    return JSONResponse({"live": True})


async def ready(request: Request) -> JSONResponse:
    """200 when every model can answer, else 503 with the reasons."""
    reasons = {name: await _obstacle(runtime) for name, runtime in Served.of(request).config.models}
    failing = {name: reason for name, reason in reasons.items() if reason is not None}
    return JSONResponse(
        {"ready": not failing, **({"reasons": failing} if failing else {})}, 503 if failing else 200
    )


async def model_ready(request: Request) -> JSONResponse:
    name, runtime = _model(request)
    reason = await _obstacle(runtime)
    body: dict[str, Any] = {"name": name, "ready": reason is None}
    return JSONResponse(
        body if reason is None else {**body, "reason": reason}, 200 if reason is None else 503
    )


async def model_metadata(request: Request) -> JSONResponse:
    name, runtime = _model(request)
    manifest = runtime.manifest
    return JSONResponse(
        {
            "name": name,
            "versions": [_VERSION],
            "platform": manifest.artefact.format,
            "inputs": _signature(manifest, manifest.inputs),
            "outputs": _signature(manifest, manifest.outputs),
            "parameters": {"modelId": f"0x{manifest.model_id.hex()}"},
        }
    )


async def infer(request: Request) -> JSONResponse:
    name, runtime = _model(request)
    served = Served.of(request)
    body = await read_json(request, served.config.max_body_bytes)
    given = _inputs(body)
    if runtime.manifest.kind == "text":
        outputs = [await _infer_text(runtime, given)]
    else:
        outputs = await _infer_tensors(served, name, given)
    reply: dict[str, Any] = {"model_name": name, "model_version": _VERSION}
    if "id" in body:
        reply["id"] = body["id"]
    return JSONResponse({**reply, "outputs": _chosen(body, outputs)})


_MODEL = "/v2/models/{name}"
_MODEL_VERSION = _MODEL + "/versions/{version}"
routes = [
    Route("/v2", server_metadata, methods=["GET"]),
    Route("/v2/health/live", live, methods=["GET"]),
    Route("/v2/health/ready", ready, methods=["GET"]),
    *(Route(path, model_metadata, methods=["GET"]) for path in (_MODEL, _MODEL_VERSION)),
    *(Route(path + "/ready", model_ready, methods=["GET"]) for path in (_MODEL, _MODEL_VERSION)),
    *(Route(path + "/infer", infer, methods=["POST"]) for path in (_MODEL, _MODEL_VERSION)),
]


def _model(request: Request) -> tuple[str, Runtime]:
    name, asked = request.path_params["name"], request.path_params.get("version", _VERSION)
    runtime = Served.of(request).model(name)
    # The content hash is a version too, the one that cannot change its meaning.
    if asked not in (_VERSION, f"0x{runtime.manifest.model_id.hex()}"):
        raise UnknownModel(f"{name} version {asked}", [f"{name} version {_VERSION}"])
    return name, runtime


async def _obstacle(runtime: Runtime) -> str | None:
    try:
        await runtime.verify_artefact()
    except VouchError as error:
        return str(error)
    return None


def _signature(manifest: Manifest, specs: tuple[Any, ...]) -> list[dict[str, Any]]:
    if manifest.kind == "text":
        return [_TEXT]
    return [
        {"name": s.name, "datatype": s.dtype, "shape": [-1 if size is None else size for size in s.shape]}
        for s in specs
    ]


def _inputs(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(
        isinstance(i, dict) and isinstance(i.get("name"), str) for i in inputs
    ):
        raise MalformedBody("inputs", type(inputs).__name__, "a list of tensors with a name")
    named = {given["name"]: given for given in inputs}
    if len(named) != len(inputs):
        raise MalformedBody("inputs", "one name twice", "each input once")
    return named


def _check_names(received: set[str], expected: set[str]) -> None:
    if received != expected:
        raise MalformedBody("inputs", f"{sorted(received)}", f"{sorted(expected)}")


async def _infer_tensors(served: Served, name: str, given: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    runtime = served.tensor_model(name)
    manifest = runtime.manifest
    _check_names(set(given), {spec.name for spec in manifest.inputs})
    outputs = await runtime.infer(
        {spec.name: parse_tensor(spec, given[spec.name]) for spec in manifest.inputs}
    )
    return [render_tensor(spec.name, spec.dtype, outputs[spec.name]) for spec in manifest.outputs]


async def _infer_text(runtime: Runtime, given: dict[str, dict[str, Any]]) -> dict[str, Any]:
    _check_names(set(given), {"text"})
    tensor = given["text"]
    if tensor.get("datatype") != "BYTES" or tensor.get("shape") != [1]:
        received = f"{tensor.get('datatype')} {tensor.get('shape')}"
        raise InvalidTensor("text", "datatype and shape", received, "BYTES [1]")
    values = flatten("text", tensor.get("data"))
    if len(values) != 1 or not isinstance(values[0], str):
        raise InvalidTensor("text", "data", repr(values)[:80], "one string")
    output = await runtime.run(values[0].encode())
    return {**_TEXT, "data": [output.decode()]}


def _chosen(body: dict[str, Any], outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    asked = body.get("outputs")
    if asked is None:
        return outputs
    if not isinstance(asked, list) or not all(isinstance(entry, dict) for entry in asked):
        raise MalformedBody("outputs", type(asked).__name__, "a list of tensors with a name")
    by_name = {output["name"]: output for output in outputs}
    for entry in asked:
        if entry.get("name") not in by_name:
            raise MalformedBody("outputs", repr(entry.get("name")), f"names among {sorted(by_name)}")
    return [by_name[entry["name"]] for entry in asked]
