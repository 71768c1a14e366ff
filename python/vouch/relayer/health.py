"""What an operator looks at: /healthz and /requests/{id} over HTTP, or the same values in the process."""

import time
from typing import Any

from aiohttp import web

from vouch.chain.hexes import to_hex
from vouch.relayer.gap_line import gap_line
from vouch.relayer.job import Job
from vouch.relayer.parts import Parts
from vouch.relayer.quorum import Quorum
from vouch.relayer.store import Store
from vouch.relayer.zk import Circuits


class Health:
    """How the parts of one relayer are."""

    def __init__(self) -> None:
        self.chain_trouble = ""
        self._parts: Parts | None = None

    def watch(self, parts: Parts) -> None:
        """From now on, these."""
        self._parts = parts

    def report(self) -> dict[str, Any]:
        """JSON-ready; `ok` is false while chain, sender, all nodes, an enclave, the prover or a stake is in
        trouble."""
        if (parts := self._parts) is None:
            return {"ok": False, "chain": "starting", "sender": "", "nodes": {}}
        store, follower, now = parts.store, parts.follower, time.time()
        risks = parts.guard.risks | parts.sender.risks
        nodes = {node.url: node.trouble for node in parts.pool.nodes}
        ok = not self.chain_trouble and not parts.sender.trouble and not all(nodes.values()) and not risks
        ok = ok and not parts.enclaves.troubles and not (parts.circuits and parts.circuits.trouble)
        return {
            "ok": ok,
            "chain": self.chain_trouble,
            "sender": parts.sender.trouble,
            "nodes": nodes,
            "quorum": _quorum(parts.quorum),
            "enclaves": parts.enclaves.report(),
            "prover": None if parts.circuits is None else _prover(parts.circuits),
            "delivered": {
                to_hex(job.id): gap_line(job, now) for job in store.in_gap() if parts.plan.is_ours(job)
            },
            "atRisk": {to_hex(job): why for job, why in risks.items()},
            "head": follower.head,
            "cursor": follower.cursor.number if follower.cursor else None,
            "jobs": store.counts(),
            "pending": len(store.pending()),
        }


def _quorum(quorum: Quorum) -> dict[str, Any] | None:
    if not quorum.pool.nodes:
        return None
    policy = quorum.policy
    return {
        "threshold": policy.threshold if policy else None,
        "signers": list(policy.signers) if policy else None,
        "trust": to_hex(policy.trust) if policy else None,
        "cosigners": {node.url: node.trouble for node in quorum.pool.nodes},
    }


def _prover(circuits: Circuits) -> dict[str, Any]:
    info = circuits.info
    return {
        "url": circuits.config.url,
        "trouble": circuits.trouble,
        "srs": info.srs if info else None,
        "queued": info.queued if info else None,
        "circuits": {to_hex(model): [to_hex(each) for each in ids] for model, ids in info.models.items()}
        if info
        else None,
    }


def describe(job: Job, store: Store) -> dict[str, Any]:
    """A job with its history and transactions, JSON-ready; times in unix nanoseconds."""
    return {
        "id": to_hex(job.id),
        "status": job.status,
        "reason": job.reason,
        "block": job.block,
        "transaction": to_hex(job.tx),
        "operator": job.answer.operator if job.answer else None,
        "node": job.answer.node if job.answer else None,
        "nodeNs": job.answer.node_ns if job.answer else None,
        "attempts": job.attempts,
        "gap": gap_line(job, time.time()) or None,
        "deliveredBlock": job.delivered_block,
        "challenger": job.challenger,
        "challengeBy": job.challenge_by,
        "proveBy": job.prove_by,
        "endBlock": job.end_block,
        "endTransaction": to_hex(job.end_tx) if job.end_tx else None,
        "callbackFailure": job.callback_failure,
        "steps": [{"at": s.at, "status": s.status, "reason": s.reason} for s in store.steps(job.id)],
        "transactions": [
            {
                "hash": to_hex(tx.hash),
                "nonce": tx.nonce,
                "kind": tx.kind,
                "status": tx.status,
                "block": tx.block,
                "gasUsed": tx.gas_used,
                "jobs": len(tx.jobs),
            }
            for tx in store.transactions(job.id)
        ],
    }


def request_page(store: Store) -> web.RouteDef:
    """/requests/{id}: what `describe` says about one request."""

    async def reply(http: web.Request) -> web.Response:
        text = http.match_info["id"].removeprefix("0x")
        try:
            request_id = bytes.fromhex(text)
        except ValueError:
            return web.json_response({"error": f"{text!r} is no request id: 64 hex digits"}, status=400)
        job = store.get(request_id)
        if job is None:
            return web.json_response({"error": f"request 0x{text} was not seen by this relayer"}, status=404)
        return web.json_response(describe(job, store))

    return web.get("/requests/{id}", reply)
