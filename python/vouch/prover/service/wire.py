"""Tasks and their status as JSON: written and read by the service and by its client."""

from collections.abc import Mapping
from typing import Any

from vouch.chain.hexes import to_bytes, to_hex
from vouch.prover.service.task import Item, ProofState, ProofStatus, ProofTask, ProverInfo
from vouch.web.errors import MalformedBody
from vouch.web.fields import address_of, bytes_of, integer_of, list_of, object_of

_WORD = 1 << 256
_TIME = 1 << 63
"""SQLite keeps no larger integers."""


def task_json(task: ProofTask) -> dict[str, Any]:
    """What is posted to /vouch/v1/proofs."""
    return {
        "chainId": task.chain_id,
        "hub": task.hub,
        "operator": task.operator,
        "modelId": to_hex(task.model_id),
        "circuitId": to_hex(task.circuit_id),
        "items": [
            {
                "requestId": to_hex(item.request_id),
                "input": to_hex(item.input),
                "output": to_hex(item.output),
            }
            for item in task.items
        ],
        "proveBy": task.prove_by,
    }


def task_of(body: Mapping[str, Any]) -> ProofTask:
    """The task that was posted. Raises MalformedBody, BadTask."""
    prove_by = None if body.get("proveBy") is None else integer_of(body, "proveBy", 0, _TIME)
    items = [object_of(item, f"items[{i}]") for i, item in enumerate(list_of(body, "items"))]
    return ProofTask(
        chain_id=integer_of(body, "chainId", 1, _WORD),
        hub=address_of(body, "hub"),
        operator=address_of(body, "operator"),
        model_id=bytes_of(body, "modelId"),
        circuit_id=bytes_of(body, "circuitId"),
        items=tuple(
            Item(bytes_of(item, "requestId"), bytes_of(item, "input"), bytes_of(item, "output"))
            for item in items
        ),
        prove_by=prove_by,
    )


def again_of(body: Mapping[str, Any]) -> bool:
    """Whether a posted task is to be proven again although it is done. Raises MalformedBody."""
    again = body.get("again", False)
    if not isinstance(again, bool):
        raise MalformedBody("again", repr(again)[:80], "true or false")
    return again


def status_json(status: ProofStatus) -> dict[str, Any]:
    """What /vouch/v1/proofs answers with."""
    return {
        "id": status.id,
        "state": status.state,
        "place": status.place,
        "etaSeconds": _rounded(status.eta_seconds),
        "seal": None if status.seal is None else to_hex(status.seal),
        "reason": status.reason,
        "cpuSeconds": round(status.cpu_seconds, 3),
        "peakBytes": status.peak_bytes,
    }


def status_of(body: Any) -> ProofStatus:
    """The status that was answered. Raises ValueError, KeyError or TypeError if it makes no sense."""
    state = ProofState(body["state"])
    seal = None if body["seal"] is None else to_bytes(body["seal"])
    if (state is ProofState.DONE) != (seal is not None):
        raise ValueError(f"state {state} {'without' if seal is None else 'with'} a seal")
    return ProofStatus(
        id=str(body["id"]),
        state=state,
        place=int(body["place"]),
        eta_seconds=None if body["etaSeconds"] is None else float(body["etaSeconds"]),
        seal=seal,
        reason=str(body["reason"]),
        cpu_seconds=float(body["cpuSeconds"]),
        peak_bytes=int(body["peakBytes"]),
    )


def info_json(info: ProverInfo) -> dict[str, Any]:
    """What /vouch/v1/info answers with."""
    return {
        "models": [
            {
                "modelId": to_hex(model_id),
                "circuits": [
                    {
                        "circuitId": to_hex(circuit_id),
                        "batch": batch,
                        "etaSeconds": _rounded(info.eta.get(circuit_id)),
                        "seconds": _rounded(info.seconds.get(circuit_id)),
                    }
                    for circuit_id, batch in circuits.items()
                ],
            }
            for model_id, circuits in info.models.items()
        ],
        "srs": info.srs,
        "queued": info.queued,
    }


def info_of(body: Any) -> ProverInfo:
    """What was answered. Raises ValueError, KeyError or TypeError if it makes no sense.

    `seconds` may be missing: older services do not say it.
    """
    circuits = [c for model in body["models"] for c in model["circuits"]]
    return ProverInfo(
        models={
            to_bytes(model["modelId"]): {to_bytes(c["circuitId"]): int(c["batch"]) for c in model["circuits"]}
            for model in body["models"]
        },
        srs=str(body["srs"]),
        queued=int(body["queued"]),
        eta={
            to_bytes(c["circuitId"]): float(c["etaSeconds"]) for c in circuits if c["etaSeconds"] is not None
        },
        seconds={
            to_bytes(c["circuitId"]): float(took) for c in circuits if (took := c.get("seconds")) is not None
        },
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
