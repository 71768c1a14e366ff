"""How an enclave's key stands: what the chain says of it, in words, and what is known of its next renewal."""

import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Any, Self

from vouch.chain.enclave import EnclaveKey
from vouch.chain.hexes import to_hex
from vouch.relayer.peers import EnclaveInfo
from vouch.relayer.renewal import LIFE, Backoff


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a key's seals do not count now; empty if they do.

    final: nothing changes that. ends: its certificates have expired, or are about to.
    """

    reason: str = ""
    final: bool = False
    ends: bool = False

    @property
    def good(self) -> bool:
        return not self.reason


def standing(
    key: str, known: EnclaveKey, image_id: bytes, operator: str, now: int, margin: float
) -> Standing:
    """How a key stands at `now` (unix seconds); `margin` seconds must be left for a seal to get on chain."""
    if not known.known:
        return Standing(f"enclave key {key} is not registered yet")
    if known.revoked:
        return Standing(
            f"enclave key {key} was revoked, and never counts again: restart the node, which makes a new one",
            final=True,
        )
    if known.image_id != image_id or known.operator != operator:
        where = f"for {known.operator} and the image {to_hex(known.image_id)}"
        wanted = f"for {operator} and the image {to_hex(image_id)}"
        return Standing(f"enclave key {key} is registered {where}, not {wanted}", final=True)
    if known.expiry < now:
        return Standing(f"enclave key {key} expired at {moment(known.expiry)}", ends=True)
    if known.expiry < now + margin:
        left = known.expiry - now
        return Standing(f"enclave key {key} expires in {left} s, before a seal is on chain", ends=True)
    return Standing()


@dataclass(slots=True)
class Watched:
    """The key of one node's enclave. Nothing of it has to survive a restart.

    known: what the chain said last; None: it was not asked yet. life: seconds that its certificates live.
    renews_at: unix seconds from which it is attested anew. trouble: why the last try did not work. sent: a
    registration was queued; over: why its transaction is over. told: the last line about it.
    """

    info: EnclaveInfo
    backoff: Backoff
    known: EnclaveKey | None = None
    life: int = LIFE
    renews_at: int = 0
    trouble: str = ""
    sent: bool = False
    over: str = ""
    told: str = field(default="", repr=False)

    @classmethod
    def of(cls, info: EnclaveInfo, first: float, most: float) -> Self:
        """One that was not looked at yet; the rest as in `Backoff`."""
        return cls(info, Backoff(first, most))

    def worked(self) -> None:
        """The key is as it should be."""
        self.trouble = ""
        self.backoff.clear()

    def failed(self, why: str) -> None:
        """Another try after a pause, which grows."""
        self.trouble = why
        self.backoff.failed(time.monotonic())

    def line(self, url: str, registers: bool) -> str:
        """For people."""
        info, known = self.info, self.known
        name = f"enclave key {info.key} ({info.kind}, {info.curve.name.lower()}) of {url}"
        trouble = f": {self.trouble}" if self.trouble else ""
        if known is None or not known.known:
            return f"{name} is not registered yet{trouble}"
        if known.revoked:
            return f"{name} is revoked{trouble}"
        renewal = f", attested anew from {moment(self.renews_at)}" if registers else ""
        image = f"image {to_hex(info.image_id)}"
        return f"{name}, {image}, is registered until {moment(known.expiry)}{renewal}{trouble}"

    def report(self, registers: bool) -> dict[str, Any]:
        """JSON-ready; times in unix seconds."""
        info, known = self.info, self.known
        registered = known is not None and known.known
        return {
            "kind": info.kind,
            "key": info.key,
            "curve": info.curve.name.lower(),
            "imageId": to_hex(info.image_id),
            "registered": registered,
            "revoked": known is not None and known.revoked,
            "expiry": known.expiry if known is not None and registered else None,
            "renewal": self.renews_at if registered and registers else None,
            "trouble": self.trouble,
        }


def moment(at: int) -> str:
    """A time in unix seconds, for people."""
    return dt.datetime.fromtimestamp(at, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
