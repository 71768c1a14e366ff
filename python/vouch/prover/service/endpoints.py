"""The service's endpoints."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from vouch.prover.service.parts import Parts
from vouch.prover.service.wire import again_of, info_json, status_json, task_of
from vouch.web.body import read_json


async def submit(http: Request) -> JSONResponse:
    """POST /vouch/v1/proofs {chainId, hub, operator, modelId, circuitId, items: [{requestId, input, output}],
    proveBy: unix seconds or null, again: true if its seal was refused} -> the status of the proof, whose id
    is the hash of all but the last two."""
    parts = Parts.of(http)
    body = await read_json(http, parts.config.max_body_bytes)
    return JSONResponse(status_json(await parts.queue.submit(task_of(body), again=again_of(body))))


async def validate(http: Request) -> JSONResponse:
    """POST /vouch/v1/validate, as to /vouch/v1/proofs -> {valid: id}; nothing is queued."""
    parts = Parts.of(http)
    task = task_of(await read_json(http, parts.config.max_body_bytes))
    await parts.queue.validate(task)
    return JSONResponse({"valid": task.id})


async def status(http: Request) -> JSONResponse:
    """GET /vouch/v1/proofs/{id} -> id, state, place, etaSeconds, seal, reason, cpuSeconds, peakBytes."""
    return JSONResponse(status_json(Parts.of(http).queue.get(http.path_params["id"])))


async def cancel(http: Request) -> JSONResponse:
    """DELETE /vouch/v1/proofs/{id} -> its status; a proof that was being made is not any more."""
    return JSONResponse(status_json(await Parts.of(http).queue.cancel(http.path_params["id"])))


async def info(http: Request) -> JSONResponse:
    """GET /vouch/v1/info -> models with their circuits, kind of reference string, tasks that wait."""
    return JSONResponse(info_json(Parts.of(http).queue.info()))


async def live(_: Request) -> JSONResponse:
    """GET /health/live -> 200 while the process answers."""
    return JSONResponse({"live": True})


async def ready(http: Request) -> JSONResponse:
    """GET /health/ready -> 200, or 503 with what is wrong."""
    report = Parts.of(http).health.report()
    return JSONResponse(report, 200 if report["ok"] else 503)


routes = [
    Route("/vouch/v1/proofs", submit, methods=["POST"]),
    Route("/vouch/v1/validate", validate, methods=["POST"]),
    Route("/vouch/v1/proofs/{id}", status, methods=["GET"]),
    Route("/vouch/v1/proofs/{id}", cancel, methods=["DELETE"]),
    Route("/vouch/v1/info", info, methods=["GET"]),
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
]
