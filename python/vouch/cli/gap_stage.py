"""What the scenes of a demo share: steps as they happen, money before and after, checks."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rich.markup import escape

from vouch.cli.balances import Balances, Sent, balances, gas_of, missing, table, transactions, uncovered
from vouch.cli.console import out
from vouch.cli.devnet import Progress
from vouch.cli.played import Played
from vouch.protocol.codec import decode_tensors
from vouch.protocol.manifest import Manifest

N = TypeVar("N", bound=Played)

CONTRACTS = ("InferenceHub", "InstantLoan", "RiskGate")
AMOUNT = 10**18 // 2
"""The loan, and so what is insured, wei."""
BOND = AMOUNT // 50
"""As InstantLoan names it, wei."""


@dataclass(slots=True)
class Money:
    """Balances around a scene, and its transactions; the last two are there once the scene is over.

    parties: addresses by name.
    """

    parties: Mapping[str, str]
    before: Balances
    after: Balances
    sent: Sequence[Sent] = field(default=())

    @property
    def gas(self) -> dict[str, int]:
        """What each paid for gas, wei."""
        return {who: gas_of(self.sent, address) for who, address in self.parties.items()}

    @property
    def gains(self) -> dict[str, int]:
        """What each has more than before, wherever it is, wei; gas is not counted, nothing is left out."""
        old, new, gas = self.before.of, self.after.of, self.gas
        made = {who: new[who].total - old[who].total + gas[who] for who in self.parties}
        return {who: gain for who, gain in made.items() if gain}


class Stage(Generic[N]):
    """One for the whole demo. step: prints what happens now. checks: what is as it should be."""

    def __init__(self, net: N, step: Progress) -> None:
        self.net, self.step = net, step
        self.checks: dict[str, bool] = {}

    def quote(self, text: str) -> None:
        """What another process said, with names for addresses."""
        for line in quoted(text, self.net.parties):
            out.print(f"           [dim]│[/] [italic]{escape(line)}[/]")

    def check(self, what: str, fine: bool) -> None:
        """Remembers the outcome for the table at the end; what is checked twice has to be fine twice."""
        self.checks[what] = self.checks.get(what, True) and fine

    @asynccontextmanager
    async def scene(self, title: str, *terms: str) -> AsyncIterator[Money]:
        """Prints a scene's head, and its money when it is over."""
        out.print(f"\n[bold]{title}[/]")
        for line in terms:
            out.print(f"  {line}")
        before = await self._balances()
        money = Money(self.net.parties, before, before)
        yield money
        money.after = await self._balances()
        first, last = before.block + 1, money.after.block
        money.sent = await transactions(self.net.net.rpc, first, last, CONTRACTS)
        out.print()
        out.print(table(before, money.after, money.gas))
        used = ", ".join(f"{tx.does or 'other'} {tx.gas:,}" for tx in money.sent)
        out.print(f"[dim]in ether; gas used: {used}[/]")
        self.check(
            "in every scene, what one gained another lost, to the wei (but for the gas)",
            missing(before, money.after, sum(tx.cost for tx in money.sent)) == 0,
        )
        self.check(
            "after every scene the hub holds just what it owes, and no stake is locked",
            uncovered(before, money.after) == 0 and not any(each.locked for each in money.after.of.values()),
        )

    async def _balances(self) -> Balances:
        return await balances(self.net.net.rpc, self.net.net.deployment, self.net.parties)


def quoted(text: str, parties: Mapping[str, str]) -> list[str]:
    """A long line in parts, with names for the parties' addresses, and other hashes shortened."""
    for name, address in parties.items():
        text = text.replace(f"operator {address}", name).replace(address, name)
    text = re.sub(r"(0x[0-9a-f]{8})[0-9a-f]{32,}", r"\1…", text, flags=re.IGNORECASE)
    return text.split("; ")


def risk(manifest: Manifest, output: bytes) -> float:
    """The one number that the risk model gives."""
    return float(decode_tensors(manifest.outputs, output)["risk"].flat[0])
