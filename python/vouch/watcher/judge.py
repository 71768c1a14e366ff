"""One answer, compared with what our own copy of the model says."""

import asyncio
import logging
import math
from dataclasses import dataclass

import numpy as np

from vouch.protocol.agreement import agrees
from vouch.protocol.codec import decode_tensors
from vouch.protocol.errors import VouchError
from vouch.protocol.manifest import Manifest
from vouch.runtimes.base import Runtime, RuntimeUnavailable
from vouch.watcher.errors import CannotJudge, NotNow
from vouch.watcher.finding import Kind
from vouch.watcher.shelf import Shelf
from vouch.watcher.words import plain

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """SAME, CLOSE, DIFFERENT or UNJUDGED, and why; only DIFFERENT may cost anybody anything."""

    kind: Kind
    why: str


class Judge:
    """Runs models and compares. `slack` as in WatchConfig, `limit` in seconds for one run."""

    def __init__(self, shelf: Shelf, slack: float, limit: float) -> None:
        self._shelf, self._slack, self._limit = shelf, slack, limit

    async def judge(self, model_id: bytes, given: bytes, theirs: bytes) -> Verdict:
        """The verdict about an output for an input.

        Raises NotNow, RpcUnavailable, RpcError: there is none yet, ask again.
        """
        try:
            runtime = await self._shelf.runtime(model_id)
            ours = await self._run(runtime, given)
        except CannotJudge as reason:
            return Verdict(Kind.UNJUDGED, plain(str(reason)))
        return compare(runtime.manifest, ours, theirs, self._slack)

    async def _run(self, runtime: Runtime, given: bytes) -> bytes:
        manifest = runtime.manifest
        try:
            async with asyncio.timeout(self._limit):
                ours = await runtime.run(given)
            if manifest.kind == "tensor":
                decode_tensors(manifest.outputs, ours)
        except (RuntimeUnavailable, TimeoutError) as busy:
            raise NotNow(str(busy) or f"the model took more than {self._limit:g} s") from busy
        except VouchError as failed:
            raise CannotJudge(f"our own run failed: {failed}") from failed
        except Exception as unforeseen:
            # The input is a stranger's: whatever it does to a model must not end the watch.
            _log.exception("model %s on an input of %d bytes", manifest.name, len(given))
            raise CannotJudge(
                f"our own run failed: {type(unforeseen).__name__}: {unforeseen}"
            ) from unforeseen
        return ours


def compare(manifest: Manifest, ours: bytes, theirs: bytes, slack: float) -> Verdict:
    """What two outputs of one question say about theirs; ours decodes. `slack` as in WatchConfig."""
    found = agrees(manifest, ours, theirs)
    name = plain(manifest.name, 64)
    if found.same:
        within = f", within the tolerance: {found.difference}" if found.difference else ""
        return Verdict(Kind.SAME, f"{name} says so too{within}")
    # Without slack a word decides: two that differ may be one float.
    slack = 0.0 if manifest.tolerance > 0 else slack
    if slack > 0 and found.largest is not None and _apart(manifest, ours, theirs) <= slack:
        why = f"{name} says almost so, and another processor may explain it: {plain(found.difference)}"
        return Verdict(Kind.CLOSE, why)
    return Verdict(Kind.DIFFERENT, f"{name} says something else: {plain(found.difference)}")


def _apart(manifest: Manifest, ours: bytes, theirs: bytes) -> float:
    """The largest difference of an element, as a part of it or of 1; endless if a whole number differs."""
    mine, others = (decode_tensors(manifest.outputs, output) for output in (ours, theirs))
    largest = 0.0
    for spec in manifest.outputs:
        a, b = (np.asarray(side[spec.name], np.float64) for side in (mine, others))
        if spec.numpy.kind != "f":
            if not np.array_equal(mine[spec.name], others[spec.name]):
                return math.inf
        elif a.size:
            scale = np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
            largest = max(largest, float(np.max(np.abs(a - b) / scale)))
    return largest
